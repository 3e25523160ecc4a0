"""Whether two points of a picture are in one element: by the box that the program told, or else by the pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.types import Point, Rect

NEAR_X_PX, NEAR_Y_PX = 40, 16
"""Without any other hint, so far apart two points may be; rows of a menu are closer than columns of a table."""

_EDGE_PX = 3
_REACH_X_PX, _REACH_Y_PX = 1200, 48
_LEAST_PX = 8
_AROUND_PX = 9
_SAME_COLOUR = 12
_WORD_GAP_PX = 12
"""Ink further apart than this is two things: a word gap is less at any usual size of text."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """``plain`` says of each pixel around a click whether it has the colour that the click is on."""

    plain: NDArray[np.bool_]
    left: int
    top: int


def is_same_place(image: Image.Image, clicked: Point, found: Point, box: Rect | None = None) -> bool:
    """Say whether a point was found in the element that was clicked; all in pixels of the picture.

    ``box`` is the element's, where the program told it. Without it, the points are in one place when they are close,
    or on one evenly coloured field, button or row with at most one word or picture from one to the other.
    """
    if box is not None and box.contains(clicked):
        return _wider(box).contains(found)
    if abs(clicked.x_px - found.x_px) <= NEAR_X_PX and abs(clicked.y_px - found.y_px) <= NEAR_Y_PX:
        return True
    field = field_around(image, clicked)
    if field is None or not _wider(field).contains(found):
        return False
    return _inks_between(image, field, clicked, found) <= 1


def field_around(image: Image.Image, clicked: Point) -> Rect | None:
    """Return the evenly coloured box around a pixel that is closed above and below within reach, or None."""
    patch = _patch(image, clicked)
    reached = _connected(patch.plain, clicked.x_px - patch.left, clicked.y_px - patch.top)
    if reached is None:
        return None
    rows, columns = np.flatnonzero(reached.any(axis=1)), np.flatnonzero(reached.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = reached.shape
    open_ends = (top == 0, bottom == height, left == 0 and patch.left > 0, right == width and width > _REACH_X_PX)
    if any(open_ends) or bottom - top < _LEAST_PX or right - left < _LEAST_PX:
        return None
    return Rect(*(int(edge) for edge in (patch.left + left, patch.top + top, patch.left + right, patch.top + bottom)))


def _patch(image: Image.Image, clicked: Point) -> _Patch:
    left, top = max(0, clicked.x_px - _REACH_X_PX), max(0, clicked.y_px - _REACH_Y_PX)
    right, bottom = clicked.x_px + _REACH_X_PX, clicked.y_px + _REACH_Y_PX
    part = image.convert("RGB").crop((left, top, min(image.width, right), min(image.height, bottom)))
    pixels = np.asarray(part, np.int16)
    x, y = clicked.x_px - left, clicked.y_px - top
    near = pixels[max(0, y - _AROUND_PX) : y + _AROUND_PX, max(0, x - _AROUND_PX) : x + _AROUND_PX].reshape(-1, 3)
    colours, counts = np.unique(near, axis=0, return_counts=True)
    # A letter may be right under the pointer; what is most of it is the ground.
    ground = colours[counts.argmax()]
    return _Patch(np.abs(pixels - ground).max(axis=2) <= _SAME_COLOUR, left, top)


def _connected(plain: NDArray[np.bool_], x: int, y: int) -> NDArray[np.bool_] | None:
    """Return what of the ground is connected with the click, or None if there is none near it."""
    reached = np.zeros_like(plain)
    near = (slice(max(0, y - _AROUND_PX), y + _AROUND_PX), slice(max(0, x - _AROUND_PX), x + _AROUND_PX))
    ys, xs = np.nonzero(plain[near])
    if not len(ys):
        return None
    nearest = np.argmin((ys + near[0].start - y) ** 2 + (xs + near[1].start - x) ** 2)
    reached[ys[nearest] + near[0].start, xs[nearest] + near[1].start] = True
    count = 0
    while count != (count := int(reached.sum())):
        reached = _along(plain.T, _along(plain, reached).T).T
    return reached


def _along(plain: NDArray[np.bool_], reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spread along each row as far as the ground goes."""
    height, width = plain.shape
    # Runs of ground are numbered over all rows; a row's end ends a run.
    wall = np.ones((height, width + 1), bool)
    wall[:, :width] = ~plain
    number = np.cumsum(wall.ravel()).reshape(height, width + 1)[:, :width]
    hit = np.zeros(number.max() + 1, bool)
    hit[number[reached & plain]] = True
    return hit[number] & plain


def _inks_between(image: Image.Image, field: Rect, one: Point, other: Point) -> int:
    """Count the words and pictures from one point to the other; ones with a small gap are one."""
    inside = Rect(field.left + _EDGE_PX, field.top + _EDGE_PX, field.right - _EDGE_PX, field.bottom - _EDGE_PX)
    plain = _patch(image, one)
    part = plain.plain[inside.top - plain.top : inside.bottom - plain.top]
    ink = np.flatnonzero(~part.all(axis=0)) + plain.left
    ink = ink[(ink >= inside.left) & (ink < inside.right)]
    if not len(ink):
        return 0
    starts = np.flatnonzero(np.diff(ink, prepend=ink[0] - 2 * _WORD_GAP_PX) > _WORD_GAP_PX)
    ends = [*starts[1:], len(ink)]
    left, right = sorted((one.x_px, other.x_px))
    return sum(int(ink[end - 1] >= left and ink[start] <= right) for start, end in zip(starts, ends, strict=True))


def _wider(rect: Rect) -> Rect:
    return Rect(rect.left - _EDGE_PX, rect.top - _EDGE_PX, rect.right + _EDGE_PX, rect.bottom + _EDGE_PX)
