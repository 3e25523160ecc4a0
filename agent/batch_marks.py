"""What a batch may write beside its results: every picture with its answer marked, and how long each took."""

import csv
import hashlib
import re
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from agent.annotate import annotate
from agent.batch import Result, Row
from agent.locate import Location
from model.errors import InputError, ResourceError

_QUALITY = 88
_LONGEST_NAME = 80


class MarkedPictures:
    """Write each picture with its point into a folder, as JPEG, named after the row's id. Any thread may call it.

    A picture is there, whole, before its row's result is. Raises `InputError` when the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be a folder of pictures", why=str(error)) from error

    def __call__(self, row: Row, image: Image.Image, location: Location) -> None:
        """Write one; raise `ResourceError` when the disk does not take it."""
        path = self._folder / f"{file_name(row.id)}.jpg"
        new = path.with_suffix(".new")
        try:
            annotate(image, location).save(new, "JPEG", quality=_QUALITY)
            new.replace(path)
        except OSError as error:
            raise ResourceError(f"{path} cannot be written", why=str(error), remedy="make room") from error


def file_name(name: str) -> str:
    """Turn an id into a file's name; ids that differ keep different ones, also where letters' case is no difference."""
    plain = re.sub(r"[^a-z0-9._-]+", "_", name).strip(".")[:_LONGEST_NAME]
    if plain == name:
        return plain
    digest = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=4).hexdigest()
    return f"{plain or 'row'}-{digest}"


class TimesFile:
    """Append how long each row took, as CSV: ``id,looks,ms``. Kept apart from the results, which hold no times."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a", encoding="utf-8", newline="", errors="backslashreplace")
        except OSError as error:
            raise InputError(f"{path} cannot be written", why=str(error), remedy="choose another --times") from error
        self._writer = csv.writer(self._file)
        if not self._file.tell():
            self._writer.writerow(("id", "looks", "ms"))

    def append(self, result: Result) -> None:
        """Write one line, for a row that was asked."""
        if result.looks:
            self._writer.writerow((result.row.id, result.looks, round(result.ms, 2)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_times(path: Path) -> list[float]:
    """Read the milliseconds of a `TimesFile`; lines torn by a killed process are left out."""
    times: list[float] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.reader(file):
                try:
                    times.append(float(line[2]))
                except (IndexError, ValueError):
                    continue
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read", why=str(error), remedy="give the file that --times wrote") from error
    return times
