"""One answer: asked for in a worker, stored while it comes, shown from a timer."""

import threading
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.store import AnswerWriter, History, HistoryError, StoredMessage
from app.ui.chat.answering import Answer, Job
from app.ui.tasks import Cancel, Task, Tasks

__all__ = ["Generation", "Job"]

SHOW_MS = 40
"""How often what has come is shown: more often costs more and looks the same."""

_CLOSE_S = 0.8


class Generation(QObject):
    """Runs one `Job`. ``arrived`` brings text and thinking in pieces, ``ended`` the message as it is stored.

    ``ended`` brings None when the message was deleted in the meantime.
    """

    arrived = Signal(str, str)
    ended = Signal(object)

    def __init__(self, history: History, tasks: Tasks, job: Job, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = job
        self._history = history
        self._pieces = _Pieces()
        self._finished = threading.Event()
        self._timer = QTimer(self)
        self._timer.setInterval(SHOW_MS)
        self._timer.timeout.connect(self._show)
        self._timer.start()
        self._task: Task = tasks.run(self._work, done=self._done, failed=self._failed)

    def stop(self) -> None:
        """End it and keep what has come."""
        self._task.stop()

    def close(self) -> None:
        """End it because the window closes; wait a little until it is stored."""
        self._task.stop()
        self._timer.stop()
        self._finished.wait(_CLOSE_S)
        self._task.cancel()

    def _show(self) -> None:
        text, thinking = self._pieces.take()
        if text or thinking:
            self.arrived.emit(text, thinking)

    def _done(self, message: StoredMessage | None) -> None:
        self._timer.stop()
        self._show()
        self.ended.emit(message)

    def _failed(self, error: Exception) -> None:
        # The disk would not take it: the reason is shown all the same.
        content = replace(self.job.message.content, state="failed", error=str(error))
        self._done(replace(self.job.message, content=content))

    def _work(self, cancel: Cancel) -> StoredMessage | None:
        content = self.job.message.content
        writer = AnswerWriter(self._history, self.job.message.id, content.text, content.thinking)

        def add(text: str, thinking: str) -> None:
            self._pieces.add(text, thinking)
            writer.add(text, thinking)

        try:
            try:
                answer = Answer(self._history, self.job, add, cancel.event).run(lambda: writer.thinking_ms)
            finally:
                writer.close()
            return self._history.messages.finish(self.job.message.id, answer)
        except HistoryError:
            if cancel.is_set:
                return None
            raise
        finally:
            self._finished.set()


class _Pieces:
    """What has come and is not shown yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._text: list[str] = []
        self._thinking: list[str] = []

    def add(self, text: str, thinking: str) -> None:
        with self._lock:
            if text:
                self._text.append(text)
            if thinking:
                self._thinking.append(thinking)

    def take(self) -> tuple[str, str]:
        with self._lock:
            taken = "".join(self._text), "".join(self._thinking)
            self._text.clear()
            self._thinking.clear()
            return taken
