"""Tell whether two screens show the same, but for parts that move by themselves."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.changes import BLOCK_PX
from agent.types import Frame, Rect

_SAMPLED_ROWS = 4
_COLOUR = np.uint32(int.from_bytes(b"\xff\xff\xff\x00", sys.byteorder))
"""Masks the fourth byte of a pixel out, which means nothing."""
_WEIGHTS = np.random.default_rng(20261124).integers(
    0, 2**32, (BLOCK_PX // _SAMPLED_ROWS, BLOCK_PX), dtype=np.uint32
) | np.uint32(1)
"""Odd, so that no single pixel is lost, and without a pattern that a picture could have, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """What a screen showed: a number for each block of 16 × 16 pixels, read from every fourth row."""

    rect_px: Rect
    blocks: NDArray[np.uint32]


def sign(frame: Frame) -> Sign:
    """Return what stands for a frame's picture (8 ms at 4K)."""
    width, height = frame.size_px
    columns, rows = -(-width // BLOCK_PX), -(-height // BLOCK_PX)
    each = BLOCK_PX // _SAMPLED_ROWS
    sampled = np.zeros((rows * each, columns * BLOCK_PX), np.uint32)
    kept = frame.bgrx.view(np.uint32)[::_SAMPLED_ROWS, :, 0]
    np.bitwise_and(kept, _COLOUR, out=sampled[: len(kept), :width])
    mixed = sampled.reshape(rows, each, columns, BLOCK_PX)
    return Sign(frame.rect_px, np.einsum("rexb,eb->rx", mixed, _WEIGHTS))


def same(one: Sign, other: Sign, moving_px: Iterable[Rect] = ()) -> bool:
    """Say whether two screens show the same; blocks that touch ``moving_px`` do not count."""
    if one.rect_px != other.rect_px:
        return False
    differs = one.blocks != other.blocks
    for rect in moving_px:
        part = rect.intersection(one.rect_px)
        if part is not None:
            left, right = part.left - one.rect_px.left, part.right - one.rect_px.left
            top, bottom = part.top - one.rect_px.top, part.bottom - one.rect_px.top
            rows, columns = (
                slice(top // BLOCK_PX, -(-bottom // BLOCK_PX)),
                slice(left // BLOCK_PX, -(-right // BLOCK_PX)),
            )
            differs[rows, columns] = False
    return not differs.any()
