"""Charts as inline SVG, coloured by the page's own variables so that they follow its light or dark scheme."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH = 520
_LABEL, _VALUE, _COUNT, _ROW, _BAR = 150, 116, 62, 26, 14
_HEIGHT, _BINS = 170, 30
_MOST_BARS = 40
_LONGEST_LABEL = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """A share from 0 to 1 with its interval, and the counts behind it. ``series`` picks the colour: 1 or 2."""

    label: str
    share: float
    low: float
    high: float
    correct: int
    total: int
    series: int = 1


def escape(text: str) -> str:
    """Escape for HTML; lone surrogates, which no file can hold, become question marks."""
    return html.escape(text.encode("utf-8", "replace").decode())


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw horizontal bars with whiskers for their intervals."""
    shown = rows[:_MOST_BARS]
    plot = _WIDTH - _LABEL - _VALUE
    height = _ROW * len(shown) + 22
    parts: list[str] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LABEL + plot * share
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 18}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{height - 4}" text-anchor="middle">{share:.0%}</text>')
    for index, row in enumerate(shown):
        middle = _ROW * index + _ROW / 2
        low, high = (_LABEL + plot * value for value in (row.low, row.high))
        label = row.label if len(row.label) <= _LONGEST_LABEL else row.label[: _LONGEST_LABEL - 1] + "…"
        told = f"{row.label}: {row.correct} of {row.total}, 95% interval {row.low:.1%} to {row.high:.1%}"
        parts.append(
            f"<g><title>{escape(told)}</title>"
            f'<text x="{_LABEL - 10}" y="{middle + 4.5}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="series{row.series}" x="{_LABEL}" y="{middle - _BAR / 2}" '
            f'width="{max(plot * row.share, 0.5):.1f}" height="{_BAR}" rx="2"/>'
            f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 3}v6M{high:.1f} '
            f'{middle - 3}v6"/>'
            f'<text class="value" x="{_WIDTH - _COUNT}" y="{middle + 4.5}" text-anchor="end">{row.share:.1%}</text>'
            f'<text class="of" x="{_WIDTH}" y="{middle + 4.5}" text-anchor="end">{row.correct}/{row.total}</text></g>'
        )
    more = f"<p class=note>and {len(rows) - len(shown)} more</p>" if len(rows) > len(shown) else ""
    return _card(title, height, "".join(parts), more)


def histogram(title: str, values_ms: Sequence[float]) -> str:
    """Draw how often which duration occurs, on a logarithmic axis of milliseconds."""
    floor = [max(value, 0.1) for value in values_ms]
    low, high = math.log10(min(floor)), math.log10(max(floor))
    low, high = (low, high) if high - low > 0.3 else (low - 0.15, high + 0.15)
    counts = [0] * _BINS
    for value in floor:
        place = (math.log10(value) - low) / (high - low) * _BINS
        counts[min(max(int(place), 0), _BINS - 1)] += 1
    left, base = 34.0, _HEIGHT - 20.0
    step, most = (_WIDTH - left - 6) / _BINS, max(counts)
    parts = [f'<line class="axis" x1="{left}" x2="{_WIDTH}" y1="{base}" y2="{base}"/>']
    for index, count in enumerate(counts):
        if count:
            tall = max((base - 12) * count / most, 1.0)
            start, end = (10 ** (low + (high - low) * (index + side) / _BINS) for side in (0, 1))
            parts.append(
                f"<g><title>{_duration(start)} to {_duration(end)}: {count}</title>"
                f'<rect class="series1" x="{left + step * index + 1:.1f}" y="{base - tall:.1f}" '
                f'width="{step - 2:.1f}" height="{tall:.1f}" rx="1"/></g>'
            )
    parts.append(f'<text class="tick" x="{left - 6}" y="20" text-anchor="end">{most}</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        x = left + (_WIDTH - left - 6) * share
        said = _duration(10 ** (low + (high - low) * share))
        parts.append(f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 4}" text-anchor="{anchor}">{said}</text>')
    ordered = sorted(values_ms)
    median, late = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95))
    said = f"<p class=note>median {_duration(median)}, 95% within {_duration(late)}, {len(ordered)} rows</p>"
    return _card(title, _HEIGHT, "".join(parts), said)


def _card(title: str, height: float, inside: str, below: str) -> str:
    return (
        f'<section class="card chart"><h3>{escape(title)}</h3><svg viewBox="0 0 {_WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title)}" style="max-width:{_WIDTH}px">{inside}</svg>{below}</section>'
    )


def _duration(ms: float) -> str:
    if ms < 10:
        return f"{ms:.1f} ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.3g} s" if ms < 60_000 else f"{ms / 60_000:.1f} min"
