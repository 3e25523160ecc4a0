"""Requests and pictures for the tests of the wire."""

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from model.chat import ImagePart
from model.wire.errors import RequestError
from model.wire.pictures import PictureReader, png_data_url
from model.wire.request import parse_chat_request


def no_pictures(url: str, where: str) -> Image.Image:
    raise AssertionError(f"{where} asks for {url}")


def picture_url(part: ImagePart) -> str:
    return png_data_url(part.image)


def size_of(part: ImagePart) -> tuple[int, int]:
    assert isinstance(part.image, Image.Image)
    return part.image.size


def refused(body: object) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse_chat_request(body, PictureReader().open)
    return caught.value


def of_user(*parts: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def image_url(url: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def png_bomb(width: int, height: int) -> bytes:
    """Write a small file that says it holds a black picture of any size, and really does."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def png(size: tuple[int, int] = (5, 4), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, "PNG")
    return file.getvalue()
