"""Attached files, each once, under the hash of its content."""

import hashlib
import os
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from app.store.errors import HistoryError

_CHUNK_BYTES = 1 << 20
_YOUNG_S = 3600.0


class AttachmentFiles:
    """A folder of files named by SHA-256; they are never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Return where a content lies; raise `HistoryError` for what is no digest."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise HistoryError(f"{digest[:80]!r} is not the name of an attachment")
        return self._folder / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Keep a content and return its digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if path.exists():
            path.touch()
        else:
            self._write(path, data)
        return digest

    def put_file(self, source: Path) -> tuple[str, int]:
        """Keep a copy of a file, whatever its size; return its digest and its bytes."""
        hasher, size_bytes = hashlib.sha256(), 0
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".incoming-")
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as out, source.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    hasher.update(chunk)
                    out.write(chunk)
                    size_bytes += len(chunk)
            path = self.path(hasher.hexdigest())
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise HistoryError(f"{source} cannot be attached", why=str(error)) from error
        return hasher.hexdigest(), size_bytes

    def _write(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
            with os.fdopen(descriptor, "wb") as out:
                out.write(data)
            Path(name).replace(path)
        except OSError as error:
            raise HistoryError(f"the attachment cannot be kept in {path.parent}", why=str(error)) from error

    def sweep(self, used: Collection[str]) -> int:
        """Delete every file that is not one of the ``used`` digests; return how many.

        What came in the last hour stays: it may be part of something that is not saved yet.
        """
        old_s = time.time() - _YOUNG_S
        unused = [path for path in self._folder.glob("*/*") if path.name not in used and path.stat().st_mtime < old_s]
        left_over = [path for path in self._folder.glob(".incoming-*") if path.stat().st_mtime < old_s]
        for path in (*unused, *left_over):
            path.unlink(missing_ok=True)
        return len(unused)
