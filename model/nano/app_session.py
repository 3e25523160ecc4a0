"""One application on a private display, with a bus, a window manager and a home of its own."""

import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import mss
import numpy as np

from model.errors import ResourceError
from model.nano.atspi_read import Node, to_nodes
from model.nano.x_windows import XWindow, stacked_windows

_SYSTEM_PYTHON = "/usr/bin/python3"
_AT_SPI = "/usr/libexec/at-spi-bus-launcher"
_LIMIT_S = 25.0
_OPENBOX = (
    '<openbox_config xmlns="http://openbox.org/3.4/rc"><theme><name>{}</name><titleLayout>NLIMC</titleLayout></theme>'
    "<desktops><number>1</number></desktops></openbox_config>"
)


class AppSession:
    """A context manager that ends every process it has started.

    ``theme`` is a GTK theme, ``frame`` one of openbox's, ``font`` a Pango font name, ``text_scale`` a factor for fonts
    alone. The whole session lives in one process group under ``dbus-run-session``, whose end is the end of the bus and
    of what the bus started.
    """

    def __init__(
        self, home: Path, size_px: tuple[int, int], theme: str, frame: str, font: str, text_scale: str
    ) -> None:
        self._home, self._size_px = home, size_px
        self._theme, self._frame, self._font, self._text_scale = theme, frame, font, text_scale
        self._processes: list[subprocess.Popen[str]] = []
        self._display = ""
        self._buffer = b""
        self._environment: dict[str, str] = {}

    def __enter__(self) -> "AppSession":
        try:
            self._start_display()
            self._start_bus()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the applications, the bus and the display."""
        for process in reversed(self._processes):
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(timeout=3)
            except ProcessLookupError:
                continue
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def paint(self, colour: str) -> None:
        """Give the empty desktop a colour, as #rrggbb."""
        command = shutil.which("xsetroot")
        if command is not None:
            subprocess.run([command, "-solid", colour], env=self._environment, capture_output=True, check=False)

    def start(self, command: str) -> None:
        """Start an application and wait until it has a window, and that and its content stay as they are."""
        known = sum(n.parent == -1 for n in self.nodes())
        self._ask({"do": "start", "command": shlex.split(command)})
        deadline = time.monotonic() + _LIMIT_S
        before: list[Any] = []
        windows: list[XWindow] = []
        nodes: list[Node] = []
        while time.monotonic() < deadline:
            windows = stacked_windows(self._display)
            nodes = self.nodes()
            now = [(w.ident, w.box_px) for w in windows] + [len(nodes)]
            if sum(n.parent == -1 for n in nodes) > known and windows and now == before:
                return
            before = now
            time.sleep(0.5)
        raise ResourceError(
            f"{command.split()[0]} opened no window",
            why=f"waited {_LIMIT_S:.0f} s; {len(windows)} windows, {len(nodes)} nodes",
        )

    def place(self, rng: Random) -> None:
        """Move the active window somewhere, now and then give it another size, and keep the pointer out of the way."""
        ident = self._xdotool("getactivewindow").strip()
        if not ident:
            return
        width, height = self._size_px
        if rng.random() < 0.6:
            wide, high = rng.uniform(0.45, 0.95), rng.uniform(0.5, 0.9)
            self._xdotool("windowsize", ident, str(round(width * wide)), str(round(height * high)))
        lines = self._xdotool("getwindowgeometry", "--shell", ident).splitlines()
        shape = dict(line.split("=", 1) for line in lines if "=" in line)
        room_x = max(1, width - int(shape.get("WIDTH", width)))
        room_y = max(1, height - int(shape.get("HEIGHT", height)) - 24)
        self._xdotool("windowmove", ident, str(rng.randrange(room_x)), str(rng.randrange(room_y)))
        self._xdotool("mousemove", str(width - 1), str(height - 1))
        self._rest()

    def nodes(self) -> list[Node]:
        """List the accessible nodes that show now."""
        return to_nodes(self._ask({"do": "tree", "skip": ["openbox"]}))

    def act(self, ident: int) -> None:
        """Do the first action of a node of the last list, and wait until the picture rests."""
        self._ask({"do": "act", "id": ident, "action": 0})
        self._rest()

    def press(self, keys: str) -> None:
        """Press a key combination in xdotool's notation, and wait until the picture rests."""
        self._xdotool("key", "--clearmodifiers", keys)
        self._rest()

    def capture(self) -> tuple[np.ndarray, list[XWindow]]:
        """Return what the screen shows, uint8 ``(height, width, 3)``, and the windows on it."""
        with mss.MSS(display=self._display) as grabber:
            shot = grabber.grab(grabber.monitors[0])
        pixels = np.frombuffer(bytes(shot.raw), np.uint8).reshape(shot.height, shot.width, 4)
        return np.ascontiguousarray(pixels[..., 2::-1]), stacked_windows(self._display)

    def _rest(self) -> None:
        before = b""
        for _ in range(12):
            time.sleep(0.25)
            now = self.capture()[0].tobytes()
            if now == before:
                return
            before = now

    def _start_display(self) -> None:
        width, height = self._size_px
        # Xvfb picks a free number itself and writes it to this pipe once it answers.
        read_fd, write_fd = os.pipe()
        command = ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", f"{width}x{height}x24", "-dpi", "96"]
        self._spawn([*command, "-nolisten", "tcp", "-noreset"], pass_fds=(write_fd,))
        os.close(write_fd)
        with os.fdopen(read_fd) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise ResourceError("Xvfb did not start")
        self._display = f":{number}"

    def _start_bus(self) -> None:
        settings = self._home / ".config" / "gtk-3.0" / "settings.ini"
        settings.parent.mkdir(parents=True, exist_ok=True)
        theme = self._theme.partition(":")[0]
        settings.write_text(f"[Settings]\ngtk-font-name={self._font}\ngtk-theme-name={theme}\n", encoding="utf-8")
        frames = self._home / ".config" / "openbox" / "rc.xml"
        frames.parent.mkdir(parents=True, exist_ok=True)
        frames.write_text(_OPENBOX.format(self._frame), encoding="utf-8")
        self._environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self._home),
            "DISPLAY": self._display,
            "LANG": "C.UTF-8",
            "GTK_THEME": self._theme,
            "GTK_MODULES": "gail:atk-bridge",
            "GDK_BACKEND": "x11",
            "GDK_DPI_SCALE": self._text_scale,
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "QT_ACCESSIBILITY": "1",
            "GSETTINGS_BACKEND": "memory",
            "XDG_RUNTIME_DIR": str(self._home),
        }
        child = Path(__file__).with_name("atspi_child.py")
        # Nothing but the child may hold the pipe, or its end would go unnoticed.
        quiet = ">/dev/null 2>&1 &"
        script = f"{_AT_SPI} --launch-immediately {quiet} openbox {quiet} "
        script += f"exec {_SYSTEM_PYTHON} -W ignore {shlex.quote(str(child))}"
        command = ["dbus-run-session", "--", "sh", "-c", script]
        self._child = self._spawn(command, piped=True)

    def _spawn(
        self, command: list[str], pass_fds: tuple[int, ...] = (), piped: bool = False
    ) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment or None,
            cwd=self._home,
            pass_fds=pass_fds,
            start_new_session=True,
            text=True,
        )
        self._processes.append(process)
        return process

    def _ask(self, request: dict[str, Any]) -> Any:
        stdin, stdout = self._child.stdin, self._child.stdout
        if stdin is None or stdout is None:
            raise ResourceError("the accessibility child has no pipes")
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        except BrokenPipeError as error:
            raise ResourceError("the accessibility child ended", why=str(error)) from error
        line = self._answer_line(stdout.fileno())
        answer = json.loads(line)["answer"]
        if isinstance(answer, dict) and "error" in answer:
            raise ResourceError("the accessibility tree could not be read", why=answer["error"])
        return answer

    def _answer_line(self, fd: int) -> bytes:
        """Return the child's next answer, past what the bus writes to the same pipe."""
        deadline = time.monotonic() + _LIMIT_S
        while True:
            line, ended, rest = self._buffer.partition(b"\n")
            if ended:
                self._buffer = rest
                if line.startswith(b'{"answer"'):
                    return line
                continue
            left_s = deadline - time.monotonic()
            ready = left_s > 0 and select.select([fd], [], [], left_s)[0]
            chunk = os.read(fd, 1 << 16) if ready else b""
            if not chunk:
                why = "it ended" if ready else f"nothing came for {_LIMIT_S:.0f} s"
                raise ResourceError(
                    "the accessibility child does not answer",
                    why=why,
                    remedy="see that python3-gi and gir1.2-atspi-2.0 are installed",
                )
            self._buffer += chunk

    def _xdotool(self, *arguments: str) -> str:
        command = [shutil.which("xdotool") or "xdotool", *arguments]
        environment = {**self._environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=20)
        if done.returncode != 0 and arguments[0] != "getactivewindow":
            print(f"xdotool {arguments[0]}: {done.stderr.strip()}", file=sys.stderr)
        return done.stdout
