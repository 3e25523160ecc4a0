"""A row as the table shows it: what was asked, what came of it, and whether that is right. Knows no Qt."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.batch import Result, Row
from agent.batch_output import result_json
from agent.datasets import Item
from agent.datasets.item import Box, Polygon, Refusal
from agent.predictions import Prediction
from agent.scoring import Judged, judge
from model.errors import InputError

Verdict = Literal["", "correct", "wrong", "wrong_format"]

SIZE_BANDS_PX = (15, 25, 40, 80)
"""Where the classes of target sizes end: the shorter side, in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered row. ``image`` is None when the input holds the picture itself, or the row names none.

    ``verdict`` is empty where no right answer is known. ``distance_px`` is how far the point is from the target,
    0 inside it; ``side_px`` the target's shorter side.
    """

    index: int
    id: str
    image: Path | None
    image_name: str
    instruction: str
    status: str
    point_rel: tuple[float, float] | None
    size_px: tuple[int, int] | None
    looks: int
    answer: str
    reason: str
    ms: float | None
    item: Item | None = None
    verdict: Verdict = ""
    distance_px: float | None = None
    side_px: float | None = None

    @property
    def point_px(self) -> tuple[int, int] | None:
        """The pixel of the picture that the point lies in."""
        if self.point_rel is None or self.size_px is None:
            return None
        (x, y), (width, height) = self.point_rel, self.size_px
        return min(int(x * width), width - 1), min(int(y * height), height - 1)

    @property
    def application(self) -> str:
        """The application on the picture, or what comes nearest to it in the set."""
        item = self.item
        return "" if item is None else item.application or item.group or item.platform or ""

    @property
    def ui_type(self) -> str:
        """The kind of the target: text or icon, or what the set calls it."""
        item = self.item
        return "" if item is None else item.ui_type or ", ".join(item.gui_types)

    @property
    def band(self) -> str:
        """The class of the target's size."""
        return "" if self.side_px is None else band_of(self.side_px)


def band_of(side_px: float) -> str:
    """Name a class of target sizes."""
    lower = 0
    for upper in SIZE_BANDS_PX:
        if side_px < upper:
            return f"{lower}–{upper} px" if lower else f"< {upper} px"
        lower = upper
    return f"≥ {lower} px"


def bands() -> list[str]:
    """Return the names of all classes of target sizes, the smallest first."""
    return [band_of(edge - 1) for edge in SIZE_BANDS_PX] + [band_of(SIZE_BANDS_PX[-1])]


def entry_of(index: int, result: Result, item: Item | None) -> Entry:
    """Make an entry of a result that has just come."""
    return entry_of_line(index, result_json(result), result.row, item, result.ms if result.looks else None)


def entry_of_line(
    index: int, line: Mapping[str, object], row: Row | None, item: Item | None, ms: float | None = None
) -> Entry:
    """Make an entry of a line of a result file; ``row`` is the input's, for its picture."""
    point, size = _pair(line.get("point_rel")), _pair(line.get("size_px"))
    size_px = None if size is None else (int(size[0]), int(size[1]))
    status = str(line.get("status", ""))
    image = row.image if row is not None and isinstance(row.image, Path) and row.image.name else None
    verdict, distance_px = _verdict(str(line.get("id", "")), status, point, size_px, item)
    looks = line.get("looks")
    return Entry(
        index=index,
        id=str(line.get("id", "")),
        image=image,
        image_name=str(line.get("image", "")),
        instruction=str(line.get("instruction", "")),
        status=status,
        point_rel=point,
        size_px=size_px,
        looks=looks if isinstance(looks, int) else 0,
        answer=str(line.get("answer", "")),
        reason=str(line.get("reason", "")),
        ms=ms,
        item=item,
        verdict=verdict,
        distance_px=distance_px,
        side_px=None if item is None else _side_px(item),
    )


def judged_of(entry: Entry, scores_refusals: bool = False) -> Judged | None:
    """Judge an entry by the rules of its set; None without a right answer or without a usable one."""
    if entry.item is None or entry.status in ("bad_row", "failed"):
        return None
    return _judge(entry.id, entry.status, entry.point_rel, entry.size_px, entry.item, scores_refusals)


def _judge(
    name: str,
    status: str,
    point: tuple[float, float] | None,
    size_px: tuple[int, int] | None,
    item: Item,
    scores_refusals: bool,
) -> Judged | None:
    prediction = Prediction(
        1, name, item.image_name, item.instruction, point, "relative", status == "not_found", size_px
    )
    try:
        return judge(item, prediction, scores_refusals)
    except InputError:
        return None


def _verdict(
    name: str, status: str, point: tuple[float, float] | None, size_px: tuple[int, int] | None, item: Item | None
) -> tuple[Verdict, float | None]:
    if item is None or status in ("bad_row", "failed"):
        return "", None
    # Whoever asks for what is not there counts a "no" as right; where nothing is absent, it changes nothing.
    judged = _judge(name, status, point, size_px, item, isinstance(item.target, Refusal))
    if judged is None or judged.verdict == "missing":
        return "", None
    return judged.verdict, _distance_px(point, size_px or item.size_px, item)


def _distance_px(point: tuple[float, float] | None, size_px: tuple[int, int] | None, item: Item) -> float | None:
    bounds = bounds_px(item)
    if point is None or size_px is None or bounds is None:
        return None
    x, y = point[0] * size_px[0], point[1] * size_px[1]
    dx = max(bounds[0] - x, 0.0, x - bounds[2])
    dy = max(bounds[1] - y, 0.0, y - bounds[3])
    return (dx * dx + dy * dy) ** 0.5


def bounds_px(item: Item) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom of a target; None when there is none."""
    match item.target:
        case Box(left, top, right, bottom):
            return left, top, right, bottom
        case Polygon(corners):
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            return min(xs), min(ys), max(xs), max(ys)
        case _:
            return None


def _side_px(item: Item) -> float | None:
    bounds = bounds_px(item)
    return None if bounds is None else min(bounds[2] - bounds[0], bounds[3] - bounds[1])


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    first, second = value
    return (float(first), float(second)) if isinstance(first, int | float) and isinstance(second, int | float) else None
