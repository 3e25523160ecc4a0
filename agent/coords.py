"""The only place that converts between spaces.

A *pixel* is a physical pixel of one picture, counted from its top left corner; *relative* is 0 to 1
of one picture; a `Point` is a physical pixel of the virtual desktop; *logical* is the toolkit's own
unit on one screen, which only the window's code meets. What the model's resize and padding do is
undone by `model.image`, so both the model's answers and these functions speak of the picture as it
was given.
"""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from agent.types import Action, Click, Drag, Frame, Monitor, Move, Point, Rect, RelPoint, Scroll, Unreadable

__all__ = [
    "Rect",
    "crop_around",
    "from_crop",
    "layout_change",
    "logical_layout_to_pixels",
    "logical_to_physical",
    "monitor_at",
    "physical_to_logical",
    "pixel_to_relative",
    "pixels_to_points",
    "place",
    "points_to_pixels",
    "relative_to_pixel",
    "resolve",
    "scaled_to_relative",
    "to_relative",
]


def relative_to_pixel(x_rel: float, y_rel: float, width_px: int, height_px: int) -> tuple[int, int]:
    """Return the pixel that a relative point lies in; 1.0 belongs to the last one."""
    return min(int(x_rel * width_px), width_px - 1), min(int(y_rel * height_px), height_px - 1)


def pixel_to_relative(x_px: int, y_px: int, width_px: int, height_px: int) -> tuple[float, float]:
    """Return the relative position of a pixel's centre."""
    return (x_px + 0.5) / width_px, (y_px + 0.5) / height_px


def crop_around(x_rel: float, y_rel: float, within: Rect, width_px: int, height_px: int) -> Rect:
    """Return a window of the given size around a relative point of ``within``, moved to lie inside it."""
    width_px, height_px = min(width_px, within.width), min(height_px, within.height)
    left = round(within.left + x_rel * within.width - width_px / 2)
    top = round(within.top + y_rel * within.height - height_px / 2)
    left = min(max(left, within.left), within.right - width_px)
    top = min(max(top, within.top), within.bottom - height_px)
    return Rect(left, top, left + width_px, top + height_px)


def from_crop(x_rel: float, y_rel: float, crop: Rect, width_px: int, height_px: int) -> tuple[float, float]:
    """Turn a point relative to a crop into one relative to the whole picture."""
    return (crop.left + x_rel * crop.width) / width_px, (crop.top + y_rel * crop.height) / height_px


def scaled_to_relative(x: float, y: float, width: float, height: float) -> RelPoint:
    """Turn a point that counts up to a width and a height into a relative one.

    Models of other families answer in pixels of the picture that was sent, or in thousandths (1000, 1000).
    Raises ValueError when the point lies outside.
    """
    for name, value, extent in (("x", x, width), ("y", y, height)):
        if not (math.isfinite(value) and 0 <= value <= extent):
            raise ValueError(f"{name} is {value:g}; it must be 0 to {extent:g}")
    return RelPoint(x / width, y / height)


def place(point: RelPoint, rect_px: Rect) -> Point:
    """Return the pixel of the virtual desktop that a point relative to a part of it lies in."""
    x, y = relative_to_pixel(point.x_rel, point.y_rel, rect_px.width, rect_px.height)
    return Point(rect_px.left + x, rect_px.top + y)


def to_relative(point: Point, rect_px: Rect) -> RelPoint:
    """Return the centre of a pixel relative to a part of the virtual desktop.

    Raises ValueError when the pixel lies outside of it.
    """
    return RelPoint(
        *pixel_to_relative(point.x_px - rect_px.left, point.y_px - rect_px.top, rect_px.width, rect_px.height)
    )


def monitor_at(point: Point, monitors: tuple[Monitor, ...]) -> Monitor | None:
    """Return the monitor that shows a pixel; None in the gaps that monitors of unlike sizes leave."""
    return next((monitor for monitor in monitors if monitor.rect_px.contains(point)), None)


def layout_change(before: Sequence[Monitor], now: Sequence[Monitor]) -> str:
    """Say in words how the monitors have changed since a frame was captured; empty if they have not.

    The order in which they are listed means nothing.
    """
    old, new = {monitor.id: monitor for monitor in before}, {monitor.id: monitor for monitor in now}
    said = [f"monitor {old[id_].name} was taken away" for id_ in old.keys() - new.keys()]
    said += [f"monitor {new[id_].name} was added" for id_ in new.keys() - old.keys()]
    for id_ in old.keys() & new.keys():
        was, is_ = old[id_].rect_px, new[id_].rect_px
        if (was.width, was.height) != (is_.width, is_.height):
            size = f"from {was.width}×{was.height} to {is_.width}×{is_.height} pixels"
            said.append(f"monitor {new[id_].name} went {size}")
        elif was != is_:
            said.append(f"monitor {new[id_].name} moved from {was.left},{was.top} to {is_.left},{is_.top}")
        if old[id_].scale != new[id_].scale:
            said.append(f"the scale of monitor {new[id_].name} went from {old[id_].scale:g} to {new[id_].scale:g}")
    return "; ".join(sorted(said))


