"""Check claims about a picture against its pixels: what has no contrast is not on the screen."""

import numpy as np

from model.nano.elements import Box, Element

_BLOCK_PX = 4


def grey(pixels: np.ndarray) -> np.ndarray:
    """Return the luminance of uint8 ``(height, width, 3)`` as uint8 ``(height, width)``."""
    weights = np.array([77, 150, 29], np.uint32)
    return ((pixels.astype(np.uint32) @ weights) >> 8).astype(np.uint8)


def box_contrast(luminance: np.ndarray, box_px: Box) -> int:
    """Return the difference between the lightest and the darkest pixel inside a box, 0 for an empty one."""
    x0, y0, x1, y1 = (round(v) for v in box_px)
    part = luminance[max(0, y0) : y1, max(0, x0) : x1]
    return int(part.max()) - int(part.min()) if part.size else 0


def keep_visible(pixels: np.ndarray, elements: list[Element], minimum: int = 20) -> tuple[Element, ...]:
    """Drop the elements whose box is all of one colour or nearly so."""
    luminance = grey(pixels)
    return tuple(e for e in elements if box_contrast(luminance, e.box_px) >= minimum)


def cuts_text(luminance: np.ndarray, box_px: Box, minimum: int = 40) -> bool:
    """Say whether ink crosses the left edge of a box without being a line along it: a text that starts outside."""
    x0, y0, _, y1 = (round(v) for v in box_px)
    if x0 < 2 or x0 + 2 > luminance.shape[1] or y1 - y0 < 6:
        return False
    left, right = luminance[y0:y1, x0 - 2].astype(int), luminance[y0:y1, x0 + 1].astype(int)
    back = int(np.median(luminance[y0:y1, x0 - 2 : x0 + 2]))
    inked = np.abs(np.stack([left, right]) - back) >= minimum
    return all(2 <= side.sum() < 0.7 * (y1 - y0) for side in inked)


def visible_glyphs(pixels: np.ndarray, glyphs: np.ndarray, minimum: int = 30) -> np.ndarray:
    """Drop the glyphs around whose centre (about 6 px) nothing stands out from its background."""
    if not len(glyphs):
        return glyphs
    luminance = grey(pixels)
    high, low = _block_extremes(luminance)
    rows = np.clip((glyphs[:, 2] / _BLOCK_PX).astype(int), 0, high.shape[0] - 1)
    columns = np.clip((glyphs[:, 1] / _BLOCK_PX).astype(int), 0, high.shape[1] - 1)
    contrast = high[rows, columns].astype(int) - low[rows, columns]
    return glyphs[contrast >= minimum]


def _block_extremes(luminance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest and smallest value of each block and its eight neighbours."""
    height, width = (-side % _BLOCK_PX for side in luminance.shape)
    padded = np.pad(luminance, ((0, height), (0, width)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // _BLOCK_PX, _BLOCK_PX, -1, _BLOCK_PX)
    return _spread(blocks.max(axis=(1, 3)), np.maximum), _spread(blocks.min(axis=(1, 3)), np.minimum)


def _spread(values: np.ndarray, choose: np.ufunc) -> np.ndarray:
    edged = np.pad(values, 1, mode="edge")
    rows = choose(choose(edged[:-2], edged[1:-1]), edged[2:])
    return choose(choose(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
