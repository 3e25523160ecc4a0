"""Recorded runs: the list of them, one as pictures and words, and one as steps to be done again. Knows no widgets."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from agent.coords import to_relative
from agent.trace import LINES_NAME, MISSING_SOURCE, Trace, read_trace
from agent.types import Frame
from app.ui.agent.timeline import Marks, Row, advance, begins_row
from app.ui.tasks import Cancel
from model.errors import InputError

MAX_WIDTH_PX = 1920
THUMB_PX = (160, 90)
_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run in the list. ``outcome`` is empty for one that broke off."""

    folder: Path
    goal: str
    mode: str
    started_s: float
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame as a packed picture, and its marks relative to it."""

    packed: bytes
    points: tuple[tuple[float, float], ...] = ()
    boxes: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()


@dataclass(frozen=True, slots=True)
class Still:
    """One step of a recorded run, without its frames but with pictures of them."""

    row: Row
    thumb: bytes
    before: Picture | None
    after: Picture | None


def list_runs(root: Path, cancel: Cancel) -> list[PastRun]:
    """Return the runs in a folder, the latest first; what is no record is left out."""
    found: list[PastRun] = []
    for folder in sorted(root.iterdir() if root.is_dir() else (), key=lambda each: each.name, reverse=True):
        if cancel.event.is_set():
            break
        run = _read_ends(folder)
        if run is not None:
            found.append(run)
    return found


def _read_ends(folder: Path) -> PastRun | None:
    """Read the first and the last line of a record only: there may be thousands."""
    try:
        with (folder / LINES_NAME).open("rb") as file:
            header = json.loads(file.readline())
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        goal, mode, started_s = str(header["goal"]), str(header["mode"]), float(header["started_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        event = json.loads(tail)["event"]
        outcome = event["outcome"] if event["type"] == "Ended" else {}
    except (ValueError, KeyError, TypeError):
        outcome = {}
    return PastRun(folder, goal, mode, started_s, str(outcome.get("kind", "")), str(outcome.get("message", "")))


def read_stills(folder: Path, cancel: Cancel) -> list[Still]:
    """Read a run as stills. Raises InputError when it cannot be read."""
    trace = read_trace(folder)
    return [_still(row) for row in _rows(trace, cancel)]


def _rows(trace: Trace, cancel: Cancel) -> Iterator[Row]:
    last: Row | None = None
    for time_s, event in trace.events():
        if cancel.event.is_set():
            return
        if last is not None and begins_row(last, event):
            yield last
        last = advance(last, event, time_s)
    if last is not None:
        yield last


def _still(row: Row) -> Still:
    before = _picture(row.frame, row.marks) if row.frame is not None else None
    after = _picture(row.after, Marks((), row.changed_px)) if row.after is not None else None
    shown = row.frame or row.after
    thumb = _packed(shown.image(), *THUMB_PX) if shown is not None and shown.source != MISSING_SOURCE else b""
    return Still(replace(row, frame=None, after=None), thumb, before, after)


def _picture(frame: Frame, marks: Marks) -> Picture | None:
    if frame.source == MISSING_SOURCE:
        return None
    whole = frame.rect_px
    points = [to_relative(point, whole) for point in marks.points if whole.contains(point)]
    boxes = [box for box in (rect.intersection(whole) for rect in marks.boxes_px) if box is not None]
    return Picture(
        _packed(frame.image(), MAX_WIDTH_PX, MAX_WIDTH_PX),
        tuple((point.x_rel, point.y_rel) for point in points),
        tuple(
            (
                ((box.left - whole.left) / whole.width, (box.top - whole.top) / whole.height),
                ((box.right - whole.left) / whole.width, (box.bottom - whole.top) / whole.height),
            )
            for box in boxes
        ),
    )


def _packed(image: Image.Image, width_px: int, height_px: int) -> bytes:
    image.thumbnail((width_px, height_px), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def read_task(folder: Path) -> tuple[bool, str]:
    """Return what the person wrote for a run: whether it is a goal, and the text. Raises InputError without one."""
    path = folder / "task.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return bool(kept["writes_goal"]), str(kept["text"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("what was written for this run is not kept", why=str(error)) from error
