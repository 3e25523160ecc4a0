"""How one run of the engine's process is watched, from its start to its end."""

import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model.process.run import ChildRun
from model.wire import Json

STOP: Json = {"event": "stop"}

_ROOT = Path(__file__).resolve().parents[2]
_TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class Supervision:
    """When to give up. Seconds, but for the counts.

    A process that dies is started again after a pause that doubles from ``first_pause_s``; after
    ``max_crashes`` within ``crash_window_s`` no more. One that does not answer ``/health``
    ``max_missed`` times in a row counts as dead.
    """

    start_timeout_s: float = 1800.0
    health_interval_s: float = 5.0
    health_timeout_s: float = 10.0
    max_missed: int = 3
    first_pause_s: float = 0.2
    longest_pause_s: float = 30.0
    max_crashes: int = 5
    crash_window_s: float = 600.0


def attend(
    run: ChildRun,
    rules: Supervision,
    stopping: threading.Event,
    on_progress: Callable[[str], None],
    on_ready: Callable[[ChildRun, str], None],
) -> tuple[bool, str]:
    """Follow a process until it ends, is to be stopped, or is hopeless.

    Returns whether it was ever ready, and the reason of its end where this loop knows one.
    ``on_ready`` gets the run and the name of its model.
    """
    now = time.monotonic
    ready, missed = False, 0
    give_up_s, check_s = now() + rules.start_timeout_s, 0.0
    while not (run.ended() or stopping.is_set()):
        try:
            event = run.events.get(timeout=_TICK_S)
        except queue.Empty:
            event = {}
        match event:
            case {"event": "listening", "port": int() as port}:
                run.port = port
            case {"event": "progress", "message": str() as text}:
                on_progress(text)
            case {"event": "failed", "message": str() as text}:
                return ready, text
            case {"event": "ready", "model": str() as name}:
                ready, check_s = True, now() + rules.health_interval_s
                on_ready(run, name)
        if not ready and now() > give_up_s:
            return ready, f"it was not ready after {rules.start_timeout_s:g} s"
        if ready and now() > check_s:
            missed = 0 if run.healthy(rules.health_timeout_s) else missed + 1
            check_s = now() + rules.health_interval_s
            if missed >= rules.max_missed and not run.ended():
                run.kill()
                return ready, f"it ran, but did not answer {missed} times in a row"
    return ready, ""


def last_words(run: ChildRun) -> str:
    """Return the reason that an ended process announced and nobody has read yet, or nothing."""
    why = ""
    while not run.events.empty():
        event = run.events.get()
        if event["event"] == "failed":
            why = str(event.get("message", ""))
    return why


def child_environment() -> dict[str, str]:
    """Return our environment, with the folder our packages lie in on Python's path."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
