"""The family's picture preprocessing: resize rule, patches, and the map back to source pixels.

Source of the rule: image_processing_kimi_vl.py of the moonshotai/Kimi-VL checkpoints. Coordinates
are named by their space: ``_px`` are pixels of the upright source picture (origin top left, pixel
(0, 0) covers 0..1), ``_rel`` are 0..1 of one picture.
"""

import hashlib
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from model.config import read_json
from model.errors import CheckpointError, InputError
from model.inputs.decode import DEFAULT_MAX_PIXELS, open_image

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "Fit",
    "Patches",
    "PreprocessConfig",
    "content_key",
    "fit",
    "load_preprocess",
    "open_image",
    "parse_preprocess",
    "preprocess",
]

PREPROCESS_FILE = "preprocessor_config.json"
MAX_GRID = 512

_DISTORTION, _ENLARGING = 3.0, 0.3

_MAX_THREADS = 8
_HASH_CHUNK_BYTES = 1 << 20

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PreprocessConfig:
    """preprocessor_config.json: how a picture becomes patches.

    ``in_token_limit`` counts patches before the 2 × 2 merge. ``pad_input`` false crops to the centre
    instead of padding; no published checkpoint of the family does. ``shapes_px`` are the only sizes
    (width, height) that a small checkpoint was taught on, from its deskhand.json; the family has none.
    """

    patch_size: int
    in_token_limit: int
    image_mean: tuple[float, float, float]
    image_std: tuple[float, float, float]
    pad_input: bool
    merge_kernel_size: tuple[int, int] = (2, 2)
    shapes_px: tuple[Size, ...] = ()


def load_preprocess(folder: Path) -> PreprocessConfig:
    """Read and check ``folder/preprocessor_config.json``; raise `CheckpointError` naming file and key."""
    path = folder / PREPROCESS_FILE
    return parse_preprocess(read_json(path), str(path))


