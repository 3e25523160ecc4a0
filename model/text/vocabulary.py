"""The vocabulary files of a checkpoint: tiktoken.model and the special tokens' names.

Source: the Kimi-VL checkpoints' tiktoken.model, tokenizer_config.json and
tokenization_moonshot.TikTokenTokenizer. special_tokens_map.json only repeats names and is not read.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from model.config import read_json
from model.errors import CheckpointError

RANKS_FILE = "tiktoken.model"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"

BOS = "[BOS]"
EOS = "[EOS]"
IM_END = "<|im_end|>"
IM_USER = "<|im_user|>"
IM_ASSISTANT = "<|im_assistant|>"
IM_SYSTEM = "<|im_system|>"
IM_MIDDLE = "<|im_middle|>"
MEDIA_START = "<|media_start|>"
MEDIA_CONTENT = "<|media_content|>"
MEDIA_END = "<|media_end|>"
MEDIA_PAD = "<|media_pad|>"
PAD = "[PAD]"
UNK = "[UNK]"

N_SPECIAL = 256
SPECIAL_NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: BOS,
        1: EOS,
        2: IM_END,
        3: IM_USER,
        4: IM_ASSISTANT,
        10: IM_SYSTEM,
        17: IM_MIDDLE,
        18: MEDIA_START,
        19: MEDIA_CONTENT,
        20: MEDIA_END,
        21: MEDIA_PAD,
        254: PAD,
        255: UNK,
    }
)
"""Names of special tokens by their offset from the number of ranks (163 584 in the real file)."""

# Without these the template cannot be written or an answer never ends.
_REQUIRED = tuple(name for name in SPECIAL_NAMES.values() if name not in (BOS, PAD, UNK))


def read_ranks(path: Path) -> dict[bytes, int]:
    """Read a vocabulary file: a line a token, its bytes in base64, a space, its rank.

    Raises `CheckpointError` naming file and line for anything but every rank from 0 on exactly
    once, with each of the 256 single bytes among the tokens.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing", remedy="point at a folder in the Kimi-VL layout") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read", why=str(error)) from error
    ranks: dict[bytes, int] = {}
    line_of_rank: dict[int, int] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        token, rank = _parse_line(line, path, number)
        if rank in line_of_rank:
            raise _broken(path, number, f"rank {rank} stands already on line {line_of_rank[rank]}")
        if token in ranks:
            raise _broken(path, number, f"token {token!r} stands already on line {line_of_rank[ranks[token]]}")
        ranks[token] = rank
        line_of_rank[rank] = number
    missing_rank = next((rank for rank in range(len(ranks)) if rank not in line_of_rank), None)
    if missing_rank is not None:
        last = max(line_of_rank)
        raise _broken(path, line_of_rank[last], f"rank {last} stands here, but rank {missing_rank} nowhere")
    missing_byte = next((byte for byte in range(256) if bytes([byte]) not in ranks), None)
    if missing_byte is not None:
        raise _broken(path, max(line_of_rank.values(), default=0), f"the file ends without byte 0x{missing_byte:02x}")
    return ranks


def _broken(path: Path, line: int, why: str) -> CheckpointError:
    return CheckpointError(f"{path}, line {line}: {why}", remedy="the file is damaged; download it again")


def _parse_line(line: bytes, path: Path, number: int) -> tuple[bytes, int]:
    fields = line.split()
    if len(fields) != 2:
        raise _broken(path, number, f"base64 and a rank expected, not {line[:60]!r}")
    try:
        token = base64.b64decode(fields[0], validate=True)
    except binascii.Error as error:
        raise _broken(path, number, f"{fields[0][:60]!r} is not base64 ({error})") from error
    if not token:
        raise _broken(path, number, "the token is empty")
    if not fields[1].isdigit() or len(fields[1]) > 9:
        raise _broken(path, number, f"{fields[1][:60]!r} is not a rank")
    return token, int(fields[1])


def read_special_names(path: Path, n_base: int) -> dict[int, str]:
    """Read the special tokens' names by id from ``added_tokens_decoder`` of a tokenizer_config.json.

    Raises `CheckpointError` naming the file when an entry is malformed or its id is not one of the
    256 after ``n_base`` ranks, which is what a vocabulary file that lost its tail looks like.
    """
    raw = read_json(path)
    entries = raw.get("added_tokens_decoder", {}) if isinstance(raw, Mapping) else None
    if not isinstance(entries, Mapping):
        raise CheckpointError(f"{path}: 'added_tokens_decoder' is not a JSON object", remedy="download it again")
    names: dict[int, str] = {}
    for key, entry in entries.items():
        name = entry.get("content") if isinstance(entry, Mapping) else None
        if not (re.fullmatch(r"[0-9]{1,9}", str(key)) and isinstance(name, str) and name):
            raise CheckpointError(f"{path}: added_tokens_decoder entry {str(key)[:40]!r} has no id or content")
        token_id = int(key)
        # The family's own class makes two slots more than the embedding has rows; never used.
        if name == reserved_name(token_id):
            continue
        if not n_base <= token_id < n_base + N_SPECIAL:
            raise CheckpointError(
                f"{path}: {name!r} has id {token_id}, but {RANKS_FILE} beside it holds {n_base} ranks",
                why=f"special tokens have ids {n_base} to {n_base + N_SPECIAL - 1}; one of the files is not whole",
                remedy="download both again",
            )
        names[token_id] = name
    return names


def reserved_name(token_id: int) -> str:
    """Return the name of a special token that has no name of its own."""
    return f"<|reserved_token_{token_id}|>"


def special_ids(n_base: int, given: Mapping[int, str]) -> dict[str, int]:
    """Name all 256 special tokens, in id order: by ``given``, else `SPECIAL_NAMES`, else as reserved.

    Raises `CheckpointError` when one name falls on two ids or a token the template needs is missing.
    """
    taken = set(given.values())
    defaults = {n_base + offset: name for offset, name in SPECIAL_NAMES.items() if name not in taken}
    names = defaults | dict(given)
    ids = {names.get(token_id, reserved_name(token_id)): token_id for token_id in range(n_base, n_base + N_SPECIAL)}
    if len(ids) < N_SPECIAL:
        raise CheckpointError(f"{TOKENIZER_CONFIG_FILE}: added_tokens_decoder gives one name to two ids")
    missing = [name for name in _REQUIRED if name not in ids]
    if missing:
        raise CheckpointError(
            f"{TOKENIZER_CONFIG_FILE}: added_tokens_decoder has no {', '.join(missing)}",
            remedy="point at a checkpoint of the Kimi-VL family; its relatives use other special tokens",
        )
    return ids
