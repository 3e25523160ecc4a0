"""Look a second time where a planner points: what it says has to stand where it clicks.

A planning model that a page has taken over may click one thing and call it another. Eyes that never see the
page's talk as part of a conversation, and are asked for nothing but the words, tell the two apart.
"""

import re
import threading

from agent.aim import start_of
from agent.coords import monitor_at, resolve
from agent.episode import Eyes
from agent.hands.gate import HandAction
from agent.types import Click, Drag, Frame, Move, Point, RelPoint

_REACH_PX = (20, 12)
"""How far apart, along a row and across, two looks may lie that mean one element, at scale 1: less than the middles
of two icons or of two entries of a menu."""

_MAX_WORDS_CHARS = 300
_COORDINATES = re.compile(r"\d[.,]\d{2,}|\bx\s*[=:]|\(\s*\d+\s*,\s*\d+\s*\)|[\n`]", re.IGNORECASE)
"""What a model might repeat instead of looking: a point, code."""


def doubt_about(action: HandAction, said: str, frame: Frame, eyes: Eyes | None, cancel: threading.Event) -> str:
    """Say why it is not certain that a click reaches what a planner said; empty when it is, and for other actions.

    ``said`` are the planner's words for the step, ``frame`` is what it was shown. Raises what the eyes raise.
    """
    if not isinstance(action, Click | Drag) or not said.strip():
        return ""
    if isinstance(action, Drag):
        return "nobody but the planner has looked at where it ends"
    if len(said) > _MAX_WORDS_CHARS or _COORDINATES.search(said):
        return "the planner's words name no element that could be looked for"
    point = start_of(action)
    if point is None:
        return "it acts where the pointer happens to be"
    if eyes is None:
        return "nobody but the planner has looked at what it reaches"
    location = eyes.find(frame, said, cancel)
    if location.point_rel is None:
        return f"a second look does not find what the planner says ({location.reason})"
    found = resolve(Move(RelPoint(*location.point_rel)), frame)
    if isinstance(found, Move) and _same_place(point, found.to, frame):
        return ""
    return "a second look finds what the planner says in another place"


def _same_place(one: Point, other: Point, frame: Frame) -> bool:
    monitor = monitor_at(one, frame.monitors)
    scale = monitor.scale if monitor else 1.0
    along_px, across_px = (reach_px * scale for reach_px in _REACH_PX)
    return abs(one.x_px - other.x_px) <= along_px and abs(one.y_px - other.y_px) <= across_px
