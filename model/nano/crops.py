"""Training screens cut out of rendered real programs: another size, scale and place each time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from model.nano.corpus import Entry, decode_image, read_entries
from model.nano.elements import Element, Screen

_KEPT_SHARE = 0.85
"""An element counts as visible in a crop when this share of it is; its text must be there whole."""

_CUTS_A_PICTURE = 3


class CropSource:
    """Cut random windows out of the screens of several corpus folders."""

    def __init__(self, corpora: Sequence[Path]) -> None:
        self._entries = [
            (folder, entry) for folder in corpora for entry in read_entries(folder) if entry.split == "train"
        ]
        self._current: tuple[Entry, np.ndarray] | None = None
        self._cuts_left = 0

    def crop(self, rng: np.random.Generator, size_px: tuple[int, int]) -> Screen:
        """Return a screen of exactly ``size_px`` showing a random window at 0.5 to 1.6 of its scale."""
        if self._current is None or self._cuts_left == 0:
            folder, entry = self._entries[rng.integers(len(self._entries))]
            self._current = entry, decode_image((folder / entry.image).read_bytes())
            self._cuts_left = _CUTS_A_PICTURE
        self._cuts_left -= 1
        entry, pixels = self._current
        height, width = pixels.shape[:2]
        scale = float(np.exp(rng.uniform(np.log(0.6), np.log(1.3)))) if rng.random() < 0.7 else 1.0
        # No window is larger than the picture: a small one is enlarged instead.
        scale = max(scale, size_px[0] / width, size_px[1] / height)
        cut_px = (min(round(size_px[0] / scale), width), min(round(size_px[1] / scale), height))
        left = int(rng.integers(width - cut_px[0] + 1))
        top = int(rng.integers(height - cut_px[1] + 1))
        return cut(entry, pixels, (left, top, left + cut_px[0], top + cut_px[1]), size_px)


def cut(entry: Entry, pixels: np.ndarray, window_px: tuple[int, int, int, int], size_px: tuple[int, int]) -> Screen:
    """Cut ``window_px`` (x0, y0, x1, y1) out of a screen and resize it to ``size_px``."""
    x0, y0, x1, y1 = window_px
    picture = pixels[y0:y1, x0:x1]
    if (x1 - x0, y1 - y0) != size_px:
        picture = np.asarray(Image.fromarray(picture).resize(size_px, Image.Resampling.BICUBIC))
    ratio = np.array([size_px[0] / (x1 - x0), size_px[1] / (y1 - y0)], np.float32)
    elements = [element for source in entry.elements if (element := _moved(source, window_px, ratio)) is not None]
    glyphs = entry.glyphs.copy()
    if len(glyphs):
        glyphs[:, 1:] = (glyphs[:, 1:] - np.array([x0, y0], np.float32)) * ratio
        inside = (glyphs[:, 1:] >= 0).all(1) & (glyphs[:, 1:] < np.array(size_px)).all(1)
        glyphs = glyphs[inside]
    return Screen(picture, tuple(elements), glyphs, entry.source, entry.scale * float(ratio[0]))


def _moved(element: Element, window_px: tuple[int, int, int, int], ratio: np.ndarray) -> Element | None:
    x0, y0, x1, y1 = element.box_px
    left, top, right, bottom = window_px
    cx0, cy0, cx1, cy1 = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
    area = (x1 - x0) * (y1 - y0)
    if cx1 <= cx0 or cy1 <= cy0 or area <= 0:
        return None
    share = (cx1 - cx0) * (cy1 - cy0) / area
    whole = share > 0.999
    if share < _KEPT_SHARE:
        return None
    rx, ry = float(ratio[0]), float(ratio[1])
    box = ((cx0 - left) * rx, (cy0 - top) * ry, (cx1 - left) * rx, (cy1 - top) * ry)
    # A list that is cut has lost its count, so its places can no longer be asked for.
    return replace(element, box_px=box, text=element.text if whole else "", position=0)
