"""Drive a headless Chromium over the DevTools protocol, through a pair of pipes.

With ``--remote-debugging-pipe`` the browser reads commands from file descriptor 3 and answers on 4, each message
ended by a zero byte (Chromium, content/browser/devtools/devtools_pipe_handler.cc), so no port is opened and no
client library is needed. Debian: ``apt install chromium``.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from model.errors import InputError, ResourceError

_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--allow-file-access-from-files",
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or ``None``."""
    return next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)


class Browser:
    """One headless browser with one page; a context manager that ends the process and its profile.

    Raises `InputError` when Chromium is not installed and `ResourceError` when it stops answering.
    """

    def __init__(self, *, lcd_text: bool = False, timeout_s: float = 30.0) -> None:
        binary = find_chromium()
        if binary is None:
            raise InputError("no Chromium was found", remedy="install the package chromium")
        self._timeout_s = timeout_s
        self._profile = tempfile.TemporaryDirectory(prefix="deskhand-chromium-", ignore_cleanup_errors=True)
        flags = [*_FLAGS, f"--user-data-dir={self._profile.name}"]
        flags.append("--enable-lcd-text" if lcd_text else "--disable-lcd-text")
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self._pid, self._read_fd, self._write_fd = _spawn([binary, *flags, "about:blank"])
        self._buffer = b""
        self._next_id = 0
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"}, session="")["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, session="")
        self._session = attached["sessionId"]
        self._call("Page.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        for fd in (self._read_fd, self._write_fd):
            os.close(fd)
        try:
            os.kill(self._pid, signal.SIGTERM)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        self._profile.cleanup()

    def set_viewport(self, width_px: int, height_px: int, scale: float, dark: bool) -> None:
        """Show an image of ``width_px`` x ``height_px`` device pixels, ``scale`` of them to a CSS pixel.

        A page zoomed in a browser sees just this: fewer CSS pixels, each of them larger.
        """
        metrics = {
            "width": round(width_px / scale),
            "height": round(height_px / scale),
            "deviceScaleFactor": scale,
            "mobile": False,
        }
        self._call("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, page: Path) -> None:
        """Load a local file and wait until it and what it links to are there."""
        self._events.clear()
        self._call("Page.navigate", {"url": page.resolve().as_uri()})
        self._wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript (promises are awaited) and return its value as plain data."""
        parameters = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self._call("Runtime.evaluate", parameters)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            text = details.get("exception", {}).get("description", details.get("text", ""))
            raise InputError("a script failed in the page", why=text)
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """Return what the viewport shows as PNG, in device pixels."""
        parameters = {"format": "png", "optimizeForSpeed": True, "captureBeyondViewport": False}
        return base64.b64decode(self._call("Page.captureScreenshot", parameters)["data"])

    def move_pointer(self, x_css: float, y_css: float) -> None:
        """Move the pointer, so that what lies under it shows its hover state."""
        self._call("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x_css, "y": y_css})

    def _call(
        self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        self._next_id += 1
        message: dict[str, Any] = {"id": self._next_id, "method": method, "params": parameters or {}}
        if session is None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write_fd, data) :]
        deadline = time.monotonic() + self._timeout_s
        while True:
            answer = self._receive(deadline)
            if answer.get("id") != self._next_id:
                self._events.append(answer)
            elif "error" in answer:
                raise InputError(f"Chromium refused {method}", why=str(answer["error"].get("message", "")))
            else:
                return answer["result"]

    def _wait_for(self, event: str) -> None:
        deadline = time.monotonic() + self._timeout_s
        while not any(message.get("method") == event for message in self._events):
            self._events.append(self._receive(deadline))
        self._events.clear()

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left_s = deadline - time.monotonic()
            ready = left_s > 0 and select.select([self._read_fd], [], [], left_s)[0]
            chunk = os.read(self._read_fd, 1 << 20) if ready else b""
            if not chunk:
                raise ResourceError(
                    "Chromium stopped answering",
                    why="its pipe closed" if ready else f"nothing came for {self._timeout_s:.0f} s",
                    remedy="run the command again; finished screens are kept",
                )
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _spawn(command: list[str]) -> tuple[int, int, int]:
    """Start ``command`` with pipes on its descriptors 3 and 4; return pid, our read end, our write end."""
    child_read, our_write = os.pipe()
    our_read, child_write = os.pipe()
    # Out of the way of 3 and 4, so that neither copy below overwrites the other's source.
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (child_read, child_write)]
    null = os.open(os.devnull, os.O_RDWR)
    actions = [
        (os.POSIX_SPAWN_DUP2, null, 0),
        (os.POSIX_SPAWN_DUP2, null, 1),
        (os.POSIX_SPAWN_DUP2, null, 2),
        (os.POSIX_SPAWN_DUP2, sources[0], 3),
        (os.POSIX_SPAWN_DUP2, sources[1], 4),
    ]
    pid = os.posix_spawn(command[0], command, dict(os.environ), file_actions=actions)
    for fd in (child_read, child_write, *sources, null):
        os.close(fd)
    return pid, our_read, our_write
