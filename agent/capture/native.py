"""Capture on Windows and macOS through mss.

Written from mss's documentation and tested on made-up layouts only: it has not been run on either
system yet.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from agent.coords import pixels_to_points, points_to_pixels
from agent.errors import CaptureError
from agent.types import Frame, Monitor, Rect

SYSTEMS = {"win32": "Windows", "darwin": "macOS"}


def _open_mss() -> Any:
    import mss

    return mss.MSS()


class NativeCapture:
    """The system's own screenshots.

    Windows reports monitors in physical pixels, macOS in points: there, points times the one scale
    that all monitors must share are taken for pixels.
    """

    name = "native"

    def __init__(self, system: str = sys.platform, open_mss: Callable[[], Any] = _open_mss) -> None:
        self._system = system
        self._open_mss = open_mss

    def unavailable(self) -> str | None:
        """Return why this is not the system for it, or None."""
        if self._system not in SYSTEMS:
            return f"it is for {' and '.join(SYSTEMS.values())}"
        try:
            import mss  # noqa: F401 - whether it is there is the question
        except ImportError:
            return "mss is not installed"
        return None

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors as they are now."""
        with self._open_mss() as mss:
            return self._monitors(mss)[0]

    def grab(self, rect_px: Rect | None = None) -> Frame:
        """Capture a part of the desktop, or all of it."""
        # A new instance each time: an instance remembers the monitors that it met first.
        with self._open_mss() as mss:
            monitors, scale = self._monitors(mss)
            desktop = _around([monitor.rect_px for monitor in monitors])
            part = desktop if rect_px is None else rect_px.intersection(desktop)
            if part is None:
                raise CaptureError(f"{rect_px} is outside the desktop", why=f"which is {desktop}")
            asked = pixels_to_points(part, scale)
            given = points_to_pixels(asked, scale)
            shot = mss.grab((asked.left, asked.top, asked.right, asked.bottom))
            width, height = shot.size
            if (width, height) != (given.width, given.height):
                raise CaptureError(
                    f"the system gave {width}×{height} pixels where {given.width}×{given.height} were asked for",
                    why="its monitors changed meanwhile",
                    remedy="try again",
                )
            bgrx = np.frombuffer(shot.raw, np.uint8).reshape(height, width, 4)
            return Frame(bgrx, given, monitors, time.time(), self.name).crop(part)

    def notes(self) -> tuple[str, ...]:
        """Return that nobody has run this."""
        return (f"capture on {SYSTEMS.get(self._system, self._system)} has not been tested on a real machine",)

    def close(self) -> None:
        """Do nothing: nothing is held between captures."""

    def _monitors(self, mss: Any) -> tuple[tuple[Monitor, ...], float]:
        listed = mss.monitors[1:]
        if not listed:
            raise CaptureError("the system lists no monitor")
        scale = 1.0
        if self._system == "darwin":
            scales = {mss.grab((m["left"], m["top"], m["left"] + 1, m["top"] + 1)).size[0] for m in listed}
            if len(scales) != 1:
                raise CaptureError(
                    "monitors of different scale cannot be captured on macOS yet",
                    remedy="set all monitors to the same kind of resolution, or use one",
                )
            scale = float(scales.pop())
        monitors = tuple(
            Monitor(
                id=str(m.get("unique_id") or m.get("output") or n),
                name=str(m.get("name") or f"monitor {n}"),
                rect_px=points_to_pixels(_rect(m), scale),
                scale=scale,
                is_primary=bool(m.get("is_primary", n == 1)),
            )
            for n, m in enumerate(listed, 1)
        )
        return monitors, scale


def _around(rects: list[Rect]) -> Rect:
    return Rect(
        min(rect.left for rect in rects),
        min(rect.top for rect in rects),
        max(rect.right for rect in rects),
        max(rect.bottom for rect in rects),
    )


def _rect(listed: Any) -> Rect:
    left, top = listed["left"], listed["top"]
    return Rect(left, top, left + listed["width"], top + listed["height"])
