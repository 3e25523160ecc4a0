"""Kill drills: after kill -9 in any phase the record opens, and nothing is stuck once everything is let go."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.episode import Acted, Observed, Planned, Verified
from agent.hands.release import release_everything
from agent.trace import MISSING_SOURCE, read_trace
from agent.types import Rect
from tests.x11.drills import LIMIT_S, PHASES, Injected, Phase, held
from tests.x11.programs import target
from tests.x11.test_drills_stop import ROOT, start_drill, wait_in_process


@pytest.fixture(scope="module")
def pad_px(display: str, home: Path) -> Iterator[Rect]:
    with target("pad", display, home) as running:
        left, top, width, height = running.rect
        yield Rect(left, top, left + width, top + height)


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_run_leaves_a_record_that_opens_and_no_stuck_key(
    display: str, pad_px: Rect, tmp_path: Path, phase: Phase
) -> None:
    folder = tmp_path / "run"
    with Injected(display) as injected:
        process = start_drill(display, folder, phase, pad_px)
        try:
            wait_in_process(phase, process, injected)
        finally:
            process.kill()
            process.communicate(timeout=LIMIT_S)
    release_everything(display)
    assert held(display) == (False, 0)

    replay = subprocess.run(
        [sys.executable, "main.py", "replay", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert replay.returncode == 0, replay.stderr
    assert "the record breaks off here" in replay.stderr
    trace = read_trace(folder)
    assert not trace.ended
    events = [event for _, event in trace.events()]
    if phase == "settling":  # its first step is the one that was killed
        assert isinstance(events[-1], Acted)
        return
    first = [event for event in events if getattr(event, "step", 0) == 1]
    assert isinstance(first[-1], Verified)
    assert any(isinstance(event, Observed) and event.step == 2 for event in events)
    assert any(isinstance(event, Planned) and event.step == 2 for event in events) == (phase != "planning")
    # Of the step before, the pictures are there as well.
    assert all(event.frame.source != MISSING_SOURCE for event in first if isinstance(event, Observed))
