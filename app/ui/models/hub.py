"""Checkpoints of the Hub on this machine: fetched, taken up again, checked byte by byte, deleted. Knows no Qt."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import CancelledByCallerError, CheckpointError

Progress = Callable[[int, int], None]

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Hub:
    """Where checkpoints come from and lie; None is what the environment says, as for every program."""

    endpoint: str | None = None
    cache: Path | None = None

    def fetch(self, name: str, progress: Progress, cancel: threading.Event) -> Path:
        """Download a checkpoint, or what is missing of it; raise as `model.download.download` does."""
        from model.download import download

        return download(name, progress=progress, cancel=cancel, endpoint=self.endpoint, cache_dir=self.cache)

    def folder(self, name: str) -> Path | None:
        """Return the folder of a checkpoint that is whole on this machine."""
        from model.download import download
        from model.errors import DownloadError

        try:
            return download(name, offline=True, cache_dir=self.cache)
        except (CheckpointError, DownloadError):
            return None

    def storage(self, name: str) -> Path:
        """Return where the cache keeps a repository."""
        from huggingface_hub import constants

        return (self.cache or Path(constants.HF_HUB_CACHE)) / f"models--{name.replace('/', '--')}"

    def partial_bytes(self, name: str) -> int:
        """Return how much of an unfinished download is there."""
        blobs = self.storage(name) / "blobs"
        if not blobs.is_dir() or self.folder(name) is not None:
            return 0
        return sum(blob.stat().st_size for blob in blobs.iterdir() if blob.is_file())

    def delete(self, name: str) -> None:
        """Delete a repository from the cache, whole or not; nothing is there afterwards."""
        storage = self.storage(name)
        if storage.is_dir():
            shutil.rmtree(storage)


def verify(folder: Path, progress: Progress, cancel: threading.Event) -> int:
    """Check a checkpoint: its layout, and each file that came from the Hub against its published hash.

    Returns how many files were hashed; the files of a plain folder have no published hashes. Raises
    `CheckpointError` for the first file that is not what was published, `CancelledByCallerError`.
    """
    from model.checkpoint import inspect

    inspect(folder)
    blobs = list(_blobs(folder))
    total = sum(blob.stat().st_size for _file, blob in blobs)
    done = 0
    for file, blob in blobs:
        size = blob.stat().st_size
        whole = hashlib.sha256() if len(blob.name) == 64 else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with blob.open("rb") as content:
            while piece := content.read(_PIECE_BYTES):
                if cancel.is_set():
                    raise CancelledByCallerError("the check was stopped")
                whole.update(piece)
                done += len(piece)
                progress(done, total)
        if whole.hexdigest() != blob.name:
            raise CheckpointError(
                f"{file.name} is not the published file",
                why="its hash differs: it was changed or damaged on this machine",
                remedy="delete the model and download it again",
            )
    return len(blobs)


def _blobs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a snapshot's files with the blobs behind them, whose names are their hashes."""
    for file in sorted(folder.iterdir()):
        blob = file.resolve()
        if blob.parent.name == "blobs" and len(blob.name) in (40, 64):
            yield file, blob
