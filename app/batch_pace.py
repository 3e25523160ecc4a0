"""How fast a batch goes, told on standard error every few seconds."""

import time
from collections.abc import Callable

from app.output import note

_EVERY_S = 5.0


class Pace:
    """Count rows; every few seconds say how many are done, how many a second of late, and what went wrong."""

    def __init__(self, retried: Callable[[], int] = lambda: 0) -> None:
        self._retried = retried
        self._done = self._failed = self._told_done = 0
        self._told_s = time.monotonic()

    def __call__(self, failed: bool = False) -> None:
        """Count one row."""
        self._done += 1
        self._failed += failed
        now = time.monotonic()
        if now - self._told_s < _EVERY_S:
            return
        rate = (self._done - self._told_done) / (now - self._told_s)
        trouble = "".join(
            f", {count} {said}" for count, said in ((self._retried(), "asked again"), (self._failed, "failed")) if count
        )
        note(f"{self._done} rows, {rate:.1f} rows/s{trouble}")
        self._told_s, self._told_done = now, self._done
