"""The values that pass between the parts of the agent: points, monitors, frames and actions.

Two spaces, kept apart by type: `RelPoint` is relative (0 to 1) to one picture, as a model answers;
`Point` is a physical pixel of the virtual desktop, as hands need it. Only `agent.coords` turns one
into the other.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.keys import is_key

Button = Literal["left", "middle", "right"]
BUTTONS: tuple[Button, ...] = ("left", "middle", "right")
Modifier = Literal["ctrl", "shift", "alt", "super"]
MODIFIERS: tuple[Modifier, ...] = ("ctrl", "shift", "alt", "super")

MAX_CLICKS = 3
MAX_NOTCHES = 100
MAX_PRESSES = 100
MAX_TEXT_CHARS = 10_000
MAX_WAIT_S = 60.0

_UNTYPEABLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories that no key or paste enters: controls, lone surrogates, line separators."""


@dataclass(frozen=True, slots=True)
class Point:
    """A physical pixel of the virtual desktop; monitors left of or above the origin make it negative."""

    x_px: int
    y_px: int


@dataclass(frozen=True, slots=True)
class RelPoint:
    """A point relative to one picture: 0 is its left or top edge, 1 its right or bottom edge.

    Raises ValueError outside 0 to 1, so that no action can hold a point beside the picture.
    """

    x_rel: float
    y_rel: float

    def __post_init__(self) -> None:
        for name, value in (("x", self.x_rel), ("y", self.y_rel)):
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise ValueError(f"{name} is {value:g}; coordinates are relative to the screenshot, from 0 to 1")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels; ``right`` and ``bottom`` are exclusive. Who holds it says of what space."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    def contains(self, point: Point) -> bool:
        """Say whether a pixel lies inside."""
        return self.left <= point.x_px < self.right and self.top <= point.y_px < self.bottom

    def intersection(self, other: "Rect") -> "Rect | None":
        """Return what both rectangles cover, or None."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(left, top, right, bottom) if left < right and top < bottom else None


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor: ``rect_px`` in physical pixels of the virtual desktop.

    ``scale`` is the desktop's own factor for the size of what it draws (1.0, 1.25, 2.0); positions
    need no correction by it.
    """

    id: str
    name: str
    rect_px: Rect
    scale: float = 1.0
    is_primary: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What was on a part of the virtual desktop at one moment.

    ``bgrx`` is read-only uint8 of shape (height, width, 4), the layout in which every desktop hands
    its pixels out; the fourth byte means nothing. ``rect_px`` is where it lies on the virtual desktop,
    ``monitors`` the layout at that moment, ``time_s`` seconds since the epoch, ``source`` the name of
    the capture handler.
    """

    bgrx: NDArray[np.uint8]
    rect_px: Rect
    monitors: tuple[Monitor, ...]
    time_s: float
    source: str

    def __post_init__(self) -> None:
        if self.bgrx.dtype != np.uint8 or self.bgrx.shape != (self.rect_px.height, self.rect_px.width, 4):
            raise ValueError(f"{self.bgrx.dtype}{self.bgrx.shape} are not the BGRX pixels of {self.rect_px}")
        self.bgrx.flags.writeable = False

    @property
    def origin_px(self) -> Point:
        """The virtual desktop's pixel at the frame's top left corner."""
        return Point(self.rect_px.left, self.rect_px.top)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.rect_px.width, self.rect_px.height

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The pixels as a uint8 RGB view of shape (height, width, 3); nothing is copied."""
        return self.bgrx[:, :, 2::-1]

    def image(self) -> Image.Image:
        """Return the pixels as an RGB picture of its own (3 ms at 4K)."""
        contiguous = np.ascontiguousarray(self.bgrx)
        return Image.frombuffer("RGB", self.size_px, contiguous, "raw", "BGRX", 0, 1)

    def crop(self, rect_px: Rect) -> "Frame":
        """Return the part of the frame inside a rectangle of the virtual desktop, sharing its pixels.

        Raises ValueError when they do not overlap.
        """
        inside = rect_px.intersection(self.rect_px)
        if inside is None:
            raise ValueError(f"{rect_px} lies outside the frame {self.rect_px}")
        left, top = inside.left - self.rect_px.left, inside.top - self.rect_px.top
        part = self.bgrx[top : top + inside.height, left : left + inside.width]
        return Frame(part, inside, self.monitors, self.time_s, self.source)


@dataclass(frozen=True, slots=True)
class Target:
    """An element in words, still to be found: "the Save button"."""

    description: str


P = TypeVar("P", RelPoint, Point, Target)
"""The space that an action's points are in."""


