"""The doctor says how the screen is captured and whether it can be worked, as it really is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

from app.diagnostics import Finding
from app.diagnostics_screen import screen_findings, xlib_findings
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX

ROOT = Path(__file__).resolve().parents[2]


def _findings(monkeypatch: pytest.MonkeyPatch, display: str | None) -> dict[str, Finding]:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if display is None:
        monkeypatch.delenv("DISPLAY", raising=False)
    else:
        monkeypatch.setenv("DISPLAY", display)
    return {finding.name: finding for finding in screen_findings()}


def test_an_x_server_is_captured_and_worked(bare_display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _findings(monkeypatch, bare_display)
    capture, hands = found["screen capture"], found["mouse and keyboard"]
    assert f"x11, the first choice: screen {WIDTH_PX}×{HEIGHT_PX} at scale 1; all of it takes" in capture.detail
    assert (hands.status, "XTEST" in hands.detail) == ("ok", True)


@pytest.mark.parametrize(
    ("display", "why"), [(None, "DISPLAY is not set"), (":9999", "cannot connect to the X server")]
)
def test_without_a_server_every_way_has_its_reason(
    monkeypatch: pytest.MonkeyPatch, display: str | None, why: str
) -> None:
    found = _findings(monkeypatch, display)
    assert {finding.status for finding in found.values()} == {"warning"}
    detail = found["screen capture"].detail
    assert why in detail
    assert "grim: this is no Wayland session" in detail
    assert "native: it is for Windows and macOS" in detail
    assert why in found["mouse and keyboard"].detail


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ({}, ""),
        ({"python-xlib": "0.33"}, ""),
        ({"python3-xlib": "0.15"}, "pip uninstall python3-xlib"),
        (
            {"python3-xlib": "0.15", "python-xlib": "0.33"},
            "pip uninstall python3-xlib && pip install --force-reinstall python-xlib",
        ),
    ],
)
def test_xlib_packages_in_each_others_way_are_named(installed: dict[str, str], said: str) -> None:
    found = list(xlib_findings(installed))
    assert [finding.remedy for finding in found] == ([said] if said else [])
    assert all(finding.status == "warning" for finding in found)


def test_the_command_prints_it(bare_display: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    done = subprocess.run(
        [sys.executable, "main.py", "doctor", "--json"],
        cwd=ROOT,
        env=environment | {"DISPLAY": bare_display},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    names = [finding["name"] for finding in json.loads(done.stdout)["findings"]]
    assert {"display", "screen capture", "mouse and keyboard"} <= set(names)
