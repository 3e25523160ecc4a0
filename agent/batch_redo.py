"""Second answers for lines of a result file, kept beside it until all are there."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


class Redo:
    """The file ``NAME.redo`` beside a result file: a JSON line ``[line number, whole line]`` an answer.

    Written like the result file itself, so a killed process loses at most the answers in flight.
    """

    def __init__(self, results: Path) -> None:
        self._results = results
        self._path = results.with_name(results.name + ".redo")
        self.lines: dict[int, bytes] = {}

    def load(self) -> frozenset[int]:
        """Read what an earlier run left; return the numbers of the lines that need no further try."""
        if self._path.is_file():
            for line in self._path.read_bytes().splitlines():
                try:
                    number, text = json.loads(line)
                    status = json.loads(text)["status"]
                except (ValueError, TypeError, KeyError):
                    continue  # torn when the process was killed
                if status != "failed":
                    self.lines[number] = text.encode() + b"\n"
        return frozenset(self.lines)

    def add(self, number: int, line: bytes) -> None:
        """Keep a line; raises OSError when the disk does not take it."""
        self.lines[number] = line
        # The break comes first: what stands before may be torn.
        with self._path.open("ab") as file:
            file.write(b"\n" + json.dumps([number, line.decode().rstrip("\n")]).encode() + b"\n")

    def merge(self, lock: Callable[[IO[bytes]], None]) -> IO[bytes]:
        """Replace the results by a file with the new lines in their places; return it, locked and open at its end."""
        new = self._results.with_name(self._results.name + ".new")
        with new.open("wb") as file:
            lock(file)
            with self._results.open("rb") as old:
                for number, line in enumerate(old, start=1):
                    file.write(self.lines.get(number, line))
            file.flush()
            os.fsync(file.fileno())
            new.replace(self._results)
        self._path.unlink(missing_ok=True)
        self.lines = {}
        merged = self._results.open("a+b", buffering=0)
        lock(merged)
        return merged
