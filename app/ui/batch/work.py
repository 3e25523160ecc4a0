"""A run of a batch, and reading one back: what happens in the worker's thread. Knows no Qt.

What comes of it is put into an `Inbox`, which the page empties a few times a second.
"""

import csv
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from agent.batch import Row, ground
from agent.batch_marks import TimesFile
from agent.batch_output import ResultFile
from agent.datasets import Dataset, Item
from app.ui.batch.entry import Entry, entry_of, entry_of_line
from app.ui.batch.record import Record
from app.ui.batch.source import open_rows, open_set
from app.ui.batch.steady import Gate, SteadyModel
from model.errors import CancelledByCallerError, InputError
from model.image import open_image

if TYPE_CHECKING:
    from app.batch_model import Opened
    from app.ui.tasks import Cancel

_SAVE_S = 2.0
_FAILURES_IN_A_ROW = 20


@dataclass(slots=True)
class News:
    """What has happened since the page looked: new entries, changed ones, and the record as it is now."""

    added: list[Entry] = field(default_factory=list)
    changed: list[Entry] = field(default_factory=list)
    record: Record | None = None
    message: str | None = None
    problems: list[str] | None = None


class Inbox:
    """Collects news between two threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = News()

    def put(self, entry: Entry, *, changed: bool = False) -> None:
        """Add an entry, or one in the place of another with its index."""
        with self._lock:
            (self._news.changed if changed else self._news.added).append(entry)

    def tell(self, record: Record | None = None, message: str | None = None, problems: list[str] | None = None) -> None:
        """Say how far it is, or what is going on."""
        with self._lock:
            self._news.record = record or self._news.record
            self._news.message = self._news.message if message is None else message
            self._news.problems = self._news.problems if problems is None else problems

    def take(self) -> News:
        """Return everything since the last time."""
        with self._lock:
            news, self._news = self._news, News()
        return news


class _Counts:
    """Keeps a record's figures."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.correct = self.judged = 0

    def add(self, entry: Entry, times: int = 1) -> None:
        self.statuses[entry.status] += times
        self.judged += times * bool(entry.verdict)
        self.correct += times * (entry.verdict == "correct")

    def on(self, record: Record, done: int) -> Record:
        return replace(record, done=done, counts=dict(+self.statuses), correct=self.correct, judged=self.judged)


def read_back(record: Record, inbox: Inbox, cancel: "Cancel") -> list[Entry]:
    """Put every entry of a run into the inbox, and return them. Raises `InputError` when the input is gone.

    Without the input entries have neither pictures nor right answers; they are put there before it is raised.
    """
    try:
        return _read_back(record, inbox, cancel, _dataset(record, inbox))
    except InputError:
        inbox.take()
        _read_lines(record, inbox, cancel, {}, iter(()))
        raise


def _dataset(record: Record, inbox: Inbox) -> Dataset | None:
    dataset = open_set(record.source)
    if dataset is not None and dataset.problems:
        inbox.tell(problems=[str(problem) for problem in dataset.problems])
    return dataset


def _read_back(record: Record, inbox: Inbox, cancel: "Cancel", dataset: Dataset | None) -> list[Entry]:
    return _read_lines(record, inbox, cancel, _items(dataset), open_rows(record.source, dataset))


def _read_lines(
    record: Record, inbox: Inbox, cancel: "Cancel", items: dict[str, Item], rows: Iterator[Row]
) -> list[Entry]:
    found: list[Entry] = []
    if not record.results.exists():
        return found
    times = _times(record)
    with record.results.open("rb") as lines:
        for index, line in enumerate(lines):
            if cancel.is_set or not line.endswith(b"\n"):
                break
            values = json.loads(line)
            name = str(values.get("id", ""))
            entry = entry_of_line(index, values, next(rows, None), items.get(name), times.get(name))
            found.append(entry)
            inbox.put(entry)
    return found


def _items(dataset: Dataset | None) -> dict[str, Item]:
    return {} if dataset is None else {item.id: item for item in dataset}


def _times(record: Record) -> dict[str, float]:
    found: dict[str, float] = {}
    if record.times.exists():
        with record.times.open(encoding="utf-8", newline="", errors="replace") as file:
            for line in csv.reader(file):
                try:
                    found[line[0]] = float(line[2])
                except (IndexError, ValueError):
                    continue
    return found


