"""Our own overlays are in no frame, and it is proved on real windows before anything depends on it."""

import os
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")
import xcffib.xproto as xp

from agent.capture.exclusion import MARKER_RGB, holds_colour, prove_exclusion
from agent.capture.screen import Screen, open_screen
from agent.capture.x11 import X11Capture
from agent.errors import CaptureError
from agent.types import Rect
from agent.x11.connection import XConnection
from agent.x11.own_windows import X11OwnWindows, prove
from tests.x11.conftest import start, stop
from tests.x11.programs import target

ROOT = Path(__file__).resolve().parents[2]
MARKS = (Rect(0, 0, 4, 4), Rect(496, 0, 500, 4), Rect(0, 296, 4, 300), Rect(496, 296, 500, 300))


@pytest.fixture
def x(display: str) -> Iterator[XConnection]:
    with XConnection(display) as connection:
        yield connection


@pytest.fixture
def own(display: str) -> Iterator[X11OwnWindows]:
    with X11OwnWindows(display) as own:
        yield own


@pytest.fixture
def screen(display: str, own: X11OwnWindows) -> Iterator[Screen]:
    with open_screen(handlers=[X11Capture(display)], exclusion=own) as screen:
        yield screen


@contextmanager
def _overlay(display: str, home: Path, way: str = "bypass") -> Iterator[int]:
    command = ["env", f"PYTHONPATH={ROOT}", sys.executable, str(Path(__file__).with_name("overlay_program.py")), way]
    process = start(command, display, home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        with process.stdin, process.stdout:
            assert select.select([process.stdout], [], [], 30)[0]
            yield int(process.stdout.readline())
    finally:
        stop(process)


def _raw_shows_it(screen: Screen) -> bool:
    return holds_colour(screen.handler.grab(None), MARKER_RGB)


def _wait_for_it(screen: Screen) -> None:
    waited = 0
    while not _raw_shows_it(screen):
        waited += 1
        assert waited < 2000, "the overlay does not come"
        select.select([], [], [], 0.005)


def test_a_registered_overlay_over_a_real_program_is_in_no_frame_and_comes_back(
    display: str, home: Path, own: X11OwnWindows, screen: Screen
) -> None:
    with target("edit", display, home), _overlay(display, home) as window:
        _wait_for_it(screen)
        assert holds_colour(screen.grab(), MARKER_RGB), "an overlay that nobody registered is seen"
        own.add(window, marks=MARKS)
        proof = prove_exclusion(screen)
        assert proof.hide_ms > 0
        for _ in range(20):
            assert not holds_colour(screen.grab(), MARKER_RGB)
            assert not holds_colour(screen.grab_window("target edit"), MARKER_RGB)
        _wait_for_it(screen)
        own.remove(window)


def test_it_stays_away_as_long_as_somebody_looks(display: str, home: Path, own: X11OwnWindows, screen: Screen) -> None:
    with _overlay(display, home) as window:
        _wait_for_it(screen)
        own.add(window)
        with screen.without_own_windows():
            with screen.without_own_windows():
                pass
            screen.grab(allow_black=True)
            assert not _raw_shows_it(screen)
        _wait_for_it(screen)


def test_an_overlay_that_is_not_registered_fails_the_proof(display: str, home: Path, screen: Screen) -> None:
    with _overlay(display, home), pytest.raises(CaptureError, match="our own window is in the picture"):
        prove_exclusion(screen)


def test_a_proof_needs_something_to_see(screen: Screen) -> None:
    with pytest.raises(CaptureError, match="it should be on the screen"):
        prove_exclusion(screen, limit_s=0.05)


def test_the_probe_proves_the_way_and_leaves_nothing_behind(screen: Screen, own: X11OwnWindows, display: str) -> None:
    assert prove(screen, own, display).hide_ms > 0
    assert not _raw_shows_it(screen)
    with open_screen(handlers=[X11Capture(display)]) as bare, pytest.raises(CaptureError, match="in the picture"):
        prove(bare, own, display)
    assert not _raw_shows_it(screen)


def test_windows_of_the_window_manager_are_refused(display: str, home: Path, own: X11OwnWindows) -> None:
    with (
        _overlay(display, home, "managed") as window,
        pytest.raises(CaptureError, match="a window manager looks after"),
    ):
        own.add(window)


def test_a_program_below_that_does_not_draw_is_named_and_the_overlay_comes_back(
    x: XConnection, own: X11OwnWindows, screen: Screen
) -> None:
    """Two windows of one colour stand for a program whose window keeps what was drawn over it."""
    number = MARKER_RGB[0] << 16 | MARKER_RGB[1] << 8 | MARKER_RGB[2]
    windows = [x.connection.generate_id() for _ in range(2)]
    mask, kind = xp.CW.BackPixel | xp.CW.OverrideRedirect, xp.WindowClass.InputOutput
    for window in windows:
        x.core.CreateWindow(0, window, x.root, 0, 0, 30, 30, 0, kind, 0, mask, [number, 1])
        x.core.MapWindow(window)
    x.sync()
    own.add(windows[1])
    with pytest.raises(CaptureError, match="does not draw what was uncovered"):
        screen.grab(allow_black=True)
    assert x.core.GetWindowAttributes(windows[1]).reply().map_state == 2
    for window in windows:
        x.core.DestroyWindow(window)
    x.sync()
    screen.grab(allow_black=True)


def test_overlays_may_come_and_go_while_another_thread_captures(x: XConnection, display: str) -> None:
    window = x.connection.generate_id()
    mask, kind = xp.CW.BackPixel | xp.CW.OverrideRedirect, xp.WindowClass.InputOutput
    number = MARKER_RGB[0] << 16 | MARKER_RGB[1] << 8 | MARKER_RGB[2]
    x.core.CreateWindow(0, window, x.root, 50, 50, 30, 30, 0, kind, 0, mask, [number, 1])
    x.sync()
    done = threading.Event()
    seen: list[bool] = []
    with X11OwnWindows(display) as own, open_screen(handlers=[X11Capture(display)], exclusion=own) as screen:

        def look() -> None:
            while not done.is_set():
                seen.append(holds_colour(screen.grab(allow_black=True), MARKER_RGB))

        own.add(window)
        thread = threading.Thread(target=look)
        thread.start()
        try:
            for _ in range(50):
                own.remove(window)
                x.core.UnmapWindow(window)
                x.sync()
                own.add(window)
        finally:
            done.set()
            thread.join()
    assert seen
    assert not any(seen)
    assert "DISPLAY" not in os.environ or os.environ["DISPLAY"] != display
    x.core.DestroyWindow(window)
    x.sync()


@pytest.fixture
def fading(display: str, home: Path, x: XConnection) -> Iterator[None]:
    """Run a compositor that blends windows out instead of just taking them away."""
    if shutil.which("picom") is None:
        pytest.skip("picom is not installed (Debian: picom)")
    command = ["picom", "--backend", "xrender", "--fading", "--config", "/dev/null"]
    process = start(command, display, home, stdout=-3, stderr=-3)
    try:
        waited = 0
        while not x.core.GetSelectionOwner(x.atom("_NET_WM_CM_S0")).reply().owner:
            waited += 1
            assert waited < 3000, "picom does not start"
            select.select([], [], [], 0.01)
        yield
    finally:
        stop(process)


class _Hasty:
    """Takes a window away as if nobody blended it out."""

    def __init__(self, x: XConnection, window: int) -> None:
        self._x, self._window = x, window

    def hide(self) -> None:
        self._x.core.UnmapWindow(self._window)
        self._x.sync()

    def show(self) -> None:
        self._x.core.MapWindow(self._window)
        self._x.sync()


def test_a_window_that_is_blended_out_leaves_no_ghost(
    fading: None, display: str, home: Path, x: XConnection, own: X11OwnWindows, screen: Screen
) -> None:
    with target("edit", display, home), _overlay(display, home) as window:
        _wait_for_it(screen)
        hasty = Screen(X11Capture(display), _Hasty(x, window))
        with hasty, pytest.raises(CaptureError, match="our own window is in the picture"):
            prove_exclusion(hasty)
        _wait_for_it(screen)
        own.add(window, marks=MARKS)
        prove_exclusion(screen)
        own.remove(window)
