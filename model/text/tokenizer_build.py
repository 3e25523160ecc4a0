"""Make a small vocabulary in the family's format, for checkpoints made by this repository.

What such a vocabulary guarantees, through plain tiktoken and for any text: a piece of the
pre-tokeniser that is one of the given words is one token; every other piece that has a letter in
it is spelled in single bytes; digits go in threes. It rests on two facts of tiktoken. A piece
that is a token as a whole is looked up before any merging, so a word needs no chain of partial
merges, which ordinary words would share. And merging begins with pairs of bytes, so where no
pair is a token nothing is ever merged: the only pairs here are two digits, which never stand in
a piece with letters, and those among the given words, which must be two ASCII signs.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import tiktoken

from model.errors import InputError
from model.template import CHAT_TEMPLATE
from model.text.vocabulary import BOS, EOS, PAD, RANKS_FILE, SPECIAL_NAMES, TOKENIZER_CONFIG_FILE, UNK
from model.tokenizer import PATTERN

SPECIAL_TOKENS_FILE = "special_tokens_map.json"
CHAT_TEMPLATE_FILE = "chat_template.jinja"


def build_ranks(words: Sequence[str]) -> dict[bytes, int]:
    """Return ranks for all bytes, then "00"…"99", "000"…"999", then the words in their order.

    A word is a whole piece of the pre-tokeniser with its leading space if it has one (see
    `pieces`); what is a token already is skipped. It is one token wherever it stands, in what
    users ask for too: a model that must read queries letter by letter wants only words that no
    query has. Raises `InputError` for a word that is several pieces, or two bytes long other than
    two ASCII signs: as a pair it would be merged inside ordinary words.
    """
    tokens = [bytes([byte]) for byte in range(256)]
    tokens += [f"{number:0{digits}}".encode() for digits in (2, 3) for number in range(10**digits)]
    for word in words:
        if len(word.encode()) == 2 and not _is_harmless_pair(word):
            raise InputError(
                f"{word!r} cannot be a token of its own",
                why="it is two bytes long and would be merged inside other words",
            )
    ranks = {token: rank for rank, token in enumerate(dict.fromkeys([*tokens, *(word.encode() for word in words)]))}
    encoding = _encoding(ranks)
    for word in words:
        if encoding.encode_ordinary(word) != [ranks[word.encode()]]:
            raise InputError(
                f"{word!r} cannot be one token", why=f"the pre-tokeniser cuts it into {' and '.join(pieces(word))}"
            )
    return ranks


def _is_harmless_pair(word: str) -> bool:
    return word.isascii() and (word.isdigit() or not any(character.isalnum() for character in word))


def pieces(text: str, max_chars: int = 64) -> list[str]:
    """Return the pieces of a text, in order, as the pre-tokeniser cuts them: candidates for `build_ranks`.

    Pieces longer than ``max_chars`` come out in parts.
    """
    # With every substring a token, the look-up of whole pieces makes each piece one token.
    substrings = {
        text[start:end].encode()
        for start in range(len(text))
        for end in range(start + 1, min(start + max_chars, len(text)) + 1)
    }
    tokens = sorted(substrings | {bytes([byte]) for byte in range(256)}, key=lambda token: (len(token), token))
    encoding = _encoding({token: rank for rank, token in enumerate(tokens)})
    return [tokens[rank].decode() for rank in encoding.encode_ordinary(text)]


def _encoding(ranks: dict[bytes, int]) -> tiktoken.Encoding:
    return tiktoken.Encoding("build", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


def write_ranks(path: Path, ranks: Mapping[bytes, int]) -> None:
    """Write a vocabulary file: a line a token in rank order, its bytes in base64, a space, its rank."""
    ordered = sorted(ranks.items(), key=lambda item: item[1])
    path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ordered))


def write_tokenizer(folder: Path, ranks: Mapping[bytes, int], model_max_length: int = 131_072) -> None:
    """Write the tokenizer's files of a checkpoint into an existing folder.

    tiktoken.model, tokenizer_config.json, special_tokens_map.json and chat_template.jinja, in the
    layout of moonshotai/Kimi-VL-A3B-Instruct without its ``auto_map``: there is no remote code.
    """
    write_ranks(folder / RANKS_FILE, ranks)
    special_tokens = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD, "unk_token": UNK}
    additional = [name for name in SPECIAL_NAMES.values() if name not in special_tokens.values()]
    config = {
        "added_tokens_decoder": {
            str(len(ranks) + offset): _added_token(name) for offset, name in SPECIAL_NAMES.items()
        },
        "additional_special_tokens": additional,
        **special_tokens,
        "clean_up_tokenization_spaces": False,
        "model_max_length": model_max_length,
        "tokenizer_class": "TikTokenTokenizer",
        "chat_template": CHAT_TEMPLATE,
    }
    _write_json(folder / TOKENIZER_CONFIG_FILE, config)
    _write_json(folder / SPECIAL_TOKENS_FILE, {"additional_special_tokens": additional, **special_tokens})
    (folder / CHAT_TEMPLATE_FILE).write_text(CHAT_TEMPLATE, encoding="utf-8")


def _added_token(name: str) -> dict[str, object]:
    return {
        "content": name,
        "lstrip": False,
        "normalized": False,
        "rstrip": False,
        "single_word": False,
        "special": True,
    }


def _write_json(path: Path, values: Mapping[str, object]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