@dataclass(frozen=True, slots=True)
class Control:
    """What the page holds a run by. ``died`` gets the reason when the engine's process has ended."""

    inbox: Inbox
    gate: Gate


def run(
    record: Record, open_model: Callable[[], "AbstractContextManager[Opened]"], control: Control, cancel: "Cancel"
) -> Record:
    """Carry a run on to its end, or until it is cancelled; return the record as it then is.

    Raises what `ground` and `ResultFile` do, after the record has been saved as "failed" with the reason.
    """
    keeper = _Keeper(record, control.inbox)
    try:
        _run(keeper, open_model, control, cancel)
    except CancelledByCallerError:
        return keeper.end("stopped")
    except Exception as error:
        keeper.end("failed", str(error))
        raise
    return keeper.end("done")


def _run(
    keeper: "_Keeper", open_model: Callable[[], "AbstractContextManager[Opened]"], control: Control, cancel: "Cancel"
) -> None:
    record, inbox = keeper.record, control.inbox
    record.folder.mkdir(parents=True, exist_ok=True)
    dataset = _dataset(record, inbox)
    items = _items(dataset)
    with open_model() as opened, ResultFile(record.results, record.settings, resume=True) as out:
        rows = open_rows(record.source, dataset)
        out.skip_done(rows)
        before = _read_back(record, inbox, cancel, dataset)
        if cancel.is_set:
            raise CancelledByCallerError("the run was stopped", remedy="resume it")
        for entry in before:
            keeper.counts.add(entry)
        keeper.done = len(before) - len(out.again)
        keeper.total = len(dataset) if dataset is not None else _count(open_rows(record.source), cancel)
        keeper.save()
        again = {_key(entry): entry for entry in before if entry.status == "failed"}
        model = SteadyModel(opened.model, control.gate, lambda why: inbox.tell(message=why))
        results = ground(
            chain(list(out.again), rows),
            model,
            open_image,
            opened.options,
            votes=record.votes,
            workers=record.workers,
            failures_in_a_row=_FAILURES_IN_A_ROW if record.endpoint else 0,
            cancel=cancel.event,
        )
        index = len(before)
        with TimesFile(record.times) as times:
            for result in results:
                out.append(result)
                times.append(result)
                old = again.pop((result.row.id, result.row.image_name, result.row.instruction), None)
                entry = entry_of(index if old is None else old.index, result, items.get(result.row.id))
                index += old is None
                keeper.answered(entry, old)


def _key(entry: Entry) -> tuple[str, str, str]:
    return entry.id, entry.image_name, entry.instruction


def _count(rows: Iterator[Row], cancel: "Cancel") -> int:
    count = 0
    for _row in rows:
        count += 1
        if cancel.is_set:
            break
    return count


class _Keeper:
    """Keeps the record true while a run goes on."""

    def __init__(self, record: Record, inbox: Inbox) -> None:
        self.record = replace(record, state="running", reason="")
        self.counts = _Counts()
        self.done = record.done
        self.total = record.total
        self._inbox = inbox
        self._saved_s = 0.0
        self._is_counted = False

    def answered(self, entry: Entry, old: Entry | None) -> None:
        """Take in an entry, in the place of the one that had failed before."""
        if old is not None:
            self.counts.add(old, -1)
        self.counts.add(entry)
        self.done += 1
        self._inbox.put(entry, changed=old is not None)
        self._update()
        if time.monotonic() - self._saved_s > _SAVE_S:
            self.save()

    def save(self) -> None:
        """Write the record, now that the rows are known."""
        self._is_counted = True
        self._update()
        self.record.save()
        self._saved_s = time.monotonic()

    def end(self, state: str, reason: str = "") -> Record:
        """Write how it ended."""
        if self._is_counted:
            self._update()
        self.record = replace(self.record, state=state, reason=reason)  # pyright: ignore[reportArgumentType] - ours
        self.record.save()
        self._inbox.tell(record=self.record)
        return self.record

    def _update(self) -> None:
        self.record = self.counts.on(replace(self.record, total=max(self.total, self.done)), self.done)
        self._inbox.tell(record=self.record)
