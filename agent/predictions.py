"""Read what models answered: Deskhand's own results and the result files published with the sets."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.datasets.item import Problem
from agent.datasets.rows import BadRowError, Json, array_rows, read_text
from model.errors import InputError

Space = Literal["pixel", "relative"]
Language = Literal["en", "cn"]
STATUSES = ("found", "not_found", "unreadable", "bad_row", "failed")
_UNASKED = ("bad_row", "failed")
"""Nothing was predicted: the batch could not use the row, or got no answer for it."""
_DETAILS = re.compile(r'"details"\s*:\s*(?=\[)')


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer. ``point`` is in ``space`` of the picture, or None when the answer had none.

    ``refused``: the model said that the target is not there. ``stated`` is the verdict that the file gives,
    ``answer`` what the model said.
    """

    line: int
    id: str | None
    image_name: str | None
    instruction: str | None
    point: tuple[float, float] | None
    space: Space = "pixel"
    refused: bool = False
    size_px: tuple[int, int] | None = None
    stated: str | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """A file as read."""

    file: Path
    rows: tuple[Prediction, ...]
    problems: tuple[Problem, ...]


def read_predictions(file: Path, language: Language | None = None) -> Predictions:
    """Read a result file; rows that cannot be used become its ``problems``.

    Known are: Deskhand's JSON lines (``point_rel``, ``status``), or the same as Parquet; ScreenSpot-Pro's log,
    an object with ``details`` (``pred`` in pixels); SeeClick's list (``img_path``, ``text``, ``pred``
    relative), used for ScreenSpot and -V2; and plain lists or JSON lines with an ``id`` (or picture and
    ``instruction``) and ``pred``, ``point_px`` or ``point_rel``. ``language`` keeps the rows of one language of
    a log that has both. Raises `InputError` for a file of another kind.
    """
    rows: list[Prediction] = []
    problems: list[Problem] = []
    for line, row in _rows(file):
        try:
            if isinstance(row, BadRowError):
                raise row
            if not isinstance(row, dict):
                raise BadRowError("not a JSON object")
            if language is not None and row.get("lang", language) != language:
                continue
            if row.get("status") not in _UNASKED:
                rows.append(_prediction(row, line))
        except BadRowError as bad:
            problems.append(Problem(file, line, str(bad)))
    return Predictions(file, tuple(rows), tuple(problems))


def _rows(file: Path) -> "list[tuple[int, object]]":
    if file.suffix.lower() == ".parquet":
        from agent.batch_parquet import parquet_lines

        return list(enumerate(parquet_lines(file), start=1))
    text = read_text(file)
    head = text.lstrip()[:1]
    if head == "[":
        return list(array_rows(file, text))
    if head != "{":
        raise InputError(f"{file} holds no predictions", remedy="give JSON lines, a JSON list or a ScreenSpot-Pro log")
    first = text.lstrip().splitlines()[0]
    details = _DETAILS.search(text)
    if details is not None and not _is_row(first):
        before = text.count("\n", 0, details.end())
        return [(line + before, row) for line, row in array_rows(file, text[details.end() :])]
    return [(number, _decoded(line)) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _is_row(line: str) -> bool:
    value = _decoded(line)
    return isinstance(value, dict) and "details" not in value


def _decoded(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRowError(f"not JSON ({error})")


def _prediction(row: Json, line: int) -> Prediction:
    if row.get("gt_type", "positive") != "positive":
        raise BadRowError("an item without a target (gt_type negative) is not scored: the log does not keep the answer")
    if row.get("status", "found") not in STATUSES:
        raise BadRowError(f"status is {row['status']!r}; it must be one of {', '.join(STATUSES)}")
    size = _pair(row.get("size_px")) if row.get("size_px") is not None else None
    stated, name = row.get("correctness"), row.get("id")
    image = next((row[key] for key in ("img_filename", "image_path", "img_path", "image") if key in row), None)
    asked = next((row[key] for key in ("prompt_to_evaluate", "instruction", "text") if key in row), None)
    if not isinstance(name, str) and not (isinstance(image, str) and isinstance(asked, str)):
        raise BadRowError("it names no item: neither id, nor picture and instruction")
    point, space = _point(row)
    answer = row.get("answer", row.get("raw_response"))
    return Prediction(
        line=line,
        id=name if isinstance(name, str) else None,
        image_name=image if isinstance(image, str) else None,
        instruction=asked if isinstance(asked, str) else None,
        point=point,
        space=space,
        refused=row.get("status") == "not_found",
        size_px=None if size is None else (int(size[0]), int(size[1])),
        stated=stated if isinstance(stated, str) else None,
        answer=answer if isinstance(answer, str) else "",
    )


def _point(row: Json) -> tuple[tuple[float, float] | None, Space]:
    seeclick = "text" in row and "img_path" in row and "id" not in row
    spaces: tuple[tuple[str, Space], ...] = (
        ("point_rel", "relative"),
        ("pred", "relative" if seeclick else "pixel"),
        ("point_px", "pixel"),
    )
    for key, space in spaces:
        if key in row:
            # What is no pair of numbers is an answer in a wrong format, not a row to leave out.
            return _pair(row[key]), space
    if "status" in row or "pred" in row:
        return None, "pixel"
    raise BadRowError("it has no point: neither pred, nor point_px, nor point_rel")


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value):
        return None
    return float(value[0]), float(value[1])
