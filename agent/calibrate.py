"""Prove the whole way from a captured pixel to a click: find our own targets in a frame, click them, compare.

The targets belong to a program of ours (`Targets`) that tells where it drew them and what reached it. Nothing
else is ever clicked: the window under the point is checked, and the policy lets only that program be worked.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agent.capture.screen import Screen
from agent.coords import layout_change, monitor_at, resolve, to_relative
from agent.episode import Proposal, WindowInfo
from agent.errors import CaptureError, HandsError, NotPermittedError
from agent.hands.gate import HandAction
from agent.policy import Policy
from agent.types import Click, Frame, Point, Rect, Unreadable

TOLERANCE_PX = 1.0
_SHOWN_LIMIT_S = 10.0
_RECEIVED_LIMIT_S = 5.0
_LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Spot:
    """A target as its program drew it: a square of one colour, ``size_px`` wide, that no other target has.

    ``centre_px`` is its centre in pixels of its window, whose ``window`` is the desktop's own number for it and
    whose ``scale`` is how many pixels the toolkit makes of one of its units.
    """

    rgb: tuple[int, int, int]
    size_px: int
    window: int
    centre_px: tuple[float, float]
    scale: float


@dataclass(frozen=True, slots=True)
class Press:
    """A button press as it reached the target program.

    ``local_px`` is the pixel of the window by the toolkit; ``raw_local_px`` and ``raw_px`` are the pixels of
    the window and of the virtual desktop by the display server's own event, where there is one.
    """

    window: int
    local_px: tuple[float, float]
    raw_local_px: tuple[float, float] | None
    raw_px: tuple[float, float] | None


class Targets(Protocol):
    """The program with the targets; its windows are on the screen while it is used."""

    @property
    def spots(self) -> tuple[Spot, ...]:
        """All targets, at least one on each monitor."""
        ...

    def next_press(self, limit_s: float) -> Press | None:
        """Return the next button press that reached it, or None when none does in time."""
        ...


class ClickingHands(Protocol):
    """Hands whose gate is the policy."""

    def perform(self, action: HandAction) -> None:
        """Carry one action out."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One target, clicked. Positions are pixels of the virtual desktop; a pixel's centre is at its half.

    ``error_px`` is the largest distance of all reports from where the target drew its centre; ``raw`` says that
    the display server's own event was among them, and not the toolkit's alone. A click that arrived at another
    window was received nowhere, and its error has no bound.
    """

    monitor: str
    scale: float
    aimed_px: Point
    drawn_px: tuple[float, float]
    received_px: tuple[float, float] | None
    error_px: float
    raw: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of all clicks. ``hide_ms`` is what keeping our own windows out of a frame took; None if not tried."""

    hits: tuple[Hit, ...]
    hide_ms: float | None = None

    @property
    def exact(self) -> bool:
        """Say whether every click was within the tolerance."""
        return bool(self.hits) and all(hit.error_px <= TOLERANCE_PX for hit in self.hits)

    def worst_px(self) -> dict[str, float]:
        """Return the largest error of each monitor."""
        worst: dict[str, float] = {}
        for hit in self.hits:
            worst[hit.monitor] = max(worst.get(hit.monitor, 0.0), hit.error_px)
        return worst


