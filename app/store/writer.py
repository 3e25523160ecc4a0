"""Puts an answer on disk while it comes, so that the end of the program costs its last moments only."""

import logging
import threading
import time

from app.store.errors import HistoryError
from app.store.history import History

FLUSH_S = 0.5

_log = logging.getLogger(__name__)


class AnswerWriter:
    """Takes an answer's pieces in any thread; every `FLUSH_S` what has come is written, also when nothing follows.

    The time of thinking runs from the first piece of it to the first piece of text. Close it when
    the answer is complete: it does not write the rest, as `Messages.finish` does that.
    """

    def __init__(self, history: History, message_id: int, text: str = "", thinking: str = "") -> None:
        self._history = history
        self._message_id = message_id
        self._text, self._thinking = [text], [thinking]
        self._changed = threading.Condition()
        self._dirty = self._closed = False
        self._thought_s: float | None = None
        self._thinking_ms = 0.0
        self._thread = threading.Thread(target=self._live, name="answer writer", daemon=True)
        self._thread.start()

    def add(self, text: str, thinking: str) -> None:
        """Take a piece."""
        with self._changed:
            if thinking:
                self._thought_s = self._thought_s or time.monotonic()
                self._thinking.append(thinking)
                self._thinking_ms = (time.monotonic() - self._thought_s) * 1000
            if text:
                self._text.append(text)
            if not self._dirty:
                self._dirty = True
                self._changed.notify()

    @property
    def text(self) -> str:
        """All text until now."""
        with self._changed:
            return _joined(self._text)

    @property
    def thinking(self) -> str:
        """All thinking until now."""
        with self._changed:
            return _joined(self._thinking)

    @property
    def thinking_ms(self) -> float:
        """How long the model has thought."""
        return self._thinking_ms

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _live(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dirty or self._closed)
                if self._closed:
                    return
                self._dirty = False
                text, thinking = _joined(self._text), _joined(self._thinking)
            try:
                self._history.messages.grow(self._message_id, text, thinking, self._thinking_ms)
            except HistoryError as error:
                # A full disk now need not be one when the answer is complete; that is when it is told.
                _log.info("an answer could not be written yet: %s", error)
            with self._changed:
                self._changed.wait_for(lambda: self._closed, FLUSH_S)


def _joined(pieces: list[str]) -> str:
    """Join the pieces, and leave them joined: the next time has less to do."""
    pieces[:] = ["".join(pieces)]
    return pieces[0]
