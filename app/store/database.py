"""One SQLite file, used from many threads: one writes at a time, and searching never waits for that."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.store.errors import HistoryError
from app.store.schema import migrate

_BUSY_S = 5.0


class Database:
    """A migrated file. Close it after use.

    What is committed survives the end of the process at once (WAL); a power cut can take the last
    moments. Raises `HistoryError` for a file that is newer or broken, and leaves it as it is.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._writing = False
        self._reading, self._searching = threading.Lock(), threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._writer = _connect(file)
            try:
                self.version_before = migrate(self._writer)
                _check(self._writer)
                self._reader, self._searcher = _connect(file), _connect(file)
            except BaseException:
                self._writer.close()
                raise
        except sqlite3.Error as error:
            raise HistoryError(f"the history in {file} cannot be opened", why=str(error)) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Hold a transaction; it is committed at the end of the block, or undone by an exception."""
        with self._lock:
            if self._writing:
                yield self._writer
                return
            self._writing = True
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo()
                raise HistoryError(f"the history in {self.file} cannot be written", why=str(error)) from error
            except BaseException:
                self._undo()
                raise
            finally:
                self._writing = False

    def _undo(self) -> None:
        # Without a transaction there is nothing to undo, nor when the file has been closed in the meantime.
        with suppress(sqlite3.Error):
            self._writer.execute("ROLLBACK")

    @contextmanager
    def read(self, *, slow: bool = False) -> Iterator[sqlite3.Connection]:
        """Hold the connection that reads; what was committed before is seen.

        What takes long says ``slow``, and the window does not wait for it.
        """
        lock, connection = (self._searching, self._searcher) if slow else (self._reading, self._reader)
        with lock:
            try:
                yield connection
            except sqlite3.Error as error:
                raise HistoryError(f"the history in {self.file} cannot be read", why=str(error)) from error

    def close(self) -> None:
        """Close the file; what comes later raises `HistoryError`."""
        with self._lock, self._reading, self._searching:
            self._searcher.close()
            self._reader.close()
            self._writer.close()


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")
    return connection


def _check(connection: sqlite3.Connection) -> None:
    # The whole check reads every page; this one sees a file that is torn or not one, in milliseconds.
    for table in ("conversations", "messages", "attachments", "drafts"):
        connection.execute(f"SELECT * FROM {table} ORDER BY 1 LIMIT 1").fetchall()  # noqa: S608 - our own names
    connection.execute("SELECT count(*) FROM search_terms WHERE term = 'abc'").fetchall()


def set_aside(file: Path) -> Path:
    """Rename a history that cannot be used, with what belongs to it; return where it is now."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = file.with_name(f"{file.stem}.aside-{stamp}{file.suffix}")
    number = 1
    while aside.exists():
        number += 1
        aside = file.with_name(f"{file.stem}.aside-{stamp}-{number}{file.suffix}")
    for ending in ("", "-wal", "-shm"):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside
