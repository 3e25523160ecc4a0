"""Work beside the window: threads that answer in the window's own."""

import inspect
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

_CLOSE_S = 3.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Cancel:
    """What work gets to look at and to talk to: ``event`` says stop, `report` hands progress to the window."""

    def __init__(self, report: Callable[[object], None]) -> None:
        self.event = threading.Event()
        self._report = report

    @property
    def is_set(self) -> bool:
        """Whether the work should end."""
        return self.event.is_set()

    def report(self, value: object) -> None:
        """Hand a value to the ``progress`` callback."""
        self._report(value)


class Task:
    """One piece of work that was begun."""

    def __init__(self) -> None:
        self._cancel: Cancel | None = None
        self._silent = False
        self.finished = False
        self._ended = threading.Event()

    def wait(self, limit_s: float) -> bool:
        """Wait, on another worker's thread, until the work itself has ended; say whether it has."""
        return self._ended.wait(limit_s)

    def cancel(self) -> None:
        """Ask the work to end, and hear nothing of it any more: no callback comes after this."""
        self._silent = True
        self.stop()

    def stop(self) -> None:
        """Ask the work to end; its callbacks still come."""
        if self._cancel is not None:
            self._cancel.event.set()

    @property
    def silent(self) -> bool:
        """Whether nobody wants to hear of it any more."""
        return self._silent


@dataclass(frozen=True, slots=True)
class _Letter:
    """A call to be made in the window's thread."""

    task: Task
    callback: Callable[[Any], None] | None
    value: object
    last: bool


class Tasks(QObject):
    """Runs each piece of work in a thread of its own, and calls back in the window's thread.

    ``failed_unheard`` carries the text of an error that nobody asked to be told of.
    """

    failed_unheard = Signal(str)
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: dict[Task, threading.Thread] = {}
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[Cancel], T],
        *,
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
        progress: Callable[[object], None] | None = None,
    ) -> Task:
        """Begin ``work(cancel)``; exactly one of ``done`` and ``failed`` follows, unless it is cancelled.

        Callbacks that are methods of a QObject are dropped when that object has been deleted.
        """
        task = Task()

        def report(value: object) -> None:
            self._send(_Letter(task, progress, value, last=False))

        def live() -> None:
            try:
                letter = _Letter(task, done, work(cancel), last=True)
            except Exception as error:  # noqa: BLE001 - the border between a worker and the window
                letter = _Letter(task, failed or self._unheard, error, last=True)
            task._ended.set()
            self._send(letter)

        cancel = Cancel(report)
        task._cancel = cancel
        if self._closed:
            task.cancel()
            task._ended.set()
            return task
        thread = threading.Thread(target=live, name=f"task {getattr(work, '__name__', 'work')}", daemon=True)
        self._running[task] = thread
        thread.start()
        return task

    @property
    def count(self) -> int:
        """How many pieces of work have not ended."""
        return len(self._running)

    def close(self) -> None:
        """Cancel everything and wait a little for it; nothing is called back any more."""
        self._closed = True
        for task in tuple(self._running):
            task.cancel()
        until = time.monotonic() + _CLOSE_S
        for thread in tuple(self._running.values()):
            thread.join(max(0.0, until - time.monotonic()))
        self._running.clear()

    def _send(self, letter: _Letter) -> None:
        # Both may have gone while the work went on: the object, and the interpreter's will to go on.
        if not self._closed and isValid(self):
            self._arrived.emit(letter)

    def _deliver(self, letter: _Letter) -> None:
        if letter.last:
            letter.task.finished = True
            if thread := self._running.pop(letter.task, None):
                thread.join()
        if letter.callback is None or letter.task.silent or not _alive(letter.callback):
            return
        letter.callback(letter.value)

    def _unheard(self, error: Exception) -> None:
        _log.error("work failed: %s", error, exc_info=error)
        self.failed_unheard.emit(str(error))


def _alive(callback: Callable[[Any], None]) -> bool:
    owner = getattr(callback, "__self__", None) if inspect.ismethod(callback) else None
    return not isinstance(owner, QObject) or isValid(owner)