def parse_preprocess(raw: object, where: str = PREPROCESS_FILE) -> PreprocessConfig:
    """Check a decoded preprocessor_config.json and freeze it.

    Only ``patch_size`` and ``merge_kernel_size`` may be absent (14 and [2, 2]). The others have no
    default: the processor's class defaults are CLIP's mean and std and no padding, with which the
    model runs and sees wrongly. Raises `CheckpointError` naming file and key.
    """
    if not isinstance(raw, dict):
        raise CheckpointError(f"{where} is not a JSON object")

    def fail(key: str, why: str) -> CheckpointError:
        return CheckpointError(f"{where}: '{key}' {why}", remedy=f"download the checkpoint's {PREPROCESS_FILE} again")

    def integer(key: str, value: object, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
            raise fail(key, f"must be a whole number in 1..{high}, not {value!r}")
        return value

    def colour(key: str, low: float) -> tuple[float, float, float]:
        match raw[key]:
            case [int() | float() as red, int() | float() as green, int() | float() as blue]:
                if all(low <= value <= 1 for value in (red, green, blue)) and bool not in map(type, raw[key]):
                    return float(red), float(green), float(blue)
        raise fail(key, f"must be three numbers in {low:g}..1, not {raw[key]!r}")

    for key in ("in_token_limit", "image_mean", "image_std", "pad_input"):
        if key not in raw:
            raise fail(key, "is missing")
    if not isinstance(raw["pad_input"], bool):
        raise fail("pad_input", f"must be true or false, not {raw['pad_input']!r}")
    kernel = raw.get("merge_kernel_size", [2, 2])
    if kernel != [2, 2]:
        raise fail("merge_kernel_size", f"is {kernel!r}; this engine implements only [2, 2]")
    return PreprocessConfig(
        patch_size=integer("patch_size", raw.get("patch_size", 14), 256),
        in_token_limit=integer("in_token_limit", raw["in_token_limit"], MAX_GRID**2),
        image_mean=colour("image_mean", 0.0),
        image_std=colour("image_std", 1e-3),
        pad_input=raw["pad_input"],
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How one picture lies on the canvas of patches, and the maps between the two.

    Sizes are (width, height). ``resized_px`` is the picture after scaling (by one factor, unless the
    checkpoint has `PreprocessConfig.shapes_px`), laid on a
    canvas of ``padded_px`` with its top left corner at ``origin_px``: (0, 0) with padding, which is
    at the right and bottom only; zero or negative when the canvas is a centre crop. ``grid`` is
    (rows, columns) of patches, both even; ``tokens`` is what the picture takes in the prompt, one
    for 2 × 2 patches.

    The model's coordinates are read as 0..1 of the *unpadded source* picture (`to_source`); the
    padded maps are for features, attention and any checkpoint that speaks of the canvas.
    """

    source_px: Size
    resized_px: Size
    padded_px: Size
    grid: Size
    tokens: int
    patch_size: int = 14
    origin_px: Size = (0, 0)

    def to_source(self, x_rel: float, y_rel: float) -> tuple[float, float]:
        """Map 0..1 of the source picture to its pixels; 1.0 is the far edge, outside the last pixel."""
        return x_rel * self.source_px[0], y_rel * self.source_px[1]

    def to_relative(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Invert `to_source`. The middle of pixel i is i + 0.5."""
        return x_px / self.source_px[0], y_px / self.source_px[1]

    def to_source_pixel(self, x_rel: float, y_rel: float) -> Size:
        """Map 0..1 of the source picture to the pixel it falls in, the nearest one when outside."""
        x_px, y_px = self.to_source(x_rel, y_rel)
        return _cell(x_px, self.source_px[0]), _cell(y_px, self.source_px[1])

    def source_to_padded(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Map source pixels to 0..1 of the canvas (outside it for what a centre crop removed)."""
        x, y = self._to_canvas(x_px, y_px)
        return x / self.padded_px[0], y / self.padded_px[1]

    def padded_to_source(self, x_rel: float, y_rel: float) -> tuple[float, float]:
        """Invert `source_to_padded`; a point on the padding lies outside the source picture."""
        return self._from_canvas(x_rel * self.padded_px[0], y_rel * self.padded_px[1])

    def patch_at(self, x_px: float, y_px: float) -> Size:
        """Return (row, column) of the patch that holds a source point, the nearest one when outside."""
        x, y = self._to_canvas(x_px, y_px)
        return _cell(y / self.patch_size, self.grid[0]), _cell(x / self.patch_size, self.grid[1])

    def patch_box(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Return a patch's (left, top, right, bottom) in source pixels, beyond the edge on padding."""
        size = self.patch_size
        left, top = self._from_canvas(column * size, row * size)
        right, bottom = self._from_canvas((column + 1) * size, (row + 1) * size)
        return left, top, right, bottom

    def _to_canvas(self, x_px: float, y_px: float) -> tuple[float, float]:
        return (
            x_px * self.resized_px[0] / self.source_px[0] + self.origin_px[0],
            y_px * self.resized_px[1] / self.source_px[1] + self.origin_px[1],
        )

    def _from_canvas(self, x: float, y: float) -> tuple[float, float]:
        return (
            (x - self.origin_px[0]) * self.source_px[0] / self.resized_px[0],
            (y - self.origin_px[1]) * self.source_px[1] / self.resized_px[1],
        )


def _cell(position: float, count: int) -> int:
    if math.isnan(position):
        raise InputError("a coordinate is not a number", remedy="give numbers in 0..1")
    return math.floor(min(max(position, 0.0), count - 1))


def _loss(source_px: Size, shape_px: Size) -> float:
    """Weigh what a picture loses in a shape: proportions most, then detail, then time spent on enlarging."""
    width, height = (math.log(shape / source) for shape, source in zip(shape_px, source_px, strict=True))
    scale = (width + height) / 2
    return _DISTORTION * abs(width - height) + max(0.0, -scale) + _ENLARGING * max(0.0, scale)


def fit(source_px: Size, config: PreprocessConfig, image_token_limit: int | None = None) -> Fit:
    """Apply the family's resize rule to a size (width, height) in pixels.

    ``image_token_limit`` (patches) replaces the checkpoint's ``in_token_limit``. Whole patches of
    the source above the limit shrink both sides by one factor, each rounded down but to at least
    1 px; nothing is ever enlarged. Padding comes after the limit, so the grid can exceed it: sides up
    to 8000 px take at most 1338 tokens under a limit of 4096 patches and 4464 under 16384.
    With ``shapes_px`` the picture takes the one of them that distorts and reduces it least.
    A centre crop goes down to whole 2 × 2 merges, where the original fails on odd grids.
    Raises `InputError` for a side of 512 patches or more, the end of the position table.
    """
    width, height = source_px
    limit = config.in_token_limit if image_token_limit is None else image_token_limit
    if width < 1 or height < 1:
        raise InputError(f"a picture of {width} × {height} px has no pixels")
    if limit < 1:
        raise InputError(
            f"the image token limit is {limit}", remedy="give at least 1, or none for the checkpoint's own"
        )
    patch = config.patch_size
    whole = (width // patch) * (height // patch)
    allowed = [(w, h) for w, h in config.shapes_px if (w // patch) * (h // patch) <= limit]
    if allowed:
        width, height = min(allowed, key=lambda shape: _loss(source_px, shape))
    elif whole > limit:
        scale = math.sqrt(limit / whole)
        width, height = max(int(width * scale), 1), max(int(height * scale), 1)
    merged_h, merged_w = (patch * kernel for kernel in config.merge_kernel_size)
    if config.pad_input:
        padded = (math.ceil(width / merged_w) * merged_w, math.ceil(height / merged_h) * merged_h)
        origin = (0, 0)
    else:
        padded = (width // merged_w * merged_w, height // merged_h * merged_h)
        origin = (-round((width - padded[0]) / 2), -round((height - padded[1]) / 2))
    rows, columns = padded[1] // patch, padded[0] // patch
    if not rows or not columns:
        raise InputError(
            f"a picture of {source_px[0]} × {source_px[1]} px is too small",
            why=f"this checkpoint crops to multiples of {merged_w} px",
            remedy="enlarge it first",
        )
    if rows >= MAX_GRID or columns >= MAX_GRID:
        raise InputError(
            f"a picture of {source_px[0]} × {source_px[1]} px is too long: {columns} × {rows} patches",
            why=f"the model's positions end at {MAX_GRID - 1} patches a side",
            remedy=f"cut it into pieces of at most {(MAX_GRID - 2) * patch} px, or lower the image token limit",
        )
    tokens = rows * columns // math.prod(config.merge_kernel_size)
    return Fit(source_px, (width, height), padded, (rows, columns), tokens, patch, origin)


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """One picture as the vision tower takes it.

    ``values`` is float32 (rows · columns, 3, patch, patch), patches row by row, normalised.
    """

    values: npt.NDArray[np.float32]
    fit: Fit


def preprocess(image: Image.Image, config: PreprocessConfig, image_token_limit: int | None = None) -> Patches:
    """Turn an ``RGB`` picture (see `open_image`) into normalised patches.

    Bit-identical to the family's processor on the same pixels: Pillow's bicubic resize, black
    padding before normalisation. Raises `InputError` as `fit` does, and for another mode than RGB.
    """
    if image.mode != "RGB":
        raise InputError(f"the picture's mode is {image.mode}, not RGB", remedy="open it with open_image")
    shape = fit(image.size, config, image_token_limit)
    canvas = image
    if shape.resized_px != image.size:
        # On one thread: which direction Pillow filters first depends on shape and version, so bands differ.
        canvas = image.resize(shape.resized_px, Image.Resampling.BICUBIC)
    if shape.padded_px != shape.resized_px:
        resized, canvas = canvas, Image.new("RGB", shape.padded_px)
        canvas.paste(resized, shape.origin_px)
    (rows, columns), size = shape.grid, shape.patch_size
    pixels = np.asarray(canvas).reshape(rows, size, columns, size, 3)
    values = np.empty((rows, columns, 3, size, size), np.float32)
    mean, std = (np.array(value, np.float32).reshape(3, 1, 1) for value in (config.image_mean, config.image_std))
    for source, target in zip(pixels, values, strict=True):  # a row of patches at a time stays in the CPU's cache
        np.divide(np.ascontiguousarray(source.transpose(1, 3, 0, 2)), np.float32(255), out=target)
        target -= mean
        target /= std
    return Patches(values.reshape(-1, 3, size, size), shape)


def content_key(image: Image.Image) -> str:
    """Hash a picture's mode, size and pixels (blake2b over the digests of 1 MiB chunks): a cache key.

    Equal pictures have equal keys on every machine, however many threads hash them.
    """
    pixels = memoryview(image.tobytes())
    chunks = [pixels[start : start + _HASH_CHUNK_BYTES] for start in range(0, len(pixels), _HASH_CHUNK_BYTES)]
    key = hashlib.blake2b(f"{image.mode} {image.width} {image.height} ".encode(), digest_size=16)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        for digest in pool.map(_chunk_digest, chunks):
            key.update(digest)
    return key.hexdigest()


def _chunk_digest(chunk: memoryview) -> bytes:
    return hashlib.blake2b(chunk).digest()
