"""The result file of a batch: JSON lines, only ever appended to, taken up again after any end.

A row's line is written with one call once its answer is there, so a killed process loses at most the rows
in flight, and leaves at most one line torn. Lines hold no times: an interrupted run that was taken up
again ends in the same bytes as one that was not. Rows that failed are asked again by the next run; their
new lines wait in a file beside this one (``.redo``) and take the old ones' places once all are there.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from agent.batch import Result, Row
from agent.batch_redo import Redo
from model.errors import InputError, ResourceError

_SYNC_S = 1.0


class ResultFile:
    """An open result file. ``settings`` (the model, how it was asked) stand in every line.

    Raises `InputError` for a file that exists already, unless ``resume``, and for one that another run writes.
    """

    def __init__(self, path: Path, settings: dict[str, object], *, resume: bool = False) -> None:
        self.path = path
        self.again: list[Row] = []
        """Rows that failed before, set by `skip_done`; their results come first, in this order."""
        self._again_lines: list[int] = []
        self._redo = Redo(path)
        self._settings = settings
        self._synced = time.monotonic()
        try:
            self._file: IO[bytes] = path.open("a+b", buffering=0)
        except OSError as error:
            raise InputError(f"{path} cannot be written", why=str(error), remedy="choose another --out") from error
        try:
            _lock(self._file, path)
            if self._file.seek(0, os.SEEK_END) and not resume:
                raise InputError(f"{path} exists already", remedy="go on with it by --resume, or choose another --out")
            self._drop_torn_line()
        except BaseException:
            self._file.close()
            raise

    def skip_done(self, rows: Iterator[Row]) -> int:
        """Take the rows whose lines are there off the iterator; return how many, less those to ask ``again``.

        Raises `InputError` when a line is not of the row in its place, or was made with other settings: the
        file would then be of no single run.
        """
        done = 0
        mended = self._redo.load()
        with self.path.open("rb") as lines:
            for done, line in enumerate(lines, start=1):
                row = next(rows, None)
                if row is None:
                    raise self._foreign(done, "the input has fewer rows than it has lines")
                try:
                    entry = json.loads(line)
                except ValueError:
                    raise self._foreign(done, "the line is not JSON") from None
                if not isinstance(entry, dict):
                    raise self._foreign(done, "the line is not a result")
                for key, value in {**_asked(row), **self._settings}.items():
                    if entry.get(key) != value:
                        raise self._foreign(done, f"its {key} is {entry.get(key)!r}, but is {value!r} now")
                if entry.get("status") == "failed" and done not in mended:
                    self.again.append(row)
                    self._again_lines.append(done)
        left = len(self.again)
        self._settle()
        return done - left

    def append(self, result: Result) -> None:
        """Write one line; raise `ResourceError` when the disk does not take it."""
        data = json.dumps(result_json(result) | self._settings, ensure_ascii=False).encode() + b"\n"
        try:
            if self._again_lines:
                self._redo.add(self._again_lines.pop(0), data)
                self._settle()
                return
            while data:
                data = data[self._file.write(data) :]
            if time.monotonic() - self._synced > _SYNC_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise ResourceError(
                f"{self.path} cannot be written", why=str(error), remedy="make room, then go on with --resume"
            ) from error

    def _settle(self) -> None:
        """Put mended lines in their places once none is missing."""
        if self._again_lines or not self._redo.lines:
            return
        mended = self._redo.merge(lambda file: _lock(file, self.path))
        self._file.close()
        self._file = mended

    def sync(self) -> None:
        """Return once every line is on disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; everything is on disk then."""
        if not self._file.closed:
            self.sync()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _drop_torn_line(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        at, tail = size, b""
        while at > 0 and b"\n" not in tail:
            at = max(0, at - 65536)
            self._file.seek(at)
            tail = self._file.read(size - at)
        keep = at + tail.rfind(b"\n") + 1
        if keep < size:
            self._file.truncate(keep)

    def _foreign(self, line: int, why: str) -> InputError:
        return InputError(
            f"{self.path} cannot be taken up again: line {line} is not what this run would write",
            why=why,
            remedy="give the same input and options as before, or choose another --out",
        )


def _asked(row: Row) -> dict[str, object]:
    return {"id": _plain(row.id), "image": _plain(row.image_name), "instruction": _plain(row.instruction)}


def _plain(text: str) -> str:
    """Spell out half characters, which neither UTF-8 nor Parquet can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def result_json(result: Result) -> dict[str, object]:
    """Return a result as the fields of its line; `agent.predictions` reads them."""
    return {
        **_asked(result.row),
        "status": result.status,
        "point_px": list(result.point_px) if result.point_px else None,
        "point_rel": list(result.point_rel) if result.point_rel else None,
        "size_px": list(result.size_px) if result.size_px else None,
        "looks": result.looks,
        "answer": _plain(result.answer),
        "reason": _plain(result.reason),
        **({} if result.agreement is None else {"agreement": round(result.agreement, 4)}),
    }


def _lock(file: IO[bytes], path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return  # Windows; there the second run is the person's to avoid
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{path} is being written by another run", remedy="wait for it, or stop it") from None
