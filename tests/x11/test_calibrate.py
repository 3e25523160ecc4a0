"""From a captured pixel to the event that a program receives: every layout of monitors, every scale."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")
import xcffib.xproto as xp

from agent.calibrate import calibrate
from agent.capture.screen import Screen
from agent.capture.x11 import X11Capture
from agent.errors import CaptureError, NotPermittedError
from agent.policy import Policy, Rules, open_hands
from agent.stop import StopSwitch
from agent.types import Frame, Monitor, Rect
from agent.x11.connection import XConnection
from agent.x11.windows import windows_at
from app.calibration import TargetProcess, calibrate_here
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX
from tests.x11.monitors import delete_monitor, monitors, set_monitor

ROOT = Path(__file__).resolve().parents[2]
SCALES = (1.0, 1.25, 1.5, 2.0)
LEFT, RIGHT = Rect(0, 0, 613, HEIGHT_PX), Rect(613, 0, WIDTH_PX, HEIGHT_PX)
LAYOUTS: dict[str, dict[str, Rect]] = {
    "one monitor": {},
    "side by side": {"LEFT": LEFT, "RIGHT": RIGHT},
    "stacked": {"UPPER": Rect(0, 0, WIDTH_PX, 391), "LOWER": Rect(0, 391, WIDTH_PX, HEIGHT_PX)},
    "mixed scale": {"LEFT": LEFT, "RIGHT": Rect(613, 77, WIDTH_PX, 690)},
}


@pytest.fixture(scope="module")
def x(display: str) -> Iterator[XConnection]:
    with XConnection(display) as connection:
        yield connection


def _environment(home: Path, x: XConnection, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DISPLAY": x.display, "QT_QPA_PLATFORM": "xcb"}
    return kept | own | {"LC_ALL": "C.UTF-8"} | more


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_clicks_arrive_on_the_pixel_that_was_seen(x: XConnection, home: Path, layout: str, scale: float) -> None:
    other = 2.0 if scale != 2.0 else 1.0
    scales = dict.fromkeys(LAYOUTS[layout] or ["screen"], scale)
    factors = {"QT_SCALE_FACTOR": str(scale)}
    if layout == "mixed scale":
        scales = {"LEFT": scale, "RIGHT": other}
        factors = {"QT_SCREEN_SCALE_FACTORS": f"LEFT={scale};RIGHT={other}"}
    with monitors(x, LAYOUTS[layout]):
        done = calibrate_here(x.display, _environment(home, x, **factors))
    assert {hit.monitor: hit.scale for hit in done.hits} == scales
    assert all(hit.raw for hit in done.hits)
    assert len(done.hits) == 7 * len(scales)
    assert {monitor: error_px <= 1.0 for monitor, error_px in done.worst_px().items()} == dict.fromkeys(scales, True)
    assert done.exact
    for hit in done.hits:
        assert hit.received_px == (hit.aimed_px.x_px + 0.5, hit.aimed_px.y_px + 0.5)


@pytest.mark.parametrize("scale", SCALES)
def test_clicks_are_exact_where_the_desktop_sets_the_scale(x: XConnection, home: Path, scale: float) -> None:
    x.write_property(x.root, "RESOURCE_MANAGER", "STRING", 8, f"Xft.dpi:\t{round(96 * scale)}\n".encode())
    x.sync()
    try:
        done = calibrate_here(x.display, _environment(home, x))
    finally:
        x.core.DeleteProperty(x.root, x.atom("RESOURCE_MANAGER"))
        x.sync()
    assert {hit.scale for hit in done.hits} == {scale}
    assert done.exact


class _Shifted(X11Capture):
    """A real capture whose frames say that they lie two pixels further right than they do."""

    def grab(self, rect_px: Rect | None = None) -> Frame:
        frame, wide = super().grab(rect_px), Rect(2, 0, WIDTH_PX + 2, HEIGHT_PX)
        return Frame(frame.bgrx, wide, (Monitor("screen", "screen", wide, is_primary=True),), frame.time_s, self.name)

    def monitors(self) -> tuple[Monitor, ...]:
        return (Monitor("screen", "screen", Rect(2, 0, WIDTH_PX + 2, HEIGHT_PX), is_primary=True),)


class _Drill:
    """A calibration with a capture and a moment of the test's own choice."""

    def __init__(self, x: XConnection, home: Path, capture: X11Capture | None = None) -> None:
        self.x, self.home = x, home
        self.screen = Screen(capture or X11Capture(x.display))

    def run(self, before_click=lambda step: None):  # noqa: ANN001, ANN202
        step = 0

        def looked_under(point):  # noqa: ANN001, ANN202
            nonlocal step
            step += 1
            before_click(step)
            return windows_at(self.x, point)

        policy = Policy("run", StopSwitch(), rules=Rules(allowed_apps=frozenset({"deskhand-calibration"})))
        with (
            self.screen,
            TargetProcess(_environment(self.home, self.x)) as targets,
            open_hands(policy, self.x.display) as hands,
        ):
            return calibrate(self.screen, policy, hands, targets, looked_under, "deskhand-calibration")


def test_a_capture_that_is_two_pixels_off_is_found_out(x: XConnection, home: Path) -> None:
    done = _Drill(x, home, _Shifted(x.display)).run()
    assert not done.exact
    assert [hit.error_px for hit in done.hits] == [2.0] * 7


def test_what_lies_over_a_target_is_not_clicked(x: XConnection, home: Path) -> None:
    cover = x.connection.generate_id()
    mask = xp.CW.OverrideRedirect | xp.CW.EventMask
    x.core.CreateWindow(
        24, cover, x.root, 600, 380, 80, 40, 0, xp.WindowClass.InputOutput, 0, mask, [1, xp.EventMask.ButtonPress]
    )

    def cover_the_third(step: int) -> None:
        if step == 3:
            x.core.MapWindow(cover)
            x.sync()

    try:
        with pytest.raises(NotPermittedError, match=r"target 3 was not clicked\. another window lies over it"):
            _Drill(x, home).run(cover_the_third)
        while (event := x.connection.poll_for_event()) is not None:
            assert not isinstance(event, xp.ButtonPressEvent)
    finally:
        x.core.DestroyWindow(cover)
        x.sync()


def test_a_monitor_that_comes_meanwhile_ends_it(x: XConnection, home: Path) -> None:
    def plug_in(step: int) -> None:
        if step == 2:
            set_monitor(x, "BEAMER", Rect(0, 0, 400, 300))

    try:
        with pytest.raises(CaptureError, match="monitor BEAMER was added"):
            _Drill(x, home).run(plug_in)
    finally:
        delete_monitor(x, "BEAMER")


def _doctor(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py", "doctor", "--calibrate", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_doctor_calibrates_every_monitor(x: XConnection, home: Path) -> None:
    with monitors(x, LAYOUTS["side by side"]):
        done = _doctor(_environment(home, x, QT_SCALE_FACTOR="1.25"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["exact"]
    assert told["own_windows_hidden_ms"] > 0
    assert told["worst_px"] == {"LEFT": 0.0, "RIGHT": 0.0}
    assert [hit["scale"] for hit in told["hits"]] == [1.25] * 14


def test_without_a_display_the_doctor_cannot_calibrate(x: XConnection, home: Path) -> None:
    environment = _environment(home, x)
    del environment["DISPLAY"]
    done = _doctor(environment)
    assert done.returncode == 1
    assert "DISPLAY is not set" in done.stderr
    assert "Traceback" not in done.stderr
