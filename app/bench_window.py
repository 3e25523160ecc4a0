"""How long the window takes from the start of its process to its first paint, and what memory it has."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.settings import HOME_VARIABLE
from model.errors import ModelError

_ROOT = Path(__file__).resolve().parents[1]
_LIMIT_S = 180.0
_SCREEN_PX = (1920, 1080)
_ANSWER = (
    "## What the picture shows\n\nA window with **{n}** rows and a `Save` button.\n\n"
    "```python\ndef answer(number: int) -> str:\n    return f'row {{number}}'\n```\n\n"
    "1. Open the menu\n2. Choose *Export*\n\nThe point is at $x = 0.{n:03d}$."
)


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """Medians and the worst of ``runs``; ``cpu_s`` is what the process worked until the paint, without waiting.

    ``painted_bytes`` is the memory right after the first paint, ``resident_bytes`` that with the model loaded
    in its own process and the client connected to it, the worst.
    """

    runs: int
    messages: int
    platform: str
    painted_s: float
    worst_painted_s: float
    cpu_s: float
    painted_bytes: int
    resident_bytes: int
    loaded: tuple[str, ...]


def bench_window(
    *, runs: int = 5, messages: int = 200, xvfb: bool = False, notice: Callable[[str], None] | None = None
) -> WindowFigures:
    """Start the real program ``runs`` times, once before to warm up, with a chat of ``messages`` open."""
    found: list[dict[str, float]] = []
    with ExitStack() as stack:
        environment = dict(os.environ)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
        if xvfb:
            from app.bench_screen import own_server

            environment |= {"DISPLAY": stack.enter_context(own_server(*_SCREEN_PX)), "QT_QPA_PLATFORM": "xcb"}
        elif not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deskhand-bench-")))
        environment[HOME_VARIABLE] = str(home)
        settings = {"welcomed": True, "page": "chat"}
        (home / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        fill_history(home, messages)
        for number in range(runs + 1):
            figures = _run_once(home, environment)
            if number:
                found.append(figures)
                if notice is not None:
                    notice(f"run {number} of {runs}: painted after {figures['took_s']:.3f} s")
    return WindowFigures(
        runs=runs,
        messages=messages,
        platform=environment.get("QT_QPA_PLATFORM", "the desktop's"),
        painted_s=statistics.median(each["took_s"] for each in found),
        worst_painted_s=max(each["took_s"] for each in found),
        cpu_s=statistics.median(each["cpu_s"] for each in found),
        painted_bytes=int(statistics.median(each["painted_bytes"] for each in found)),
        resident_bytes=int(max(each["resident_bytes"] for each in found)),
        loaded=tuple(found[-1]["loaded"]),  # pyright: ignore[reportArgumentType] - the one list among numbers
    )


def fill_history(folder: Path, messages: int) -> None:
    """Write one chat of so many messages, half of them answers with code and lists."""
    from app.store import NewMessage, open_history

    folder.mkdir(parents=True, exist_ok=True)
    history, _ = open_history(folder)
    chat = history.conversations.create("A long talk about one window")
    parent = None
    for number in range(messages):
        if number % 2:
            content = NewMessage("assistant", _ANSWER.format(n=number), model="bench")
        else:
            content = NewMessage("user", f"What is in row {number} of the list, and where is its button?")
        parent = history.messages.add(chat.id, parent, content).id
    history.close()


def _run_once(home: Path, environment: dict[str, str]) -> dict[str, float]:
    times = home / "times.json"
    times.unlink(missing_ok=True)
    started_s = time.time()
    command = [sys.executable, str(_ROOT / "main.py"), "window", "--times", str(times)]
    done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, timeout=_LIMIT_S, check=False)
    if not times.exists():
        complaint = done.stderr.decode(errors="replace").strip().splitlines()
        raise ModelError(
            "the window did not come up",
            why=complaint[-1] if complaint else f"exit code {done.returncode}",
            remedy="run: python main.py doctor",
        )
    figures = json.loads(times.read_text(encoding="utf-8"))
    return figures | {"took_s": figures["painted_s"] - started_s}
