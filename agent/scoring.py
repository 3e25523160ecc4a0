"""Score answers by the rules of the field.

Edges follow the published scorers, which compare positions relative to the picture: all four edges of a
box belong to it (ScreenSpot-Pro `eval_screenspot_pro.py`, SeeClick); a polygon is decided by crossings of
a ray (OSWorld-G), by which a left or upper edge is inside and a right or lower one is not. A refusal is
right only where there is no target, and OSWorld-G writes it as a point with both coordinates negative.
Where a set has no refusals, an answer without a point counts as a wrong format.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from PIL import Image

from agent.datasets.item import Box, Dataset, Item, Polygon, Problem, Refusal
from agent.predictions import Prediction, Predictions
from model.errors import InputError

Verdict = Literal["correct", "wrong", "wrong_format", "missing"]
_Z_95 = 1.959963984540054
_SIZE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")


@dataclass(frozen=True, slots=True)
class Judged:
    """One item with what was answered and how it counts."""

    item: Item
    prediction: Prediction | None
    verdict: Verdict
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some judged items; ``missing`` ones, without any answer, count in ``total``."""

    total: int
    correct: int
    wrong_format: int
    missing: int
    refused: int

    @property
    def accuracy(self) -> float:
        """Share of correct answers; 0 of nothing is 0, as published."""
        return self.correct / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval of the accuracy."""
        return wilson(self.correct, self.total)


@dataclass(frozen=True, slots=True)
class Score:
    """A scored file. ``slices`` maps a dimension (``platform``…) to its values and their judged items."""

    dataset: str
    judged: tuple[Judged, ...]
    slices: dict[str, dict[str, tuple[Judged, ...]]]
    problems: tuple[Problem, ...]
    disagreements: tuple[Judged, ...]


def wilson(correct: int, total: int, z: float = _Z_95) -> tuple[float, float]:
    """Return Wilson's interval of a share; (0, 1) when nothing was counted."""
    if not total:
        return 0.0, 1.0
    share, spread = correct / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    reach = z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def in_box(x: float, y: float, box: Box, width: float = 1.0, height: float = 1.0) -> bool:
    """Say whether a relative point hits a box given in pixels of a picture of this size."""
    return box.left / width <= x <= box.right / width and box.top / height <= y <= box.bottom / height


