"""Start the target program and talk with it."""

import json
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import xcffib.xproto as xp

from agent.x11.connection import XConnection
from agent.x11.windows import focused_window, read_window
from tests.x11.conftest import start, stop

LIMIT_S = 10.0
_TARGET = Path(__file__).with_name("target.py")


class Target:
    """A running target. Every wait has a limit, after which the test fails with what was heard."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._rest = b""
        self.rect: tuple[int, int, int, int] = (0, 0, 0, 0)

    def next_event(self, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """Return the next thing that the target says."""
        end = time.monotonic() + limit_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the target said nothing more than {self._rest!r}")
            chunk = self._stdout.read1(65536)  # pyright: ignore[reportAttributeAccessIssue]
            if not chunk:
                raise EOFError("the target has ended")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool] | str) -> dict[str, Any]:
        """Return the next event of a name, or the next that fulfils a condition; drop those before."""
        heard: list[dict[str, Any]] = []
        while True:
            try:
                event = self.next_event()
            except TimeoutError as error:
                raise AssertionError(f"heard only {heard[-5:]}") from error
            if event["event"] == wanted if isinstance(wanted, str) else wanted(event):
                return event
            heard.append(event)

    def ask(self, do: str, **more: str) -> dict[str, Any]:
        """Give a command and return its answer."""
        self._stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self._stdin.flush()
        return self.wait_for({"get": "text", "clear": "cleared", "copy": "copied", "clipboard": "clipboard"}[do])

    def wait_for_text(self, text: str) -> str:
        """Return the field's text as soon as it is the given one, or what it is at the end of the limit."""
        end = time.monotonic() + LIMIT_S
        while True:
            found = self.ask("get")["text"]
            if found == text or time.monotonic() > end:
                return found


def focus(display: str, title: str) -> None:
    """Ask the window manager to activate a window, and wait until it has the focus."""
    with XConnection(display) as x:
        end = time.monotonic() + 30
        wanted: int | None = None
        while time.monotonic() < end:
            if wanted is None:
                windows = [read_window(x, id_) for id_ in x.read_cardinals(x.root, "_NET_CLIENT_LIST")]
                wanted = next((window.id for window in windows if window and window.title == title), None)
                if wanted is not None:
                    message = struct.pack("=BBHII5I", 33, 32, 0, wanted, x.atom("_NET_ACTIVE_WINDOW"), 2, 0, 0, 0, 0)
                    mask = xp.EventMask.SubstructureNotify | xp.EventMask.SubstructureRedirect
                    x.core.SendEvent(False, x.root, mask, message)
            focused = focused_window(x)
            if focused is not None and focused.id == wanted:
                return
            select.select([], [], [], 0.01)
        pytest.fail(f"the window {title!r} does not get the focus")


@contextmanager
def target(kind: str, display: str, home: Path) -> Iterator[Target]:
    """Run a target of a kind: ``edit``, ``line`` or ``pad``; it is active when the block begins."""
    arguments = [sys.executable, str(_TARGET), kind]
    process = start(arguments, display, home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        running = Target(process)
        running.rect = tuple(running.wait_for("ready")["rect"])
        yield running
    finally:
        stop(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
