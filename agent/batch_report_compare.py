"""Two runs over the same items side by side: what changed, and whether by more than chance."""

from collections.abc import Sequence
from itertools import chain

from agent.batch_pictures import OpenImage
from agent.batch_report import MOST_SHOWN
from agent.batch_report_charts import bars, escape
from agent.batch_report_gallery import Shot, gallery, spread
from agent.batch_report_page import charts_of, page, tiles_of
from agent.batch_report_slices import SLICE_NAMES, bar_of, points_of, slices_of
from agent.batch_significance import Paired, compare, pairs_of
from agent.scoring import Judged, Score

_LEVEL = 0.05


def comparison(first: Score, second: Score) -> dict[str, dict[str, Paired]]:
    """Compare two scores over all items that both judged, and over every slice of them."""
    right = pairs_of(first, second)
    found = {"overall": {"all items": compare(list(right.values()))}}
    for name, values in slices_of(first).items():
        if len(values) < 2:
            continue  # the same as the overall one
        pairs = {value: [right[row.item.id] for row in rows if row.item.id in right] for value, rows in values.items()}
        found[name] = {value: compare(of) for value, of in pairs.items() if of}
    return found


def said_of(paired: Paired) -> str:
    """Say in words what the test says."""
    if paired.p >= _LEVEL:
        return f"no difference beyond chance (p = {paired.p:.3g})"
    better = "second" if paired.difference > 0 else "first"
    return f"the {better} is better (p = {paired.p:.3g})"


def render_comparison(names: tuple[str, str], first: Score, second: Score, open_image: OpenImage) -> str:
    """Return the report of two runs on one set."""
    found = comparison(first, second)
    overall = found["overall"]["all items"]
    rows = {row.item.id: row for row in first.judged}
    others = {row.item.id: row for row in second.judged if row.item.id in rows}
    one, two = (list(by.values()) for by in ({key: rows[key] for key in others}, others))
    tiles = [
        (f"{bar_of('', one).share:.1%}", names[0], "the first run"),
        (f"{bar_of('', two).share:.1%}", names[1], "the second run"),
        (f"{overall.difference:+.1%}", "difference", f"95% interval {overall.low:+.1%} to {overall.high:+.1%}"),
        (f"{overall.p:.3g}", "McNemar's exact p", said_of(overall).partition(" (")[0]),
    ]
    legend = " ".join(
        f'<span><span class="key series{run}"></span>{escape(name)}</span>' for run, name in enumerate(names, start=1)
    )
    lost = [(rows[key], others[key]) for key in others if _right(rows[key]) and not _right(others[key])]
    won = [(rows[key], others[key]) for key in others if _right(others[key]) and not _right(rows[key])]
    body = (
        tiles_of(tiles)
        + f"<p>{legend}</p>"
        + charts_of(_charts(one, two, first, second))
        + _table(names, found)
        + gallery(f"Only {names[0]} is right", _shots(lost), len(lost), open_image)
        + gallery(f"Only {names[1]} is right", _shots(won), len(won), open_image)
    )
    return page(f"{names[0]} and {names[1]}", f"{first.dataset}, {overall.total} items that both answered for", body)


def _charts(one: Sequence[Judged], two: Sequence[Judged], first: Score, second: Score) -> list[str]:
    charts = [bars("Overall", [bar_of("first", one, 1), bar_of("second", two, 2)])]
    slices = slices_of(second)
    for name, values in slices_of(first).items():
        if len(values) < 2:
            continue  # the same as the overall one
        pairs = (
            (bar_of(value, of, 1), bar_of("", slices.get(name, {}).get(value, []), 2)) for value, of in values.items()
        )
        charts.append(bars(SLICE_NAMES[name], list(chain.from_iterable(pairs))))
    return charts


def _table(names: tuple[str, str], found: dict[str, dict[str, Paired]]) -> str:
    head = ("", "items", "both right", f"only {names[0]}", f"only {names[1]}", "difference", "95% interval", "p")
    lines = ["".join(f"<th>{escape(word)}</th>" for word in head)]
    for name, values in found.items():
        for value, of in values.items():
            label = value if name == "overall" else f"{SLICE_NAMES[name].removeprefix('By ')}: {value}"
            cells = (
                label,
                str(of.total),
                str(of.both),
                str(of.only_first),
                str(of.only_second),
                f"{of.difference:+.1%}",
                f"{of.low:+.1%} to {of.high:+.1%}",
                f"{of.p:.3g}",
            )
            lines.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
    inside = "".join(f"<tr>{line}</tr>" for line in lines)
    note = "<p class=note>The p of a single slice is not corrected for how many slices there are.</p>"
    return f'<h2>Item by item</h2><div class="card wide"><table>{inside}</table>{note}</div>'


def _shots(pairs: Sequence[tuple[Judged, Judged]]) -> list[Shot]:
    return [
        Shot(
            one.item.image,
            one.item.instruction,
            " · ".join(part for part in (one.item.id, one.item.application) if part),
            one.item.target,
            (*points_of(one, 1), *points_of(two, 2)),
        )
        for one, two in spread(pairs, MOST_SHOWN // 2)
    ]


def _right(row: Judged) -> bool:
    return row.verdict == "correct"
