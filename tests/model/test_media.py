"""Videos and documents, made here by PyAV and Pillow, become frames, pages and message parts."""

import hashlib
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from model.chat import ImagePart, Part, TextPart
from model.errors import InputError
from model.media import (
    format_time,
    media_kind,
    media_parts,
    pdf_page_count,
    pdf_pages,
    pdf_parts,
    sample_video,
    video_parts,
)

av = pytest.importorskip("av", reason="PyAV (the media extra) is not installed")
pytest.importorskip("pypdfium2", reason="pypdfium2 (the media extra) is not installed")

CONTAINERS = {"mp4": "libx264", "mkv": "libx264", "webm": "libvpx", "avi": "mpeg4", "ts": "mpeg2video", "mov": "mjpeg"}


def scene(number: int, width: int = 96, height: int = 64) -> np.ndarray:
    """Paint the frame's number as brightness, with a red corner at the top left."""
    pixels = np.full((height, width, 3), 40 + 4 * number, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    return pixels


def frame_number(image: Image.Image) -> int:
    level = np.asarray(image)[-20:-4, -20:-4].mean()
    return round((float(level) - 40) / 4)


def record(
    path: Path, *, frames: int = 40, rate: int = 10, times: Sequence[int] | None = None, codec: str = ""
) -> Path:
    codec = codec or CONTAINERS[path.suffix[1:]]
    with av.open(str(path), "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = 96, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(scene(number), "rgb24")
            frame.pts = number if times is None else times[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_frames_come_at_the_stated_rate_with_their_times(tmp_path: Path, suffix: str) -> None:
    path = record(tmp_path / f"clip.{suffix}", rate=25, frames=50)
    assert media_kind(path) == "video"
    frames = list(sample_video(path, 5))
    assert [frame_number(frame.image) for frame in frames] == list(range(0, 50, 5))
    # A transport stream's clock starts late; everything else starts at zero.
    assert [frame.time_s for frame in frames] == pytest.approx([n / 5 for n in range(10)], abs=2e-3)
    assert {(frame.image.mode, frame.image.size) for frame in frames} == {("RGB", (96, 64))}


def test_a_rate_above_the_videos_gives_each_frame_once(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", frames=7)
    frames = list(sample_video(path, 1000))
    assert [frame_number(frame.image) for frame in frames] == list(range(7))


def test_a_rate_that_does_not_divide_takes_the_first_frame_after_each_tick(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", frames=30, rate=10)
    times = [frame.time_s for frame in sample_video(path, 3)]
    assert times == pytest.approx([0.0, 0.4, 0.7, 1.0, 1.4, 1.7, 2.0, 2.4, 2.7])


def test_still_passages_are_not_repeated(tmp_path: Path) -> None:
    path = record(tmp_path / "screen.mkv", frames=5, times=[0, 1, 30, 31, 50])
    frames = list(sample_video(path, 2))
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 3.0, 5.0])
    assert [frame_number(frame.image) for frame in frames] == [0, 2, 4]


def test_max_frames_spreads_over_the_whole_video(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mp4", frames=40)
    assert [frame.time_s for frame in sample_video(path, 10, 4)] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert len(list(sample_video(path, 1, 100))) == 4
    assert len(list(sample_video(path, 10, 1))) == 1


def test_iteration_may_stop_early(tmp_path: Path) -> None:
    frames = sample_video(record(tmp_path / "clip.mp4"), 10)
    assert next(iter(frames)).time_s == 0


@pytest.mark.parametrize(
    ("matrix", "size_px", "red_corner"),
    [
        ((1, 0, 0, 1), (96, 64), (0, 0)),
        ((0, 1, -1, 0), (64, 96), (1, 0)),
        ((-1, 0, 0, -1), (96, 64), (1, 1)),
        ((0, -1, 1, 0), (64, 96), (0, 1)),
        ((-1, 0, 0, 1), (96, 64), (1, 0)),
        ((1, 0, 0, -1), (96, 64), (0, 1)),
        ((0, 1, 1, 0), (64, 96), (0, 0)),
        ((0, -1, -1, 0), (64, 96), (1, 1)),
    ],
)
def test_stored_rotation_and_mirroring_are_applied(
    tmp_path: Path, matrix: tuple[int, int, int, int], size_px: tuple[int, int], red_corner: tuple[int, int]
) -> None:
    path = record(tmp_path / "phone.mp4", frames=3)
    data, one = bytearray(path.read_bytes()), 0x10000
    plain = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 0x40000000)
    a, b, c, d = (value * one for value in matrix)
    at = data.index(plain, data.index(b"tkhd"))
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    image = next(iter(sample_video(path, 1))).image
    assert image.size == size_px
    corner = (size_px[0] * (1 + 2 * red_corner[0]) // 4, size_px[1] * (1 + 2 * red_corner[1]) // 4)
    red, green, _ = np.asarray(image).astype(int)[corner[1], corner[0]]
    assert red - green > 150


def error_of(iterator: Iterable[object]) -> str:
    with pytest.raises(InputError) as caught:
        list(iterator)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "avi", "mov"])
@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_a_cut_off_video_is_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    path = record(tmp_path / f"clip.{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert f"clip.{suffix} is cut off" in error_of(sample_video(path, 5))


def test_a_tail_of_noise_is_reported_after_the_frames_before_it(tmp_path: Path) -> None:
    path = record(tmp_path / "clip.mov", frames=40)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    middle = (start + end) // 2
    data[middle:end] = np.random.default_rng(0).bytes(end - middle)
    path.write_bytes(data)
    numbers: list[int] = []
    with pytest.raises(InputError, match=r"clip\.mov breaks off after \d\.\d s"):
        numbers.extend(frame_number(frame.image) for frame in sample_video(path, 10))
    assert numbers == list(range(len(numbers)))
    assert len(numbers) <= 21


def test_what_is_no_video(tmp_path: Path) -> None:
    assert "does not exist" in error_of(sample_video(tmp_path / "none.mp4", 1))
    assert "is a folder" in error_of(sample_video(tmp_path, 1))
    text = tmp_path / "notes.mp4"
    text.write_text("not a video " * 100)
    assert "notes.mp4 is not a video" in error_of(sample_video(text, 1))
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 48000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    assert "has no pictures in it" in error_of(sample_video(sound, 1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(CONTAINERS)),
    st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from([0, 1, 127, 255])), min_size=1, max_size=8),
)
def test_damaged_videos_give_frames_or_one_clear_error(
    tmp_path: Path, suffix: str, hits: list[tuple[int, int]]
) -> None:
    whole = tmp_path / f"whole.{suffix}"
    data = bytearray((whole if whole.exists() else record(whole, frames=12)).read_bytes())
    for position, value in hits:
        data[position % len(data)] = value
    damaged = tmp_path / f"damaged.{suffix}"
    damaged.write_bytes(data)
    try:
        assert all(frame.image.mode == "RGB" for frame in sample_video(damaged, 10))
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    clip = record(tmp_path / "clip.ts")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{clip}\n#EXT-X-ENDLIST\n")
    assert "is not a video" in error_of(sample_video(playlist, 1))


@pytest.mark.parametrize(("rate", "limit"), [(0, None), (-1, None), (float("nan"), None), (float("inf"), None), (1, 0)])
def test_nonsense_rates_are_refused(tmp_path: Path, rate: float, limit: int | None) -> None:
    path = record(tmp_path / "clip.mp4", frames=2)
    error_of(sample_video(path, rate, limit))


def document(path: Path, sizes_px: Sequence[tuple[int, int]] = ((600, 800), (800, 600), (300, 300))) -> Path:
    pages = [Image.new("RGB", size, (60 * number, 0, 200)) for number, size in enumerate(sizes_px)]
    pages[0].save(path, "PDF", resolution=72, save_all=True, append_images=pages[1:])
    return path


def test_pdf_pages_are_rendered_in_order(tmp_path: Path) -> None:
    path = document(tmp_path / "report.pdf")
    assert media_kind(path) == "pdf"
    assert pdf_page_count(path) == 3
    pages = list(pdf_pages(path))
    assert [(page.number, page.image.size) for page in pages] == [(1, (1200, 1600)), (2, (1600, 1200)), (3, (600, 600))]
    for number, page in enumerate(pages):
        middle = np.asarray(page.image).astype(int)[300, 300]
        assert page.image.mode == "RGB"
        assert np.abs(middle - (60 * number, 0, 200)).max() <= 4


def test_pdf_resolution_and_largest_side(tmp_path: Path) -> None:
    path = document(tmp_path / "report.pdf")
    assert [page.image.size for page in pdf_pages(path, dpi=36)] == [(300, 400), (400, 300), (150, 150)]
    capped = [page.image.size for page in pdf_pages(path, max_side_px=800)]
    assert capped == [(600, 800), (800, 600), (600, 600)]
    poster = document(tmp_path / "poster.pdf", [(14400, 10)])
    assert [page.image.size for page in pdf_pages(poster)] == [(4096, 3)]


def test_chosen_pages_keep_their_numbers_and_order(tmp_path: Path) -> None:
    path = document(tmp_path / "report.pdf")
    assert [page.number for page in pdf_pages(path, pages=(3, 1))] == [3, 1]
    assert "has no page 4" in error_of(pdf_pages(path, pages=[1, 4]))
    assert "has no page 0" in error_of(pdf_pages(path, pages=[0]))


def test_what_is_no_pdf(tmp_path: Path) -> None:
    path = document(tmp_path / "report.pdf")
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(path.read_bytes()[:300])
    assert "broken.pdf is not a PDF" in error_of(pdf_pages(broken))
    assert "does not exist" in error_of(pdf_pages(tmp_path / "none.pdf"))
    assert "is a folder" in error_of(pdf_pages(tmp_path))
    for pages in (pdf_pages(path, dpi=0), pdf_pages(path, dpi=float("nan")), pdf_pages(path, max_side_px=0)):
        assert "cannot be rendered" in error_of(pages)


def rc4(key: bytes, data: bytes) -> bytes:
    state, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def protected_document(path: Path, password: bytes) -> Path:
    """Write an empty page under the 40-bit standard security handler (PDF 32000-1, 7.6.3)."""
    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded, identity, permissions = (password + padding)[:32], bytes(16), -4
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + struct.pack("<i", permissions) + identity).digest()[:5]
    user = rc4(key, padding)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
        f"<</Filter/Standard/V 1/R 2/P {permissions}/O<{owner.hex()}>/U<{user.hex()}>>>".encode(),
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj%b endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = f"<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<{identity.hex()}><{identity.hex()}>]>>".encode()
    start = b"%d" % len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + table + b"trailer" + trailer + b"\nstartxref\n" + start + b"\n%%EOF"
    path.write_bytes(data)
    return path


