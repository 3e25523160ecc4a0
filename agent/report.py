"""A recorded run as one HTML file that opens anywhere: no script, no link, every picture inside."""

import base64
import html
import io
import time
from collections.abc import Iterator

from PIL import Image

from agent.episode import Acted, Ended, Event, Gated, Located, Observed, Planned, Verified
from agent.told import tell
from agent.trace import MISSING_SOURCE, Trace
from agent.types import Click, Drag, Frame, Move, Point, Rect, Scroll, Unreadable

MAX_WIDTH_PX = 1600
_QUALITY = 82

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --good: #1a7f37; --bad: #c62828; --mark: #e61e50 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid var(--line); padding: 1rem 0 }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin: 0 0 .5rem }
ol { list-style: none; padding: 0; margin: 0 0 1rem } li { padding: .1rem 0; overflow-wrap: anywhere }
.phase { display: inline-block; min-width: 5.5rem; opacity: .65 }
.good { color: var(--good) } .bad { color: var(--bad) }
figure { margin: 0 0 1rem } figcaption { font-size: .85rem; opacity: .7 }
figure div { position: relative; border: 1px solid var(--line) } img { display: block; width: 100% }
svg { position: absolute; inset: 0; width: 100%; height: 100% }
pre { white-space: pre-wrap; background: var(--soft); padding: .5rem; overflow-wrap: anywhere }
"""

_PHASES = {
    Observed: "observe",
    Planned: "plan",
    Located: "locate",
    Gated: "gate",
    Acted: "act",
    Verified: "verify",
    Ended: "end",
}


def render_html(trace: Trace) -> str:
    """Return the report of a run. Raises InputError when the trace cannot be read."""
    last: Event | None = None
    body: list[str] = []
    step = 0
    for _, event in trace.events():
        number = step if isinstance(event, Ended) else event.step
        if isinstance(event, Ended) or number != step or not body:
            body.append(f"{'</section>' if body else ''}<section><h2>{_title(event)}</h2>")
            step = number
        body.extend(_shown(event, last))
        last = event
    body.append("</section>" if body else "<p>Nothing was recorded.</p>")
    if not trace.ended:
        cut = "in the middle of a line" if trace.cut else "before the run ended"
        body.append(f'<p class="bad">The record breaks off {cut}: the process was killed or the machine went off.</p>')
    started = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(trace.started_s))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(trace.goal[:80])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{_text(trace.goal)}</h1><p>Mode {_text(trace.mode)} · {started} · {_outcome(last)}</p>"
        f"{''.join(body)}</body></html>\n"
    )


def _shown(event: Event, last: Event | None) -> Iterator[str]:
    name = _PHASES[type(event)]
    yield f'<ol><li class="{_class(event)}"><span class="phase">{name}</span> {_text(tell(event))}</li></ol>'
    if isinstance(event, Planned) and not isinstance(event.plan, Unreadable) and event.plan.thought:
        yield f"<pre>{_text(event.plan.thought)}</pre>"
    if isinstance(event, Gated):
        target = (event.proposal.target_px,) if event.proposal.target_px else ()
        yield _figure(event.proposal.frame, "before", target, _points(event.proposal.action))
    elif isinstance(event, Verified):
        yield _figure(event.frame, "after; what changed is framed", event.verdict.changed_px, ())
    elif isinstance(event, Ended) and event.frame is not None and not isinstance(last, Verified):
        yield _figure(event.frame, "the last thing seen", (), ())


def _figure(frame: Frame, caption: str, rects_px: tuple[Rect, ...], points: tuple[Point, ...]) -> str:
    if frame.source == MISSING_SOURCE:
        return f"<figure><figcaption>{caption}: the picture was not written</figcaption></figure>"
    width, height = frame.size_px
    left, top = frame.rect_px.left, frame.rect_px.top
    unit = max(1.0, width / 800)
    marks = [
        f'<rect x="{r.left - left}" y="{r.top - top}" width="{r.width}" height="{r.height}" fill="none" '
        f'stroke="var(--mark)" stroke-width="{1.5 * unit:g}" stroke-dasharray="{6 * unit:g} {4 * unit:g}"/>'
        for r in rects_px
    ]
    marks += [
        f'<circle cx="{p.x_px - left + 0.5}" cy="{p.y_px - top + 0.5}" r="{radius * unit:g}" fill="{fill}" '
        f'stroke="var(--mark)" stroke-width="{2 * unit:g}"/>'
        for p in points
        for radius, fill in ((11, "none"), (1, "var(--mark)"))
    ]
    return (
        f'<figure><div><img alt="{_text(caption)}" src="{_data_url(frame)}" width="{width}" height="{height}" '
        f'style="height:auto"><svg viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(marks)}</svg></div>'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _data_url(frame: Frame) -> str:
    image = frame.image()
    if image.width > MAX_WIDTH_PX:
        size = (MAX_WIDTH_PX, max(1, round(image.height * MAX_WIDTH_PX / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    image.save(packed, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}"


def _points(action: object) -> tuple[Point, ...]:
    match action:
        case Click(at) | Scroll(at):
            points = (at,)
        case Drag(start, end):
            points = (start, end)
        case Move(to):
            points = (to,)
        case _:
            points = ()
    return tuple(point for point in points if isinstance(point, Point))


def _title(event: Event) -> str:
    return "The end" if isinstance(event, Ended) else f"Step {event.step}"


def _outcome(last: Event | None) -> str:
    if not isinstance(last, Ended):
        return '<strong class="bad">broken off</strong>'
    return f'<strong class="{_class(last)}">{_text(last.outcome.kind)}</strong>'


def _class(event: Event) -> str:
    match event:
        case Verified(_, _, verdict):
            return {"confirmed": "good", "no visible effect": "bad"}.get(verdict.kind, "")
        case Gated(allowed=False) | Planned(plan=Unreadable()):
            return "bad"
        case Acted(error=error) if error:
            return "bad"
        case Ended(outcome, _):
            return "good" if outcome.kind == "done" else "bad"
        case _:
            return ""


def _text(text: str) -> str:
    """Escape for HTML; lone surrogates, which no file can hold, become question marks."""
    return html.escape(text.encode("utf-8", "replace").decode())
