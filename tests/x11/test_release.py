"""Held keys and buttons are let go on every way out of a process."""

import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

from agent.hands.release import release_everything
from agent.x11.connection import XConnection

ROOT = Path(__file__).resolve().parents[2]

DRAGGING = """
import os, sys, threading, time
from agent.hands.release import close_on_exit
from agent.hands.x11 import Pace, X11Hands
from agent.types import Drag, Point

class Gate:
    checks = 0
    def admit(self, action): pass
    def check(self):
        self.checks += 1
        if self.checks == 40:
            print("dragging", flush=True)
            if sys.argv[2] == "exception":
                raise RuntimeError("a mistake in the middle of a drag")
            if sys.argv[2] == "exit":
                sys.exit(3)

hands = X11Hands(Gate(), sys.argv[1], Pace(drag_steps=10**6))
close_on_exit(hands)
drag = lambda: hands.perform(Drag(Point(10, 10), Point(600, 500), modifiers=("shift",)))
if sys.argv[2] == "thread":
    threading.Thread(target=drag, daemon=True).start()
    time.sleep(60)
else:
    drag()
"""


def _dragging(display: str, way: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRAGGING, display, way], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout:
        assert select.select([process.stdout], [], [], 30)[0]
        assert process.stdout.readline() == b"dragging\n"
    return process


def _held(display: str) -> tuple[bool, int]:
    with XConnection(display) as x:
        return any(bytes(x.core.QueryKeymap().reply().keys)), x.core.QueryPointer(x.root).reply().mask & 0x1F00


@pytest.mark.parametrize("way", ["main", "thread"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_in_the_middle_of_a_drag_releases_all_and_ends_the_process(
    display: str, way: str, number: signal.Signals
) -> None:
    process = _dragging(display, way)
    process.send_signal(number)
    assert process.wait(30) in (-number, 1)
    assert _held(display) == (False, 0)


@pytest.mark.parametrize(("way", "code"), [("exception", 1), ("exit", 3)])
def test_an_exception_in_the_middle_of_a_drag_releases_all(display: str, way: str, code: int) -> None:
    process = _dragging(display, way)
    assert process.wait(30) == code
    assert _held(display) == (False, 0)


def test_what_a_killed_process_held_is_released_afterwards(display: str) -> None:
    process = _dragging(display, "main")
    process.kill()
    process.wait(30)
    assert _held(display) != (False, 0)
    released = release_everything(display)
    assert "button 1" in released
    assert len(released) == 2
    assert _held(display) == (False, 0)
