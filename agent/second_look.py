"""Look a second time where a planner points: what it says has to stand where it clicks.

A planning model that a page has taken over may click one thing and call it another. Eyes that never see the
page's talk as part of a conversation, and are asked for nothing but the words, tell the two apart.
"""

import threading

from agent.aim import TARGET_REACH_PX, start_of
from agent.coords import monitor_at, resolve
from agent.episode import Eyes
from agent.hands.gate import HandAction
from agent.types import Click, Drag, Frame, Move, Point, RelPoint

_ROW_REACH = 2.5
"""How much further than up and down a place may differ along its row: buttons and fields are wider than high."""


def doubt_about(action: HandAction, said: str, frame: Frame, eyes: Eyes | None, cancel: threading.Event) -> str:
    """Say why it is not certain that a click reaches what a planner said; empty when it is, and for other actions.

    ``said`` are the planner's words for the step, ``frame`` is what it was shown. Raises what the eyes raise.
    """
    if not isinstance(action, Click | Drag) or not said.strip():
        return ""
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
    reach_px = TARGET_REACH_PX * (monitor.scale if monitor else 1.0)
    return abs(one.y_px - other.y_px) <= reach_px and abs(one.x_px - other.x_px) <= reach_px * _ROW_REACH
