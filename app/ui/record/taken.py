"""What a person's hands did, put together from single events. Knows no Qt."""

import io
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL import Image

from agent.runbook.steps import ClickStep, Direction, DragStep, Element, PressStep, ScrollStep, Step, TypeStep
from agent.types import Button, Frame, Point, Rect

MAX_TAKEN = 200
"""Steps after which a recording ends by itself."""

_DOUBLE_MS = 450
_NEAR_PX = 6
_DRAG_PX = 10

Kind = Literal["click", "drag", "scroll", "type", "press"]


class Shot:
    """The screen right before, and where it lies on the virtual desktop; packed without loss when there is time."""

    def __init__(self, frame: Frame) -> None:
        self.rect_px: Rect = frame.rect_px
        self._frame: Frame | None = frame
        self._packed = b""

    @property
    def packed(self) -> bytes:
        """The picture as PNG."""
        if self._frame is not None:
            out = io.BytesIO()
            self._frame.image().save(out, "PNG", compress_level=1)
            self._packed, self._frame = out.getvalue(), None
        return self._packed

    def image(self) -> Image.Image:
        """Return the picture."""
        return Image.open(io.BytesIO(self.packed)).convert("RGB")


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that was done.

    ``words`` are what its target is called, ``end_words`` what it is dragged to; the person gives them.
    """

    kind: Kind
    point: Point | None = None
    end: Point | None = None
    button: Button = "left"
    count: int = 1
    way: Direction = "down"
    text: str = ""
    keys: tuple[str, ...] = ()
    shot: Shot | None = None
    words: str = ""
    end_words: str = ""

    @property
    def needs_words(self) -> bool:
        """Whether somebody has to say what the target is called."""
        return self.kind in ("click", "drag") and not (self.words.strip() and (self.kind != "drag" or self.end_words))

    def step(self) -> Step:
        """Return it as a step. Raises ValueError while words are missing, or for what no step can do."""
        match self.kind:
            case "click":
                return ClickStep(Element(self.words.strip()), self.button, self.count if self.button == "left" else 1)
            case "drag":
                return DragStep(Element(self.words.strip()), Element(self.end_words.strip()))
            case "scroll":
                return ScrollStep(self.way, min(self.count, 100))
            case "type":
                return TypeStep(self.text)
            case "press":
                return PressStep(self.keys)


_WHEEL: dict[int, Direction] = {4: "up", 5: "down", 6: "left", 7: "right"}
_BUTTONS: dict[int, Button] = {1: "left", 2: "middle", 3: "right"}


@dataclass(slots=True)
class Hand:
    """Takes single events in and makes things done of them: double clicks, drags, runs of letters."""

    taken: list[Taken] = field(default_factory=list)
    _down: tuple[int, Point, Shot | None] | None = None
    _clicked_ms: int = -(10**9)

    def button_down(self, number: int, at: Point, shot: Shot | None) -> None:
        """Begin a click or a drag; a wheel's notch is done at once."""
        if number in _WHEEL:
            last = self.taken[-1] if self.taken else None
            if last is not None and last.kind == "scroll" and last.way == _WHEEL[number]:
                self.taken[-1] = replace(last, count=last.count + 1)
            else:
                self.taken.append(Taken("scroll", at, way=_WHEEL[number], shot=shot))
        elif number in _BUTTONS:
            self._down = (number, at, shot)

    def button_up(self, number: int, at: Point, time_ms: int) -> None:
        """End a click or a drag."""
        if self._down is None or self._down[0] != number:
            return
        _, start, shot = self._down
        self._down = None
        last = self.taken[-1] if self.taken else None
        if _apart(start, at) > _DRAG_PX:
            self.taken.append(Taken("drag", start, at, _BUTTONS[number], shot=shot))
        elif (
            last is not None
            and last.kind == "click"
            and last.point is not None
            and last.button == _BUTTONS[number]
            and last.count < 3
            and time_ms - self._clicked_ms <= _DOUBLE_MS
            and _apart(last.point, at) <= _NEAR_PX
        ):
            self.taken[-1] = replace(last, count=last.count + 1)
        else:
            self.taken.append(Taken("click", start, button=_BUTTONS[number], shot=shot))
        self._clicked_ms = time_ms

    def letter(self, char: str) -> None:
        """Take a character that was typed."""
        last = self.taken[-1] if self.taken else None
        if last is not None and last.kind == "type":
            self.taken[-1] = replace(last, text=last.text + char)
        else:
            self.taken.append(Taken("type", text=char))

    def key(self, keys: tuple[str, ...]) -> None:
        """Take a key or a combination that types nothing; Backspace takes a letter back."""
        last = self.taken[-1] if self.taken else None
        if keys == ("backspace",) and last is not None and last.kind == "type":
            shorter = replace(last, text=last.text[:-1])
            self.taken[-1:] = [shorter] if shorter.text else []
        else:
            self.taken.append(Taken("press", keys=keys))


def _apart(one: Point, other: Point) -> int:
    return max(abs(one.x_px - other.x_px), abs(one.y_px - other.y_px))