def in_polygon(x: float, y: float, polygon: Polygon, width: float = 1.0, height: float = 1.0) -> bool:
    """Say whether a relative point hits a polygon given in pixels: an odd number of edges lies right of it."""
    corners = [(corner_x / width, corner_y / height) for corner_x, corner_y in polygon.corners]
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, [corners[-1], *corners[:-1]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def judge(item: Item, prediction: Prediction | None, scores_refusals: bool = False) -> Judged:
    """Decide one answer. Raises `InputError` when a relative point needs a picture's size that nobody states."""
    if prediction is None:
        return Judged(item, None, "missing")
    point = prediction.point
    refused = prediction.refused or (scores_refusals and point is not None and max(point) < 0)
    if refused and scores_refusals:
        return Judged(item, prediction, "correct" if isinstance(item.target, Refusal) else "wrong", True)
    if point is None:
        return Judged(item, prediction, "wrong_format", refused)
    if isinstance(item.target, Refusal):
        return Judged(item, prediction, "wrong")
    width, height = _size_px(item, prediction)
    x, y = point if prediction.space == "relative" else (point[0] / width, point[1] / height)
    if isinstance(item.target, Box):
        hit = in_box(x, y, item.target, width, height)
    else:
        hit = in_polygon(x, y, item.target, width, height)
    return Judged(item, prediction, "correct" if hit else "wrong")


def _size_px(item: Item, prediction: Prediction) -> tuple[float, float]:
    size = item.size_px or prediction.size_px
    if size is None and item.image.is_file():
        try:
            with Image.open(item.image, formats=_SIZE_FORMATS) as image:  # reads the header only
                size = image.size
        except (OSError, ValueError, Image.DecompressionBombError):
            size = None
    if size is not None:
        return size
    if prediction.space == "pixel":
        return 1.0, 1.0
    raise InputError(
        f"the size of {item.image_name} is not known, and its prediction is relative to it",
        why=f"{item.image} cannot be read",
        remedy="name the folder of the pictures with --images",
    )


def score(dataset: Dataset, predictions: Predictions, *, answered_only: bool = False) -> Score:
    """Match answers to a set's items and judge them.

    Items without an answer count as not correct, or not at all with ``answered_only``. Of several answers
    to one item the first counts. Raises `InputError` when no answer belongs to the set.
    """
    answers, problems = _match(dataset, predictions)
    if not answers and (predictions.rows or predictions.problems):
        raise InputError(
            f"no prediction in {predictions.file} belongs to {dataset.name}",
            why=str((*problems, *predictions.problems)[0]),
            remedy="check --dataset and --annotations",
        )
    items = [item for item in dataset if item.id in answers or not answered_only]
    judged = tuple(judge(item, answers.get(item.id), dataset.scores_refusals) for item in items)
    disagreements = tuple(j for j in judged if j.prediction and j.prediction.stated not in (None, j.verdict))
    all_problems = (*dataset.problems, *predictions.problems, *problems)
    return Score(dataset.name, judged, _slices(judged), all_problems, disagreements)


def _match(dataset: Dataset, predictions: Predictions) -> tuple[dict[str, Prediction], list[Problem]]:
    ids = {item.id for item in dataset}
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in dataset:
        asked[_name(item.image_name), item.instruction].append(item.id)
        if item.instruction_cn:
            asked[_name(item.image_name), item.instruction_cn].append(item.id)
    answers: dict[str, Prediction] = {}
    problems: list[Problem] = []
    for row in predictions.rows:
        if row.id is not None:
            names, called = [row.id] if row.id in ids else [], f"the id {row.id!r}"
        else:
            names = asked.get((_name(row.image_name or ""), row.instruction or ""), [])
            called = f"{row.image_name!r} with {row.instruction!r}"
        # The same words on the same picture may be asked twice: then the answers come in the set's order.
        free = next((name for name in names if name not in answers), None)
        if free is not None:
            answers[free] = row
        else:
            why = "answered before" if names else "not in the set, or its annotation could not be used"
            problems.append(Problem(predictions.file, row.line, f"{called}: {why}"))
    return answers, problems


def _name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def tally(judged: Iterable[Judged]) -> Tally:
    """Count verdicts."""
    rows = list(judged)

    def count(verdict: Verdict) -> int:
        return sum(row.verdict == verdict for row in rows)

    refused = sum(row.refused for row in rows)
    return Tally(len(rows), count("correct"), count("wrong_format"), count("missing"), refused)


_DIMENSIONS: dict[str, Callable[[Item], Sequence[str | None]]] = {
    "ui_type": lambda item: [item.ui_type],
    "group": lambda item: [item.group],
    "platform": lambda item: [item.platform],
    "application": lambda item: [item.application],
    "target": lambda item: [type(item.target).__name__.lower()],
    "gui_type": lambda item: item.gui_types,
}


def _slices(judged: Sequence[Judged]) -> dict[str, dict[str, tuple[Judged, ...]]]:
    slices: dict[str, dict[str, tuple[Judged, ...]]] = {}
    for dimension, values_of in _DIMENSIONS.items():
        found: dict[str, list[Judged]] = defaultdict(list)
        for row in judged:
            for value in values_of(row.item):
                if value is not None:
                    found[value].append(row)
        if found:
            slices[dimension] = {value: tuple(found[value]) for value in sorted(found)}
    return slices


def metrics(judged: Sequence[Judged]) -> dict[str, object]:
    """Return the metrics of some items under ScreenSpot-Pro's published names, with intervals and counts added."""
    whole = tally(judged)
    text, icon = (tally(j for j in judged if j.item.ui_type == kind) for kind in ("text", "icon"))
    return {
        "num_correct_action": whole.correct,
        "num_total": whole.total,
        "wrong_format_num": whole.wrong_format,
        "action_acc": whole.accuracy,
        "text_acc": text.accuracy,
        "icon_acc": icon.accuracy,
        "action_acc_ci95": list(whole.interval),
        "text_acc_ci95": list(text.interval),
        "icon_acc_ci95": list(icon.interval),
        "text_total": text.total,
        "icon_total": icon.total,
        "missing_num": whole.missing,
        "refused_num": whole.refused,
    }


def report(result: Score) -> dict[str, object]:
    """Return a score as JSON: overall, every slice, and what was left out or disagrees with the file's own verdicts."""
    return {
        "dataset": result.dataset,
        "overall": metrics(result.judged),
        "by": {
            dimension: {value: metrics(rows) for value, rows in values.items()}
            for dimension, values in result.slices.items()
        },
        "disagreements": [
            {"id": row.item.id, "stated": row.prediction.stated, "counted": row.verdict}
            for row in result.disagreements
            if row.prediction is not None
        ],
        "problems": [{"file": str(p.file), "line": p.line, "why": p.why} for p in result.problems],
    }
