"""Start real programs as a desktop does: with a bus, a theme, and where wanted with accessibility."""

import json
import select
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.x11.connection import XConnection
from agent.x11.windows import focused_window
from tests.x11.conftest import start, stop
from tests.x11.tasks.task import Desk

START_LIMIT_S = 60.0
_AT_SPI = "/usr/libexec/at-spi-bus-launcher"
_CHILD = Path(__file__).resolve().parents[3] / "model" / "nano" / "atspi_child.py"
"""Runs on the system's Python, which has the bindings of AT-SPI."""
_SYSTEM_PYTHON = "/usr/bin/python3"
_CHROMIUM = (
    *("chromium", "--no-sandbox", "--test-type", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--password-store=basic", "--disable-features=Translate"),
)


@contextmanager
def program(
    command: list[str], desk: Desk, window: str, theme: str = "Adwaita", font: str = "DejaVu Sans 10"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a GTK program with its own bus until the block ends; its window has the focus when it begins."""
    _write_settings(desk.home, theme, font)
    arguments = ["env", f"GTK_THEME={theme}", "dbus-run-session", "--", *command]
    process = start(arguments, desk.display, desk.home, stdout=subprocess.PIPE, stderr=-3)
    try:
        wait_for_window(desk.display, window)
        yield process
    finally:
        _end(process)


class Accessible:
    """Asks the accessibility bus that a program lives on."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def nodes(self) -> list[dict[str, Any]]:
        """List the nodes that show: role, name, text, states."""
        self._stdin.write(json.dumps({"do": "tree", "skip": ["openbox"]}).encode() + b"\n")
        self._stdin.flush()
        while True:
            ready, _, _ = select.select([self._stdout], [], [], START_LIMIT_S)
            if not ready:
                raise TimeoutError("the accessibility bus does not answer")
            # Unbuffered, so that what is waited for is what is read; the bus writes lines of its own.
            line = self._stdout.readline()
            if not line:
                raise EOFError("the accessibility child has ended")
            if line.startswith(b'{"answer"'):
                return json.loads(line)["answer"]

    def texts(self) -> list[str]:
        """List what the program's text widgets show."""
        return [node["text"] for node in self.nodes() if node["text"]]


@contextmanager
def accessible_program(
    command: list[str], desk: Desk, window: str, theme: str = "Adwaita", font: str = "DejaVu Sans 10"
) -> Iterator[Accessible]:
    """Run a GTK program as `program` does, and ask what it shows of itself."""
    _write_settings(desk.home, theme, font)
    quiet = ">/dev/null 2>&1 &"
    script = f"{_AT_SPI} --launch-immediately {quiet} {shlex.join(command)} {quiet} "
    script += f"exec {_SYSTEM_PYTHON} -W ignore {shlex.quote(str(_CHILD))}"
    arguments = ["env", "-u", "NO_AT_BRIDGE", f"GTK_THEME={theme}", "GTK_MODULES=gail:atk-bridge"]
    arguments += ["dbus-run-session", "--", "sh", "-c", script]
    process = start(arguments, desk.display, desk.home, stdin=-1, stdout=-1, stderr=-3, bufsize=0)
    try:
        wait_for_window(desk.display, window)
        yield Accessible(process)
    finally:
        _end(process)


@contextmanager
def chromium(
    url: str, desk: Desk, window: str, *, bare: bool = False, whole: bool = False, width_px: int = 1180
) -> Iterator[None]:
    """Run Chromium on a page; ``bare`` is a window without tabs and address, ``whole`` fills the screen with it."""
    options = [*_CHROMIUM, f"--user-data-dir={desk.home}/chromium", f"--window-size={width_px},740"]
    options += [f"--window-position={(1280 - width_px) // 2},20"]
    options += ["--kiosk"] if whole else []
    arguments = ["dbus-run-session", "--", *options, f"--app={url}" if bare else url]
    process = start(arguments, desk.display, desk.home, stdout=-3, stderr=-3)
    try:
        wait_for_window(desk.display, window)
        yield
    finally:
        _end(process)


def wait_for_window(display: str, words: str) -> None:
    """Wait until the window with the focus holds the words in its class and title. Raises TimeoutError."""
    end = time.monotonic() + START_LIMIT_S
    found = None
    with XConnection(display) as x:
        while time.monotonic() < end:
            found = focused_window(x)
            if found is not None and all(word in f"{found.app_class} {found.title}" for word in words.split()):
                return
            select.select([], [], [], 0.05)
    raise TimeoutError(f"no window {words!r} got the focus, but {found}")


def _write_settings(home: Path, theme: str, font: str) -> None:
    settings = home / ".config" / "gtk-3.0" / "settings.ini"
    settings.parent.mkdir(parents=True, exist_ok=True)
    name = theme.partition(":")[0]
    settings.write_text(f"[Settings]\ngtk-font-name={font}\ngtk-theme-name={name}\n", encoding="utf-8")


def _end(process: subprocess.Popen[bytes]) -> None:
    stop(process)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
