"""What a report breaks a score down by, and the bars that come of it."""

from collections.abc import Iterable

from agent.batch_report_charts import Bar
from agent.datasets.item import Box, Polygon
from agent.scoring import Judged, Score, tally, wilson

SLICE_NAMES = {
    "application": "By application",
    "ui_type": "By type",
    "target_size": "By target size",
    "screen_size": "By screen size",
    "group": "By group",
    "platform": "By platform",
    "target": "By kind of target",
    "gui_type": "By kind of element",
}
_TARGET_EDGES_PX = (16, 32, 64, 128)
_SCREENS_PX = ((1280, 800), (1920, 1080), (2560, 1440), (3840, 2160))
Slices = dict[str, dict[str, list[Judged]]]


def slices_of(score: Score) -> Slices:
    """Return the score's slices and two more, by the target's size and the screen's; the charts' order."""
    found: Slices = {name: {value: list(rows) for value, rows in of.items()} for name, of in score.slices.items()}
    for name, kind_of, order in (
        ("target_size", _target_size, [_target_name(place) for place in range(len(_TARGET_EDGES_PX) + 1)]),
        ("screen_size", _screen_size, [_screen_name(place) for place in range(len(_SCREENS_PX) + 1)]),
    ):
        kinds: dict[str, list[Judged]] = {value: [] for value in order}
        for row in score.judged:
            kind = kind_of(row)
            if kind is not None:
                kinds[kind].append(row)
        found[name] = {value: rows for value, rows in kinds.items() if rows}
    return {name: found[name] for name in SLICE_NAMES if found.get(name)}


def _target_size(row: Judged) -> str | None:
    target = row.item.target
    if isinstance(target, Box):
        side = ((target.right - target.left) * (target.bottom - target.top)) ** 0.5
    elif isinstance(target, Polygon):
        xs, ys = [x for x, _ in target.corners], [y for _, y in target.corners]
        side = ((max(xs) - min(xs)) * (max(ys) - min(ys))) ** 0.5
    else:
        return None
    return _target_name(sum(side >= edge for edge in _TARGET_EDGES_PX))


def _target_name(place: int) -> str:
    if place == len(_TARGET_EDGES_PX):
        return f"from {_TARGET_EDGES_PX[-1]} px"
    return f"{(0, *_TARGET_EDGES_PX)[place]} to {_TARGET_EDGES_PX[place]} px"


def _screen_size(row: Judged) -> str | None:
    size = row.item.size_px or (row.prediction.size_px if row.prediction else None)
    if size is None:
        return None
    return _screen_name(sum(size[0] * size[1] > width * height for width, height in _SCREENS_PX))


def _screen_name(place: int) -> str:
    width, height = _SCREENS_PX[min(place, len(_SCREENS_PX) - 1)]
    return f"{'above' if place == len(_SCREENS_PX) else 'up to'} {width}×{height}"


def bar_of(label: str, rows: Iterable[Judged], series: int = 1) -> Bar:
    """Turn some judged items into a bar."""
    counts = tally(rows)
    return Bar(label, counts.accuracy, *wilson(counts.correct, counts.total), counts.correct, counts.total, series)


def points_of(row: Judged, run: int) -> tuple[tuple[float, float, int], ...]:
    """Return where the answer points, relative to the picture, if that is known."""
    prediction, size = row.prediction, row.item.size_px
    if prediction is None or prediction.point is None:
        return ()
    x, y = prediction.point
    if prediction.space == "relative":
        return ((x, y, run),)
    size = size or prediction.size_px
    return ((x / size[0], y / size[1], run),) if size else ()