def resolve(action: Action[RelPoint], frame: Frame, now: Sequence[Monitor] | None = None) -> Action[Point] | Unreadable:
    """Turn what a model said of a frame into what hands do on the virtual desktop.

    A point that no monitor shows cannot have been meant: it is handed back as unreadable. With ``now``, the
    monitors of this moment, so is every point of a frame that other monitors showed: it has to be looked for
    again, as nobody knows what lies there.
    """
    if now is not None and frame.monitors and _points_at(action) and (change := layout_change(frame.monitors, now)):
        return Unreadable(f"{change} since the screen was looked at; look again")
    try:
        match action:
            case Click(at, button, count, modifiers):
                return Click(at and _shown(at, frame), button, count, modifiers)
            case Move(to):
                return Move(_shown(to, frame))
            case Drag(start, end, button, modifiers):
                return Drag(start and _shown(start, frame), _shown(end, frame), button, modifiers)
            case Scroll(at, up, right, modifiers):
                return Scroll(at and _shown(at, frame), up, right, modifiers)
            case _:
                return action
    except _HiddenError as hidden:
        return Unreadable(str(hidden))


def _points_at(action: Action[RelPoint]) -> bool:
    """Say whether an action has a place; keys, waits and answers have none."""
    match action:
        case Click(at) | Scroll(at):
            return at is not None
        case Move() | Drag():
            return True
        case _:
            return False


class _HiddenError(Exception):
    """A point that no monitor shows; never leaves this module."""


def _shown(point: RelPoint, frame: Frame) -> Point:
    placed = place(point, frame.rect_px)
    if frame.monitors and monitor_at(placed, frame.monitors) is None:
        raise _HiddenError(f"x={point.x_rel:g}, y={point.y_rel:g} is in a gap between the monitors, where nothing is")
    return placed


def logical_to_physical(
    x: float, y: float, screen_origin: tuple[float, float], monitor_origin_px: Point, scale: float
) -> Point:
    """Return the pixel under a toolkit's logical point.

    Each screen has its own map, because logical desktops keep physical origins but shrink sizes:
    ``screen_origin`` is the screen's top left corner in logical units, ``monitor_origin_px`` the same
    corner in pixels.
    """
    return Point(
        monitor_origin_px.x_px + math.floor((x - screen_origin[0]) * scale),
        monitor_origin_px.y_px + math.floor((y - screen_origin[1]) * scale),
    )


def physical_to_logical(
    point: Point, screen_origin: tuple[float, float], monitor_origin_px: Point, scale: float
) -> tuple[float, float]:
    """Return the centre of a pixel in a toolkit's logical units; see `logical_to_physical`."""
    return (
        screen_origin[0] + (point.x_px - monitor_origin_px.x_px + 0.5) / scale,
        screen_origin[1] + (point.y_px - monitor_origin_px.y_px + 0.5) / scale,
    )


def logical_layout_to_pixels(places: Sequence[tuple[Rect, tuple[int, int]]]) -> list[Rect]:
    """Return where monitors lie in pixels that a desktop places in logical units, each at a scale of its own.

    ``places`` are each monitor's place in logical units and its size in pixels. No such place can be exact for
    unlike scales, so each stretch of the desktop grows as much as the monitor there that grows most: monitors
    keep their own size, their order, and never overlap. The logical origin stays the origin.
    """
    across = _stretched([(rect.left, rect.right, size[0]) for rect, size in places])
    down = _stretched([(rect.top, rect.bottom, size[1]) for rect, size in places])
    return [
        Rect(across[rect.left], down[rect.top], across[rect.left] + width, down[rect.top] + height)
        for rect, (width, height) in places
    ]


def _stretched(spans: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """Return the pixel of each logical edge; a span is its two edges and its size in pixels."""
    edges = sorted({0, *(edge for begin, end, _ in spans for edge in (begin, end))})
    at, places = Fraction(0), {edges[0]: Fraction(0)}
    for begin, end in itertools.pairwise(edges):
        factors = [Fraction(size, right - left) for left, right, size in spans if left <= begin and end <= right]
        at += (end - begin) * max(factors, default=Fraction(1))
        places[end] = at
    return {edge: math.ceil(place - places[0]) for edge, place in places.items()}


def points_to_pixels(rect: Rect, scale: float) -> Rect:
    """Return a rectangle of a desktop that is measured in points (macOS) in pixels."""
    return Rect(*(round(edge * scale) for edge in (rect.left, rect.top, rect.right, rect.bottom)))


def pixels_to_points(rect_px: Rect, scale: float) -> Rect:
    """Return the smallest rectangle of whole points that covers a rectangle of pixels."""
    return Rect(
        math.floor(rect_px.left / scale),
        math.floor(rect_px.top / scale),
        math.ceil(rect_px.right / scale),
        math.ceil(rect_px.bottom / scale),
    )
