"""Turn files that people attach into message parts: pictures, videos and PDF documents."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from model.chat import ImagePart, Part, TextPart
from model.errors import InputError
from model.inputs.decode import FORMATS, image_format, open_file
from model.inputs.pdf import DEFAULT_DPI, DEFAULT_MAX_SIDE_PX, PdfPage, pdf_page_count, pdf_pages
from model.inputs.video import VideoFrame, sample_video

__all__ = [
    "MediaKind",
    "PdfPage",
    "VideoFrame",
    "media_kind",
    "media_parts",
    "pdf_page_count",
    "pdf_pages",
    "pdf_parts",
    "sample_video",
    "video_parts",
]

MediaKind = Literal["image", "video", "pdf"]

DEFAULT_FRAMES_PER_SECOND = 1.0
DEFAULT_MAX_FRAMES = 64
DEFAULT_MAX_PAGES = 128

_MPEG_TS_PACKET_BYTES = 188
_VIDEO_PREFIXES = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
)
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")


def media_kind(path: Path) -> MediaKind:
    """Say what a file is from its first bytes, whatever it is called.

    Raises `InputError` for a missing file and for content that is none of the three.
    """
    with open_file(path) as file:
        head = file.read(1024)
    if image_format(head[:16]):
        return "image"
    if b"%PDF-" in head:
        return "pdf"
    is_iso_video = head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and head[8:12] not in _STILL_BRANDS
    is_riff_video = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    is_transport_stream = head[:1] == b"G" and head[_MPEG_TS_PACKET_BYTES : _MPEG_TS_PACKET_BYTES + 1] == b"G"
    if head.startswith(_VIDEO_PREFIXES) or is_iso_video or is_riff_video or is_transport_stream:
        return "video"
    raise InputError(
        f"{path} is neither a picture nor a video nor a PDF",
        why="its first bytes are none that are known" if head else "it is empty",
        remedy=f"convert it to {', '.join(FORMATS)}, MP4 or PDF",
    )


def media_parts(
    path: Path,
    *,
    frames_per_second: float = DEFAULT_FRAMES_PER_SECOND,
    max_frames: int | None = DEFAULT_MAX_FRAMES,
    dpi: float = DEFAULT_DPI,
    pages: Iterable[int] | None = None,
) -> tuple[Part, ...]:
    """Make the message parts of a picture, video or PDF, told apart by content.

    Raises `InputError` as `media_kind`, `video_parts` and `pdf_parts` do; a picture is not opened.
    """
    kind = media_kind(path)
    if kind == "image":
        return (ImagePart(path),)
    if kind == "video":
        return video_parts(path, frames_per_second, max_frames)
    return pdf_parts(path, dpi=dpi, pages=pages)


def video_parts(
    path: Path,
    frames_per_second: float = DEFAULT_FRAMES_PER_SECOND,
    max_frames: int | None = DEFAULT_MAX_FRAMES,
) -> tuple[Part, ...]:
    """Put the time, as ``[00:01.5]``, before each sampled frame of a video; see `sample_video`.

    All frames are held decoded: 4 bytes a pixel, so 64 frames of 1920 × 1080 take 0.5 GB.
    """
    decimals = 1 if frames_per_second <= 10 else 3
    parts: list[Part] = []
    for frame in sample_video(path, frames_per_second, max_frames):
        parts += (TextPart(format_time(frame.time_s, decimals)), ImagePart(frame.image))
    return tuple(parts)


def format_time(time_s: float, decimals: int = 1) -> str:
    """Write seconds as ``[MM:SS.s]``, or ``[H:MM:SS.s]`` from an hour on."""
    units = round(max(time_s, 0.0) * 10**decimals)
    whole_s, fraction = divmod(units, 10**decimals)
    minutes, seconds = divmod(whole_s, 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    clock = f"{hours}:{minutes_of_hour:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
    return f"[{clock}.{fraction:0{decimals}}]"


def pdf_parts(
    path: Path,
    *,
    dpi: float = DEFAULT_DPI,
    max_side_px: int = DEFAULT_MAX_SIDE_PX,
    pages: Iterable[int] | None = None,
    max_pages: int = DEFAULT_MAX_PAGES,
) -> tuple[Part, ...]:
    """Put ``Page 3`` before the picture of each page of a PDF; see `pdf_pages`.

    Raises `InputError` for more than ``max_pages`` pages: leaving some out is for the person to decide.
    """
    numbers = list(pages) if pages is not None else list(range(1, pdf_page_count(path) + 1))
    if len(numbers) > max_pages:
        raise InputError(
            f"{path} would be {len(numbers)} pictures", why=f"the limit is {max_pages} pages", remedy="name fewer pages"
        )
    parts: list[Part] = []
    for page in pdf_pages(path, dpi=dpi, max_side_px=max_side_px, pages=numbers):
        parts += (TextPart(f"Page {page.number}"), ImagePart(page.image))
    return tuple(parts)
