"""A corpus of rendered screens on disk: a folder, or one archive made of it.

``index.jsonl`` holds a line a screen (image file, size, source, split, scale, elements, glyphs); the
pictures lie beside it as lossless WebP. Fields that have their default value are left out of the
index, and glyphs are packed, since a whole corpus has to travel to the machine that trains::

    python -m model.nano.corpus stats build/nano/pages-train
    python -m model.nano.corpus pack build/nano/pages-train build/nano/pages-train.zip --max-mb 30
"""

import argparse
import base64
import io
import json
import random
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from PIL import Image

from model.errors import InputError
from model.nano.elements import Box, Element, Screen

Split = Literal["train", "test"]

INDEX_NAME = "index.jsonl"
GLYPH_STEPS_PER_PX = 8
"""Glyph centres are kept to an eighth of a pixel in 16 bits, which reaches 8191 px."""

_ELEMENT_DEFAULTS = {f.name: f.default for f in fields(Element) if f.name not in ("role", "box_px")}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an index: everything about a screen but its pixels."""

    image: str
    size_px: tuple[int, int]
    source: str
    split: Split
    scale: float
    elements: tuple[Element, ...]
    glyphs: np.ndarray


def write_screen(folder: Path, name: str, screen: Screen, split: Split) -> Entry:
    """Write ``screen`` as ``<name>.webp`` and append its line to the index of ``folder``.

    The line is appended after the picture is complete, so an interrupted run leaves a corpus that reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    height, width = screen.pixels.shape[:2]
    image = f"{name}.webp"
    (folder / image).write_bytes(encode_image(screen.pixels))
    entry = Entry(image, (width, height), screen.source, split, screen.scale, screen.elements, screen.glyphs)
    with (folder / INDEX_NAME).open("a", encoding="utf-8") as index:
        index.write(_entry_to_line(entry) + "\n")
    return entry


def read_index_length(folder: Path) -> int:
    """Count the screens of a corpus folder; 0 when there is none yet."""
    index = folder / INDEX_NAME
    return index.read_bytes().count(b"\n") if index.is_file() else 0


def read_entries(path: Path) -> list[Entry]:
    """Read the index of a corpus folder or archive without decoding a picture.

    Raises `InputError` when there is no index or a line of it cannot be read.
    """
    with _Store(path) as store:
        return list(_entries(store))


def read_corpus(path: Path) -> Iterator[Screen]:
    """Yield the screens of a corpus folder or archive in the order of its index.

    Raises `InputError` when the index or a picture cannot be read.
    """
    with _Store(path) as store:
        for entry in _entries(store):
            yield Screen(
                pixels=decode_image(store.read(entry.image)),
                elements=entry.elements,
                glyphs=entry.glyphs,
                source=entry.source,
                scale=entry.scale,
            )


def pack(folder: Path, archive: Path, max_bytes: int, seed: int = 0) -> int:
    """Pack screens of ``folder`` into one zip ``archive`` of at most ``max_bytes``; return how many fit.

    Screens are drawn in random order, so that what is left out is left out evenly. Pictures are
    stored as they are and only the index is compressed.
    """
    entries = read_entries(folder)
    random.Random(seed).shuffle(entries)  # noqa: S311 - a sample, not a secret
    chosen: list[tuple[Entry, str]] = []
    # Room for the end record, and for one compressed index that is estimated line by line.
    used_bytes = 1024
    for entry in entries:
        line = _entry_to_line(entry)
        cost_bytes = (
            (folder / entry.image).stat().st_size + len(zlib.compress(line.encode())) + 2 * len(entry.image) + 128
        )
        if used_bytes + cost_bytes <= max_bytes:
            chosen.append((entry, line))
            used_bytes += cost_bytes
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        lines = "".join(line + "\n" for _, line in chosen)
        out.writestr(INDEX_NAME, lines, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
        for entry, _ in chosen:
            out.write(folder / entry.image, entry.image)
    return len(chosen)


def encode_image(pixels: np.ndarray) -> bytes:
    """Encode uint8 ``(height, width, 3)`` as lossless WebP."""
    buffer = io.BytesIO()
    # Effort 4/60 is where files stop shrinking noticeably while the time still does.
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, quality=60, method=4)
    return buffer.getvalue()


