"""The screen: the first handler that works here, or the one that the person chose."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np

from agent.capture.handler import CaptureHandler
from agent.capture.native import NativeCapture
from agent.capture.x11 import X11Capture
from agent.errors import CaptureError
from agent.types import Frame, Monitor, Rect

_SAMPLE_STEP_PX = 16


class Screen:
    """What can be captured, by one handler. Close it, or use it in a ``with`` block."""

    def __init__(self, handler: CaptureHandler) -> None:
        self.handler = handler

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
        frame = self.handler.grab(part.rect_px if isinstance(part, Monitor) else part)
        if not (allow_black or isinstance(part, Rect)) and is_black(frame):
            raise CaptureError(
                "the captured screen is entirely black",
                why="the screen is off or locked, or the desktop does not let this program look",
                remedy=f"wake or unlock the screen, or choose another way of capture than {self.handler.name}",
            )
        return frame

    def close(self) -> None:
        """Let go of the handler's connections."""
        self.handler.close()


def default_handlers() -> tuple[CaptureHandler, ...]:
    """Return the ways of capturing, best first."""
    return X11Capture(), NativeCapture()


def open_screen(choice: str | None = None, handlers: Sequence[CaptureHandler] | None = None) -> Screen:
    """Return the screen through the first handler that works here, or through the chosen one.

    Raises CaptureError with every handler's reason when none does.
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
            return Screen(handler)
        handler.close()
        reasons.append(f"{handler.name}: {reason}")
    raise CaptureError("the screen cannot be captured here", why="; ".join(reasons))


def is_black(frame: Frame) -> bool:
    """Say whether every pixel is black. Fast for pictures that are not."""
    if frame.bgrx[::_SAMPLE_STEP_PX, ::_SAMPLE_STEP_PX, :3].any():
        return False
    every_bit = np.bitwise_or.reduce(frame.bgrx.view(np.uint32), axis=None)
    return not int(every_bit) & int.from_bytes(b"\xff\xff\xff\x00", sys.byteorder)
