"""The windows of an X server: which one has the focus, what it is called and whose it is."""

from dataclasses import dataclass, replace

import xcffib.xproto as xp

from agent.types import Point, Rect
from agent.x11.connection import XConnection

_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Window:
    """A window with its title, its program's class (``Xfce4-terminal``) and process, where they are told."""

    id: int
    title: str
    app_class: str
    pid: int | None
    rect_px: Rect


def focused_window(x: XConnection) -> Window | None:
    """Return the program's window that gets the keys, or None if none does."""
    focus = x.core.GetInputFocus().reply().focus
    if focus in (0, xp.InputFocus.PointerRoot):
        active = x.read_cardinals(x.root, "_NET_ACTIVE_WINDOW")
        focus = active[0] if active else 0
    try:
        # The focus is often on a part of the window; the names are on the outermost one of the program.
        while focus not in (0, x.root):
            if x.read_property(focus, "WM_CLASS") is not None:
                return read_window(x, focus)
            focus = x.core.QueryTree(focus).reply().parent
    except xp.WindowError:
        return None  # it was closed while we asked
    return None


def read_window(x: XConnection, window: int) -> Window | None:
    """Return what is known of a window, or None when it is gone."""
    try:
        geometry = x.core.GetGeometry(window).reply()
        corner = x.core.TranslateCoordinates(window, x.root, 0, 0).reply()
        pid = x.read_cardinals(window, "_NET_WM_PID")
        return Window(
            id=window,
            title=_text(x, window, "_NET_WM_NAME") or _text(x, window, "WM_NAME"),
            app_class=_text(x, window, "WM_CLASS").rstrip("\0").rpartition("\0")[2],
            pid=pid[0] if pid else None,
            rect_px=Rect(corner.dst_x, corner.dst_y, corner.dst_x + geometry.width, corner.dst_y + geometry.height),
        )
    except (xp.WindowError, xp.DrawableError):
        return None


def _text(x: XConnection, window: int, name: str) -> str:
    found = x.read_property(window, name)
    if found is None:
        return ""
    return found[2].decode("utf-8" if found[0] == "UTF8_STRING" else "latin-1", "replace")


def windows_at(x: XConnection, point: Point) -> tuple[int, ...]:
    """Return the windows under a pixel, from the root's child down to the innermost; none over the bare desktop."""
    found: list[int] = []
    parent = x.root
    try:
        # Window managers put a window into a frame, and that one into another: the depth has no limit of its own.
        while len(found) < _DEEPEST:
            child = x.core.TranslateCoordinates(x.root, parent, point.x_px, point.y_px).reply().child
            if not child:
                break
            found.append(child)
            parent = child
    except xp.WindowError:
        return ()  # it was closed while we asked
    return tuple(found)


def window_under(x: XConnection, point: Point) -> Window | None:
    """Return the program's window under a pixel, or None over the bare desktop; menus count as windows of theirs."""
    chain = windows_at(x, point)
    try:
        named = [window for window in chain if x.read_property(window, "WM_CLASS") is not None]
        found = read_window(x, named[0] if named else chain[0]) if chain else None
        if found is None or found.pid is not None:
            return found
        # Menus often do not say whose they are, but the same program's windows do.
        ours = (
            each for each in x.read_cardinals(x.root, "_NET_CLIENT_LIST") if x.client_of(each) == x.client_of(found.id)
        )
        pids = (pid for each in ours for pid in x.read_cardinals(each, "_NET_WM_PID"))
        return replace(found, pid=next(pids, None))
    except xp.WindowError:
        return None  # it was closed while we asked
