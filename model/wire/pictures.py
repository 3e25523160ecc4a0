"""Pictures on the wire: data URLs and files under an allow-listed folder, in and out."""

import base64
import binascii
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PIL import Image

from model.errors import InputError
from model.inputs.decode import DEFAULT_MAX_PIXELS, image_format, open_image
from model.wire.errors import RequestError

_PNG_HEADER_BYTES = 33
_PNG_RGB8 = b"\x08\x02"


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How much one request may ask to decode. ``total_pixels`` bounds the pixels held at once."""

    images: int = 256
    pixels: int = DEFAULT_MAX_PIXELS
    total_pixels: int = 1_000_000_000


class PictureReader:
    """Decode the pictures of one request within its limits.

    ``folders`` are the only places that ``file://`` may name; they are resolved here, so that a
    symbolic link to an allowed folder works and one that leads out of it does not.
    """

    def __init__(self, folders: Sequence[Path] = (), limits: PictureLimits = PictureLimits()) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)
        self._limits = limits
        self._images = 0
        self._pixels = 0

    def open(self, url: str, where: str) -> Image.Image:
        """Return the picture that ``url`` holds or names, as RGB; ``where`` says which part asked for it.

        Raises `RequestError`: 403 outside the allowed folders, 400 for everything else.
        """
        limits = self._limits
        self._images += 1
        if self._images > limits.images:
            raise RequestError(
                f"the request has more than {limits.images} pictures",
                remedy="send fewer, or start the server with a higher --max-images",
                code="too_many_images",
                param=where,
            )
        source = self._source(url, where)
        left = limits.total_pixels - self._pixels
        try:
            image = open_image(source, min(limits.pixels, left))
        except RequestError:
            raise
        except InputError as error:
            over = left < limits.pixels
            why = f"{error.why}; all pictures of a request together may have {limits.total_pixels / 1e6:g} megapixels"
            raise RequestError(
                f"{where}: {error.what}",
                why=why if over else error.why,
                remedy=error.remedy,
                code="invalid_image",
                param=where,
            ) from error
        self._pixels += image.width * image.height
        return image

    def _source(self, url: str, where: str) -> Path | bytes:
        scheme = url[:16].partition(":")[0].lower()
        if scheme == "data":
            return decode_data_url(url, where)
        if scheme == "file":
            return self._allowed_file(url, where)
        if scheme in ("http", "https"):
            raise RequestError(
                f"{where}: {scheme} addresses are not fetched",
                why="the server opens no connections of its own",
                remedy="download the picture and send it as a data URL",
                code="remote_image_refused",
                param=where,
            )
        raise RequestError(
            f"{where}: {url[:40]!r} is neither a data: nor a file:// URL",
            remedy="send data:image/png;base64,…",
            code="invalid_image_url",
            param=where,
        )

    def _allowed_file(self, url: str, where: str) -> Path:
        try:
            path = path_of_file_url(url).resolve()
        except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            raise RequestError(
                f"{where}: {url[:200]!r} is not a file URL that can be followed",
                why=str(error),
                remedy="write file:///absolute/path",
                code="invalid_image_url",
                param=where,
            ) from error
        if any(path.is_relative_to(folder) for folder in self._folders):
            return path
        raise RequestError(
            f"{where}: this file may not be read by the server",
            why=(
                "file:// is allowed only inside the folders given by --media-dir, after links and '..' are resolved"
                if self._folders
                else "file:// is off: the server was started without --media-dir"
            ),
            remedy="put the file there, or send the picture as a data URL",
            status=403,
            code="path_not_allowed",
            param=where,
        )


def path_of_file_url(url: str) -> Path:
    """Return the absolute path a ``file://`` URL names; raise ValueError for hosts, queries, relative paths."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ValueError(f"it names the host {parts.netloc!r}")
    if parts.query or parts.fragment:
        raise ValueError("'?' and '#' in a path must be written %3F and %23")
    path = Path(url2pathname(parts.path))
    if "\0" in parts.path or "\0" in str(path):
        raise ValueError("it contains a null character")
    if not path.is_absolute():
        raise ValueError("the path is not absolute")
    return path


def decode_data_url(url: str, where: str) -> bytes:
    """Return the bytes of a base64 ``data:`` URL; raise `RequestError` (400) for any other form."""
    header, comma, payload = url.partition(",")
    if not comma or not header.lower().endswith(";base64"):
        raise RequestError(
            f"{where}: the data URL is not base64",
            remedy="write data:image/png;base64,…",
            code="invalid_image_url",
            param=where,
        )
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            f"{where}: the data URL's base64 is broken",
            why=str(error),
            remedy="encode with the standard alphabet, padding, and no line breaks",
            code="invalid_image_url",
            param=where,
        ) from error


def png_data_url(image: Path | bytes | Image.Image) -> str:
    """Write a picture as a PNG data URL: the pixels that `open_image` sees, without loss.

    Plain 8-bit RGB PNG bytes without an EXIF rotation travel as they are. Raises `InputError` for
    what is not a picture.
    """
    data = image.read_bytes() if isinstance(image, Path) and _has_plain_head(image) else image
    if not (isinstance(data, bytes) and _is_plain_png(data)):
        data = _encode_png(image)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _has_plain_head(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _is_plain_png(file.read(_PNG_HEADER_BYTES))


def _is_plain_png(data: bytes) -> bool:
    head = data[:_PNG_HEADER_BYTES]
    return image_format(head) == "PNG" and head[24:26] == _PNG_RGB8 and b"eXIf" not in data and b"tRNS" not in data


def _encode_png(image: Path | bytes | Image.Image) -> bytes:
    file = io.BytesIO()
    # Level 1: a screenshot grows by a tenth against the default and is written several times faster.
    open_image(image).save(file, "PNG", compress_level=1)
    return file.getvalue()
