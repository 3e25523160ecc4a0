"""What every grounding set is read into: items with a target, and the rows that could not be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Box:
    """A target in pixels of its picture. All four edges belong to it, as every published scorer has it."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Polygon:
    """A target of three or more corners (x, y), in pixels of its picture."""

    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """There is no target: the right answer is that it is not in the picture."""


Target = Box | Polygon | Refusal


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a set. ``id`` is unique in it; ``group`` and the like are None where a set has none.

    ``image`` need not exist; ``image_name`` is how the annotations call it. ``size_px`` is (width, height).
    ``source`` is the name of its annotation file, without the suffix.
    """

    id: str
    image: Path
    image_name: str
    instruction: str
    target: Target
    size_px: tuple[int, int] | None = None
    ui_type: str | None = None
    platform: str | None = None
    application: str | None = None
    group: str | None = None
    gui_types: tuple[str, ...] = ()
    instruction_cn: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out: where it stands (line from 1) and why."""

    file: Path
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file.name} line {self.line}: {self.why}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set as read. ``scores_refusals``: the set asks for things that are not there, and scores saying so."""

    name: str
    items: tuple[Item, ...]
    problems: tuple[Problem, ...]
    scores_refusals: bool = False

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
