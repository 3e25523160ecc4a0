"""Put a frame together from pictures of single monitors."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.errors import CaptureError
from agent.types import Frame, Monitor, Rect


def outline(monitors: Sequence[Monitor]) -> Rect:
    """Return the smallest rectangle around all monitors, which is the virtual desktop."""
    rects = [monitor.rect_px for monitor in monitors]
    return Rect(
        min(rect.left for rect in rects),
        min(rect.top for rect in rects),
        max(rect.right for rect in rects),
        max(rect.bottom for rect in rects),
    )


def part_of(rect_px: Rect | None, monitors: Sequence[Monitor]) -> Rect:
    """Return what of a rectangle lies on the desktop; None is all of it. Raises CaptureError when nothing does."""
    desktop = outline(monitors)
    part = desktop if rect_px is None else rect_px.intersection(desktop)
    if part is None:
        raise CaptureError(f"{rect_px} is outside the desktop", why=f"which is {desktop}")
    return part


def compose(
    part: Rect, monitors: tuple[Monitor, ...], picture: Callable[[Monitor], NDArray[np.uint8]], source: str
) -> Frame:
    """Return a part of the desktop; ``picture`` gives a monitor's own pixels as RGB. Gaps between them are black."""
    bgrx = np.zeros((part.height, part.width, 4), np.uint8)
    for monitor in monitors:
        rect = monitor.rect_px
        shown = rect.intersection(part)
        if shown is None:
            continue
        rgb = picture(monitor)
        if rgb.shape != (rect.height, rect.width, 3):
            raise CaptureError(
                f"the picture of monitor {monitor.name} is {rgb.shape[1]}×{rgb.shape[0]} pixels",
                why=f"the monitor has {rect.width}×{rect.height}",
                remedy="its mode may just have been changed: try again",
            )
        there = bgrx[shown.top - part.top : shown.bottom - part.top, shown.left - part.left : shown.right - part.left]
        there[:, :, 2::-1] = rgb[
            shown.top - rect.top : shown.bottom - rect.top, shown.left - rect.left : shown.right - rect.left
        ]
    return Frame(bgrx, part, monitors, time.time(), source)
