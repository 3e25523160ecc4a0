"""The screen: the first handler that works here, or the one that the person chose."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import numpy as np

from agent.capture.exclusion import Exclusion
from agent.capture.grim import GrimCapture
from agent.capture.handler import CaptureHandler, WindowFinder
from agent.capture.native import NativeCapture
from agent.capture.portal import PortalCapture
from agent.capture.x11 import X11Capture
from agent.errors import CaptureError
from agent.types import Frame, Monitor, Rect

_SAMPLE_STEP_PX = 16


class Screen:
    """What can be captured, by one handler, without the windows that ``exclusion`` keeps out.

    Close it, or use it in a ``with`` block; one thread at a time.
    """

    def __init__(self, handler: CaptureHandler, exclusion: Exclusion | None = None) -> None:
        self.handler = handler
        self._exclusion = exclusion
        self._hiding = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors as they are now."""
        return self.handler.monitors()

    def grab(self, part: Rect | Monitor | None = None, *, allow_black: bool = False) -> Frame:
        """Capture the whole desktop, one monitor, or a rectangle of the virtual desktop.

        Raises CaptureError when it fails, and when a whole desktop or monitor comes back entirely
        black: that is what desktops hand out to those who may not look. A rectangle may be black.
        """
        with self.without_own_windows():
            frame = self.handler.grab(part.rect_px if isinstance(part, Monitor) else part)
        if not (allow_black or isinstance(part, Rect)):
            self._refuse_black(frame, "screen")
        return frame

    def grab_window(self, name: str, *, allow_black: bool = False, allow_covered: bool = False) -> Frame:
        """Capture one window, by its title, a part of that, or its number.

        Raises CaptureError as `grab` does, and with the reason when the window cannot be seen whole.
        """
        if not isinstance(self.handler, WindowFinder):
            raise CaptureError(
                "one window cannot be captured here",
                why=f"{self.handler.name} does not tell where windows are",
                remedy="capture a region, or all of the screen",
            )
        with self.without_own_windows():
            frame = self.handler.grab(self.handler.window_rect(name, allow_covered=allow_covered))
        if not allow_black:
            self._refuse_black(frame, "window")
        return frame

    @contextmanager
    def without_own_windows(self) -> Iterator[None]:
        """Keep our own windows off the screen during a block, so that they do not flicker at each capture in it.

        Raises CaptureError when they do not go away.
        """
        if self._exclusion is not None and not self._hiding:
            self._exclusion.hide()
        self._hiding += 1
        try:
            yield
        finally:
            self._hiding -= 1
            if self._exclusion is not None and not self._hiding:
                self._exclusion.show()

    def _refuse_black(self, frame: Frame, what: str) -> None:
        if is_black(frame):
            raise CaptureError(
                f"the captured {what} is entirely black",
                why="the screen is off or locked, or the desktop does not let this program look",
                remedy=f"wake or unlock the screen, or choose another way of capture than {self.handler.name}",
            )

    def close(self) -> None:
        """Let go of the handler's connections."""
        self.handler.close()


def default_handlers() -> tuple[CaptureHandler, ...]:
    """Return the ways of capturing, best first."""
    return X11Capture(), GrimCapture(), PortalCapture(), NativeCapture()


def open_screen(
    choice: str | None = None, handlers: Sequence[CaptureHandler] | None = None, exclusion: Exclusion | None = None
) -> Screen:
    """Return the screen through the first handler that works here, or through the chosen one.

    ``exclusion`` keeps our own windows out of every frame. Raises CaptureError with every handler's reason
    when none does.
    """
    known = default_handlers() if handlers is None else handlers
    tried = [handler for handler in known if choice is None or handler.name == choice]
    if not tried:
        raise CaptureError(
            f"there is no way of capture called {choice!r}",
            remedy=f"there are {', '.join(handler.name for handler in known)}",
        )
    reasons: list[str] = []
    for handler in tried:
        reason = handler.unavailable()
        if reason is None:
            return Screen(handler, exclusion)
        handler.close()
        reasons.append(f"{handler.name}: {reason}")
    raise CaptureError("the screen cannot be captured here", why="; ".join(reasons))


def is_black(frame: Frame) -> bool:
    """Say whether every pixel is black. Fast for pictures that are not."""
    if frame.bgrx[::_SAMPLE_STEP_PX, ::_SAMPLE_STEP_PX, :3].any():
        return False
    every_bit = np.bitwise_or.reduce(frame.bgrx.view(np.uint32), axis=None)
    return not int(every_bit) & int.from_bytes(b"\xff\xff\xff\x00", sys.byteorder)


def black_monitors(frame: Frame) -> tuple[str, ...]:
    """Return the names of the monitors that show nothing but black in a frame, where others show something."""
    if len(frame.monitors) < 2:
        return ()
    shown = [monitor for monitor in frame.monitors if monitor.rect_px.intersection(frame.rect_px) == monitor.rect_px]
    return tuple(monitor.name for monitor in shown if is_black(frame.crop(monitor.rect_px)))
