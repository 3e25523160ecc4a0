"""Stop drills: in every phase, by every way, nothing is injected later than 100 ms after, and nothing stays held.

Times are the X server's own, of every event that it was given, whoever received it.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.episode import Ended, Outcome
from agent.hands.release import release_everything
from agent.stop import StopSwitch
from agent.trace import read_trace
from agent.types import Rect
from agent.x11.connection import XConnection
from tests.x11.drills import LIMIT_S, PHASES, Drill, Injected, Phase, drill, held
from tests.x11.programs import target
from tests.x11.test_watch import CTRL, ESCAPE, SHIFT, Input

ROOT = Path(__file__).resolve().parents[2]
LATEST_MS = 100
"""The promise: no event is injected later than this after a stop."""


@pytest.fixture(scope="module")
def pad_px(display: str, home: Path) -> Iterator[Rect]:
    with target("pad", display, home) as running:
        left, top, width, height = running.rect
        yield Rect(left, top, left + width, top + height)


@pytest.fixture(autouse=True)
def pointer_away(display: str) -> Iterator[None]:
    with XConnection(display) as x:
        x.core.WarpPointer(0, x.root, 0, 0, 0, 0, 400, 20)
        x.sync()
    yield
    release_everything(display)


def wait_for_phase(phase: Phase, reached: threading.Event, injected: Injected) -> None:
    """Return in the middle of a phase; those of the hands are seen by what they inject."""
    if phase == "typing":
        injected.wait_for("key down", 20)
    elif phase == "dragging":
        injected.wait_for("button down", 2)
    else:
        assert reached.wait(LIMIT_S), phase


def late_ms(injected: Injected, stopped_ms: float) -> float:
    """Return how long after the stop the last event was injected; negative when none was."""
    times = [event.time_ms for event in injected.by_program()]
    return max(times) - stopped_ms


def stop_by_switch(switch: StopSwitch, person: Input) -> float:
    now_ms = time.monotonic() * 1000
    switch.stop("the window's stop button")
    return now_ms


def stop_by_hotkey(switch: StopSwitch, person: Input) -> float:
    for key in (CTRL, SHIFT):
        person.key(key, down=True)
    now_ms = time.monotonic() * 1000
    person.key(ESCAPE, down=True)
    for key in (ESCAPE, SHIFT, CTRL):
        person.key(key, down=False)
    return now_ms


def stop_by_corner(switch: StopSwitch, person: Input) -> float:
    now_ms = time.monotonic() * 1000
    person.move((0, 0))
    return now_ms


@pytest.mark.parametrize("way", [stop_by_switch, stop_by_hotkey, stop_by_corner])
@pytest.mark.parametrize("phase", PHASES)
def test_a_stop_in_any_phase_ends_what_is_injected_at_once(
    display: str,
    pad_px: Rect,
    phase: Phase,
    way: Callable[[StopSwitch, Input], float],
) -> None:
    switch, reached = StopSwitch(), threading.Event()
    ended: list[tuple[Outcome, Drill]] = []
    with Injected(display) as injected, XConnection(display) as x:
        person = Input(x, "Xvfb ")
        run = threading.Thread(
            target=lambda: ended.append(drill(display, phase, pad_px, switch, reached.set, None)), daemon=True
        )
        run.start()
        try:
            wait_for_phase(phase, reached, injected)
            stopped_ms = way(switch, person)
            run.join(LIMIT_S)
        finally:
            switch.stop("the drill is over")
            run.join(LIMIT_S)
        late = late_ms(injected, stopped_ms)
    outcome, played = ended[0]
    assert outcome.kind == "stopped", outcome
    assert isinstance(played.events[-1], Ended)
    assert sum(isinstance(event, Ended) for event in played.events) == 1
    assert held(display) == (False, 0)
    print(f"{phase}: the last event {late:.0f} ms after")
    assert late <= LATEST_MS


def start_drill(display: str, folder: Path, phase: Phase, pad_px: Rect) -> subprocess.Popen[bytes]:
    """Start a drill in a process of its own."""
    edges = map(str, (pad_px.left, pad_px.top, pad_px.right, pad_px.bottom))
    arguments = [sys.executable, "-m", "tests.x11.drills", display, str(folder), phase, *edges]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE)


def wait_in_process(phase: Phase, process: subprocess.Popen[bytes], injected: Injected) -> None:
    """Return when the process is in the middle of its phase."""
    if phase in ("typing", "dragging"):
        wait_for_phase(phase, threading.Event(), injected)
        return
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"phase": phase}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_in_any_phase_ends_the_run_and_says_so(
    display: str,
    pad_px: Rect,
    tmp_path: Path,
    phase: Phase,
    number: signal.Signals,
) -> None:
    with Injected(display) as injected:
        process = start_drill(display, tmp_path / "run", phase, pad_px)
        try:
            wait_in_process(phase, process, injected)
            stopped_ms = time.monotonic() * 1000
            process.send_signal(number)
            said, _ = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
            process.wait()
        late = late_ms(injected, stopped_ms)
    assert json.loads(said.splitlines()[-1]) == {"outcome": "stopped", "message": f"{number.name} was received"}
    assert held(display) == (False, 0)
    assert read_trace(tmp_path / "run").ended
    print(f"{phase}: the last event {late:.0f} ms after")
    assert late <= LATEST_MS
