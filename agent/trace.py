"""The record of a run: a folder with ``trace.jsonl`` (a line an event, appended and flushed) and its frames.

The first line says the version, the goal and the mode. A process that is killed leaves at most its last
line cut and the frames of its last step unwritten; the reader opens what there is. What a secret was
typed into is painted over in every frame from then on, and secrets are taken out of every text.
"""

import json
import secrets as random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from agent.episode import Acted, Event, Gated, Verified
from agent.trace_codec import Redactor, decode, encode, secrets_in
from agent.trace_frames import FrameStore, read_pixels
from agent.types import Frame, Rect, TypeText
from model.errors import InputError, ResourceError

VERSION = 1
LINES_NAME = "trace.jsonl"
FRAMES_NAME = "frames"
MISSING_SOURCE = "missing from the trace"
"""The source of a frame whose file is not there; its pixels are grey."""

_WIDE_SHARE = 0.25


def new_run_folder(root: Path, now_s: float | None = None) -> Path:
    """Return a folder, not made yet, for a run that begins now; names sort by time."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now_s))
    return root / f"{stamp}-{random.token_hex(2)}"


class TraceWriter:
    """Record a run: call it with every event, and close it or use it in a ``with`` block.

    ``secrets`` are texts that must not be written down; those of typed secrets are learned by themselves.
    Raises ResourceError when the disk does not take it, which ends the run: there is none without a record.
    """

    def __init__(self, folder: Path, goal: str, mode: str, secrets: Iterable[str] = ()) -> None:
        self.folder = folder
        self._redact = Redactor(secrets)
        self._masks = _Masks()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lines = (folder / LINES_NAME).open("xb")
            self._frames = FrameStore(folder / FRAMES_NAME)
        except OSError as error:
            raise ResourceError(f"the trace {folder} cannot be begun", why=str(error)) from error
        header = {"deskhand_trace": VERSION, "goal": self._redact(goal), "mode": mode, "started_s": time.time()}
        self._append(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Append an event; when this returns, it survives the end of the process."""
        for secret in secrets_in(event):
            self._redact.learn(secret)
        if isinstance(event, Gated):
            # Nothing is done before the pictures that it was decided on are in their files; planning took longer.
            self._frames.wait()
        self._masks.before(event)
        self._append({"time_s": time.time(), "event": encode(event, self._redact, self._keep)})

    def close(self) -> None:
        """Finish the files."""
        try:
            self._frames.close()
        finally:
            self._lines.close()

    def _keep(self, frame: Frame) -> dict[str, Any]:
        rects = self._masks.rects(frame)
        return {
            "sha256": self._frames.add(frame, rects),
            "rect_px": encode(frame.rect_px, str, self._keep),
            "monitors": encode(frame.monitors, str, self._keep),
            "time_s": frame.time_s,
            "source": frame.source,
            "masked_px": encode(rects, str, self._keep),
        }

    def _append(self, record: dict[str, Any]) -> None:
        try:
            self._lines.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
            self._lines.flush()
        except OSError as error:
            raise ResourceError(f"the trace {self.folder} cannot be written", why=str(error)) from error


class _Masks:
    """Which parts of the screen may show a secret: its field, and what changed when it was typed."""

    def __init__(self) -> None:
        self._always: tuple[Rect, ...] = ()
        self._now: tuple[Rect, ...] = ()
        self._target_px: Rect | None = None
        self._pending = False
        self._blind = False

    def before(self, event: Event) -> None:
        """Learn from an event, before its frames are stored."""
        self._now = ()
        if isinstance(event, Gated) and _is_secret(event.proposal.action):
            self._target_px = event.proposal.target_px
        if isinstance(event, Acted) and _is_secret(event.action):
            self._pending = True
        self._blind = self._pending
        if isinstance(event, Verified) and self._pending:
            self._learn(event)

    def _learn(self, event: Verified) -> None:
        changed, target = event.verdict.changed_px, self._target_px
        self._pending, self._target_px = False, None
        self._blind = event.verdict.kind == "unverifiable" and not changed and target is None
        self._now = changed
        if target is not None:
            # A page that the secret opened is wide and will change again; only its field stays covered then.
            whole = event.frame.rect_px.width * event.frame.rect_px.height
            changed = tuple(rect for rect in changed if rect.width * rect.height < _WIDE_SHARE * whole)
            changed = (target, *changed)
        self._always = tuple(dict.fromkeys((*self._always, *changed)))

    def rects(self, frame: Frame) -> tuple[Rect, ...]:
        """Return what to paint over: all of a frame that nobody has compared since a secret was typed."""
        if self._blind:
            return (frame.rect_px,)
        return tuple(dict.fromkeys(rect for rect in (*self._always, *self._now) if rect.intersection(frame.rect_px)))


