"""``bench chat`` as a person calls it; how long anything took is not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
ROOT = Path(__file__).resolve().parents[2]


def test_the_figures_of_a_streamed_answer() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    call = [sys.executable, "main.py", "bench", "chat", "--tokens", "100", "--no-decoding", "--json"]
    done = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["chat"]
    assert (figures["tokens"], figures["characters"], figures["decoded_tokens"]) == (100, 400, 0)
    assert 0 < figures["gap_p50_ms"] <= figures["gap_p99_ms"] <= figures["gap_max_ms"]
    assert figures["open_500_ms"] > 0
    assert figures["search_ms"] > 0
