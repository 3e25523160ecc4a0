"""How fast a run goes and how long it will take yet. Knows no Qt."""

import time
from collections import deque
from collections.abc import Callable

from app.translate import tr

_WINDOW_S = 30.0
_LEAST_S = 1.0


class Pace:
    """Rate of the last half minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def restart(self) -> None:
        """Forget what was: after a pause it would make the run look slow."""
        self._seen.clear()

    def see(self, done: int) -> None:
        """Note how many rows are done now."""
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def rows_per_s(self) -> float | None:
        """The rate; None while it is not known."""
        if len(self._seen) < 2:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - began) if now - began >= _LEAST_S and last > first else None

    def words(self, left: int) -> str:
        """Say the rate and the time that so many rows will take."""
        rate = self.rows_per_s
        if rate is None:
            return ""
        shown = tr("{rate} rows a second", rate=f"{rate:.1f}") if rate >= 1 else ""
        shown = shown or tr("{rate} rows a minute", rate=f"{60 * rate:.1f}")
        return f"{shown} · {time_left(left / rate)}" if left > 0 else shown


def time_left(seconds: float) -> str:
    """Say how long it will take, no finer than is known."""
    if seconds < 60:
        return tr("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("about {minutes} min left", minutes=minutes)
    return tr("about {hours} h left", hours=f"{minutes / 60:.1f}")
