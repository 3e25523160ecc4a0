"""Opening pictures: every mode and format a user may bring, and everything that must be refused."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.errors import InputError
from model.inputs.decode import open_image

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def corners() -> Image.Image:
    """Draw 48 × 32 px with three coloured corners, so that every turn and flip shows."""
    image = Image.new("RGB", (48, 32), WHITE)
    image.paste(RED, (0, 0, 16, 16))
    image.paste(GREEN, (32, 0, 48, 16))
    image.paste(BLUE, (0, 16, 16, 32))
    return image


EXACT: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True},
}
TOLERANCE = {"JPEG": 4, "AVIF": 4}


def pixels(image: Image.Image) -> np.ndarray:
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP", "JPEG", "AVIF"])
def test_every_format_from_file_bytes_and_memory(tmp_path: Path, kind: str) -> None:
    data = encoded(corners(), kind, **EXACT.get(kind, {}))
    path = tmp_path / "any name"
    path.write_bytes(data)
    with Image.open(path) as lazy:
        for part in (path, data, lazy):
            assert np.abs(pixels(open_image(part)) - pixels(corners())).max() <= TOLERANCE.get(kind, 0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(kind: str, orientation: int) -> None:
    turn = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    stored = Image.fromarray(np.ascontiguousarray(turn(np.asarray(corners()))))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, kind, exif=exif, **EXACT.get(kind, {}))
    for part in (data, Image.open(io.BytesIO(data))):
        upright = open_image(part)
        assert upright.size == (48, 32)
        assert np.abs(pixels(upright) - pixels(corners())).max() <= TOLERANCE.get(kind, 0)
        assert open_image(upright) is upright


def test_broken_exif_does_not_cost_the_picture() -> None:
    data = encoded(corners(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_image(data).size == (48, 32)


def test_plain_rgb_in_memory_is_not_copied() -> None:
    image = corners()
    assert open_image(image) is image


def test_the_callers_image_is_left_as_it_was() -> None:
    image = corners().convert("RGBA")
    image.putpixel((0, 0), (1, 2, 3, 4))
    image.info["note"] = "kept"
    before = image.tobytes()
    open_image(image)
    assert (image.mode, image.tobytes(), image.info) == ("RGBA", before, {"note": "kept"})


def test_alpha_is_composited_over_white() -> None:
    values = np.random.default_rng(0).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    colour, alpha = values[..., :3].astype(float), values[..., 3:].astype(float) / 255
    expected = colour * alpha + 255 * (1 - alpha)
    for part in (Image.fromarray(values, "RGBA"), encoded(Image.fromarray(values, "RGBA"), "PNG")):
        assert np.abs(pixels(open_image(part)) - expected).max() <= 1


def test_opaque_alpha_changes_nothing() -> None:
    assert np.array_equal(pixels(open_image(corners().convert("RGBA"))), pixels(corners()))


def test_grey_with_alpha() -> None:
    image = Image.new("LA", (2, 1))
    image.putdata([(10, 255), (10, 0)])
    for part in (image, encoded(image, "PNG"), image.convert("La")):
        assert pixels(open_image(part)).tolist() == [[[10] * 3, [255] * 3]]


def test_premultiplied_alpha() -> None:
    image = Image.new("RGBA", (1, 1), (200, 100, 0, 128)).convert("RGBa")
    assert np.abs(pixels(open_image(image)) - [[[227, 177, 127]]]).max() <= 2


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_transparency(kind: str, transparency: int | bytes) -> None:
    if kind == "GIF" and isinstance(transparency, bytes):
        transparency = 1  # GIF knows one transparent index only
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLACK])
    image.putdata([0, 1])
    for part in (encoded(image, kind, transparency=transparency), encoded(image, kind)):
        expected = BLACK if part == encoded(image, kind) else WHITE
        assert pixels(open_image(part)).tolist() == [[list(RED), list(expected)]]


def test_palette_with_alpha_in_memory() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 255, 0, 0, 0, 0], "RGBA")
    image.putdata([0, 1])
    assert pixels(open_image(image)).tolist() == [[list(RED), list(WHITE)]]
    assert pixels(open_image(image.convert("PA"))).tolist() == [[list(RED), list(WHITE)]]


def test_a_transparent_colour_of_rgb_and_grey() -> None:
    assert pixels(open_image(encoded(corners(), "PNG", transparency=RED)))[0, 0].tolist() == list(WHITE)
    grey = Image.new("L", (2, 1))
    grey.putdata([7, 8])
    assert pixels(open_image(encoded(grey, "PNG", transparency=7)))[0, :, 0].tolist() == [255, 8]


def test_one_bit() -> None:
    image = Image.new("1", (3, 1))
    image.putdata([0, 255, 0])
    for part in (image, encoded(image, "PNG"), encoded(image, "TIFF"), encoded(image, "PPM")):
        assert pixels(open_image(part))[0, :, 0].tolist() == [0, 255, 0]


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    values = np.array([[0, 128, 129, 256, 32768, 65535]], dtype=np.uint16)
    expected = [round(v / 257) for v in values[0].tolist()]
    image = Image.fromarray(values)
    assert image.mode == "I;16"
    for part in (image, encoded(image, "PNG"), encoded(image, "TIFF"), Image.fromarray(values.astype(">u2"))):
        assert pixels(open_image(part))[0, :, 0].tolist() == expected


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    middle = chunk(b"tRNS", extra) if extra else b""
    return b"\x89PNG\r\n\x1a\n" + header + middle + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def test_sixteen_bit_colour_with_a_transparent_colour() -> None:
    row = b"\0" + struct.pack(">6H", 65535, 32768, 0, 1000, 2000, 40000)
    assert np.abs(pixels(open_image(png(2, 1, 16, 2, row))) - [[[255, 128, 0], [4, 8, 156]]]).max() <= 1
    keyed = open_image(png(2, 1, 16, 2, row, struct.pack(">3H", 65535, 32768, 0)))
    assert pixels(keyed)[0, 0].tolist() == list(WHITE)
    grey = open_image(png(2, 1, 16, 0, b"\0" + struct.pack(">2H", 300, 40000), struct.pack(">H", 300)))
    assert pixels(grey)[0, :, 0].tolist() == [255, 156]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 100, 255], [0, 100, 255]),
        ([0, 257, 65535], [0, 1, 255]),
        ([-100, 0, 155], [0, 100, 255]),
        ([0, 1 << 30, 1 << 31], [0, 128, 255]),
        ([0, 0, 0], [0, 0, 0]),
    ],
)
def test_wide_integers_and_floats_find_their_scale(values: list[int], expected: list[int]) -> None:
    as_float = Image.fromarray(np.array([values], dtype=np.float32))
    assert pixels(open_image(as_float))[0, :, 0].tolist() == expected
    assert pixels(open_image(encoded(as_float, "TIFF")))[0, :, 0].tolist() == expected
    as_int = Image.fromarray(np.array([[min(v, (1 << 31) - 1) for v in values]], dtype=np.int32))
    assert pixels(open_image(as_int))[0, :, 0].tolist() == expected


def test_unit_floats_and_what_is_no_number() -> None:
    image = Image.fromarray(np.array([[0.0, 0.5, 1.0, np.nan, np.inf, -np.inf]], dtype=np.float32))
    assert pixels(open_image(image))[0, :, 0].tolist() == [0, 128, 255, 0, 255, 0]
    assert pixels(open_image(Image.fromarray(np.full((1, 1), np.nan, np.float32)))).tolist() == [[[0, 0, 0]]]


def test_sixteen_bit_pgm() -> None:
    data = b"P5 3 1 65535\n" + struct.pack(">3H", 0, 32768, 65535)
    assert pixels(open_image(data))[0, :, 0].tolist() == [0, 128, 255]


def test_cmyk_and_other_colour_spaces() -> None:
    for colour in (RED, WHITE, BLACK, (255, 255, 0)):
        image = Image.new("RGB", (16, 16), colour)
        adobe_jpeg = encoded(image.convert("CMYK"), "JPEG", quality=95)
        tiff = encoded(image.convert("CMYK"), "TIFF")
        for part in (image.convert("CMYK"), adobe_jpeg, tiff, image.convert("YCbCr"), image.convert("HSV")):
            assert np.abs(pixels(open_image(part)) - colour).max() <= 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 3
    assert np.abs(pixels(open_image(data)) - RED).max() <= 12


def error_of(part: Path | bytes | Image.Image, **options: int) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            open_image(part, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_missing_folder_empty_and_special_files(tmp_path: Path) -> None:
    assert "nowhere.png does not exist" in error_of(tmp_path / "nowhere.png")
    assert "is a folder" in error_of(tmp_path)
    empty = tmp_path / "empty.png"
    empty.touch()
    assert "empty.png is empty" in error_of(empty)
    assert "is empty" in error_of(b"")
    below_a_file = empty / "x.png"
    assert "cannot be read" in error_of(below_a_file)
    assert "cannot be read" in error_of(Path("nul\0byte.png"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes exist on POSIX only")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in error_of(tmp_path / "pipe.png")


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(corners(), "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user (root) may read every file")
    assert "may not be read" in error_of(path)


@pytest.mark.parametrize(
    "data",
    [
        b"hello, world, this is text",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>",
        b"%PDF-1.7\n",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"\x89PNG\r\n",
        b"\0" * 64,
    ],
)
def test_what_is_no_listed_format_is_refused(data: bytes) -> None:
    assert "is not a picture that can be read" in error_of(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
@pytest.mark.parametrize("kept", [0.98, 0.6, 0.02])
def test_truncated_files(tmp_path: Path, kind: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    path = tmp_path / "cut.img"
    path.write_bytes(data[: max(int(len(data) * kept), 20)])
    error_of(path)


def test_no_pixels() -> None:
    assert "0 × 5 px" in error_of(Image.new("RGB", (0, 5)))
    error_of(png(0, 5, 8, 2, b""))


def test_a_bomb_is_refused_from_its_header() -> None:
    # A complete 200-megapixel PNG of one bit a pixel: 25 MB of zeros in 25 kB.
    bomb = png(20000, 10000, 1, 0, bytes((20000 // 8 + 1) * 10000))
    text = error_of(bomb)
    assert "200.0 megapixels (20000 × 10000 px)" in text
    assert "the limit is 100 megapixels" in text
    # With hardly any pixel data it gets the same answer: nothing was decoded before.
    assert "200.0 megapixels" in error_of(bomb[:60])
    assert "0.0 megapixels" in error_of(encoded(corners(), "PNG"), max_pixels=1535)
    assert open_image(encoded(corners(), "PNG"), max_pixels=1536).size == (48, 32)


@pytest.mark.parametrize("size_px", [(9600, 9600), (14000, 14000), (60000, 60000)])
def test_gif_bombs_whose_frame_outgrows_the_header(size_px: tuple[int, int]) -> None:
    data = bytearray(encoded(Image.new("P", (8, 8)), "GIF"))
    at = data.rindex(b"\x2c\0\0\0\0")
    struct.pack_into("<HH", data, at + 5, *size_px)
    error_of(bytes(data))


def test_webp_and_bmp_and_jpeg_bombs() -> None:
    bmp = bytearray(encoded(Image.new("RGB", (2, 2)), "BMP"))
    struct.pack_into("<ii", bmp, 18, 40000, 40000)
    assert "1600.0 megapixels" in error_of(bytes(bmp))
    jpeg = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, 65000, 65000)
    assert "4225.0 megapixels" in error_of(bytes(jpeg))
    webp = bytearray(encoded(Image.new("RGB", (16, 16)), "WEBP"))
    struct.pack_into("<HH", webp, webp.index(b"\x9d\x01\x2a") + 3, 16383, 16383)
    error_of(bytes(webp))


def test_a_40_megapixel_picture_opens() -> None:
    data = png(8000, 5000, 1, 0, (b"\0" + b"\xff" * 1000) * 5000)
    image = open_image(data)
    assert image.size == (8000, 5000)
    assert image.getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_between_pillows_warning_and_our_limit_nothing_is_said(kind: str) -> None:
    data = encoded(Image.new("1" if kind == "TIFF" else "P", (9700, 9700)), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_image(data).size == (9700, 9700)


SEEDS = [
    encoded(corners(), "PNG"),
    encoded(corners().convert("P"), "PNG", transparency=0),
    encoded(corners(), "JPEG", progressive=True),
    encoded(corners(), "WEBP"),
    encoded(corners(), "GIF", save_all=True, append_images=[corners().rotate(90)]),
    encoded(corners(), "BMP"),
    encoded(corners().convert("F"), "TIFF"),
    encoded(corners(), "PPM"),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.integers(0)
)
def test_damaged_bytes_give_a_picture_or_one_clear_error(data: bytes, hits: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(data[: cut % len(data)] if cut % 3 == 0 else data)
    for position, value in hits:
        if position < len(damaged):
            damaged[position] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            assert open_image(bytes(damaged), 1_000_000).mode == "RGB"
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
