"""Capture from a real X server: exactly what was drawn, on every monitor, and never a silent black picture."""

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

from agent.capture.screen import open_screen
from agent.capture.x11 import X11Capture
from agent.coords import resolve, to_relative
from agent.errors import AgentError, CaptureError
from agent.types import Click, Move, Point, Rect, RelPoint, Unreadable
from agent.x11.connection import XConnection
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX
from tests.x11.drawing import draw
from tests.x11.monitors import delete_monitor, monitors, set_monitor


@pytest.fixture
def x(bare_display: str) -> Iterator[XConnection]:
    with XConnection(bare_display) as connection:
        yield connection


@pytest.fixture
def two_monitors(x: XConnection) -> Iterator[tuple[Rect, Rect]]:
    """LEFT and RIGHT side by side, of unlike height."""
    left, right = Rect(0, 0, 500, 600), Rect(500, 0, WIDTH_PX, HEIGHT_PX)
    with monitors(x, {"LEFT": left, "RIGHT": right}):
        yield left, right


def test_the_whole_desktop_is_captured_pixel_by_pixel(x: XConnection) -> None:
    drawn = draw(x, 1)
    with open_screen(handlers=[X11Capture(x.display)]) as screen:
        frame = screen.grab()
        assert frame.size_px == (WIDTH_PX, HEIGHT_PX)
        assert frame.source == "x11"
        assert np.array_equal(frame.pixels, drawn)
        assert np.array_equal(np.asarray(frame.image()), drawn)
        assert np.array_equal(screen.grab().pixels, drawn)


def test_monitors_and_regions_are_captured_where_they_are(x: XConnection, two_monitors: tuple[Rect, Rect]) -> None:
    drawn = draw(x, 2)
    with open_screen(handlers=[X11Capture(x.display)]) as screen:
        monitors = {monitor.name: monitor for monitor in screen.monitors()}
        assert {name: monitor.rect_px for name, monitor in monitors.items()} == dict(
            zip(("LEFT", "RIGHT"), two_monitors, strict=True)
        )
        for monitor in monitors.values():
            frame, rect = screen.grab(monitor), monitor.rect_px
            assert frame.rect_px == rect
            assert np.array_equal(frame.pixels, drawn[rect.top : rect.bottom, rect.left : rect.right])
            assert set(frame.monitors) == set(monitors.values())
        beyond = screen.grab(Rect(-50, 700, 33, 5000))
        assert beyond.origin_px == Point(0, 700)
        assert np.array_equal(beyond.pixels, drawn[700:, :33])
        with pytest.raises(CaptureError, match="outside the desktop"):
            screen.grab(Rect(5000, 0, 5010, 10))


def test_monitors_that_come_and_go_are_seen(x: XConnection, request: pytest.FixtureRequest) -> None:
    with open_screen(handlers=[X11Capture(x.display)]) as screen:
        before = screen.grab(allow_black=True).monitors
        request.getfixturevalue("two_monitors")
        after = screen.grab(allow_black=True).monitors
        assert [monitor.name for monitor in before] != [monitor.name for monitor in after]
        assert {monitor.name for monitor in after} == {"LEFT", "RIGHT"}


@pytest.mark.parametrize("change", ["unplugged", "plugged in", "resized", "moved"])
def test_a_place_found_before_the_monitors_changed_is_not_clicked(x: XConnection, change: str) -> None:
    left, right = Rect(0, 0, 500, 600), Rect(500, 0, WIDTH_PX, HEIGHT_PX)
    with monitors(x, {"LEFT": left, "RIGHT": right}), open_screen(handlers=[X11Capture(x.display)]) as screen:
        frame = screen.grab(allow_black=True)
        click = Click(to_relative(Point(700, 50), frame.rect_px))
        assert resolve(click, frame, screen.monitors()) == Click(Point(700, 50))
        try:
            if change == "unplugged":
                delete_monitor(x, "RIGHT")
            elif change == "plugged in":
                set_monitor(x, "BEAMER", Rect(0, 600, 500, HEIGHT_PX))
            else:
                delete_monitor(x, "RIGHT")
                set_monitor(x, "RIGHT", Rect(500, 0, 1000, 700) if change == "resized" else Rect(500, 100, 1280, 900))
            answer = resolve(click, frame, screen.monitors())
            assert isinstance(answer, Unreadable)
            assert "look again" in answer.reason
            again = screen.grab(allow_black=True)
            assert resolve(Move(RelPoint(0.2, 0.2)), again, screen.monitors()) == Move(Point(256, 160))
        finally:
            delete_monitor(x, "BEAMER")


def test_a_black_screen_is_explained_and_not_handed_out(x: XConnection) -> None:
    with open_screen(handlers=[X11Capture(x.display)]) as screen:
        with pytest.raises(CaptureError, match="entirely black"):
            screen.grab()
        assert not screen.grab(allow_black=True).pixels.any()
        assert not screen.grab(Rect(0, 0, 10, 10)).pixels.any()


@pytest.mark.parametrize(
    ("dpi", "scale"), [(b"Xft.dpi:\t144\n", 1.5), (b"a: b\nXft.dpi: 96", 1.0), (b"Xft.dpi: x", 1.0)]
)
def test_the_desktops_scale_is_read(x: XConnection, dpi: bytes, scale: float) -> None:
    x.write_property(x.root, "RESOURCE_MANAGER", "STRING", 8, dpi)
    x.sync()
    try:
        with open_screen(handlers=[X11Capture(x.display)]) as screen:
            assert [monitor.scale for monitor in screen.monitors()] == [scale]
    finally:
        x.core.DeleteProperty(x.root, x.atom("RESOURCE_MANAGER"))
        x.sync()


def test_shared_memory_is_in_use(x: XConnection) -> None:
    with open_screen(handlers=[X11Capture(x.display)]) as screen:
        screen.grab(allow_black=True)
        assert screen.handler.notes() == ()


def test_a_missing_server_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = X11Capture(":9999").unavailable()
    assert reason is not None
    assert "cannot connect to the X server :9999" in reason
    monkeypatch.delenv("DISPLAY", raising=False)
    reason = X11Capture().unavailable()
    assert reason is not None
    assert "DISPLAY is not set" in reason
    with pytest.raises(AgentError, match=r"x11: .*DISPLAY is not set.*native: it is for Windows and macOS"):
        open_screen()
