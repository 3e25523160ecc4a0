"""Between questions and token ids: what the built-in model reads and writes in training."""

from dataclasses import dataclass

from model.grounding import ABSENT_ANSWER, answer_text, ask
from model.nano.elements import Box
from model.template import render
from model.text.tokenizer_build import build_ranks, pieces
from model.text.vocabulary import IM_END, MEDIA_END
from model.tokenizer import Tokenizer

PROMPT = "bare"


def nano_ranks() -> dict[bytes, int]:
    """Return the built-in vocabulary: bytes, numbers in threes, and the words of the two answers.

    Words of instructions are spelled in bytes, so that any word can be asked for.
    """
    words = [*pieces(answer_text(0.5, 0.5)), *pieces(ABSENT_ANSWER), "assistant"]
    return build_ranks([word for word in dict.fromkeys(words) if len(word.encode()) > 2])


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's ids, and which of them are the two coordinates (index of x, of y), if any."""

    ids: tuple[int, ...]
    coordinates: tuple[int, int] | None


class Codec:
    """Spells questions and answers exactly as the engine will."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.end = tokenizer.special(IM_END)
        self._media_end = tokenizer.special(MEDIA_END)
        self.coordinate_ids = [self._one(f"{value:03d}") for value in range(1000)]
        self._coordinates = frozenset(self.coordinate_ids)
        self.absent = Answer((*tokenizer.encode(ABSENT_ANSWER), self.end), None)

    def _one(self, text: str) -> int:
        (token,) = self.tokenizer.encode(text)
        return token

    def prefix(self, image_tokens: int) -> list[int]:
        """Return the ids before the instruction, the image's placeholders among them."""
        ids = render(ask(b"", "x", PROMPT), self.tokenizer, [image_tokens])
        return ids[: ids.index(self._media_end) + 1]

    def question(self, instruction: str) -> list[int]:
        """Return the ids from the instruction to the opening of the answer."""
        ids = render(ask(b"", instruction, PROMPT), self.tokenizer, [1])
        return ids[ids.index(self._media_end) + 1 :]

    def answer(self, box_px: Box | None, width_px: int, height_px: int) -> Answer:
        """Return the answer that points at the middle of a box, or the one that says it is not there."""
        if box_px is None:
            return self.absent
        x0, y0, x1, y1 = box_px
        ids = self.tokenizer.encode(answer_text((x0 + x1) / 2 / width_px, (y0 + y1) / 2 / height_px))
        x, y = (place for place, token in enumerate(ids) if token in self._coordinates)
        return Answer((*ids, self.end), (x, y))
