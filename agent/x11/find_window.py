"""Find a window by its title or number, and say what lies over it."""

import re
from collections.abc import Iterator

import xcffib.xproto as xp

from agent.errors import CaptureError
from agent.types import Rect
from agent.x11.connection import XConnection
from agent.x11.monitors import desktop_rect
from agent.x11.windows import Window, read_window

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_ICONIC, _VIEWABLE, _INPUT_OUTPUT = 3, 2, 1
_SHOWN_NAMES = 20


def list_windows(x: XConnection) -> tuple[Window, ...]:
    """Return the programs' windows: those that the window manager lists, or all that have a class."""
    listed = x.read_cardinals(x.root, "_NET_CLIENT_LIST") or tuple(_clients(x))
    return tuple(window for id_ in listed if (window := read_window(x, id_)) is not None)


def find_window(x: XConnection, name: str) -> Window:
    """Return the window with a number, or the one whose title is, or holds, a text; capitals do not matter.

    Raises CaptureError when there is none, when there are several, and when it is minimised.
    """
    windows = list_windows(x)
    found = list(_matching(windows, name))
    if (
        not found
        and _NUMBER.fullmatch(name)
        and (window := read_window(x, int(name, 0 if "x" in name.lower() else 10)))
    ):
        found.append(window)
    if not found:
        there = ", ".join(f"{window.title!r}" for window in windows[:_SHOWN_NAMES] if window.title)
        raise CaptureError(f"there is no window {name!r}", remedy=f"there are {there}" if there else "none is open")
    if len(found) > 1:
        several = ", ".join(f"{window.id:#x} {window.title!r}" for window in found[:_SHOWN_NAMES])
        raise CaptureError(f"{len(found)} windows are called {name!r}", remedy=f"choose one by number: {several}")
    window = found[0]
    if x.read_cardinals(window.id, "WM_STATE")[:1] == (_ICONIC,) or not _is_viewable(x, window.id):
        raise CaptureError(
            f"the window {window.title or name!r} is not on the screen",
            why="it is minimised, or on another workspace",
            remedy="bring it to the front",
        )
    return window


def what_hides(x: XConnection, window: Window) -> tuple[str, ...]:
    """Say what keeps parts of a window from being seen: windows above it, and the screen's edge. Empty if nothing."""
    reasons = [f"{name!r} lies over it" for name in _above(x, window)]
    if window.rect_px.intersection(desktop_rect(x)) != window.rect_px:
        reasons.append("a part of it is beyond the screen's edge")
    return tuple(reasons)


def _matching(windows: tuple[Window, ...], name: str) -> tuple[Window, ...]:
    folded = name.casefold()
    ways = (
        lambda window: _NUMBER.fullmatch(name) and window.id == int(name, 0 if "x" in name.lower() else 10),
        lambda window: window.title == name,
        lambda window: window.title.casefold() == folded,
        lambda window: bool(folded) and folded in window.title.casefold(),
    )
    for way in ways:
        if found := tuple(window for window in windows if way(window)):
            return found
    return ()


def _above(x: XConnection, window: Window) -> Iterator[str]:
    children = list(x.core.QueryTree(x.root).reply().children)
    outermost = _outermost(x, window.id)
    if outermost not in children:
        return
    for other in children[children.index(outermost) + 1 :]:
        try:
            attributes, place = x.core.GetWindowAttributes(other).reply(), read_window(x, other)
            if attributes.map_state != _VIEWABLE or attributes._class != _INPUT_OUTPUT or place is None:
                continue
            if any(part.intersection(window.rect_px) for part in _shape(x, other, place.rect_px)):
                named = next((found for found in (read_window(x, id_) for id_ in _clients(x, other)) if found), place)
                yield named.title or named.app_class or f"window {other:#x}"
        except (xp.WindowError, xp.DrawableError):
            continue  # it was closed while we asked


def _shape(x: XConnection, window: int, rect_px: Rect) -> list[Rect]:
    """Return the parts of a window that it really covers: a frame around something has a hole."""
    if not x.has_extension("SHAPE"):
        return [rect_px]
    found = x.extension("SHAPE").GetRectangles(window, 0).reply().rectangles
    left, top = rect_px.left, rect_px.top
    return [Rect(left + r.x, top + r.y, left + r.x + r.width, top + r.y + r.height) for r in found]


def _outermost(x: XConnection, window: int) -> int:
    while (parent := x.core.QueryTree(window).reply().parent) not in (0, x.root):
        window = parent
    return window


def _clients(x: XConnection, parent: int | None = None) -> Iterator[int]:
    """Yield the windows with a class at or below one, or below the root; window managers put frames around them."""
    waiting = [parent] if parent is not None else list(x.core.QueryTree(x.root).reply().children)
    while waiting:
        window = waiting.pop(0)
        try:
            if x.read_property(window, "WM_CLASS") is not None:
                yield window
            else:
                waiting += x.core.QueryTree(window).reply().children
        except xp.WindowError:
            continue  # it was closed while we asked


def _is_viewable(x: XConnection, window: int) -> bool:
    try:
        return x.core.GetWindowAttributes(window).reply().map_state == _VIEWABLE
    except xp.WindowError:
        return False