@dataclass(frozen=True, slots=True)
class Click(Generic[P]):
    """Press and release a button ``count`` times; without ``at``, where the pointer is."""

    at: P | None
    button: Button = "left"
    count: int = 1
    modifiers: tuple[Modifier, ...] = ()

    def __post_init__(self) -> None:
        _check_in(self.button, BUTTONS, "a mouse button")
        _check_range(self.count, 1, MAX_CLICKS, "clicks")
        _check_modifiers(self.modifiers)


@dataclass(frozen=True, slots=True)
class Move(Generic[P]):
    """Move the pointer without pressing anything."""

    to: P


@dataclass(frozen=True, slots=True)
class Drag(Generic[P]):
    """Hold a button from ``start`` to ``end``; without ``start``, from where the pointer is."""

    start: P | None
    end: P
    button: Button = "left"
    modifiers: tuple[Modifier, ...] = ()

    def __post_init__(self) -> None:
        _check_in(self.button, BUTTONS, "a mouse button")
        _check_modifiers(self.modifiers)


@dataclass(frozen=True, slots=True)
class Scroll(Generic[P]):
    """Turn one wheel by notches; negative is down, or left. Without ``at``, where the pointer is."""

    at: P | None
    up_notches: int = 0
    right_notches: int = 0
    modifiers: tuple[Modifier, ...] = ()

    def __post_init__(self) -> None:
        _check_range(self.up_notches, -MAX_NOTCHES, MAX_NOTCHES, "notches")
        _check_range(self.right_notches, -MAX_NOTCHES, MAX_NOTCHES, "notches")
        if self.up_notches and self.right_notches:
            raise ValueError("a wheel turns one way at a time")
        _check_modifiers(self.modifiers)


@dataclass(frozen=True, slots=True)
class TypeText:
    """Enter text; a newline is the Enter key, a tab the Tab key.

    A ``secret`` is never shown by ``repr`` and never put on the clipboard.
    """

    text: str
    secret: bool = False

    def __post_init__(self) -> None:
        if len(self.text) > MAX_TEXT_CHARS:
            raise ValueError(f"the text has {len(self.text)} characters; at most {MAX_TEXT_CHARS} can be typed at once")
        for char in self.text:
            if char not in "\n\t" and unicodedata.category(char) in _UNTYPEABLE:
                raise ValueError(f"the text holds U+{ord(char):04X}, which is no character that can be typed")

    def __repr__(self) -> str:
        return "TypeText(<secret>)" if self.secret else f"TypeText({self.text!r})"


@dataclass(frozen=True, slots=True)
class Press:
    """Press and release one key ``count`` times. ``key`` is a name of `agent.keys`."""

    key: str
    count: int = 1

    def __post_init__(self) -> None:
        _check_keys((self.key,))
        _check_range(self.count, 1, MAX_PRESSES, "presses")


@dataclass(frozen=True, slots=True)
class Hotkey:
    """Hold keys one after another, then release them in reverse. ``keys`` are two to five names."""

    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_keys(self.keys)
        _check_range(len(self.keys), 2, 5, "keys in a hotkey")
        if len(set(self.keys)) != len(self.keys):
            raise ValueError(f"a hotkey holds each key once, not {'+'.join(self.keys)}")


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass before looking again."""

    seconds: float

    def __post_init__(self) -> None:
        _check_range(self.seconds, 0.0, MAX_WAIT_S, "seconds of waiting")


@dataclass(frozen=True, slots=True)
class Ask:
    """Hand a question to the person and wait for the answer."""

    question: str


@dataclass(frozen=True, slots=True)
class Done:
    """The goal is reached; ``answer`` is what the goal asked to find out."""

    answer: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """The goal cannot be reached."""

    reason: str = ""


Action = Click[P] | Move[P] | Drag[P] | Scroll[P] | TypeText | Press | Hotkey | Wait | Ask | Done | Fail
"""Everything the agent can do: ``Action[RelPoint]`` as a model says it, ``Action[Target]`` as a person writes
it, ``Action[Point]`` as hands do it."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that is no action, and why, in words that a model or a person can act on."""

    reason: str


def _check_in(value: str, allowed: Sequence[str], what: str) -> None:
    if value not in allowed:
        raise ValueError(f"{value!r} is not {what}; there are {', '.join(allowed)}")


def _check_range(value: float, low: float, high: float, what: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{value:g} {what}; it must be {low:g} to {high:g}")


def _check_modifiers(modifiers: tuple[Modifier, ...]) -> None:
    for modifier in modifiers:
        _check_in(modifier, MODIFIERS, "a modifier")
    if len(set(modifiers)) != len(modifiers):
        raise ValueError(f"a modifier is held once, not {'+'.join(modifiers)}")


def _check_keys(keys: tuple[str, ...]) -> None:
    for key in keys:
        if not is_key(key):
            raise ValueError(f"{key!r} is not the name of a key")
