"""The family's tokenizer as transformers expects one; `model.tokenizer` does the work."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import AddedToken, PreTrainedTokenizer

from model.template import CHAT_TEMPLATE
from model.text.tokenizer_build import write_ranks
from model.text.vocabulary import BOS, EOS, PAD, RANKS_FILE, UNK
from model.tokenizer import Tokenizer

_NAMED = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD, "unk_token": UNK}
# A token's bytes as text, one character a byte: reversible for every token, and ASCII reads as itself.
_BYTES = "latin-1"


class TikTokenTokenizer(PreTrainedTokenizer):
    """Tokenise as the released checkpoints' class of this name does: special tokens in a text are parsed.

    Pads on the left unless told otherwise, because answers are written behind the prompt. Raises
    `CheckpointError` for damaged files, and `ValueError` for tokens that the network has no rows for.
    """

    vocab_files_names: Mapping[str, str] = {"vocab_file": RANKS_FILE}  # pyright: ignore[reportIncompatibleVariableOverride]
    model_input_names: Sequence[str] = ["input_ids", "attention_mask"]  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, vocab_file: str, **kwargs: Any) -> None:
        # The names come from tokenizer_config.json beside the ranks, checked; not from transformers' copy.
        kwargs.pop("added_tokens_decoder", None)
        kwargs.pop("auto_map", None)
        self.tiktoken = Tokenizer.load(Path(vocab_file).parent)
        self._added_tokens_decoder = {
            token_id: AddedToken(name, special=True, normalized=False)
            for name, token_id in self.tiktoken.specials.items()
        }
        self._vocab: dict[str, int] = {}
        for key, name in _NAMED.items():
            if name in self.tiktoken.specials:
                kwargs.setdefault(key, name)
        kwargs.setdefault("padding_side", "left")
        kwargs["chat_template"] = kwargs.get("chat_template") or CHAT_TEMPLATE
        super().__init__(vocab_file=vocab_file, **kwargs)
        self._update_trie()

    @property
    def vocab_size(self) -> int:
        """Tokens in all, special ones included."""
        return self.tiktoken.n_vocab

    def get_vocab(self) -> dict[str, int]:
        """Map every token's text form to its id."""
        if not self._vocab:
            base = (self.tiktoken.decode_bytes((token_id,)) for token_id in range(self.tiktoken.n_base))
            self._vocab = {token.decode(_BYTES): token_id for token_id, token in enumerate(base)}
            self._vocab |= self.tiktoken.specials
        return dict(self._vocab)

    def _add_tokens(self, new_tokens: Iterable[str | AddedToken], special_tokens: bool = False) -> int:
        unknown = [str(token) for token in new_tokens if str(token) not in self.tiktoken.specials]
        if unknown:
            raise ValueError(f"the network has no embeddings for new tokens: {', '.join(unknown)}")
        return 0

    def _tokenize(self, text: str, **_: object) -> list[str]:
        return [self._convert_id_to_token(token_id) for token_id in self.tiktoken.encode(text)]

    def _convert_token_to_id(self, token: str) -> Any:
        if not self._vocab:
            self.get_vocab()
        return self._vocab.get(token, self.unk_token_id)

    def _convert_id_to_token(self, index: int) -> str:
        return self.tiktoken.decode_bytes((index,), skip_special=False).decode(_BYTES)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens in their text form to the text they stand for."""
        return b"".join(token.encode(_BYTES, errors="replace") for token in tokens).decode("utf-8", errors="replace")

    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **_: object,
    ) -> str:
        # Nothing is cleaned up: tokens are exact bytes, and spaces belong to them.
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        return self.tiktoken.decode(map(int, ids), skip_special_tokens)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write tiktoken.model into an existing folder; return its path."""
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        path = Path(save_directory) / f"{prefix}{RANKS_FILE}"
        ids = range(self.tiktoken.n_base)
        write_ranks(path, {self.tiktoken.decode_bytes((token_id,)): token_id for token_id in ids})
        return (str(path),)
