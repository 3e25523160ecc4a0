"""Open a picture from a file, bytes or memory as upright, opaque 8-bit RGB.

Only the formats below are decoded, through Pillow's plugin classes directly: `Image.open` would
also try formats that start programs (EPS) and applies its own, lower pixel limit.
"""

import io
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from model.errors import InputError

DEFAULT_MAX_PIXELS = 100_000_000
MAX_FILE_BYTES = 1 << 30

_PLUGINS: dict[str, type[ImageFile]] = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "PPM": PpmImageFile,
    "AVIF": AvifImageFile,
}
FORMATS = tuple(_PLUGINS)
_PREFIXES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}

# What Pillow's plugins raise for broken files: it documents only OSError, fuzzing finds the rest.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def image_format(head: bytes) -> str | None:
    """Name the picture format (one of `FORMATS`) that a file's first 16 bytes announce, or None."""
    for prefix, name in _PREFIXES.items():
        if head.startswith(prefix):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "AVIF"
    if head[:1] == b"P" and head[1:2] in (b"1", b"2", b"3", b"4", b"5", b"6") and head[2:3].isspace():
        return "PPM"
    return None


def open_image(part: Path | bytes | Image.Image, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode a picture into an upright, opaque ``RGB`` image.

    The EXIF orientation is applied. Transparency is composited over white. Palettes, grey,
    CMYK and YCbCr are converted; colour profiles are ignored, as the family's own processor does.
    16-bit grey is scaled to 8 bits; 32-bit integers and floats are read on the first of the scales
    0..1 (floats only), 0..255 and 0..65535 that holds all values, else stretched from minimum to
    maximum. Of an animation the first frame counts. An image in memory that is upright RGB
    already is returned itself, not copied.

    Raises `InputError` for what is missing, not a picture, of another format than `FORMATS`,
    truncated, empty, or larger than ``max_pixels``; the size is read from the header, before
    anything is decoded.
    """
    with _quiet_pillow():
        if isinstance(part, Image.Image):
            return _finish(part, "the image", max_pixels)
        if isinstance(part, bytes):
            return _decode(io.BytesIO(part), len(part), "the picture", max_pixels)
        with open_file(part) as file:
            return _decode(file, os.fstat(file.fileno()).st_size, str(part), max_pixels)


@contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file for reading; raise `InputError` when there is none or it may not be read.

    Folders, pipes and devices are refused before they are opened: reading those can wait for ever.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{path} is a folder", remedy="name a file inside it")
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is not a regular file", remedy="save it to a file first")
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", remedy="check the path") from None
    except PermissionError:
        raise InputError(f"{path} may not be read", remedy="allow this user to read the file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r} cannot be read", why=str(error)) from error
    with file:
        yield file


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about odd files from the user: what matters is raised as `InputError`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _decode(file: IO[bytes], size_bytes: int, name: str, max_pixels: int) -> Image.Image:
    if not size_bytes:
        raise InputError(f"{name} is empty (0 bytes)", remedy="save the picture again")
    if size_bytes > MAX_FILE_BYTES:
        raise InputError(f"{name} is a file of {size_bytes} bytes", why=f"the limit is {MAX_FILE_BYTES} bytes")
    head = file.read(16)
    file.seek(0)
    kind = image_format(head)
    if kind is None:
        raise InputError(
            f"{name} is not a picture that can be read",
            why=f"its first bytes are none of {', '.join(FORMATS)}",
            remedy="convert it to PNG",
        )
    try:
        image = _PLUGINS[kind](file)
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} is too large", why=str(error), remedy="scale it down or crop it first") from error
    except _DECODE_ERRORS as error:
        raise InputError(
            f"{name} is a broken {kind} file", why=_reason(error), remedy="save the picture again, best as PNG"
        ) from error
    return _finish(image, name, max_pixels)


def _finish(image: Image.Image, name: str, max_pixels: int) -> Image.Image:
    width_px, height_px = image.size
    if not width_px or not height_px:
        raise InputError(
            f"{name} has no pixels ({width_px} × {height_px} px)", remedy="use a picture of at least 1 × 1 px"
        )
    if width_px * height_px > max_pixels:
        raise InputError(
            f"{name} has {width_px * height_px / 1e6:.1f} megapixels ({width_px} × {height_px} px)",
            why=f"the limit is {max_pixels / 1e6:g} megapixels",
            remedy="scale it down or crop it first",
        )
    try:
        image.load()
        orientation = _orientation(image)
        rgb = _to_rgb(image)
    except _DECODE_ERRORS as error:
        raise InputError(
            f"{name} cannot be decoded; it may be truncated",
            why=_reason(error),
            remedy="save the picture again, best as PNG",
        ) from error
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(Base.Orientation, 1)
    except _DECODE_ERRORS:
        return 1  # broken camera data must not cost the picture
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode; the result carries no metadata, so that a rotation cannot be applied twice."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        rgb = _scaled_to_8_bits(image)
    elif image.has_transparency_data:
        rgb = _over_white(image)
    elif image.mode == "RGB":
        if type(image) is Image.Image and _orientation(image) == 1:
            return image
        rgb = image.copy()
    else:
        rgb = image.convert("RGB")
    rgb.info = {}
    return rgb


def _over_white(image: Image.Image) -> Image.Image:
    key = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        # A 16-bit PNG: Pillow keeps the top byte of the pixels but all of the transparent colour.
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in key)
    rgba = image if image.mode == "RGBA" else image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
    alpha = rgba.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return rgba.convert("RGB")
    canvas = Image.new("RGB", rgba.size, (255, 255, 255))
    canvas.paste(rgba, mask=alpha)
    return canvas


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        grey = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
        key = image.info.get("transparency")
        if isinstance(key, int):
            grey[values == key] = 255
    else:
        low, high = _value_range(values, image.mode)
        with np.errstate(invalid="ignore"):  # a signalling NaN in a float TIFF
            scaled = (values.astype(np.float64) - low) * (255 / (high - low)) + 0.5
        grey = np.clip(np.nan_to_num(scaled, nan=0, posinf=255, neginf=0), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _value_range(values: np.ndarray, mode: str) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    for top in (1, 255, 65535) if mode == "F" else (255, 65535):
        if low >= 0 and high <= top:
            return 0.0, float(top)
    return low, high if high > low else low + 1
