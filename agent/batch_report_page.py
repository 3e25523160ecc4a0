"""The page that every report on batches is: its style, its tiles and how its charts are laid out."""

from collections.abc import Sequence

from agent.batch_report_charts import escape, histogram

_STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1d2430; --dim: #667085; --line: #e3e6eb;
  --one: #2f6fde; --two: #d9822b; --whisker: #16305f; --target: #12925a; --point: #e0245e }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --card: #1d2128; --text: #e7eaf0; --dim: #98a2b3;
  --line: #333a45; --one: #6ea2ff; --two: #f0a860; --whisker: #dfe9ff; --target: #3ddc97; --point: #ff5c8a } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px }
h1 { font-size: 24px; margin: 0 0 2px; overflow-wrap: anywhere } h2 { font-size: 18px; margin: 34px 0 12px }
h2 small { color: var(--dim); font-weight: 400; margin-left: 6px } h3 { font-size: 14px; margin: 0 0 8px }
.note { color: var(--dim); font-size: 13px; margin: 4px 0 0; overflow-wrap: anywhere }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-width: 0 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 18px }
.tile b { display: block; font-size: 25px; line-height: 1.2; font-variant-numeric: tabular-nums }
.tile span { color: var(--dim); font-size: 13px; display: block }
.charts { columns: 460px 2; column-gap: 12px } .chart { break-inside: avoid; margin-bottom: 12px }
.chart svg { display: block; width: 100%; font-size: 12px } svg text { fill: var(--text) }
svg .tick, svg .of { fill: var(--dim); font-size: 11px } svg .value { font-variant-numeric: tabular-nums }
.grid { stroke: var(--line) } .axis { stroke: var(--dim) }
.series1 { fill: var(--one) } .series2 { fill: var(--two) }
.whisker { stroke: var(--whisker); fill: none; stroke-width: 1.3; opacity: .75 }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 12px }
.gallery h3 { margin: 10px 0 0; overflow-wrap: anywhere }
figure { margin: 0 0 8px; position: relative; border-radius: 6px; overflow: hidden; border: 1px solid var(--line) }
figure img { display: block; width: 100%; height: auto }
figure svg { position: absolute; inset: 0; width: 100%; height: 100% }
figure svg * { fill: none; vector-effect: non-scaling-stroke; stroke-width: 2 }
figure .halo { stroke: #fff; stroke-width: 4 } .target { stroke: var(--target); stroke-dasharray: 5 3 }
.run1 { stroke: var(--point) } .run2 { stroke: var(--two) }
figure svg .dot1 { fill: var(--point) } figure svg .dot2 { fill: var(--two) }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line) }
th { color: var(--dim); font-weight: 500 } th:first-child, td:first-child { text-align: left }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px }
.key.series1 { background: var(--one) } .key.series2 { background: var(--two) }
.wide { overflow-x: auto; margin-top: 12px }
"""


def tiles_of(tiles: Sequence[tuple[str, str, str]]) -> str:
    """Draw figures: the number, what it counts, and a line below."""
    inside = "".join(
        f'<div class="card tile"><b>{escape(number)}</b><span>{escape(said)}</span><span>{escape(below)}</span></div>'
        for number, said, below in tiles
    )
    return f'<div class="tiles">{inside}</div>'


def charts_of(charts: Sequence[str], times_ms: Sequence[float] = ()) -> str:
    """Lay charts out, the durations last."""
    drawn = [*charts, histogram("Time a row took", times_ms)] if times_ms else list(charts)
    return f'<h2>Charts</h2><div class="charts">{"".join(drawn)}</div>' if drawn else ""


def page(title: str, below: str, body: str) -> str:
    """Return the whole file."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p class=note>{escape(below)}</p>{body}</main></body></html>\n"
    )
