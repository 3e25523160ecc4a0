"""JSON files row by row with their lines, and the checks that every published set shares."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from agent.datasets.item import Box, Item, Polygon, Problem
from model.errors import InputError

Json = dict[str, object]

_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


class BadRowError(Exception):
    """A row that cannot be used; never leaves the readers."""


def read_text(path: Path) -> str:
    """Read a UTF-8 file, with or without a byte order mark; raise `InputError` when that is impossible."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", remedy="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read", why=str(error), remedy="it must be UTF-8 text") from error


def array_rows(path: Path, text: str, start: int = 0) -> Iterator[tuple[int, object]]:
    """Yield the line and the value of each element of the JSON array that begins at ``start``.

    What cannot be decoded is yielded last, as a `BadRowError`: after it nothing can be told apart.
    """
    at = _skip(text, start)
    if text[at : at + 1] != "[":
        raise InputError(f"{path} holds no JSON list", remedy="name the set's own annotation file")
    line, counted = 1, 0
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = _DECODER.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] not in (",", "]"):
                raise ValueError("no comma or bracket follows it")
        except (ValueError, RecursionError) as error:
            yield line, BadRowError(f"not JSON from here to the end of the file ({error})")
            return
        yield line, value
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def read_rows(
    files: Iterable[Path], to_item: Callable[[Json, Path, int], Item]
) -> tuple[tuple[Item, ...], tuple[Problem, ...]]:
    """Turn every row of the files into an item; ``to_item`` gets the row, its file and its index from 0."""
    items: dict[str, Item] = {}
    problems: list[Problem] = []
    for file in files:
        for index, (line, row) in enumerate(array_rows(file, read_text(file))):
            try:
                if isinstance(row, BadRowError):
                    raise row
                if not isinstance(row, dict):
                    raise BadRowError("not a JSON object")
                item = to_item(row, file, index)
                if item.id in items:
                    raise BadRowError(f"the id {item.id!r} was used before")
                items[item.id] = item
            except BadRowError as bad:
                problems.append(Problem(file, line, str(bad)))
    return tuple(items.values()), tuple(problems)


def text_of(row: Json, key: str) -> str:
    """Return a field that must be text with something in it."""
    value = row.get(key)
    if not isinstance(value, str):
        raise BadRowError(f"{key} is missing or not text")
    if not value.strip():
        raise BadRowError(f"{key} is empty")
    return value


def optional_text(row: Json, key: str) -> str | None:
    """Return a field that may be absent."""
    value = row.get(key)
    return value if isinstance(value, str) and value else None


def choice_of(row: Json, key: str, choices: tuple[str, ...]) -> str:
    """Return a field that must be one of a few words."""
    value = text_of(row, key)
    if value not in choices:
        raise BadRowError(f"{key} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def image_of(row: Json, key: str, images: Path) -> tuple[Path, str]:
    """Return the picture's path and its name in the annotations; one that leaves the folder is refused."""
    name = text_of(row, key)
    pure = PurePosixPath(name)
    if pure.is_absolute() or PureWindowsPath(name).drive or ".." in pure.parts or "\0" in name:
        raise BadRowError(f"{key} leaves the folder of pictures: {name!r}")
    return images / name, name


def numbers_of(row: Json, key: str) -> list[float]:
    """Return a field that must be a list of finite numbers."""
    value = row.get(key)
    if not isinstance(value, list):
        raise BadRowError(f"{key} is missing or not a list")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value):
        raise BadRowError(f"{key} holds something that is not a number")
    return [float(v) for v in value]


def size_of(row: Json, key: str) -> tuple[int, int]:
    """Return a picture's (width, height) in pixels."""
    values = numbers_of(row, key)
    if len(values) != 2 or min(values) < 1 or any(v != int(v) for v in values):
        raise BadRowError(f"{key} is {values}; it must be [width, height]")
    return int(values[0]), int(values[1])


def box_of(row: Json, key: str, *, extent: bool, size_px: tuple[int, int] | None = None) -> Box:
    """Return a box: [x, y, width, height] with ``extent``, else [x1, y1, x2, y2].

    A box may have no area and may stick out of the picture, as some published ones do; one that ends before
    it begins, or that no pixel of the picture can hit, is impossible.
    """
    values = numbers_of(row, key)
    if len(values) != 4:
        raise BadRowError(f"{key} has {len(values)} numbers; it must have 4")
    x, y, third, fourth = values
    box = Box(x, y, x + third, y + fourth) if extent else Box(x, y, third, fourth)
    if box.right < box.left or box.bottom < box.top:
        raise BadRowError(f"{key} is an impossible box: {values}")
    _check_inside(key, values, (box.left, box.right), (box.top, box.bottom), size_px)
    return box


def polygon_of(row: Json, key: str, size_px: tuple[int, int] | None = None) -> Polygon:
    """Return a polygon from a flat list [x1, y1, x2, y2, …]."""
    values = numbers_of(row, key)
    if len(values) < 6 or len(values) % 2:
        raise BadRowError(f"{key} has {len(values)} numbers; a polygon needs three corners or more, x and y of each")
    xs, ys = values[::2], values[1::2]
    _check_inside(key, values, (min(xs), max(xs)), (min(ys), max(ys)), size_px)
    return Polygon(tuple(zip(xs, ys, strict=True)))


def _check_inside(
    key: str, values: list[float], x: tuple[float, float], y: tuple[float, float], size_px: tuple[int, int] | None
) -> None:
    if x[1] < 0 or y[1] < 0:
        raise BadRowError(f"{key} is an impossible box: {values}")
    if size_px is not None and (x[0] > size_px[0] or y[0] > size_px[1]):
        raise BadRowError(f"{key} lies outside the picture of {size_px[0]} × {size_px[1]} px: {values}")


def first_folder(*folders: Path) -> Path:
    """Return the first folder that exists, or the first of all when none does."""
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def require_files(folder: Path, files: list[Path], names: str) -> list[Path]:
    """Return the files, or raise `InputError` when there are none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", remedy="name the folder of the set's annotations")
    if not files:
        raise InputError(f"{folder} holds none of the set's files", why=f"they are called {names}")
    return files
