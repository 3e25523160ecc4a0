"""A private folder of pictures on their way to a server on this machine."""

import hashlib
import os
import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from PIL import Image

from model.errors import ResourceError
from model.inputs.decode import open_image

PREFIX = "deskhand-frames-"
DEFAULT_MAX_BYTES = 512 << 20


class FrameStore:
    """Write pictures as files that a server may read by ``file://``, each content once.

    The folder is new, readable by this user alone, and gone after `close`. A decoded picture is
    written as BMP: no compression to wait for and no loss; a file or encoded bytes are copied as
    they are. Files that no request holds are dropped, the longest unused first, beyond
    ``max_bytes``. All methods may be called from any thread.
    """

    def __init__(self, parent: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._sizes: OrderedDict[Path, int] = OrderedDict()
        self._holders: Counter[Path] = Counter()
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
        except OSError as error:
            raise ResourceError(
                f"no folder for frames can be made in {parent}",
                why=str(error),
                remedy="set TMPDIR to a folder that this user may write to",
            ) from error

    @property
    def folder(self) -> Path:
        """The folder that the server must be allowed to read."""
        return self._folder

    def hold(self, image: Path | bytes | Image.Image) -> Path:
        """Return a file with this picture, kept until `release`.

        Raises `InputError` for a picture that cannot be read, `ResourceError` for a full disk.
        """
        # The server tells formats by content, so that a name need not carry one.
        content: bytes | Image.Image
        if isinstance(image, Path) and image.is_file():
            image = image.read_bytes()
        if isinstance(image, bytes):
            content = image
            key = hashlib.blake2b(image, digest_size=16).hexdigest()
        else:
            content = open_image(image)
            key = hashlib.blake2b(content.tobytes(), digest_size=16, salt=_size_salt(content.size)).hexdigest() + ".bmp"
        path = self._folder / key
        with self._lock:
            if path not in self._sizes:
                self._sizes[path] = _write(path, content)
            self._sizes.move_to_end(path)
            self._holders[path] += 1
            self._evict()
        return path

    def release(self, paths: Iterable[Path]) -> None:
        """Let go of files got from `hold`, one entry for each call."""
        with self._lock:
            self._holders -= Counter(paths)
            self._evict()

    def _evict(self) -> None:
        total = sum(self._sizes.values())
        for path in [path for path in self._sizes if path not in self._holders]:
            if total <= self._max_bytes:
                return
            total -= self._sizes.pop(path)
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete the folder and everything in it."""
        with self._lock:
            self._sizes.clear()
            self._holders.clear()
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _size_salt(size_px: tuple[int, int]) -> bytes:
    return size_px[0].to_bytes(8, "little") + size_px[1].to_bytes(8, "little")


def _write(path: Path, content: bytes | Image.Image) -> int:
    try:
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, "BMP")
        return path.stat().st_size
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ResourceError(
            f"a frame cannot be written to {path.parent}",
            why=str(error),
            remedy="free disk space there, or set TMPDIR to a larger disk",
        ) from error


def sweep(parent: Path) -> int:
    """Delete the folders that processes which no longer run left in ``parent``; return how many."""
    swept = 0
    for folder in parent.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
        if pid.isdecimal() and own and not folder.is_symlink() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