def calibrate(
    screen: Screen,
    policy: Policy,
    hands: ClickingHands,
    targets: Targets,
    windows_at: Callable[[Point], tuple[int, ...]],
    app_class: str,
) -> Calibration:
    """Click every target once and return the errors.

    ``windows_at`` tells the windows under a pixel, ``app_class`` the target program's class, which the rules
    of the policy have to allow. Raises CaptureError when a target cannot be found, HandsError when a click
    does not arrive, NotPermittedError when another window is in the way or the policy says no.
    """
    frame, places = _found(screen, targets.spots)
    bare = [monitor.name for monitor in frame.monitors if not _any_on(monitor.rect_px, places)]
    if bare:
        raise CaptureError(f"no target can be seen on monitor {', '.join(bare)}", remedy="close what covers it")
    hits: list[Hit] = []
    for step, (spot, place) in enumerate(zip(targets.spots, places, strict=True), 1):
        pixel = Point((place.left + place.right) // 2, (place.top + place.bottom) // 2)
        action = resolve(Click(to_relative(pixel, frame.rect_px)), frame)
        if isinstance(action, Unreadable) or not isinstance(action, Click) or action.at is None:
            raise CaptureError(f"target {step} cannot be clicked", why=getattr(action, "reason", "it has no place"))
        if change := layout_change(frame.monitors, screen.monitors()):
            raise CaptureError("the calibration was broken off", why=change, remedy="begin again")
        under = windows_at(action.at)
        if spot.window not in under:
            raise NotPermittedError(
                f"target {step} was not clicked",
                why=f"another window lies over it at {action.at.x_px}, {action.at.y_px}",
                remedy="close it and begin again",
            )
        window = WindowInfo("calibration", app_class, None)
        proposal = Proposal(step, action, frame, place, f"calibration target {step}", window, ())
        ruling = policy.propose(proposal, screen.grab)
        if not ruling.allowed:
            raise NotPermittedError(f"target {step} was not clicked", why=ruling.why)
        hands.perform(action)
        press = targets.next_press(_RECEIVED_LIMIT_S)
        if press is None:
            raise HandsError(f"the click on target {step} did not reach it", why="another program may hold the pointer")
        monitor = monitor_at(action.at, frame.monitors)
        hits.append(_hit(monitor.name if monitor else "", action.at, spot, place, press))
    return Calibration(tuple(hits))


def _found(screen: Screen, spots: tuple[Spot, ...]) -> tuple[Frame, list[Rect]]:
    """Return a frame that shows every target whole, with their places on the virtual desktop."""
    end = time.monotonic() + _SHOWN_LIMIT_S
    while True:
        frame = screen.grab(allow_black=True)
        places = [find_colour(frame, spot.rgb, spot.size_px) for spot in spots]
        if all(place is not None for place in places):
            return frame, [place for place in places if place is not None]
        if time.monotonic() > end:
            missing = [n for n, place in enumerate(places, 1) if place is None]
            raise CaptureError(
                f"{len(missing)} of {len(spots)} targets do not show in what is captured, the first is {missing[0]}",
                why="something covers them, or the capture is not made of the screen's own pixels",
                remedy="close what lies over the whole screen, and set the desktop to show true colours",
            )
        time.sleep(_LOOK_EVERY_S)


def find_colour(frame: Frame, rgb: tuple[int, int, int], size_px: int) -> Rect | None:
    """Return where a square of exactly one colour lies on the virtual desktop, or None if it is not whole."""
    wanted = int.from_bytes(bytes((rgb[2], rgb[1], rgb[0], 0)), "little")
    rows, columns = np.nonzero((frame.bgrx.view("<u4")[:, :, 0] & 0xFFFFFF) == wanted)
    if len(rows) != size_px * size_px:
        return None
    left, top, right, bottom = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    if (right - left, bottom - top) != (size_px, size_px):
        return None
    x, y = frame.rect_px.left, frame.rect_px.top
    return Rect(left + x, top + y, right + x, bottom + y)


def _any_on(rect_px: Rect, places: list[Rect]) -> bool:
    return any(place.intersection(rect_px) is not None for place in places)


def _hit(monitor: str, aimed_px: Point, spot: Spot, place: Rect, press: Press) -> Hit:
    if press.window != spot.window:
        return Hit(monitor, spot.scale, aimed_px, _centre(place), None, math.inf, raw=False)
    reports = [press.local_px] if press.raw_local_px is None else [press.local_px, press.raw_local_px]
    # The centre of the pixel that was hit, against the centre of what was drawn.
    error = max(math.dist((x + 0.5, y + 0.5), spot.centre_px) for x, y in reports)
    if press.raw_px is None or press.raw_local_px is None:
        drawn = _centre(place)
        received = (
            drawn[0] + press.local_px[0] + 0.5 - spot.centre_px[0],
            drawn[1] + press.local_px[1] + 0.5 - (spot.centre_px[1]),
        )
    else:
        origin = press.raw_px[0] - press.raw_local_px[0], press.raw_px[1] - press.raw_local_px[1]
        drawn = origin[0] + spot.centre_px[0], origin[1] + spot.centre_px[1]
        received = press.raw_px[0] + 0.5, press.raw_px[1] + 0.5
    return Hit(monitor, spot.scale, aimed_px, drawn, received, error, raw=press.raw_px is not None)


def _centre(rect: Rect) -> tuple[float, float]:
    return (rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2
