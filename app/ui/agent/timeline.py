"""A run as it goes, one row a step: the model that the timeline and the film strip of past runs show."""

import time
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Literal

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt

from agent.episode import Acted, Ended, Event, Gated, Located, Observed, OutcomeKind, Planned, VerdictKind, Verified
from agent.told import one_line
from agent.types import Click, Drag, Frame, Move, Point, Rect, Scroll, Unreadable
from app.translate import tr
from app.ui.agent.words import action_words

Tone = Literal["plain", "good", "bad", "busy"]

_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Marks:
    """What to show on a frame: pixels of the virtual desktop."""

    points: tuple[Point, ...] = ()
    boxes_px: tuple[Rect, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One step in words, or the end of the run (``step`` 0), with the frame that says most about it."""

    step: int
    thought: str = ""
    action: str = ""
    notes: tuple[str, ...] = ()
    verdict: str = ""
    tone: Tone = "busy"
    began_s: float = 0.0
    ended_s: float = 0.0
    frame: Frame | None = None
    marks: Marks = field(default_factory=Marks)
    after: Frame | None = None
    changed_px: tuple[Rect, ...] = ()

    @property
    def title(self) -> str:
        """What the row is called."""
        return tr("Step {number}", number=self.step) if self.step else tr("The end")

    @property
    def text(self) -> str:
        """Everything in one line, as a screen reader says it."""
        parts = (self.title, self.thought, self.action, *self.notes, self.verdict)
        return ". ".join(part.removesuffix(".") for part in parts if part)


class Role(IntEnum):
    """What the model gives besides the text."""

    ROW = Qt.ItemDataRole.UserRole + 1


class TimelineModel(QAbstractListModel):
    """Rows made of a run's events. Frames are kept for the last ``max_frames`` steps only; 0 keeps all."""

    def __init__(self, parent: QObject | None = None, max_frames: int = 40) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._max_frames = max_frames

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:  # noqa: N802 - Qt's name
        """Count the steps."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row, or its words."""
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.text
        return row if role == Role.ROW else None

    def roleNames(self) -> dict[int, QByteArray]:  # noqa: N802 - Qt's name
        """Name the roles."""
        return {**super().roleNames(), int(Role.ROW): QByteArray(b"row")}

    def row_at(self, place: int) -> Row | None:
        """Return a row by its place, or None."""
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def clear(self) -> None:
        """Forget everything."""
        self.beginResetModel()
        self._rows.clear()
        self.endResetModel()

    def append(self, event: Event, time_s: float | None = None) -> None:
        """Take an event into account: it begins a row or changes the last one."""
        now_s = time.time() if time_s is None else time_s
        before = self._rows[-1] if self._rows else None
        after = advance(before, event, now_s)
        if before is None or begins_row(before, event):
            self._add(after)
        elif after != before:
            self._rows[-1] = after
            index = self.index(len(self._rows) - 1)
            self.dataChanged.emit(
                index, index, [Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Role.ROW]
            )

    def _add(self, row: Row) -> None:
        place = len(self._rows)
        self.beginInsertRows(QModelIndex(), place, place)
        self._rows.append(row)
        self.endInsertRows()
        old = place - self._max_frames
        if self._max_frames and old >= 0 and self._rows[old].frame is not None:
            self._rows[old] = replace(self._rows[old], frame=None, after=None)


def begins_row(last: Row, event: Event) -> bool:
    """Say whether an event is the first of another row."""
    return isinstance(event, Ended) or last.step != event.step


def advance(last: Row | None, event: Event, now_s: float) -> Row:
    """Return the row that an event leads to: the last one with more in it, or a new one."""
    if isinstance(event, Ended):
        return _end(event, now_s)
    row = Row(event.step, began_s=now_s) if last is None or begins_row(last, event) else last
    return replace(_with(row, event), ended_s=now_s)


def _with(row: Row, event: Event) -> Row:
    match event:
        case Observed(_, frame):
            return replace(row, frame=row.frame or frame)
        case Planned(_, plan, _):
            return _planned(row, plan)
        case Located(_, description, location, point):
            if point is None:
                missing = tr("“{words}” was not found: {reason}", words=description, reason=location.reason)
                return replace(row, notes=(*row.notes, one_line(missing)))
            return replace(row, marks=Marks((point,)))
        case Gated(_, proposal, allowed, asked, why):
            marks = Marks(points_of(proposal.action), (proposal.target_px,) if proposal.target_px else ())
            row = replace(row, frame=proposal.frame, marks=marks)
            if allowed:
                return replace(row, notes=(*row.notes, tr("you approved"))) if asked else row
            said = tr("not allowed: {why}", why=why)
            return replace(row, notes=(*row.notes, one_line(said)), tone="bad", verdict=tr("not done"))
        case Acted(_, action, _, error):
            if error:
                return replace(row, notes=(*row.notes, one_line(error)), tone="bad", verdict=tr("broken off"))
            return row if row.action else replace(row, action=action_words(action))
        case Verified(_, frame, verdict):
            told = one_line(verdict.evidence)
            notes = row.notes if told in row.notes else (*row.notes, told)
            return replace(
                row,
                after=frame,
                changed_px=verdict.changed_px,
                verdict=verdict_words(verdict.kind),
                tone=_TONES.get(verdict.kind, "plain"),
                notes=notes,
            )
        case _:
            return row


def _planned(row: Row, plan: object) -> Row:
    if isinstance(plan, Unreadable):
        said = tr("the planner's answer cannot be read: {why}", why=plan.reason)
        return replace(row, notes=(*row.notes, one_line(said)), tone="bad")
    actions = getattr(plan, "actions", ())
    action = getattr(plan, "described", "") or "; ".join(action_words(each) for each in actions)
    thought = one_line(getattr(plan, "thought", ""))
    return replace(row, thought=thought or row.thought, action=one_line(action) or row.action)


def _end(event: Ended, now_s: float) -> Row:
    outcome = event.outcome
    return Row(
        0,
        action=one_line(outcome.message),
        verdict=outcome_words(outcome.kind),
        tone="good" if outcome.kind == "done" else "bad",
        began_s=now_s,
        ended_s=now_s,
        frame=event.frame,
    )


_TONES: dict[VerdictKind, Tone] = {"confirmed": "good", "no visible effect": "bad"}


def verdict_words(kind: VerdictKind) -> str:
    """Say a verdict in the person's language."""
    return {
        "confirmed": tr("confirmed"),
        "changed elsewhere": tr("changed elsewhere"),
        "no visible effect": tr("no visible effect"),
        "unverifiable": tr("cannot be verified"),
    }[kind]


def outcome_words(kind: OutcomeKind) -> str:
    """Say how a run ended in the person's language."""
    return {
        "done": tr("done"),
        "failed": tr("failed"),
        "stopped": tr("stopped"),
        "limit": tr("limit reached"),
        "refused": tr("not allowed"),
        "error": tr("error"),
    }[kind]


def points_of(action: object) -> tuple[Point, ...]:
    """Return the pixels that an action goes to."""
    match action:
        case Click(at) | Scroll(at):
            points: tuple[object, ...] = (at,)
        case Drag(start, end):
            points = (start, end)
        case Move(to):
            points = (to,)
        case _:
            points = ()
    return tuple(point for point in points if isinstance(point, Point))
