"""One window is captured whole, or it is said why not."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")
import xcffib.xproto as xp
from PIL import Image

from agent.capture.screen import Screen, open_screen
from agent.capture.x11 import X11Capture
from agent.errors import CaptureError
from agent.types import Rect
from agent.x11.connection import XConnection
from tests.x11.programs import Target, target
from tests.x11.test_screenshot import run_screenshot


@pytest.fixture(scope="module")
def pad(display: str, home: Path) -> Iterator[Target]:
    with target("pad", display, home) as running:
        yield running


@pytest.fixture
def screen(display: str) -> Iterator[Screen]:
    with open_screen(handlers=[X11Capture(display)]) as screen:
        yield screen


@pytest.fixture
def x(display: str) -> Iterator[XConnection]:
    with XConnection(display) as connection:
        yield connection


def _window(x: XConnection, rect: Rect, colour: int, title: bytes = b"", *, show: bool = True) -> int:
    """Make a window above all others, which no window manager touches."""
    window = x.connection.generate_id()
    mask, kind = xp.CW.BackPixel | xp.CW.OverrideRedirect, xp.WindowClass.InputOutput
    x.core.CreateWindow(0, window, x.root, rect.left, rect.top, rect.width, rect.height, 0, kind, 0, mask, [colour, 1])
    if title:
        x.write_property(window, "WM_NAME", "STRING", 8, title)
        x.write_property(window, "WM_CLASS", "STRING", 8, b"note\0Note\0")
    if show:
        x.core.MapWindow(window)
    x.sync()
    return window


@pytest.mark.parametrize("name", ["target pad", "TARGET PAD", "get p", "id"])
def test_a_window_is_captured_without_its_frame(pad: Target, screen: Screen, x: XConnection, name: str) -> None:
    if name == "id":
        name = hex(next(id_ for id_ in x.read_cardinals(x.root, "_NET_CLIENT_LIST")))
    frame = screen.grab_window(name)
    left, top, width, height = pad.rect
    assert frame.rect_px == Rect(left, top, left + width, top + height)
    assert np.array_equal(frame.pixels, screen.grab().crop(frame.rect_px).pixels)


def test_what_lies_over_it_is_named(pad: Target, screen: Screen, x: XConnection) -> None:
    left, top, *_ = pad.rect
    note = _window(x, Rect(left + 10, top + 10, left + 60, top + 40), 0x336699, b"a note")
    try:
        with pytest.raises(CaptureError, match=r"'target pad' cannot be seen whole. 'a note' lies over it"):
            screen.grab_window("target pad")
        frame = screen.grab_window("target pad", allow_covered=True)
        assert frame.pixels[20, 20].tolist() == [0x33, 0x66, 0x99]
        assert screen.grab_window(str(note)).size_px == (50, 30)
    finally:
        x.core.DestroyWindow(note)
        x.sync()
    screen.grab_window("target pad")


def test_a_frame_around_a_window_does_not_cover_it(pad: Target, screen: Screen, x: XConnection) -> None:
    left, top, width, height = pad.rect
    ring = Rect(left - 5, top - 5, left + width + 5, top + height + 5)
    window = _window(x, ring, 0xFF0000, show=False)
    import xcffib.shape

    sides = [(0, 0, ring.width, 5), (0, 0, 5, ring.height), (0, ring.height - 5, ring.width, 5)]
    sides.append((ring.width - 5, 0, 5, ring.height))
    rectangles = [xp.RECTANGLE.synthetic(*side) for side in sides]
    x.extension("SHAPE").Rectangles(xcffib.shape.SO.Set, xcffib.shape.SK.Bounding, 0, window, 0, 0, 4, rectangles)
    x.core.MapWindow(window)
    x.sync()
    try:
        screen.grab_window("target pad")
    finally:
        x.core.DestroyWindow(window)
        x.sync()


def test_a_window_beyond_the_edge_is_cut_off_only_when_that_is_allowed(screen: Screen, x: XConnection) -> None:
    window = _window(x, Rect(-20, 30, 40, 80), 0x224466, b"far out")
    try:
        with pytest.raises(CaptureError, match="beyond the screen's edge"):
            screen.grab_window(str(window))
        assert screen.grab_window(str(window), allow_covered=True).rect_px == Rect(0, 30, 40, 80)
    finally:
        x.core.DestroyWindow(window)
        x.sync()


def test_what_cannot_be_chosen_is_explained(pad: Target, screen: Screen, x: XConnection, home: Path) -> None:
    with pytest.raises(CaptureError, match=r"there is no window 'nothing'\. there are .*'target pad'"):
        screen.grab_window("nothing")
    with pytest.raises(CaptureError, match="there is no window '0x7fffff'"):
        screen.grab_window("0x7fffff")
    hidden = _window(x, Rect(0, 0, 9, 9), 0, b"put away", show=False)
    with pytest.raises(CaptureError, match="'put away' is not on the screen"):
        screen.grab_window(str(hidden))
    black = _window(x, Rect(0, 0, 9, 9), 0)
    with pytest.raises(CaptureError, match="the captured window is entirely black"):
        screen.grab_window(str(black))
    assert screen.grab_window(str(black), allow_black=True).size_px == (9, 9)
    for window in (hidden, black):
        x.core.DestroyWindow(window)
    x.sync()
    with target("line", x.display, home), pytest.raises(CaptureError, match="2 windows are called 'target'"):
        screen.grab_window("target")


def test_the_command_writes_a_window(pad: Target, display: str, tmp_path: Path) -> None:
    out = tmp_path / "pad.png"
    done: subprocess.CompletedProcess[str] = run_screenshot(display, str(out), "--window", "target pad", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["size_px"] == list(pad.rect[2:])
    assert Image.open(out).size == tuple(pad.rect[2:])
    for arguments, reason in (
        (["--window", "nothing"], "there is no window 'nothing'"),
        (["--window", "a", "--monitor", "1"], "not allowed with"),
        (["--allow-covered"], "only about a --window"),
    ):
        done = run_screenshot(display, str(tmp_path / "x.png"), *arguments)
        assert done.returncode != 0
        assert reason in done.stderr
        assert "Traceback" not in done.stderr
