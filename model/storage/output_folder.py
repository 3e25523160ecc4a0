"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.errors import InputError, ResourceError

_RESERVE_BYTES = 16 << 20


@contextmanager
def output_folder(destination: Path, needed_bytes: int) -> Iterator[Path]:
    """Yield ``destination.partial`` to write into; rename it at the end, or remove it on an error.

    Raises `InputError` when the destination exists and is not an empty folder, and `ResourceError`
    naming needed and free bytes when the disk is too small, before anything is written.
    """
    destination = destination.resolve()
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise InputError(f"{destination} exists already", remedy="choose a new folder, or remove that one first")
    partial = destination.with_name(destination.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    try:
        partial.mkdir(parents=True)
        check_disk(partial, needed_bytes)
        yield partial
        if destination.exists():
            destination.rmdir()
        partial.rename(destination)
    except OSError as error:
        raise ResourceError(f"{destination} cannot be written", why=str(error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_disk(folder: Path, needed_bytes: int) -> None:
    """Raise `ResourceError` naming needed and free bytes when the folder's disk has too little room."""
    free = shutil.disk_usage(folder).free
    if needed_bytes + _RESERVE_BYTES > free:
        raise ResourceError(
            f"{needed_bytes / 1e9:.2f} GB are needed in {folder}, {free / 1e9:.2f} GB are free "
            f"({needed_bytes} and {free} bytes)",
            remedy="make room, or choose a folder on another disk",
        )