def test_a_password_is_asked_for_by_name(tmp_path: Path) -> None:
    assert "is protected by a password" in error_of(pdf_pages(protected_document(tmp_path / "secret.pdf", b"secret")))
    readable = protected_document(tmp_path / "open.pdf", b"")
    assert [page.image.size for page in pdf_pages(readable)] == [(198, 198)]


def test_documents_are_read_from_many_threads(tmp_path: Path) -> None:
    path, counts = document(tmp_path / "report.pdf"), []
    threads = [threading.Thread(target=lambda: counts.append(len(list(pdf_pages(path, dpi=20))))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3] * 8


def texts(parts: Sequence[Part]) -> list[str]:
    """Return the texts, having checked that each stands before its picture."""
    for text, image in zip(parts[::2], parts[1::2], strict=True):
        assert isinstance(text, TextPart)
        assert isinstance(image, ImagePart)
        assert isinstance(image.image, Image.Image)
    return [part.text for part in parts if isinstance(part, TextPart)]


def test_parts_of_a_video_and_of_a_document(tmp_path: Path) -> None:
    report = document(tmp_path / "report")
    video = record(tmp_path / "clip.mp4", frames=40).rename(tmp_path / "no-suffix")
    assert texts(video_parts(video, 0.5)) == ["[00:00.0]", "[00:02.0]"]
    assert texts(media_parts(video, frames_per_second=2, max_frames=2)) == ["[00:00.0]", "[00:02.0]"]
    assert texts(media_parts(report)) == ["Page 1", "Page 2", "Page 3"]
    assert texts(media_parts(report, pages=[3])) == ["Page 3"]


def test_parts_of_a_picture_are_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "shot"
    Image.new("RGB", (3, 3)).save(path, "WEBP")
    assert media_parts(path) == (ImagePart(path),)


def test_too_many_pages_are_refused_not_dropped(tmp_path: Path) -> None:
    path = document(tmp_path / "report.pdf")
    with pytest.raises(InputError, match="would be 3 pictures"):
        pdf_parts(path, max_pages=2)
    assert len(pdf_parts(path, pages=[2, 3], max_pages=2)) == 4


@pytest.mark.parametrize("data", [b"", b"plain text", b"\0\0\0\x18ftypheic\0\0\0\0", b"G" + bytes(300), b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "thing.mp4"
    path.write_bytes(data)
    with pytest.raises(InputError, match="neither a picture nor a video nor a PDF"):
        media_parts(path)


@pytest.mark.parametrize(("module", "what"), [("av", "videos"), ("pypdfium2", "PDF files")])
def test_a_missing_extra_names_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, what: str
) -> None:
    path = record(tmp_path / "clip.mp4", frames=2) if module == "av" else document(tmp_path / "report.pdf")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"{what} cannot be read.*pip install 'deskhand\[media\]'"):
        media_parts(path)


def test_neither_torch_nor_the_extra_is_imported() -> None:
    code = "import sys, model.media; sys.exit(bool({'torch', 'av', 'pypdfium2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0, "[00:00.0]"),
        (1.5, "[00:01.5]"),
        (59.96, "[01:00.0]"),
        (3599.9, "[59:59.9]"),
        (3723.25, "[1:02:03.2]"),
        (-0.2, "[00:00.0]"),
    ],
)
def test_times_read_like_a_clock(time_s: float, text: str) -> None:
    assert format_time(time_s) == text


@given(st.lists(st.integers(0, 359_999), min_size=2, max_size=20, unique=True).map(sorted))
def test_times_keep_their_order_and_value(tenths: list[int]) -> None:
    def seconds(text: str) -> float:
        total = 0.0
        for field in text[1:-1].split(":"):
            total = total * 60 + float(field)
        return total

    written = [seconds(format_time(value / 10)) for value in tenths]
    assert written == pytest.approx([value / 10 for value in tenths])
    assert all(earlier < later for earlier, later in pairwise(written))
