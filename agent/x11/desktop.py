"""Which window an action would reach: the active one, or the one under a point."""

import struct
import time
from types import TracebackType
from typing import Self

import xcffib.xproto as xp

from agent.episode import WindowInfo
from agent.errors import AgentError
from agent.types import Point
from agent.windows import DesktopWindow
from agent.x11.connection import XConnection, x_errors_as
from agent.x11.windows import Window, focused_window, read_window

_CLIENT_MESSAGE, _SOURCE_PAGER = 33, 2
_ACTIVATE_LIMIT_S = 1.0
_LOOK_EVERY_S = 0.01
_DEEPEST = 16


class X11Desktop:
    """Asks an X server for windows; implements `agent.windows.Desktop`. From one thread at a time.

    Raises AgentError where there is no server, or when it is lost.
    """

    def __init__(self, display: str | None = None) -> None:
        self._x = XConnection(display)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._x.close()

    def active(self) -> DesktopWindow | None:
        """Return the window that gets the keys."""
        with x_errors_as(AgentError, "the active window cannot be asked for"):
            window = focused_window(self._x)
        return _told(window)

    def at(self, point: Point) -> DesktopWindow | None:
        """Return the program's window under a point; None over the bare desktop and over what has no name."""
        with x_errors_as(AgentError, "the window under a point cannot be asked for"):
            return _told(self._named_at(point))

    def under_pointer(self) -> DesktopWindow | None:
        """Return the program's window that the pointer is over."""
        with x_errors_as(AgentError, "the window under the pointer cannot be asked for"):
            answer = self._x.core.QueryPointer(self._x.root).reply()
            return _told(self._named_at(Point(answer.root_x, answer.root_y)))

    def activate(self, window: DesktopWindow) -> bool:
        """Ask the window manager to give a window the keys; say whether it has them within a second."""
        x = self._x
        with x_errors_as(AgentError, "a window cannot be made the active one"):
            message = struct.pack(
                "=BBHII5I", _CLIENT_MESSAGE, 32, 0, window.id, x.atom("_NET_ACTIVE_WINDOW"), _SOURCE_PAGER, 0, 0, 0, 0
            )
            mask = xp.EventMask.SubstructureNotify | xp.EventMask.SubstructureRedirect
            x.core.SendEvent(False, x.root, mask, message)
            x.sync()
            end = time.monotonic() + _ACTIVATE_LIMIT_S
            while time.monotonic() < end:
                focused = focused_window(x)
                if focused is not None and focused.id == window.id:
                    return True
                time.sleep(_LOOK_EVERY_S)
        return False

    def _named_at(self, point: Point) -> Window | None:
        x, parent = self._x, self._x.root
        try:
            for _ in range(_DEEPEST):
                child = x.core.TranslateCoordinates(x.root, parent, point.x_px, point.y_px).reply().child
                if not child:
                    return None
                if x.read_property(child, "WM_CLASS") is not None:
                    return read_window(x, child)
                parent = child
        except xp.WindowError:
            return None  # it was closed while we asked
        return None


def _told(window: Window | None) -> DesktopWindow | None:
    if window is None:
        return None
    return DesktopWindow(window.id, WindowInfo(window.title, window.app_class, window.rect_px))
