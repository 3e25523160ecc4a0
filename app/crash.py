"""What is left on disk when the window dies, read at the next start. Nothing leaves the machine. Knows no Qt."""

import faulthandler
import logging
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO

_TAIL_BYTES = 6000
_MAX_ERRORS_BYTES = 200_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LastEnd:
    """How the run before ended: ``clean``, and otherwise what it left. ``report`` is empty after a mere kill."""

    clean: bool
    report: str


class CrashWatch:
    """Keeps the marks of a run in ``folder``: one while it lives, the interpreter's own last words, and errors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._alive = folder / "running"
        self._fault = folder / "fault.txt"
        self._errors = folder / "errors.txt"
        self._file: IO[str] | None = None
        self._on_error: Callable[[str], None] | None = None

    def begin(self, log_file: Path) -> LastEnd:
        """Say how the last run ended, and begin to watch this one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        ended = LastEnd(not self._alive.exists(), "")
        if not ended.clean and (words := self._words()):
            ended = LastEnd(False, _report(words, log_file))
        self._errors.unlink(missing_ok=True)
        self._alive.write_text(str(os.getpid()), encoding="utf-8")
        self._file = self._fault.open("w", encoding="utf-8")
        faulthandler.enable(self._file)
        return ended

    def hook(self, on_error: Callable[[str], None]) -> None:
        """Note every error that nobody caught, and hand its last line to ``on_error``, in whatever thread it is."""
        self._on_error = on_error
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread

    def end(self) -> None:
        """Note that this run ended as it should."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        self._on_error = None
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
        self._alive.unlink(missing_ok=True)

    def _words(self) -> str:
        found = [
            file.read_text(encoding="utf-8", errors="replace") for file in (self._fault, self._errors) if file.exists()
        ]
        return "\n".join(text.strip() for text in found if text.strip())

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self._note("".join(traceback.format_exception(kind, error, trace)), error)

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            name = args.thread.name if args.thread is not None else "a thread"
            text = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
            self._note(f"in {name}:\n{text}", args.exc_value)

    def _note(self, text: str, error: BaseException) -> None:
        _log.error("uncaught: %s", text)
        if not self._errors.exists() or self._errors.stat().st_size < _MAX_ERRORS_BYTES:
            with self._errors.open("a", encoding="utf-8") as out:
                out.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{text}\n")
        if self._on_error is not None:
            self._on_error(f"{type(error).__name__}: {error}")


def _report(words: str, log_file: Path) -> str:
    """Write what one would send with a bug: versions, last words, the end of the log. No settings, no chats."""
    return "\n".join(
        (
            f"Deskhand {_version('deskhand')}, PySide6 {_version('PySide6-Essentials')}, "
            f"Python {platform.python_version()}, {platform.system()} {platform.release()} {platform.machine()}",
            "",
            words[-_TAIL_BYTES:],
            "",
            "--- end of the log ---",
            tail(log_file),
        )
    )


def tail(file: Path, length: int = _TAIL_BYTES) -> str:
    """Return the last bytes of a text file, from the beginning of a line; empty when there is none."""
    try:
        with file.open("rb") as source:
            size = source.seek(0, os.SEEK_END)
            source.seek(max(0, size - length))
            text = source.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if size <= length else text.partition("\n")[2]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"
