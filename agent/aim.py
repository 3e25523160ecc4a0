"""From what a planner wants to an exact place: which pixel, which part of the screen, and is it as it was seen."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from agent.coords import monitor_at, resolve
from agent.episode import Eyes, Located
from agent.hands.gate import HandAction
from agent.types import (
    Action,
    Click,
    Drag,
    Frame,
    Monitor,
    Move,
    Point,
    Rect,
    RelPoint,
    Scroll,
    Target,
    Unreadable,
)
from model.errors import InputError

TARGET_REACH_PX = 20
"""How far the part of the screen that an action is bound to reaches around its point, at scale 1."""

_LEVELS = 8
_SAME_SHARE = 0.03
"""A caret two pixels wide is less than this share of a target; an element that has gone is more."""


@dataclass(frozen=True, slots=True)
class Aim:
    """An action with its place. ``element`` is what the planner calls the target, ``seen`` the frame it was seen in.

    ``doubt`` says why the target may be another than the planner says.
    """

    action: HandAction
    target_px: Rect | None
    element: str
    seen: Frame
    doubt: str = ""


def described_targets(action: Action[RelPoint] | Action[Target]) -> tuple[Target, ...]:
    """Return what eyes have to find before the action can be done, in order."""
    return tuple(point for point in points_of(action) if isinstance(point, Target))


def take_aim(
    action: Action[RelPoint] | Action[Target],
    frame: Frame,
    eyes: Eyes | None,
    cancel: threading.Event,
    step: int,
    tell: Callable[[Located], None],
) -> HandAction | Unreadable:
    """Find what an action names in words and turn it into one on the virtual desktop; ``tell`` hears of each look.

    Unreadable says what was not found. Raises what the eyes raise, and InputError where there are none.
    """
    found: dict[Target, RelPoint] = {}
    for target in described_targets(action):
        if eyes is None:
            raise InputError(
                f"the planner describes its target in words ({target.description!r})",
                remedy="give the run eyes that find it",
            )
        location = eyes.find(frame, target.description, cancel)
        place = None if location.point_rel is None else RelPoint(*location.point_rel)
        aimed = None if place is None else resolve(Move(place), frame)
        tell(Located(step, target.description, location, aimed.to if isinstance(aimed, Move) else None))
        if place is None:
            return Unreadable(f"{target.description} was not found: {location.reason}")
        found[target] = place
    placed = resolve(with_points(action, found), frame)
    # Wait, Ask, Done and Fail never come here.
    return placed if isinstance(placed, Unreadable) else cast(HandAction, placed)


def target_of(action: HandAction, monitors: tuple[Monitor, ...]) -> Rect | None:
    """Return the part of the virtual desktop that an action begins at; None for keys."""
    point = start_of(action)
    return None if point is None else around(point, monitors)


def start_of(action: HandAction) -> Point | None:
    """Return the pixel that the pointer goes to first; None where it stays, and for keys."""
    match action:
        case Click(at) | Scroll(at):
            return at
        case Move(to):
            return to
        case Drag(start):
            return start
        case _:
            return None


def around(point: Point, monitors: tuple[Monitor, ...]) -> Rect:
    """Return the square about a point that stands for an element there, cut off at the monitor's edges."""
    monitor = monitor_at(point, monitors)
    reach = round(TARGET_REACH_PX * (monitor.scale if monitor else 1.0))
    square = Rect(point.x_px - reach, point.y_px - reach, point.x_px + reach + 1, point.y_px + reach + 1)
    return (square.intersection(monitor.rect_px) if monitor else None) or square


def looks_same(seen: Frame, now: Frame, rect_px: Rect) -> bool:
    """Say whether a part of the screen still looks as it did, but for a caret or a little noise."""
    part = rect_px.intersection(seen.rect_px)
    if part is None or rect_px.intersection(now.rect_px) != part:
        return False
    before, after = seen.crop(part).pixels, now.crop(part).pixels
    differs = (np.abs(before.astype(np.int16) - after) > _LEVELS).any(axis=2)
    return int(np.count_nonzero(differs)) <= _SAME_SHARE * differs.size


def points_of(action: Action[RelPoint] | Action[Target]) -> tuple[RelPoint | Target, ...]:
    """Return the places that an action names, in order; none for keys."""
    match action:
        case Click(at) | Scroll(at):
            points = (at,)
        case Move(to):
            points = (to,)
        case Drag(start, end):
            points = (start, end)
        case _:
            points = ()
    return tuple(point for point in points if point is not None)


def with_points(action: Action[RelPoint] | Action[Target], found: Mapping[Target, RelPoint]) -> Action[RelPoint]:
    """Return the action with every described target in the place where it was found."""

    def point(given: RelPoint | Target) -> RelPoint:
        return found[given] if isinstance(given, Target) else given

    match action:
        case Click(at, button, count, modifiers):
            return Click(at and point(at), button, count, modifiers)
        case Move(to):
            return Move(point(to))
        case Drag(start, end, button, modifiers):
            return Drag(start and point(start), point(end), button, modifiers)
        case Scroll(at, up, right, modifiers):
            return Scroll(at and point(at), up, right, modifiers)
        case _:
            return action
