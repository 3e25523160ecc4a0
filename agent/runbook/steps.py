"""What a person can tell the agent to do: one frozen value a step.

A step says what is meant, not how it is done: `agent.runbook.moves` turns it into actions.
"""

from dataclasses import dataclass
from typing import Literal

from agent.types import Button, Click, Hotkey, Press, Scroll, TypeText, Wait

MAX_WORDS_CHARS = 500
MAX_ITEMS = 50

Direction = Literal["down", "up", "left", "right"]
Side = Literal["left", "right", "top", "bottom"]


@dataclass(frozen=True, slots=True)
class Element:
    """Something on the screen: described in words, or ``literal``, the very text that it shows.

    Raises ValueError when the words are empty, too long, or hold nothing but blanks.
    """

    words: str
    literal: bool = False

    def __post_init__(self) -> None:
        if not self.words.strip():
            raise ValueError("an element needs words that describe it")
        if len(self.words) > MAX_WORDS_CHARS:
            raise ValueError(f"an element is described in {len(self.words)} characters; at most {MAX_WORDS_CHARS}")
        if not self.literal and self.words != self.words.strip():
            raise ValueError("a description neither begins nor ends with a blank")

    @property
    def description(self) -> str:
        """What a model is asked for: text that is shown stands in quotes."""
        return f'"{self.words}"' if self.literal else self.words


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret by its name; its value is read at the moment it is typed."""

    name: str


@dataclass(frozen=True, slots=True)
class ClickStep:
    """Click an element ``count`` times."""

    target: Element
    button: Button = "left"
    count: int = 1

    def __post_init__(self) -> None:
        Click(None, self.button, self.count)
        if self.button != "left" and self.count != 1:
            raise ValueError("only the left button is clicked more than once")


@dataclass(frozen=True, slots=True)
class HoverStep:
    """Move the pointer over an element."""

    target: Element


@dataclass(frozen=True, slots=True)
class TypeStep:
    """Type text; with ``into``, click that field first. A secret is typed into a named field only."""

    text: str | SecretName
    into: Element | None = None

    def __post_init__(self) -> None:
        if isinstance(self.text, str):
            TypeText(self.text)
        elif self.into is None:
            raise ValueError("a secret is typed into a named field only")


@dataclass(frozen=True, slots=True)
class PressStep:
    """Press one key ``count`` times, or several keys together once.

    ``keys`` are canonical names of `agent.keys`; a letter among several keys is in lower case.
    """

    keys: tuple[str, ...]
    count: int = 1

    def __post_init__(self) -> None:
        if len(self.keys) == 1:
            Press(self.keys[0], self.count)
            return
        Hotkey(self.keys)
        if self.count != 1:
            raise ValueError("keys that are pressed together are pressed once")
        for key in self.keys:
            if len(key) == 1 and key != key.lower():
                raise ValueError(f"write shift for a capital letter among several keys, not {key!r}")


@dataclass(frozen=True, slots=True)
class PauseStep:
    """Let time pass."""

    seconds: float

    def __post_init__(self) -> None:
        Wait(self.seconds)


@dataclass(frozen=True, slots=True)
class WaitUntilStep:
    """Wait until an element is shown, or is not."""

    target: Element
    shown: bool = True


@dataclass(frozen=True, slots=True)
class CheckStep:
    """Fail unless an element is shown, or is not."""

    target: Element
    shown: bool = True


@dataclass(frozen=True, slots=True)
class ScrollStep:
    """Turn the wheel by notches, over an element or where the pointer is."""

    direction: Direction
    notches: int = 5
    inside: Element | None = None

    def __post_init__(self) -> None:
        Scroll(None, up_notches=self.notches)
        if self.notches < 1:
            raise ValueError("a wheel is turned by one notch at least")


@dataclass(frozen=True, slots=True)
class ScrollUntilStep:
    """Turn the wheel until an element is shown."""

    direction: Direction
    target: Element
    inside: Element | None = None


@dataclass(frozen=True, slots=True)
class DragStep:
    """Drag one element onto another."""

    start: Element
    end: Element


@dataclass(frozen=True, slots=True)
class DragToEndStep:
    """Drag a handle to one end of what it moves in."""

    target: Element
    side: Side


@dataclass(frozen=True, slots=True)
class SelectStep:
    """Click each of some elements; with ``opener``, open that list before each."""

    items: tuple[Element, ...]
    opener: Element | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.items) <= MAX_ITEMS:
            raise ValueError(f"{len(self.items)} things to select; it must be 1 to {MAX_ITEMS}")


@dataclass(frozen=True, slots=True)
class MenuStep:
    """Open a menu and go down its entries."""

    path: tuple[Element, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.path) <= MAX_ITEMS:
            raise ValueError(f"{len(self.path)} menu entries; it must be 1 to {MAX_ITEMS}")


Step = (
    ClickStep
    | HoverStep
    | TypeStep
    | PressStep
    | PauseStep
    | WaitUntilStep
    | CheckStep
    | ScrollStep
    | ScrollUntilStep
    | DragStep
    | DragToEndStep
    | SelectStep
    | MenuStep
)
