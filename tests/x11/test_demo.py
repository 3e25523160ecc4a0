"""The demo, run as a person runs it: on a real X server, with the built-in checkpoint, judged by the form."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def demo(display: str | None, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LD_LIBRARY_PATH")}
    environment = kept | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "NO_AT_BRIDGE": "1"}
    if display is not None:
        environment |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    command = [sys.executable, str(ROOT / "main.py"), "demo", "--json", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


def test_the_demo_fills_the_form_and_the_form_says_so(display: str, home: Path, tmp_path: Path) -> None:
    ended = demo(display, home, "--trace-folder", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["form"] == {"event": "saved", "name": "Ada Lovelace", "city": "London", "newsletter": True}
    assert [path for run in tmp_path.iterdir() for path in run.glob("trace.jsonl")]


def test_a_model_that_knows_nothing_does_not_pass(display: str, home: Path, tmp_path: Path) -> None:
    from model.dummy import make_dummy

    make_dummy(tmp_path / "tiny", size="tiny", device="cpu")
    ended = demo(display, home, "--model", str(tmp_path / "tiny"))
    assert ended.returncode != 0
    assert json.loads(ended.stdout)["done"] is False


@pytest.mark.parametrize("display", [None, ":9876"])
def test_without_a_display_it_says_what_to_do(display: str | None, tmp_path: Path) -> None:
    ended = demo(display, tmp_path)
    assert ended.returncode == 1
    assert "DISPLAY" in ended.stderr
    assert ended.stdout == ""
