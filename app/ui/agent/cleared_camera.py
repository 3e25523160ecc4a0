"""A camera for runs that are shown on the screen: it proves that nothing of ours is in its frames."""

import time

import numpy as np

from agent.errors import CaptureError
from agent.loop_parts import Camera
from agent.types import Frame, Rect
from app.ui.overlay import Overlay

_SEEN_LIMIT_S = 3.0
_LOOK_EVERY_S = 0.05
_FADED_S = 0.3
_LEVELS = 12
"""Up to how many levels of 255 a colour counts as the same; a ghost changes by more while it fades."""


class ClearedCamera:
    """Take pictures without anything of ours in them; implements `agent.loop_parts.Camera`.

    The first picture raises CaptureError where a border that was seen on the screen is still seen after it
    was taken off, and where it fades: a compositor would show its ghost in frames.
    """

    def __init__(self, camera: Camera, overlay: Overlay) -> None:
        self._camera = camera
        self._overlay = overlay
        self._proved = False

    def grab(self, part: Rect | None = None, *, allow_black: bool = False) -> Frame:
        """Capture once the screen is clear of us."""
        if not self._proved:
            self._prove()
        self._overlay.clear()
        return self._camera.grab(part, allow_black=allow_black)

    def _prove(self) -> None:
        # Only what was seen can be seen to be gone: an edge that a full-screen window covers proves nothing.
        edges = [(edge, rgb) for edge, rgb in self._overlay.edges if self._comes(edge, rgb)]
        self._overlay.clear()
        after = [self._camera.grab(edge, allow_black=True) for edge, _ in edges]
        if edges:
            time.sleep(_FADED_S)
        for (edge, rgb), frame in zip(edges, after, strict=True):
            self._overlay.clear()
            later = self._camera.grab(edge, allow_black=True)
            if _share(frame, rgb) > 0.5:
                raise CaptureError(
                    "our own border is in the picture of the screen",
                    why="the desktop goes on showing a window that was taken off",
                    remedy="switch the desktop's window effects off",
                )
            if np.abs(frame.pixels.astype(np.int16) - later.pixels).mean() > _LEVELS and _nearer(frame, later, rgb):
                raise CaptureError(
                    "a ghost of our own border is in the picture of the screen",
                    why="the desktop's compositor fades windows out",
                    remedy="switch that effect off",
                )
        self._proved = True

    def _comes(self, edge: Rect, rgb: tuple[int, int, int]) -> bool:
        end = time.monotonic() + _SEEN_LIMIT_S
        while _share(self._camera.grab(edge, allow_black=True), rgb) <= 0.5:
            if time.monotonic() >= end:
                return False
            time.sleep(_LOOK_EVERY_S)
        return True


def _share(frame: Frame, rgb: tuple[int, int, int]) -> float:
    """Return the share of pixels that have a colour."""
    away = np.abs(frame.pixels.astype(np.int16) - np.array(rgb, np.int16)).max(axis=2)
    return float((away <= _LEVELS).mean())


def _nearer(frame: Frame, later: Frame, rgb: tuple[int, int, int]) -> bool:
    """Say whether the earlier picture is the one nearer to the colour, as a fading window leaves it."""
    away = [np.abs(each.pixels.astype(np.int16) - np.array(rgb, np.int16)).mean() for each in (frame, later)]
    return away[0] + _LEVELS < away[1]
