"""Capture from a real Wayland desktop: each monitor's own pixels, and never those of XWayland instead."""

import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("jeepney", reason="jeepney is not installed")
import jeepney
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from agent.capture.grim import GrimCapture
from agent.capture.portal import PortalCapture
from agent.capture.screen import Screen, open_screen
from agent.capture.x11 import X11Capture
from agent.errors import CaptureError, HandsError
from agent.hands.release import release_everything
from agent.hands.x11 import X11Hands
from agent.types import Frame, Move, Point, Rect
from app.diagnostics_screen import screen_findings
from tests.x11.conftest import START_LIMIT_S, stop
from tests.x11.wayland import OUTPUTS, Sway, covered, sway
from tests.x11.wayland_program import noise

ROOT = Path(__file__).resolve().parents[2]
PLACES = {"HEADLESS-1": Rect(0, 0, 800, 600), "HEADLESS-2": Rect(800, 0, 1800, 700)}


@pytest.fixture(scope="module")
def desktop() -> Iterator[Sway]:
    with sway() as running, covered(running):
        yield running


@pytest.fixture
def inside(desktop: Sway, monkeypatch: pytest.MonkeyPatch) -> Sway:
    """Let this process be one of the Wayland session."""
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in desktop.environment.items():
        if name in ("WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
            monkeypatch.setenv(name, value)
    return desktop


def _grab_until(screen: Screen, wanted: Callable[[Frame], bool], part: Rect | None = None) -> Frame:
    end = time.monotonic() + 20
    while not wanted(frame := screen.grab(part, allow_black=True)):
        assert time.monotonic() < end, "the desktop does not show what was drawn"
        select.select([], [], [], 0.05)
    return frame


def _shows_noise(frame: Frame, *names: str) -> bool:
    return all(np.array_equal(frame.crop(PLACES[name]).pixels, noise(name, *OUTPUTS[name])) for name in names)


def test_every_monitor_is_captured_in_its_own_pixels(inside: Sway) -> None:
    with open_screen() as screen:
        assert screen.handler.name == "grim"
        assert {m.name: (m.rect_px, m.scale) for m in screen.monitors()} == {
            "HEADLESS-1": (PLACES["HEADLESS-1"], 1.0),
            "HEADLESS-2": (PLACES["HEADLESS-2"], 2.0),
        }
        frame = _grab_until(screen, lambda frame: _shows_noise(frame, "HEADLESS-1", "HEADLESS-2"))
        assert frame.size_px == (1800, 700)
        assert not frame.crop(Rect(0, 600, 800, 700)).pixels.any(), "between monitors is nothing"
        for monitor in screen.monitors():
            alone = screen.grab(monitor)
            assert np.array_equal(alone.pixels, noise(monitor.name, *OUTPUTS[monitor.name]))
        across = screen.grab(Rect(790, 100, 815, 120))
        assert np.array_equal(across.pixels, frame.crop(across.rect_px).pixels)
        with pytest.raises(CaptureError, match="outside the desktop"):
            screen.grab(Rect(5000, 0, 5010, 10))
        with pytest.raises(CaptureError, match="one window cannot be captured here"):
            screen.grab_window("anything")


def test_monitors_that_change_are_seen(inside: Sway) -> None:
    with open_screen() as screen:
        before = screen.monitors()
        inside.command("output", "HEADLESS-2", "scale", "1")
        try:
            after = screen.monitors()
            assert [m.scale for m in before] == [1.0, 2.0]
            assert [m.scale for m in after] == [1.0, 1.0]
        finally:
            inside.command("output", "HEADLESS-2", "scale", "2")
        assert screen.monitors() == before


def test_a_turned_monitor_stands_upright(inside: Sway) -> None:
    inside.command("output", "HEADLESS-1", "transform", "90")
    try:
        with open_screen() as screen:
            monitor = next(m for m in screen.monitors() if m.name == "HEADLESS-1")
            assert (monitor.rect_px.width, monitor.rect_px.height) == (600, 800)
            assert screen.grab(monitor, allow_black=True).size_px == (600, 800)
    finally:
        inside.command("output", "HEADLESS-1", "transform", "normal")


@pytest.mark.parametrize("program", ["grim", "nothing"])
def test_reasons_are_given(inside: Sway, monkeypatch: pytest.MonkeyPatch, program: str, tmp_path: Path) -> None:
    if program == "grim":
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(CaptureError, match=r"x11: .*as this is a Wayland session.*grim is not installed"):
            open_screen()
    else:
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-none")
        with pytest.raises(CaptureError, match=r"grim: the Wayland desktop at .*wayland-none does not answer"):
            open_screen()


def test_hands_are_refused_with_the_reason(inside: Sway) -> None:
    for act in (lambda: X11Hands(_OpenGate()), release_everything):
        with pytest.raises(Exception, match=r"DISPLAY is not set, as this is a Wayland session\. log into an X11"):
            act()


def test_commands_work_in_a_wayland_session(inside: Sway, tmp_path: Path) -> None:
    out = tmp_path / "shot.png"
    done = _main(inside.environment, "screenshot", str(out), "--json", "--allow-black")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["capture"] == "grim"
    for task in ("--release", "--calibrate"):
        done = _main(inside.environment, "doctor", task)
        assert done.returncode == 1
        assert "this is a Wayland session" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_doctor_says_what_a_wayland_session_allows(inside: Sway) -> None:
    found = {finding.name: finding for finding in screen_findings()}
    capture, hands = found["screen capture"], found["mouse and keyboard"]
    assert "grim (x11: there is no X server to work with" in capture.detail
    assert "HEADLESS-2 1000×700 at scale 2" in capture.detail
    assert (hands.status, hands.remedy) == ("warning", "log into an X11 (Xorg) session")
    assert "this is a Wayland session" in hands.detail


def _main(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


class _OpenGate:
    def admit(self, action: object) -> None:
        pass

    def check(self) -> None:
        pass


@pytest.fixture(scope="module")
def xwayland(desktop: Sway) -> Iterator[str]:
    """Start XWayland inside the Wayland desktop."""
    if shutil.which("Xwayland") is None:
        pytest.skip("Xwayland is not installed (Debian: xwayland)")
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        ["Xwayland", "-displayfd", str(write_end), "-ac", "-noreset"],
        env=desktop.environment,
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(write_end)
    try:
        ready, _, _ = select.select([read_end], [], [], START_LIMIT_S)
        number = os.read(read_end, 16).decode().strip() if ready else ""
        if not number:
            pytest.skip("Xwayland did not start")
        yield f":{number}"
    finally:
        os.close(read_end)
        stop(process)


def test_xwayland_is_never_taken_for_the_screen(inside: Sway, xwayland: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xwayland)
    reason = X11Capture().unavailable()
    assert reason is not None
    assert "XWayland, which shows only X11 programs" in reason
    with open_screen() as screen:
        assert screen.handler.name == "grim"
    with pytest.raises(CaptureError, match="XWayland"):
        open_screen("x11")
    with pytest.raises(HandsError, match=r"mouse and keyboard cannot be worked here.*XWayland"):
        X11Hands(_OpenGate()).perform(Move(Point(1, 1)))
    with pytest.raises(HandsError, match="held keys cannot be released here"):
        release_everything()


class StandInPortal:
    """NOT a real portal: a stand-in for one on a bus of its own, which pictures the real desktop through grim.

    As real ones do, it answers by a signal on a request's path, and pictures all monitors at the highest scale.
    """

    def __init__(self, desktop: Sway, address: str, code: int | None = 0) -> None:
        self._desktop, self._code = desktop, code
        self.picture = desktop.home / "portal shot.png"
        self._bus: DBusConnection = open_dbus_connection(address)
        self._bus.send_and_get_reply(jeepney.message_bus.RequestName("org.freedesktop.portal.Desktop"))
        self._closing = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._bus.close()

    def _serve(self) -> None:
        while not self._closing:
            try:
                call = self._bus.receive(timeout=0.1)
            except TimeoutError:
                continue
            fields = call.header.fields
            member = fields.get(jeepney.HeaderFields.member)
            if call.header.message_type != jeepney.MessageType.method_call:
                continue
            if member == "Get":
                self._bus.send(jeepney.new_method_return(call, "v", (("u", 2),)))
            elif member == "Screenshot":
                self._screenshot(call, fields[jeepney.HeaderFields.sender], call.body[1])

    def _screenshot(self, call: jeepney.Message, sender: str, options: dict[str, Any]) -> None:
        token = options["handle_token"][1]
        path = f"/org/freedesktop/portal/desktop/request/{sender[1:].replace('.', '_')}/{token}"
        self._bus.send(jeepney.new_method_return(call, "o", (path,)))
        if self._code is None:
            return
        results: dict[str, Any] = {}
        if self._code == 0:
            subprocess.run(["grim", str(self.picture)], env=self._desktop.environment, check=True, timeout=30)
            results["uri"] = ("s", self.picture.as_uri())
        emitter = jeepney.DBusAddress(path, interface="org.freedesktop.portal.Request")
        self._bus.send(jeepney.new_signal(emitter, "Response", "ua{sv}", (self._code, results)))


@pytest.fixture
def bus(inside: Sway, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed (Debian: dbus)")
    command = ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:dir={inside.home}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        with process.stdout:
            address = process.stdout.readline().decode().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
    finally:
        stop(process)


@contextmanager
def _portal(desktop: Sway, address: str, code: int | None = 0) -> Iterator[StandInPortal]:
    portal = StandInPortal(desktop, address, code)
    try:
        yield portal
    finally:
        portal.close()


def test_a_stand_in_portal_gives_the_desktop(inside: Sway, bus: str) -> None:
    with _portal(inside, bus) as portal, open_screen("portal") as screen:
        frame = _grab_until(screen, lambda frame: _shows_noise(frame, "HEADLESS-2"))
        assert frame.source == "portal"
        assert frame.size_px == (1800, 700)
        # The monitor of scale 1 comes enlarged by two, which blurs it, and is brought back to its size and place.
        other = frame.crop(PLACES["HEADLESS-1"]).pixels.astype(int)
        assert np.abs(other - noise("HEADLESS-1", *OUTPUTS["HEADLESS-1"])).mean() < 40, "unlike noise differs by 85"
        assert "the desktop enlarged monitor HEADLESS-1" in screen.handler.notes()[0]
        assert not portal.picture.exists(), "the picture is not left lying about"
        part = screen.grab(Rect(900, 50, 950, 90))
        assert np.array_equal(part.pixels, frame.crop(part.rect_px).pixels)


@pytest.mark.parametrize(
    ("code", "reason"), [(1, "a person said no"), (2, "ended the request with 2"), (None, "did not answer")]
)
def test_a_portal_that_gives_nothing_is_explained(inside: Sway, bus: str, code: int | None, reason: str) -> None:
    with _portal(inside, bus, code):
        capture = PortalCapture(answer_limit_s=0.5)
        assert capture.unavailable() is None
        with pytest.raises(CaptureError, match=reason):
            capture.grab()


def test_without_a_portal_or_a_bus_the_reason_is_given(inside: Sway, bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = PortalCapture().unavailable()
    assert reason is not None
    assert "no portal that captures the screen" in reason
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
    reason = PortalCapture().unavailable()
    assert reason is not None
    assert "there is no session bus" in reason


def test_outside_of_wayland_neither_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for capture in (GrimCapture(), PortalCapture()):
        assert capture.unavailable() == "this is no Wayland session"
