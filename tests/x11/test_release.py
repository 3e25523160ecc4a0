"""Held keys and buttons are let go on every way out of a process."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

from agent.hands.gate import HandAction
from agent.hands.injector import Injector
from agent.hands.release import release_everything
from agent.types import Point
from agent.x11.connection import XConnection

SHIFT_KEYCODE = 50

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
    assert set(released) == {"key 50 (shift)", "button 1 (left)"}
    assert _held(display) == (False, 0)


CHORD = """
import sys
from agent.hands.x11 import X11Hands
from agent.types import Hotkey

class Gate:
    checks = 0
    def admit(self, action): pass
    def check(self):
        self.checks += 1
        if self.checks == 4:
            print("holding", flush=True)
            sys.stdin.read()

X11Hands(Gate(), sys.argv[1]).perform(Hotkey(("ctrl", "shift", "k")))
"""


def _doctor_release(display: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "main.py", "doctor", "--release", *arguments],
        cwd=ROOT,
        env=environment | ({"DISPLAY": display} if display else {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_doctor_lets_go_of_what_a_killed_drag_held(display: str) -> None:
    process = _dragging(display, "main")
    process.kill()
    process.wait(30)
    assert _held(display) != (False, 0)
    done = _doctor_release(display)
    assert (done.returncode, done.stdout) == (0, "released key 50 (shift)\nreleased button 1 (left)\n"), done.stderr
    assert _held(display) == (False, 0)
    again = _doctor_release(display)
    assert (again.returncode, again.stdout) == (0, "nothing was held\n")


def test_the_doctor_lets_go_of_what_a_killed_chord_held(display: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CHORD, display], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == b"holding\n"
        process.kill()
        process.wait(30)
    assert _held(display) == (True, 0)
    done = _doctor_release(display, "--json")
    assert done.returncode == 0, done.stderr
    released = json.loads(done.stdout)["released"]
    assert set(released) >= {"key 37 (ctrl)"}
    assert _held(display) == (False, 0)


def test_without_a_display_the_doctor_says_so() -> None:
    done = _doctor_release(None)
    assert done.returncode == 1
    assert "DISPLAY is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_signal_between_any_two_lines_leaves_nothing_held_and_breaks_nothing(display: str, moment: str) -> None:
    """A signal's handler runs on the hands' own thread, so the lock lets it in: played at every event sent."""

    class Interrupted(Injector):
        handling = False

        def _fake(self, kind: int, detail: int, point: Point = Point(0, 0)) -> None:
            if moment == "before":
                self._handle()
            super()._fake(kind, detail, point)
            if moment == "after":
                self._handle()

        def _handle(self) -> None:
            if not self.handling:
                self.handling = True
                self.release_all()
                self.handling = False

    class OpenGate:
        def admit(self, action: HandAction) -> None: ...

        def check(self) -> None: ...

    with XConnection(display) as x:
        injector = Interrupted(x, OpenGate())
        for _ in range(3):
            injector.key_down(SHIFT_KEYCODE)
            injector.key_up(SHIFT_KEYCODE)
        injector.key_down(SHIFT_KEYCODE)
        x.sync()
        assert injector.held == ()
    assert release_everything(display) == ()
