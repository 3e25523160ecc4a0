"""Capture from an X server through mss, which reads the framebuffer by shared memory."""

import time
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from agent.errors import AgentError, CaptureError
from agent.types import Frame, Monitor, Rect

if TYPE_CHECKING:
    from mss import MSS

    from agent.x11.connection import XConnection


class X11Capture:
    """The framebuffer of an X server. 4K takes 4 ms with shared memory, 50 ms without."""

    name = "x11"

    def __init__(self, display: str | None = None) -> None:
        self._display = display
        self._x: XConnection | None = None
        self._mss: MSS | None = None
        self._mss_rect: Rect | None = None

    def unavailable(self) -> str | None:
        """Return why there is no X server to capture from, or None."""
        try:
            from agent.x11.connection import x_errors_as
            from agent.x11.monitors import is_xwayland

            with x_errors_as(CaptureError, "the X server cannot be asked what it is"):
                inside_wayland = is_xwayland(self._connect())
            if inside_wayland:
                return (
                    "the X server here is XWayland, which shows only X11 programs and black where all others are; "
                    "capture has to go through the Wayland desktop itself"
                )
            _load_mss()
        except ImportError as error:
            return f"{error.name or 'a library'} is missing: {error}"
        except OSError as error:
            return f"the X11 library cannot be loaded: {error}"
        except AgentError as error:
            return str(error)
        return None

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors as they are now."""
        from agent.x11.connection import x_errors_as
        from agent.x11.monitors import read_monitors

        with x_errors_as(CaptureError, "the monitors cannot be listed"):
            return read_monitors(self._connect())

    def grab(self, rect_px: Rect | None = None) -> Frame:
        """Capture a part of the desktop, or all of it."""
        from agent.x11.connection import x_errors_as
        from agent.x11.monitors import desktop_rect, read_monitors

        mss = _load_mss()
        with x_errors_as(CaptureError, "the screen cannot be captured"):
            x = self._connect()
            desktop, monitors = desktop_rect(x), read_monitors(x)
        part = desktop if rect_px is None else rect_px.intersection(desktop)
        if part is None:
            raise CaptureError(f"{rect_px} is outside the desktop", why=f"which is {desktop}")
        try:
            shot = self._opened(mss, x.display, desktop).grab((part.left, part.top, part.right, part.bottom))
        except mss.ScreenShotError as error:
            self._close_mss()
            raise CaptureError(f"the X server did not give the pixels of {part}", why=str(error)) from error
        bgrx = np.frombuffer(shot.raw, np.uint8).reshape(part.height, part.width, 4)
        return Frame(bgrx, part, monitors, time.time(), self.name)

    def window_rect(self, name: str, *, allow_covered: bool = False) -> Rect:
        """Return where a window is; the part of it that programs draw, without the window manager's frame.

        An X server keeps no pixels of what is covered: where another window lies over it, those would be
        captured. Raises CaptureError then, unless that is allowed.
        """
        from agent.x11.connection import x_errors_as
        from agent.x11.find_window import find_window, what_hides

        with x_errors_as(CaptureError, "the windows cannot be listed"):
            x = self._connect()
            window = find_window(x, name)
            hidden = what_hides(x, window)
        if hidden and not allow_covered:
            raise CaptureError(
                f"the window {window.title or name!r} cannot be seen whole",
                why="; ".join(hidden),
                remedy="bring it to the front, or allow other windows in the picture",
            )
        return window.rect_px

    def notes(self) -> tuple[str, ...]:
        """Return why shared memory is not in use, once something was captured."""
        status = [] if self._mss is None else self._mss.performance_status
        return tuple(f"capture is slow: {note}" for note in status if "working correctly" not in note)

    def close(self) -> None:
        """Close both connections."""
        self._close_mss()
        if self._x is not None:
            self._x.close()
            self._x = None

    def _connect(self) -> "XConnection":
        if self._x is None:
            from agent.x11.connection import XConnection

            self._x = XConnection(self._display)
        return self._x

    def _opened(self, mss: ModuleType, display: str, desktop: Rect) -> "MSS":
        if self._mss is not None and self._mss_rect == desktop:
            return self._mss
        # mss sizes its shared memory once, for the desktop that it met.
        self._close_mss()
        opened: MSS = mss.MSS(display=display)
        self._mss, self._mss_rect = opened, desktop
        return opened

    def _close_mss(self) -> None:
        if self._mss is not None:
            self._mss.close()
            self._mss = None


def _load_mss() -> ModuleType:
    import mss

    return mss
