"""The frames of a trace: lossless PNG files named by what is in them, each written once."""

import contextlib
import hashlib
import io
import queue
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agent.types import Frame, Rect
from model.errors import ResourceError

_COLOUR = np.uint32(int.from_bytes(b"\xff\xff\xff\x00", sys.byteorder))
_MASK_SHADE = 96
_STRIP_ROWS = 64
_HASH_THREADS = 4
_WAITING_FRAMES = 3


class ContentNames:
    """Names pixels by what they show; frames that resemble the one before cost a fraction (3 ms at 4K, not 12)."""

    def __init__(self) -> None:
        self._before: NDArray[np.uint32] | None = None
        self._digests: list[bytes] = []

    def name(self, bgrx: NDArray[np.uint8]) -> str:
        """Return SHA-256 over the size and the digests of strips of (height, width, 4) pixels' colours."""
        words = bgrx.view(np.uint32)[:, :, 0]
        before = self._before if self._before is not None and self._before.shape == words.shape else None
        strips = [slice(row, row + _STRIP_ROWS) for row in range(0, len(words), _STRIP_ROWS)]
        same = [before is not None and np.array_equal(before[strip], words[strip]) for strip in strips]
        fresh = [strip for strip, is_same in zip(strips, same, strict=True) if not is_same]

        def digest(strip: slice) -> bytes:
            return hashlib.sha256((words[strip] & _COLOUR).tobytes()).digest()

        if len(fresh) > _HASH_THREADS:
            with ThreadPoolExecutor(_HASH_THREADS) as pool:
                digests = iter(list(pool.map(digest, fresh)))
        else:
            digests = iter([digest(strip) for strip in fresh])
        old = self._digests
        self._digests = [old[n] if is_same else next(digests) for n, is_same in enumerate(same)]
        self._before = words
        return hashlib.sha256(b"".join([repr(bgrx.shape).encode(), *self._digests])).hexdigest()


def masked(frame: Frame, rects_px: Sequence[Rect]) -> Frame:
    """Return the frame with rectangles of the virtual desktop painted over; itself when there are none in it."""
    inside = [part for rect in rects_px if (part := rect.intersection(frame.rect_px))]
    if not inside:
        return frame
    pixels = frame.bgrx.copy()
    left, top = frame.rect_px.left, frame.rect_px.top
    for r in inside:
        pixels[r.top - top : r.bottom - top, r.left - left : r.right - left] = _MASK_SHADE
    return Frame(pixels, frame.rect_px, frame.monitors, frame.time_s, frame.source)


class FrameStore:
    """Writes frames into a folder on a thread of its own, because a 4K picture takes half a second to pack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700)
        self._known: set[str] = set()
        self._names = ContentNames()
        self._last: tuple[Frame, tuple[Rect, ...], str] | None = None
        self._waiting: queue.Queue[tuple[str, Frame] | None] = queue.Queue(_WAITING_FRAMES)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._write_all, name="trace frames", daemon=True)
        self._thread.start()

    def add(self, frame: Frame, masks_px: tuple[Rect, ...]) -> str:
        """Store a frame with parts painted over and return its name. Raises ResourceError, see `wait`."""
        if self._last and self._last[0] is frame and self._last[1] == masks_px:
            return self._last[2]
        self._check()
        shown = masked(frame, masks_px)
        name = self._names.name(shown.bgrx)
        if name not in self._known:
            self._known.add(name)
            self._waiting.put((name, shown))
        self._last = (frame, masks_px, name)
        return name

    def wait(self) -> None:
        """Return when every frame is in its file. Raises ResourceError when one could not be written."""
        self._waiting.join()
        self._check()

    def close(self) -> None:
        """Write what is waiting and end the thread. Raises ResourceError as `wait` does."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise ResourceError(
                f"a frame of the trace cannot be written to {self._folder}",
                why=str(self._error),
                remedy="free some space, or record elsewhere",
            ) from self._error

    def _write_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            name, frame = item
            try:
                packed = io.BytesIO()
                frame.image().save(packed, "PNG", compress_level=1)
                write_whole(self._folder / f"{name}.png", packed.getvalue())
            except OSError as error:
                self._error = error
            finally:
                self._waiting.task_done()
        self._waiting.task_done()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either there whole or not at all. Raises OSError."""
    partial = path.with_suffix(".partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Return the BGRX pixels of a stored frame, of shape (height, width, 4). Raises OSError."""
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB"))
    bgrx = np.zeros((*rgb.shape[:2], 4), np.uint8)
    bgrx[..., :3] = rgb[..., ::-1]
    return bgrx
