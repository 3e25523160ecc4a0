"""What the command line writes: results on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Mapping, Sequence


def emit(text: str) -> None:
    """Write one line of result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def emit_json(value: Mapping[str, object] | Sequence[Mapping[str, object]]) -> None:
    """Write one result as JSON."""
    emit(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def note(text: str) -> None:
    """Write one line for the person watching."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(text: str) -> None:
    """Write one line saying why the command ends."""
    note(f"deskhand: {' '.join(text.split())}")


def human_bytes(count: float) -> str:
    """Spell a number of bytes with a decimal unit."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(count) < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


class Progress:
    """A progress line on standard error for work that takes a while: redrawn on a terminal, a line a tenth else."""

    _PATIENCE_S = 1.5

    def __init__(self, title: str) -> None:
        self._title = title
        self._tenth = 0
        self._started = self._drawn = time.monotonic()
        self._begun = False

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        """Show how far the work is; say nothing about work that ends at once."""
        share = done_bytes / total_bytes if total_bytes else 1.0
        now = time.monotonic()
        if now - self._started < self._PATIENCE_S and not self._begun:
            return
        tenth = int(share * 10)
        if sys.stderr.isatty() and (share >= 1.0 or now - self._drawn > 0.1):
            self._drawn, self._begun = now, True
            end = "\n" if share >= 1.0 else ""
            sys.stderr.write(f"\r{self._title} {share:4.0%} of {human_bytes(total_bytes)} {end}")
            sys.stderr.flush()
        elif not sys.stderr.isatty() and tenth > self._tenth:
            self._tenth, self._begun = tenth, True
            note(f"{self._title} {share:.0%} of {human_bytes(total_bytes)}")
