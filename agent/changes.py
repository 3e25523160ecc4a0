"""Where two frames differ: blocks first, because that is fast, then rectangles with exact edges."""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.types import Frame, Rect

BLOCK_PX = 16
MAX_RECTS = 12

_COLOUR = np.uint32(int.from_bytes(b"\xff\xff\xff\x00", sys.byteorder))
"""Masks the fourth byte of a pixel out, which means nothing."""


def changed_blocks(before: Frame, after: Frame) -> NDArray[np.bool_]:
    """Say which blocks of 16 × 16 pixels differ: bool of shape (⌈height/16⌉, ⌈width/16⌉).

    Every pixel is compared (8 ms at 4K). Raises ValueError when the frames show different rectangles.
    """
    if before.rect_px != after.rect_px:
        raise ValueError(f"{before.rect_px} and {after.rect_px} cannot be compared")
    width, height = after.size_px
    columns = -(-width // BLOCK_PX)
    changed = np.zeros((-(-height // BLOCK_PX), columns), np.bool_)
    if before.bgrx is after.bgrx:
        return changed
    old, new = _words(before), _words(after)
    # A strip of blocks at a time stays in the processor's cache; whole frames would go through memory thrice.
    strip = np.empty((BLOCK_PX, width), np.uint32)
    line = np.zeros(columns * BLOCK_PX, np.uint32)
    for row in range(len(changed)):
        top, bottom = row * BLOCK_PX, min((row + 1) * BLOCK_PX, height)
        part = strip[: bottom - top]
        np.bitwise_xor(old[top:bottom], new[top:bottom], out=part)
        np.bitwise_or.reduce(part, axis=0, out=line[:width])
        line &= _COLOUR
        if line.any():
            changed[row] = line.reshape(columns, BLOCK_PX).any(axis=1)
    return changed


def changed_rects(before: Frame, after: Frame, ignored: NDArray[np.bool_] | None = None) -> tuple[Rect, ...]:
    """Return where two frames differ, in physical pixels of the virtual desktop, largest first.

    At most 12: past that, the smallest become one. ``ignored`` blocks do not count.
    Raises ValueError when the frames show different rectangles.
    """
    blocks = changed_blocks(before, after)
    if ignored is not None:
        blocks &= ~ignored
    boxes = [_tighten(box, before, after) for box in blocks_to_rects(blocks, before.size_px)]
    origin = after.origin_px
    return tuple(
        Rect(b.left + origin.x_px, b.top + origin.y_px, b.right + origin.x_px, b.bottom + origin.y_px) for b in boxes
    )


def blocks_to_rects(blocks: NDArray[np.bool_], size_px: tuple[int, int]) -> list[Rect]:
    """Return boxes around blocks that lie together (a gap of one still does), in pixels of the frame, largest first."""
    near = grown(blocks)
    boxes: list[Rect] = []
    for group in _groups(near):
        own = [(y, x) for y, left, right in group for x in range(left, right) if blocks[y, x]]
        rows, columns = [y for y, _ in own], [x for _, x in own]
        boxes.append(
            Rect(
                min(columns) * BLOCK_PX,
                min(rows) * BLOCK_PX,
                min((max(columns) + 1) * BLOCK_PX, size_px[0]),
                min((max(rows) + 1) * BLOCK_PX, size_px[1]),
            )
        )
    boxes.sort(key=lambda box: -box.width * box.height)
    if len(boxes) > MAX_RECTS:
        boxes = [*boxes[: MAX_RECTS - 1], union(boxes[MAX_RECTS - 1 :])]
    return boxes


def grown(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the blocks and their eight neighbours."""
    wide = blocks.copy()
    wide[:, 1:] |= blocks[:, :-1]
    wide[:, :-1] |= blocks[:, 1:]
    high = wide.copy()
    high[1:] |= wide[:-1]
    high[:-1] |= wide[1:]
    return high


def spread(blocks: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return those of the blocks that hang together with a seed, at most one block away from it."""
    if not seeds.any():
        return np.zeros_like(blocks)
    reached = grown(grown(seeds)) & blocks
    while True:
        further = grown(reached) & blocks
        if np.array_equal(further, reached):
            return reached
        reached = further


def union(rects: Sequence[Rect]) -> Rect:
    """Return the smallest rectangle around several."""
    return Rect(
        min(r.left for r in rects), min(r.top for r in rects), max(r.right for r in rects), max(r.bottom for r in rects)
    )


def _groups(blocks: NDArray[np.bool_]) -> list[list[tuple[int, int, int]]]:
    """Return connected blocks as lists of runs (row, left, right), by union-find over the runs of each row."""
    padded = np.zeros((blocks.shape[0], blocks.shape[1] + 2), np.int8)
    padded[:, 1:-1] = blocks
    edges = np.diff(padded, axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    runs = [(int(y), int(left), int(right)) for (y, left), (_, right) in zip(starts, ends, strict=True)]
    parent = list(range(len(runs)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    above: list[int] = []
    row: list[int] = []
    for index, (y, left, right) in enumerate(runs):
        if row and runs[row[0]][0] != y:
            above, row = row, []
        row.append(index)
        for other in above:
            other_y, other_left, other_right = runs[other]
            if other_y == y - 1 and other_left <= right and left <= other_right:
                parent[root(other)] = root(index)
    groups: dict[int, list[tuple[int, int, int]]] = {}
    for index, run in enumerate(runs):
        groups.setdefault(root(index), []).append(run)
    return list(groups.values())


def _tighten(box: Rect, before: Frame, after: Frame) -> Rect:
    """Move a block-aligned box's edges to the pixels that differ; only the outer blocks are looked at."""
    old, new = _words(before), _words(after)

    def first(top: int, bottom: int, left: int, right: int, axis: int, backwards: bool) -> int:
        differs = ((old[top:bottom, left:right] ^ new[top:bottom, left:right]) & _COLOUR).any(axis=axis)
        found = np.flatnonzero(np.flip(differs) if backwards else differs)
        return int(found[0]) if len(found) else 0

    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    cut_top = first(top, min(top + BLOCK_PX, bottom), left, right, 1, False)
    cut_bottom = first(max(top, bottom - BLOCK_PX), bottom, left, right, 1, True)
    cut_left = first(top, bottom, left, min(left + BLOCK_PX, right), 0, False)
    cut_right = first(top, bottom, max(left, right - BLOCK_PX), right, 0, True)
    return Rect(left + cut_left, top + cut_top, right - cut_right, bottom - cut_bottom)


def _words(frame: Frame) -> NDArray[np.uint32]:
    """View the pixels as uint32 of shape (height, width); a part of a frame shares its rows."""
    return frame.bgrx.view(np.uint32)[:, :, 0]
