"""The family's tokenizer: tiktoken ranks, 256 special tokens above them, decoding that streams.

Source: tokenization_moonshot.TikTokenTokenizer of the Kimi-VL checkpoints (pattern, special ids,
cuts of long inputs). One thing differs on purpose: `Tokenizer.encode` never yields a special
token, because what it is given comes from users and screens.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

import tiktoken

from model.errors import CheckpointError, InputError
from model.text.vocabulary import (
    N_SPECIAL,
    RANKS_FILE,
    SPECIAL_NAMES,
    TOKENIZER_CONFIG_FILE,
    read_ranks,
    read_special_names,
    special_ids,
)

__all__ = ["PATTERN", "SPECIAL_NAMES", "IncrementalDecoder", "Tokenizer", "cut"]

_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
_ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = "|".join(
    (
        r"[\p{Han}]+",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_ENDING}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_ENDING}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""The pre-tokeniser: text is cut into these pieces, and bytes are merged only inside a piece."""

# The family's own limits; past them the pattern engine overflows its stack.
_MAX_ENCODE_CHARS = 400_000
_MAX_RUN_CHARS = 25_000
_RUN = re.compile(r"\s+|\S+")


class Tokenizer:
    """Text to token ids and back. Immutable after construction and safe to share between threads.

    ``ranks`` maps token bytes to 0…n_base-1; ``special_names`` (by id) overrides `SPECIAL_NAMES`.
    Raises `CheckpointError` for names that clash or when a token the template needs has none.
    """

    def __init__(self, ranks: Mapping[bytes, int], special_names: Mapping[int, str] = MappingProxyType({})) -> None:
        self.n_base = len(ranks)
        self.n_vocab = self.n_base + N_SPECIAL
        self._bytes = sorted(ranks, key=ranks.__getitem__)
        self._specials = special_ids(self.n_base, special_names)
        self._special_bytes = [name.encode() for name in self._specials]
        longest_first = sorted(self._specials, key=len, reverse=True)
        self._special_pattern = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        self._encoding = tiktoken.Encoding(
            "kimi-vl", pat_str=PATTERN, mergeable_ranks=dict(ranks), special_tokens={}, explicit_n_vocab=self.n_base
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read tiktoken.model and, when present, tokenizer_config.json; raise `CheckpointError` naming the file."""
        ranks = read_ranks(folder / RANKS_FILE)
        config = folder / TOKENIZER_CONFIG_FILE
        return cls(ranks, read_special_names(config, len(ranks)) if config.exists() else {})

    @property
    def specials(self) -> Mapping[str, int]:
        """Map all 256 special tokens' names to their ids, in id order."""
        return MappingProxyType(self._specials)

    def special(self, name: str) -> int:
        """Return a special token's id; raise `CheckpointError` when this vocabulary has none of that name."""
        try:
            return self._specials[name]
        except KeyError:
            raise CheckpointError(f"the tokenizer has no special token {name!r}") from None

    def is_special(self, token_id: int) -> bool:
        """Say whether an id is one of the 256 after the ranks."""
        return self.n_base <= token_id < self.n_vocab

    def encode(self, text: str) -> list[int]:
        """Encode text as text: look-alikes of special tokens are spelled out. Lone surrogates become U+FFFD."""
        ids: list[int] = []
        for part in cut(text):
            ids += self._encoding.encode_ordinary(part)
        return ids

    def encode_with_specials(self, text: str) -> list[int]:
        """Encode a rendered prompt, reading special tokens' names as the tokens. Never for untrusted text."""
        ids: list[int] = []
        for part in self._special_pattern.split(text):
            token_id = self._specials.get(part)
            ids += self.encode(part) if token_id is None else (token_id,)
        return ids

    def decode_bytes(self, ids: Iterable[int], skip_special: bool = True) -> bytes:
        """Return the tokens' bytes; a special token is its name or nothing. Unknown ids raise `InputError`."""
        return b"".join(self._token_bytes(token_id, skip_special) for token_id in ids)

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """Return the tokens' text, with U+FFFD for bytes that are not UTF-8. Unknown ids raise `InputError`."""
        return self.decode_bytes(ids, skip_special).decode("utf-8", errors="replace")

    def _token_bytes(self, token_id: int, skip_special: bool) -> bytes:
        if 0 <= token_id < self.n_base:
            return self._bytes[token_id]
        if not self.is_special(token_id):
            raise InputError(f"token id {token_id} is outside the vocabulary of {self.n_vocab}")
        return b"" if skip_special else self._special_bytes[token_id - self.n_base]


def cut(text: str) -> Iterator[str]:
    """Cut a long text as the family does: at 400 000 characters, and in runs of 25 000 spaces or non-spaces."""
    for start in range(0, len(text), _MAX_ENCODE_CHARS):
        part = text[start : start + _MAX_ENCODE_CHARS]
        begin = 0
        if len(part) > _MAX_RUN_CHARS:
            for run in _RUN.finditer(part):
                for end in range(run.start() + _MAX_RUN_CHARS, run.end(), _MAX_RUN_CHARS):
                    yield part[begin:end]
                    begin = end
        yield part[begin:]


class IncrementalDecoder:
    """Decode an answer token by token: characters that span tokens come out whole or not at all.

    The concatenation of all pushes and the flush equals `Tokenizer.decode` of all ids. At most
    three bytes are ever held back, and only while they can still become a character.
    """

    def __init__(self, tokenizer: Tokenizer, skip_special: bool = True) -> None:
        self._tokenizer = tokenizer
        self._skip_special = skip_special
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        """Return the text that this token completes, possibly none. Unknown ids raise `InputError`."""
        return self._utf8.decode(self._tokenizer.decode_bytes((token_id,), self._skip_special))

    def flush(self) -> str:
        """Return U+FFFD for an unfinished character, else nothing; afterwards the decoder starts afresh."""
        return self._utf8.decode(b"", final=True)
