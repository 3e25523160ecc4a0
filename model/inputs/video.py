"""Sample the frames of a video file at a stated rate, upright and with their times (PyAV).

The family's own processor has no video path: its demo samples frames and passes them as pictures.
"""

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

from PIL import Image

from model.errors import InputError
from model.inputs.decode import DEFAULT_MAX_PIXELS, open_file

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

MEDIA_REMEDY = "pip install 'deskhand[media]'"

# FFmpeg's demuxers for self-contained files. Playlists (HLS, concat) would open what they name.
_DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg"

_MP4_BOXES = {
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"meta", b"udta"),
    *(b"moof", b"mfra", b"sidx", b"ssix", b"styp", b"prft", b"pdin", b"emsg"),
}

# The signs of a display matrix (a, b, c, d), x' = a·x + c·y and y' = b·x + d·y, and what Pillow calls it.
_UPRIGHT = {
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """An upright RGB picture and when it is shown, in seconds from the start of the file."""

    image: Image.Image
    time_s: float


def sample_video(path: Path, frames_per_second: float, max_frames: int | None = None) -> Iterator[VideoFrame]:
    """Yield at most ``frames_per_second`` frames a second, each once: the first at or after every tick.

    Times are the frames' own, so still passages of a screen recording give fewer frames. When the
    whole video at that rate would exceed ``max_frames``, the rate is lowered to spread them over it;
    a file that does not state its length ends at ``max_frames``. Rotation and mirroring stored in
    the file are applied.

    Raises `InputError`, while iterating: at once for what is no readable video or is cut off, and
    after the frames before it when the decoder meets data it cannot read. Frames that the decoder
    itself marks as damaged are left out.
    """
    if not (math.isfinite(frames_per_second) and frames_per_second > 0):
        raise InputError(f"{frames_per_second} frames a second cannot be sampled", remedy="give a rate above 0")
    if max_frames is not None and max_frames < 1:
        raise InputError(f"at most {max_frames} frames leave nothing to show", remedy="allow at least 1")
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise InputError("videos cannot be read", why="PyAV is not installed", remedy=MEDIA_REMEDY) from error

    with open_file(path) as file:
        _check_whole(file, path)
        try:
            container = av.open(
                file, mode="r", container_options={"format_whitelist": _DEMUXERS}, metadata_errors="replace"
            )
        except FFmpegError as error:
            raise InputError(
                f"{path} is not a video that can be read", why=_reason(error), remedy="convert it to MP4"
            ) from error
        with container:
            if not container.streams.video:
                raise InputError(f"{path} has no pictures in it", why="it holds no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise InputError(f"{path} is in a format without a decoder here", remedy="convert it to MP4 (H.264)")
            _check_size(path, stream.codec_context.width, stream.codec_context.height)
            yield from _sample(path, container, stream, frames_per_second, max_frames)


def _sample(
    path: Path, container: "InputContainer", stream: "VideoStream", rate: float, max_frames: int | None
) -> Iterator[VideoFrame]:
    from av.error import FFmpegError

    start_s = (container.start_time or 0) / 1e6
    if max_frames is not None and container.duration:
        rate = min(rate, max_frames / (container.duration / 1e6))
    stream.thread_type = "AUTO"
    next_s, time_s, found = -math.inf, 0.0, 0
    frames = container.decode(stream)
    for number in count():
        try:
            frame = next(frames, None)
        except (FFmpegError, IndexError) as error:  # IndexError: PyAV, of a stream that appears in mid-file
            raise InputError(
                f"{path} breaks off after {time_s:.1f} s", why=_reason(error), remedy="copy or record the video again"
            ) from error
        if frame is None:
            break
        time_s = frame.time - start_s if frame.time is not None else number / float(stream.average_rate or 25)
        if time_s < next_s or frame.is_corrupt:
            continue
        _check_size(path, frame.width, frame.height)
        yield VideoFrame(_upright(frame), time_s)
        found += 1
        if found == max_frames:
            return
        next_s = (math.floor(time_s * rate + 1e-6) + 1) / rate - 1e-6
    if not found:
        raise InputError(f"{path} holds no frame that can be decoded", remedy="copy or record the video again")


def _upright(frame: "av.VideoFrame") -> Image.Image:
    image = frame.to_image()
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return image
    a, b, _, c, d = (int(value > 0) - int(value < 0) for value in struct.unpack_from("=5i", bytes(matrix)))
    turn = _UPRIGHT.get((a, b, c, d))
    return image if turn is None else image.transpose(turn)


def _check_size(path: Path, width_px: int, height_px: int) -> None:
    if width_px * height_px > DEFAULT_MAX_PIXELS:
        raise InputError(
            f"{path} has frames of {width_px} × {height_px} px",
            why=f"the limit is {DEFAULT_MAX_PIXELS / 1e6:g} megapixels",
            remedy="scale the video down first",
        )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _check_whole(file: IO[bytes], path: Path) -> None:
    """Refuse a file shorter than its container says; FFmpeg ends a cut Matroska file without a word."""
    size_bytes = os.fstat(file.fileno()).st_size
    stated_bytes = _stated_bytes(file)
    file.seek(0)
    if stated_bytes > size_bytes:
        raise InputError(
            f"{path} is cut off",
            why=f"it has {size_bytes} of the {stated_bytes} bytes it should have",
            remedy="copy or download the video again",
        )


def _stated_bytes(file: IO[bytes]) -> int:
    """Read how long the container says it is: RIFF, Matroska segment, or MP4 boxes; 0 when it does not."""
    head = file.read(64)
    if head[:4] == b"RIFF" and len(head) >= 8:
        return 8 + struct.unpack_from("<I", head, 4)[0]
    if head[:4] == b"\x1a\x45\xdf\xa3":
        header_bytes, at = _vint(head, 4)
        segment = at + (header_bytes or 0)
        if head[segment : segment + 4] != b"\x18\x53\x80\x67":
            return 0
        body_bytes, at = _vint(head, segment + 4)
        return 0 if body_bytes is None else at + body_bytes
    end = 0
    while head[4:8] in _MP4_BOXES:
        size_bytes = struct.unpack_from(">I", head)[0]
        if size_bytes == 1 and len(head) >= 16:
            size_bytes = struct.unpack_from(">Q", head, 8)[0]
        if size_bytes < 8:
            break  # 0: the last box, to the end of the file
        end += size_bytes
        file.seek(end)
        head = file.read(16)
    return end


def _vint(data: bytes, at: int) -> tuple[int | None, int]:
    """Read a Matroska length at an offset; return it (None: unknown) and the offset behind it."""
    first = data[at] if at < len(data) else 0
    if not first or at + (length := 9 - first.bit_length()) > len(data):
        return None, at
    value = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), at + length
