"""Stop and pause: one switch that every thread, watcher, window and signal handler of a run may turn."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from agent.errors import PersonActingError, StoppedError

PERSON = "person"
"""Who pauses when somebody uses the mouse or the keyboard."""

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Cancel(threading.Event):
    """An Event that a signal handler may set while the code that it interrupts waits for it.

    The library's own one is built on a lock that its holder cannot take twice. Once set, it stays set.
    """

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition(threading.RLock())
        self._set = False

    def is_set(self) -> bool:
        """Say whether it is set."""
        return self._set

    def set(self) -> None:
        """Set it and wake everybody who waits."""
        self._set = True
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Refuse: a run that was stopped does not go on. Raises RuntimeError."""
        raise RuntimeError("a stop cannot be taken back; begin a new run")

    def wait(self, timeout: float | None = None) -> bool:
        """Return once it is set, or say after ``timeout`` seconds that it is not."""
        with self._changed:
            return self._changed.wait_for(self.is_set, timeout)


class StopSwitch:
    """Stop a run for good, or pause it until it is resumed. Safe from any thread and signal handler.

    ``cancel`` is set by a stop, for what takes a `threading.Event`. Each pause has an owner, so that
    the end of a person's mouse movement does not undo the pause button.
    """

    def __init__(self) -> None:
        self.cancel = Cancel()
        self._changed = threading.Condition(threading.RLock())
        self._stopped: str | None = None
        self._pauses: dict[str, str] = {}
        self._paused_at_s = 0.0
        self._paused_s = 0.0
        self._asking = 0
        self._touched_at_s = float("-inf")

    @property
    def stopped(self) -> bool:
        """Say whether the run was stopped."""
        return self._stopped is not None

    @property
    def paused(self) -> bool:
        """Say whether somebody has paused the run."""
        return bool(self._pauses)

    def paused_by(self, owner: str = "user") -> bool:
        """Say whether this owner has paused the run."""
        return owner in self._pauses

    @property
    def reason(self) -> str:
        """Say why the run is stopped or paused; empty while it goes on."""
        with self._changed:
            return self._stopped or next(iter(self._pauses.values()), "")

    @property
    def paused_s(self) -> float:
        """Return for how many seconds in all the run was paused."""
        with self._changed:
            return self._paused_s + (time.monotonic() - self._paused_at_s if self._pauses else 0.0)

    def stop(self, reason: str) -> None:
        """Stop the run; the first reason stays."""
        # Before any lock is taken: from here on, no check lets anything through.
        if self._stopped is None:
            self._stopped = reason or "the run was stopped"
        self.cancel.set()
        with self._changed:
            self._changed.notify_all()

    def pause(self, reason: str, owner: str = "user") -> None:
        """Let nothing happen until the same owner, or everybody, resumes."""
        with self._changed:
            if not self._pauses:
                self._paused_at_s = time.monotonic()
            self._pauses.setdefault(owner, reason or "the run is paused")
            self._changed.notify_all()

    def resume(self, owner: str | None = None) -> None:
        """Take an owner's pause back; without one, all of them."""
        with self._changed:
            if not self._pauses:
                return
            if owner is None:
                self._pauses.clear()
            else:
                self._pauses.pop(owner, None)
            if not self._pauses:
                self._paused_s += time.monotonic() - self._paused_at_s
            self._changed.notify_all()

    def person_acts(self, reason: str) -> None:
        """Pause because a person uses the mouse or the keyboard; not while that person is being asked."""
        with self._changed:
            self._touched_at_s = time.monotonic()
            if not self._asking:
                self.pause(reason, PERSON)

    @property
    def quiet_s(self) -> float:
        """Return for how many seconds no person has been seen to act; infinite if none ever was."""
        with self._changed:
            return time.monotonic() - self._touched_at_s

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Let a person use the mouse during a block without pausing the run, to answer it."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1

    def check(self) -> None:
        """Return if the run may go on, at once.

        Raises StoppedError after a stop and PersonActingError during a pause.
        """
        if self._stopped is not None:
            raise StoppedError("the run was stopped", why=self._stopped)
        if self._pauses:
            raise PersonActingError("the run is paused", why=self.reason, remedy="resume it")

    def wait(self, seconds: float) -> None:
        """Let time pass. Raises as `check` does, as soon as there is a reason to."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or self.paused, max(0.0, seconds))
            self.check()

    def wait_for_resume(self, limit_s: float | None = None) -> bool:
        """Return True once nobody pauses the run, False after ``limit_s``. Raises StoppedError."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or not self.paused, limit_s)
            if self._stopped is not None:
                self.check()
            return not self.paused

    def wait_for_quiet(self, quiet_s: float, limit_s: float) -> bool:
        """Say whether a person let go for ``quiet_s`` within ``limit_s``. Raises StoppedError."""
        end = time.monotonic() + limit_s
        while (missing := quiet_s - self.quiet_s) > 0:
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self.cancel.wait(min(missing, left)):
                self.check()
        return True


@contextmanager
def stopping_on_signals(switch: StopSwitch) -> Iterator[None]:
    """Let Ctrl+C and the system's requests to end stop the run during a block; the second one ends the process.

    Signals can only be handled from the main thread; elsewhere this does nothing.
    """
    handled: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def put_back() -> None:
        for number, previous in handled.items():
            signal.signal(number, signal.SIG_DFL if previous is None else previous)

    def on_signal(number: int, frame: FrameType | None) -> None:
        put_back()
        switch.stop(f"{signal.Signals(number).name} was received")

    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            handled[number] = signal.signal(number, on_signal)
    try:
        yield
    finally:
        put_back()
