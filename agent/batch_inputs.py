"""Where the rows of a batch come from: a folder and one instruction, CSV, JSON lines, a published set."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from agent.batch import Row
from agent.batch_pictures import Source
from agent.datasets import Dataset
from model.errors import InputError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")


def rows_of_folder(folder: Path, instruction: str) -> Iterator[Row]:
    """Yield a row for every picture of a folder and the folders in it, by name; ids are their paths inside.

    Raises `InputError` for a folder without pictures and for an instruction without words.
    """
    if not instruction.strip():
        raise InputError("the instruction is empty", remedy='say what to find: --instruction "the Save button"')
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", remedy="check the path")
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    names = sorted(path.relative_to(folder).as_posix() for path in found)
    if not names:
        raise InputError(f"{folder} holds no pictures", why=f"looked for {', '.join(PICTURE_SUFFIXES)}")
    return (Row.of(name, folder / name, instruction, name) for name in names)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the three columns of a table are called."""

    image: str = "image"
    instruction: str = "instruction"
    id: str = "id"

    @classmethod
    def of(cls, named: Iterable[str]) -> Self:
        """Read ``column=name`` words; raise `InputError` for a column that is none of the three."""
        found: dict[str, str] = {}
        for word in named:
            column, equals, name = word.partition("=")
            if not (equals and name) or column not in cls.__slots__:
                raise InputError(f"{word!r} names no column", remedy="write image=NAME, instruction=NAME or id=NAME")
            found[column] = name
        return cls(**found)


def rows_of_csv(file: Path, images: Path | None = None, columns: Columns = Columns()) -> Iterator[Row]:
    """Yield the rows of a CSV file with the columns ``image`` and ``instruction``, and perhaps ``id``.

    Pictures are relative to ``images``, or to the file. Without an ``id`` a row is called by its line.
    Rows with something missing are yielded with their problem. Raises `InputError` when the file cannot be
    read or lacks a column.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            header = reader.fieldnames or []
            for column in (columns.image, columns.instruction):
                if column not in header:
                    raise InputError(f"{file} has no column {column!r}", remedy="its first line names the columns")
            while True:
                try:
                    values = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield _bad(reader.line_num, str(error))
                    continue
                if None in values:
                    yield _bad(reader.line_num, "more fields than columns")
                else:
                    yield row_of(
                        values, f"line {reader.line_num}", str(reader.line_num), images or file.parent, columns
                    )
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read", why=str(error), remedy="it must be UTF-8 text") from error


def rows_of_jsonl_file(file: Path, images: Path | None = None, columns: Columns = Columns()) -> Iterator[Row]:
    """Yield the rows of a file of JSON lines; see `rows_of_jsonl`."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            yield from rows_of_jsonl(lines, images or file.parent, columns)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read", why=str(error), remedy="it must be UTF-8 text") from error


def rows_of_jsonl(lines: Iterable[str], images: Path, columns: Columns = Columns()) -> Iterator[Row]:
    """Yield a row for every JSON object with ``image`` and ``instruction``, and perhaps ``id``; one a line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield _bad(number, f"not JSON ({error})")
            continue
        if isinstance(values, dict):
            yield row_of(values, f"line {number}", str(number), images, columns)
        else:
            yield _bad(number, "not a JSON object")


def rows_of_dataset(dataset: Dataset, language: str = "en") -> Iterator[Row]:
    """Yield the items of a published set, asked in English or Chinese where it has both."""
    for item in dataset:
        asked = item.instruction if language == "en" else item.instruction_cn or ""
        yield Row.of(item.id, item.image, asked, item.image_name)


def row_of(values: Mapping[str, object], where: str, default_id: str, images: Path, columns: Columns) -> Row:
    """Make a row of a table's fields; ``where`` it stands is told with what is wrong with it.

    A picture is a path inside ``images``, the bytes of a file, or both as Hugging Face's ``datasets`` keep them.
    """
    image, name = _picture(values.get(columns.image), images)
    instruction, given = values.get(columns.instruction), values.get(columns.id)
    called = str(given) if isinstance(given, str | int) and str(given) else default_id
    if image is None:
        return Row(default_id, Path(), "", "", f"{where}: {columns.image} is missing or names no picture")
    if not isinstance(instruction, str):
        return Row(default_id, Path(), "", "", f"{where}: {columns.instruction} is missing or not text")
    row = Row.of(called, image, instruction, name or f"picture of row {default_id}")
    return replace(row, problem=f"{where}: {row.problem}") if row.problem else row


def _picture(value: object, images: Path) -> tuple[Source | None, str]:
    if isinstance(value, Mapping):
        inside, path = value.get("bytes"), value.get("path")
        if isinstance(inside, bytes) and inside:
            return inside, path if isinstance(path, str) else ""
        value = path
    if isinstance(value, bytes) and value:
        return value, ""
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return images / value, value
    return None, ""


def _bad(line: int, why: str) -> Row:
    return Row(str(line), Path(), "", "", f"line {line}: {why}")
