"""Our own overlays on an X server: off the screen while it is captured, and back again."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import xcffib
import xcffib.xproto as xp
from numpy.typing import NDArray

from agent.capture.exclusion import MARKER_RGB, Proof, Rgb, prove_exclusion
from agent.capture.screen import Screen
from agent.errors import CaptureError
from agent.types import Rect
from agent.x11.connection import XConnection, x_errors_as
from agent.x11.monitors import desktop_rect, read_monitors
from agent.x11.windows import read_window

_GONE_LIMIT_S = 1.0
_LOOK_EVERY_S = 0.001
_STEADY_S, _STEADY_LIMIT_S = 0.05, 0.6
_VIEWABLE = 2
_PROBE_PX = 24


@dataclass(frozen=True, slots=True)
class _Own:
    """A window, its colour, and where it shows that, in pixels of the window; nowhere stands for anywhere."""

    window: int
    rgb: Rgb
    marks: tuple[Rect, ...]


class X11OwnWindows:
    """Hides overlays by the X server itself, so that nothing waits for the toolkit's thread; an `Exclusion`.

    Overlays may be added and removed from any thread. Raises AgentError where there is no X server.
    """

    def __init__(self, display: str | None = None) -> None:
        self._x = XConnection(display)
        self._lock = threading.RLock()
        self._own: dict[int, _Own] = {}
        self._hidden: list[_Own] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Show what is hidden and let go of the server; calling it again does nothing."""
        with self._lock:
            self.show()
            self._own.clear()
            self._x.close()

    def add(self, window: int, rgb: Rgb = MARKER_RGB, marks: Sequence[Rect] = ()) -> None:
        """Register an overlay that is shown now (Qt: ``int(widget.winId())``).

        It has to show ``rgb``, a colour that nothing else on the screen has; ``marks`` are where, in pixels of
        the window (not of Qt). Without marks all of the window is searched, which is slow for large ones.
        Raises CaptureError for a window that a window manager looks after: taken off and put back, that would
        lose its place and take the focus (Qt: set ``BypassWindowManagerHint``).
        """
        with self._lock, x_errors_as(CaptureError, f"the window {window:#x} cannot be kept out of frames"):
            if not self._x.core.GetWindowAttributes(window).reply().override_redirect:
                raise CaptureError(
                    f"the window {window:#x} cannot be kept out of frames",
                    why="a window manager looks after it, so it cannot come and go at each capture",
                    remedy="minimise it before the run, or bypass the window manager",
                )
            self._own[window] = _Own(window, rgb, tuple(marks))

    def remove(self, window: int) -> None:
        """Forget an overlay; to be called before it is hidden or destroyed, else a capture would show it again."""
        with self._lock:
            self._own.pop(window, None)
            self._hidden = [own for own in self._hidden if own.window != window]

    def hide(self) -> None:
        """Take all overlays off the screen and return when what lies below has been drawn.

        Raises CaptureError when a program below does not draw within a second.
        """
        with self._lock, x_errors_as(CaptureError, "our own windows cannot be taken off the screen"):
            places = [(own, rect) for own in [*self._own.values()] if (rect := self._shown_at(own.window)) is not None]
            if not places:
                return
            for own, _ in places:
                self._x.core.UnmapWindow(own.window)
                self._hidden.append(own)
            self._x.sync()
            end = time.monotonic() + _GONE_LIMIT_S
            while self._seen(places):
                if time.monotonic() > end:
                    self.show()
                    raise CaptureError(
                        "our own window does not leave the picture of the screen",
                        why="the program below it does not draw what was uncovered",
                        remedy="close that program, or run without overlays",
                    )
                time.sleep(_LOOK_EVERY_S)
            if self._is_composited():
                self._wait_until_steady(places)

    def show(self) -> None:
        """Put the overlays back that `hide` took off."""
        with self._lock, suppress(xcffib.XcffibException):
            for own in self._hidden:
                self._x.core.MapWindow(own.window)
            self._hidden.clear()
            self._x.sync()

    def _shown_at(self, window: int) -> Rect | None:
        try:
            if self._x.core.GetWindowAttributes(window).reply().map_state != _VIEWABLE:
                return None
        except xp.WindowError:
            self._own.pop(window, None)  # it was destroyed and nobody has told us
            return None
        found = read_window(self._x, window)
        return None if found is None else found.rect_px

    def _is_composited(self) -> bool:
        name = f"_NET_WM_CM_S{self._x.connection.pref_screen}"
        return bool(self._x.core.GetSelectionOwner(self._x.atom(name)).reply().owner)

    def _wait_until_steady(self, places: list[tuple[_Own, Rect]]) -> None:
        """Return when nothing fades any more; what moves there by itself, like a video, is not waited for."""
        before, since = self._marked(places), time.monotonic()
        end = since + _STEADY_LIMIT_S
        while (now_s := time.monotonic()) < end and now_s - since < _STEADY_S:
            time.sleep(_LOOK_EVERY_S)
            now = self._marked(places)
            if not all(map(np.array_equal, before, now)):
                before, since = now, time.monotonic()

    def _seen(self, places: list[tuple[_Own, Rect]]) -> bool:
        colours = (own.rgb for own, rect in places for _ in _parts(own, rect))
        return any((pixels == _number(rgb)).any() for pixels, rgb in zip(self._marked(places), colours, strict=True))

    def _marked(self, places: list[tuple[_Own, Rect]]) -> list[NDArray[np.uint32]]:
        """Return what the screen shows where our windows have their marks."""
        return [self._pixels(part) for own, rect in places for part in _parts(own, rect)]

    def _pixels(self, rect_px: Rect) -> NDArray[np.uint32]:
        part = rect_px.intersection(desktop_rect(self._x))
        if part is None:
            return np.zeros(0, np.uint32)
        image = self._x.core.GetImage(
            xp.ImageFormat.ZPixmap, self._x.root, part.left, part.top, part.width, part.height, 0xFFFFFFFF
        ).reply()
        return np.frombuffer(image.data.buf(), "<u4") & np.uint32(0xFFFFFF)


def _parts(own: _Own, rect: Rect) -> list[Rect]:
    parts = [
        Rect(mark.left + rect.left, mark.top + rect.top, mark.right + rect.left, mark.bottom + rect.top)
        for mark in own.marks
    ]
    return parts or [rect]


def prove(screen: Screen, own: X11OwnWindows, display: str | None = None) -> Proof:
    """Show a small window of ours for a moment and prove that frames leave it out.

    ``screen`` has to have been opened with ``own`` as its exclusion. Raises CaptureError if it is not so.
    """
    with _probe(own, display):
        return prove_exclusion(screen)


@contextmanager
def _probe(own: X11OwnWindows, display: str | None) -> Iterator[None]:
    with XConnection(display) as x, x_errors_as(CaptureError, "our own windows cannot be told from others"):
        rect, window = read_monitors(x)[0].rect_px, x.connection.generate_id()
        mask = xp.CW.BackPixel | xp.CW.OverrideRedirect
        left, top = rect.right - _PROBE_PX - 1, rect.top + 1
        kind, size = xp.WindowClass.InputOutput, _PROBE_PX
        x.core.CreateWindow(0, window, x.root, left, top, size, size, 0, kind, 0, mask, [_number(MARKER_RGB), 1])
        x.core.MapWindow(window)
        x.sync()
        own.add(window)
        try:
            yield
        finally:
            own.remove(window)


def _number(rgb: Rgb) -> int:
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2]