def decode_image(data: bytes) -> np.ndarray:
    """Decode a picture to uint8 ``(height, width, 3)``."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def pack_glyphs(glyphs: np.ndarray) -> str:
    """Pack float32 ``(n, 3)`` glyph rows (code point, centre x, centre y) into base64 text."""
    if not len(glyphs):
        return ""
    codes = glyphs[:, 0].astype("<u4")
    centres = np.clip(np.rint(glyphs[:, 1:] * GLYPH_STEPS_PER_PX), 0, 65535).astype("<u2")
    # Columns, and steps between neighbours in place of values: both make the text squeeze better.
    steps = np.diff(centres, axis=0, prepend=np.zeros((1, 2), "<u2")).astype("<u2")
    raw = codes.tobytes() + steps[:, 0].tobytes() + steps[:, 1].tobytes()
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")


def unpack_glyphs(text: str) -> np.ndarray:
    """Undo `pack_glyphs`: float32 ``(n, 3)``, centres to an eighth of a pixel."""
    if not text:
        return np.zeros((0, 3), np.float32)
    raw = zlib.decompress(base64.b64decode(text))
    count = len(raw) // 8
    codes = np.frombuffer(raw, "<u4", count)
    steps = np.frombuffer(raw, "<u2", 2 * count, offset=4 * count).reshape(2, count)
    centres = np.cumsum(steps, axis=1, dtype=np.uint16).astype(np.float32) / GLYPH_STEPS_PER_PX
    return np.stack([codes.astype(np.float32), centres[0], centres[1]], axis=1)


def element_to_dict(element: Element) -> dict[str, Any]:
    """Turn an element into plain data, leaving out what has its default value."""
    data: dict[str, Any] = {"role": element.role, "box_px": [round(float(v), 1) for v in element.box_px]}
    for name, default in _ELEMENT_DEFAULTS.items():
        value = getattr(element, name)
        if value != default:
            data[name] = value
    return data


def element_from_dict(data: dict[str, Any]) -> Element:
    """Undo `element_to_dict`."""
    return Element(**{**data, "box_px": cast(Box, tuple(data["box_px"]))})


def _entry_to_line(entry: Entry) -> str:
    data = {
        "image": entry.image,
        "size_px": list(entry.size_px),
        "source": entry.source,
        "split": entry.split,
        "scale": round(entry.scale, 4),
        "elements": [element_to_dict(e) for e in entry.elements],
        "glyphs": pack_glyphs(entry.glyphs),
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _entry_from_line(line: str) -> Entry:
    data = json.loads(line)
    return Entry(
        image=data["image"],
        size_px=(data["size_px"][0], data["size_px"][1]),
        source=data["source"],
        split=data["split"],
        scale=data["scale"],
        elements=tuple(element_from_dict(e) for e in data["elements"]),
        glyphs=unpack_glyphs(data["glyphs"]),
    )


def _entries(store: "_Store") -> Iterable[Entry]:
    for number, line in enumerate(store.read(INDEX_NAME).decode("utf-8").rstrip("\n").split("\n"), 1):
        try:
            yield _entry_from_line(line)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise InputError(
                f"line {number} of the index of {store.path} cannot be read",
                why=str(error),
                remedy="render that corpus again",
            ) from error


class _Store:
    """The files of a corpus, be it a folder or an archive."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = zipfile.ZipFile(path) if path.is_file() else None

    def __enter__(self) -> "_Store":
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def read(self, name: str) -> bytes:
        """Return the bytes of one file; raise `InputError` when it is missing."""
        try:
            return (self.path / name).read_bytes() if self._zip is None else self._zip.read(name)
        except (OSError, KeyError) as error:
            raise InputError(
                f"{self.path} is no complete corpus: {name} is missing",
                why=str(error),
                remedy="render the corpus, or name the folder that holds its index.jsonl",
            ) from error


def main(arguments: list[str] | None = None) -> int:
    """Count or pack a corpus; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.corpus", description="Count or pack a corpus.")
    commands = parser.add_subparsers(dest="command", required=True)
    counting = commands.add_parser("stats", help="print what a corpus holds")
    counting.add_argument("corpus", type=Path)
    packing = commands.add_parser("pack", help="put as many screens as fit into one archive")
    packing.add_argument("corpus", type=Path)
    packing.add_argument("archive", type=Path)
    packing.add_argument("--max-mb", type=float, default=40.0)
    options = parser.parse_args(arguments)
    try:
        if options.command == "pack":
            count = pack(options.corpus, options.archive, int(options.max_mb * 1e6))
            print(f"{count} screens, {options.archive.stat().st_size / 1e6:.1f} MB")
        else:
            entries = read_entries(options.corpus)
            elements = Counter(element.role for entry in entries for element in entry.elements)
            print(f"{len(entries)} screens, {elements.total()} elements, {sum(len(e.glyphs) for e in entries)} glyphs")
            print(", ".join(f"{role} {count}" for role, count in elements.most_common()))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