def _is_secret(action: object) -> bool:
    return isinstance(action, TypeText) and action.secret


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded run. ``cut`` says that its last line was not written whole; ``records`` are lines as read."""

    folder: Path
    goal: str
    mode: str
    started_s: float
    records: tuple[dict[str, Any], ...]
    cut: bool

    @property
    def ended(self) -> bool:
        """Say whether the run came to its end."""
        return bool(self.records) and self.records[-1]["event"].get("type") == "Ended"

    def events(self) -> Iterator[tuple[float, Event]]:
        """Yield time in seconds and event, one after another; frames are read when their event is reached.

        Raises InputError for a line that holds no event.
        """
        last: dict[str, Frame] = {}

        def load(reference: dict[str, Any]) -> Frame:
            # Most frames stand in several events, one after another.
            key = json.dumps(reference)
            if key not in last:
                while len(last) >= 2:
                    del last[next(iter(last))]
                last[key] = self._read_frame(reference)
            return last[key]

        for number, record in enumerate(self.records, 2):
            try:
                yield float(record["time_s"]), decode(record["event"], load)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"line {number} of {self.folder / LINES_NAME} is no event", why=repr(error)) from error

    def _read_frame(self, reference: dict[str, Any]) -> Frame:
        def nothing(_reference: dict[str, Any]) -> Frame:
            raise TypeError("a frame holds no frame")

        name, source = str(reference["sha256"]), str(reference["source"])
        rect: Rect = decode(reference["rect_px"], nothing)
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise ValueError("the name of a frame is not a SHA-256")
        try:
            pixels = read_pixels(self.folder / FRAMES_NAME / f"{name}.png")
        except OSError:
            pixels, source = np.full((rect.height, rect.width, 4), 128, np.uint8), MISSING_SOURCE
        return Frame(pixels, rect, decode(reference["monitors"], nothing), float(reference["time_s"]), source)


def read_trace(folder: Path) -> Trace:
    """Open a trace; one whose last line was cut is opened without it.

    Raises InputError when it is no trace, is of a newer version or has a broken line before the last.
    """
    path = folder / LINES_NAME
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(
            f"{folder} is not a trace", why=str(error), remedy=f"name a folder with {LINES_NAME}"
        ) from error
    if not lines[-1]:
        lines.pop()
    records: list[dict[str, Any]] = []
    cut = False
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            if number == len(lines) and number > 1:
                cut = True
                break
            raise InputError(f"line {number} of {path} cannot be read", why=str(error)) from error
        records.append(record)
    header = records[0] if records else {}
    version = header.get("deskhand_trace")
    if not isinstance(version, int):
        raise InputError(f"{path} is not a trace", why="its first line does not say its version")
    if version > VERSION:
        raise InputError(f"{path} is of version {version}", why=f"this program reads {VERSION}", remedy="update it")
    if any(not isinstance(record.get("event"), dict) for record in records[1:]):
        raise InputError(f"{path} holds a line without an event")
    goal, mode, started_s = str(header.get("goal", "")), str(header.get("mode", "")), header.get("started_s", 0.0)
    return Trace(folder, goal, mode, float(started_s), tuple(records[1:]), cut)
