"""``screenshot`` as a person calls it, on a real X server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
import xcffib.xproto as xp
from PIL import Image

from agent.types import Rect
from agent.x11.connection import XConnection
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX, x_server
from tests.x11.drawing import draw
from tests.x11.monitors import monitors

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def black_display(home: Path) -> Iterator[str]:
    """Start an X server that no other test has drawn a desktop on."""
    with x_server(home) as display:
        yield display


def run_screenshot(display: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a display, or without any when it is empty."""
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    if display:
        environment["DISPLAY"] = display
    return subprocess.run(
        [sys.executable, "main.py", "screenshot", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_region_is_written_pixel_by_pixel(black_display: str, tmp_path: Path) -> None:
    out = tmp_path / "shot.png"
    with XConnection(black_display) as x:
        drawn = draw(x, 7)
        done = run_screenshot(black_display, str(out), "--region", "100,50,640,480", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["path"], told["size_px"], told["origin_px"]) == (str(out), [640, 480], [100, 50])
    assert told["monitors"][0]["rect_px"] == [0, 0, WIDTH_PX, HEIGHT_PX]
    assert np.array_equal(np.asarray(Image.open(out)), drawn[50:530, 100:740])


def test_monitors_are_listed(black_display: str) -> None:
    done = run_screenshot(black_display, "--list")
    assert done.returncode == 0, done.stderr
    assert f"{WIDTH_PX}×{HEIGHT_PX} at 0,0, scale 1" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ([], 2, "give either a file to write or --list"),
        (["x.png", "--list"], 2, "give either"),
        (["no/such/folder/x.png"], 2, "is not a folder"),
        (["x.jpg"], 2, "lossless"),
        (["x.png", "--region", "1,2,3"], 2, "four whole numbers"),
        (["x.png", "--region", "1,2,0,4"], 2, "has no area"),
        (["x.png", "--region", "5000,5000,9,9"], 1, "outside the desktop"),
        (["x.png", "--monitor", "NONE"], 2, "there is no monitor 'NONE'"),
        (["x.png", "--capture", "magic"], 1, "no way of capture called 'magic'"),
        (["x.png", "--monitor", "1"], 1, "entirely black"),
    ],
)
def test_what_cannot_be_done_is_explained_in_one_line(
    black_display: str, arguments: list[str], code: int, reason: str
) -> None:
    done = run_screenshot(black_display, *arguments)
    assert done.returncode == code
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not (ROOT / "x.png").exists()


def test_a_session_without_a_screen_is_explained() -> None:
    done = run_screenshot("", "x.png")
    assert done.returncode == 1
    assert "DISPLAY is not set" in done.stderr


def test_a_black_monitor_beside_one_that_shows_something_is_told(black_display: str, tmp_path: Path) -> None:
    out = tmp_path / "shot.png"
    with XConnection(black_display) as x, monitors(x, {"LEFT": Rect(0, 0, 640, 800), "RIGHT": Rect(640, 0, 1280, 800)}):
        window = x.connection.generate_id()
        mask = xp.CW.BackPixel | xp.CW.OverrideRedirect
        kind = xp.WindowClass.InputOutput
        x.core.CreateWindow(0, window, x.root, 10, 10, 50, 50, 0, kind, 0, mask, [0x336699, 1])
        x.core.MapWindow(window)
        x.sync()
        done = run_screenshot(black_display, str(out))
        quiet = run_screenshot(black_display, str(out), "--allow-black")
    assert (done.returncode, quiet.returncode) == (0, 0)
    assert done.stderr == "monitor RIGHT is entirely black: is it off?\n"
    assert quiet.stderr == ""
