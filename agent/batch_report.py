"""A batch as one HTML file that opens anywhere: no script, no link, every chart and picture inside."""

import statistics
from collections import Counter
from collections.abc import Sequence

from agent.batch_pictures import OpenImage
from agent.batch_report_charts import Bar, bars
from agent.batch_report_gallery import Shot, gallery, spread
from agent.batch_report_page import charts_of, page, tiles_of
from agent.batch_report_slices import SLICE_NAMES, bar_of, points_of, slices_of
from agent.scoring import Judged, Score, tally, wilson

MOST_SHOWN = 24
"""Pictures in one gallery."""


def render_score(title: str, score: Score, open_image: OpenImage, times_ms: Sequence[float] = ()) -> str:
    """Return the report of a scored run: its figures, charts and a gallery of misses."""
    counts = tally(score.judged)
    low, high = counts.interval
    tiles = [(f"{counts.accuracy:.1%}", "correct", f"95% interval {low:.1%} to {high:.1%}")]
    tiles.append((f"{counts.correct}", f"of {counts.total} items", ""))
    for number, said in ((counts.wrong_format, "without a point"), (counts.missing, "missing")):
        if number:
            tiles.append((str(number), said, ""))
    if counts.refused:
        tiles.append((str(counts.refused), "said not there", ""))
    slices = slices_of(score)
    charts = [bars(SLICE_NAMES[name], _sorted_bars(name, of)) for name, of in slices.items() if len(of) > 1]
    if len(score.problems):
        tiles.append((str(len(score.problems)), "rows left out", ""))
    missed = [row for row in score.judged if row.verdict != "correct"]
    shots = [
        Shot(
            row.item.image,
            row.item.instruction,
            " · ".join(part for part in (row.item.id, _verdict(row), row.item.application) if part),
            row.item.target,
            points_of(row, 1),
        )
        for row in spread(missed, MOST_SHOWN)
    ]
    body = _tiles(tiles, times_ms) + charts_of(charts, times_ms) + gallery("Misses", shots, len(missed), open_image)
    return page(title, f"{score.dataset}, {counts.total} items", body)


def render_rows(
    title: str, statuses: Counter[str], shots: Sequence[Shot], open_image: OpenImage, times_ms: Sequence[float] = ()
) -> str:
    """Return the report of a run that has no right answers to compare with: counts, times and samples."""
    tiles = [(str(count), status.replace("_", " "), "") for status, count in statuses.items() if count]
    total = statuses.total()
    rows = [
        Bar(status.replace("_", " "), count / total, *wilson(count, total), count, total)
        for status, count in statuses.items()
        if count
    ]
    charts = [bars("What came of the rows", rows)] if rows else []
    body = _tiles(tiles, times_ms) + charts_of(charts, times_ms) + gallery("Samples", shots, total, open_image)
    return page(title, f"{total} rows", body)


def _sorted_bars(name: str, of: dict[str, list[Judged]]) -> list[Bar]:
    made = [bar_of(value, rows) for value, rows in of.items()]
    return made if name.endswith("_size") else sorted(made, key=lambda bar: (-bar.share, bar.label))


def _verdict(row: Judged) -> str:
    return "said not there" if row.refused else row.verdict.replace("_", " ")


def _tiles(tiles: Sequence[tuple[str, str, str]], times_ms: Sequence[float]) -> str:
    shown = list(tiles)
    if times_ms:
        shown.append((f"{statistics.median(times_ms):.0f} ms", "median a row", ""))
    return tiles_of(shown)
