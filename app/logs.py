"""The app's log: a file that does not grow without end, and the last lines in memory for the viewer. Knows no Qt."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

_MAX_BYTES = 2 << 20
_KEPT_LINES = 4000
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry; ``level`` is one of `logging`'s numbers."""

    level: int
    text: str


class Logbook(logging.Handler):
    """Keeps the last lines, and hands each new one to ``on_line``, in the thread that wrote it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
        self._kept: deque[LogLine] = deque(maxlen=_KEPT_LINES)
        self._guard = threading.Lock()
        self.on_line: Callable[[LogLine], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        line = LogLine(record.levelno, self.format(record))
        with self._guard:
            self._kept.append(line)
        if self.on_line is not None:
            self.on_line(line)

    def lines(self, level: int = logging.NOTSET) -> list[LogLine]:
        """Return what is kept, from ``level`` upwards."""
        with self._guard:
            return [line for line in self._kept if line.level >= level]


def open_log(file: Path) -> tuple[Logbook, Callable[[], None]]:
    """Begin to write the log into ``file``; return the logbook, and what ends it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = RotatingFileHandler(file, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8")
    writer.setFormatter(logging.Formatter(_FORMAT))
    writer.setLevel(logging.INFO)
    book = Logbook()
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    root.addHandler(writer)
    root.addHandler(book)

    def close() -> None:
        root.removeHandler(writer)
        root.removeHandler(book)
        root.setLevel(before)
        writer.close()

    return book, close
