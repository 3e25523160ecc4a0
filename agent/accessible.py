"""What programs say of their own elements, where the desktop tells it (AT-SPI): names, roles, boxes, the focus.

Nothing here waits: requests go to a child of the system's Python, and answers are read when they are there. A desktop
without AT-SPI, or without its bindings, answers nothing, which is no error.
"""

import json
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.types import Point, Rect

SYSTEM_PYTHON = "/usr/bin/python3"
_MAX_WAITING = 16
_END_S = 3.0
_MAX_NAME_CHARS = 60

_NOUNS = {
    **dict.fromkeys(("push button", "button", "toggle button", "push button menu"), "button"),
    **dict.fromkeys(("text", "entry", "password text", "spin button"), "field"),
    **dict.fromkeys(("menu item", "check menu item", "radio menu item"), "menu item"),
    **dict.fromkeys(("list item", "tree item", "icon"), "item"),
    **dict.fromkeys(("table column header", "column header", "heading"), "heading"),
    "check box": "checkbox",
    "radio button": "radio button",
    "combo box": "dropdown",
    "menu": "menu",
    "page tab": "tab",
    "table cell": "cell",
    "link": "link",
    "slider": "slider",
    "switch": "switch",
    "label": "text",
    "static": "text",
}
"""What people call each role; a role that is not here is no single thing to be clicked."""
_SECRET_ROLE = "password text"  # noqa: S105 - AT-SPI's name of a role


@dataclass(frozen=True, slots=True)
class Told:
    """What a program says of an element; ``box_px`` is on the virtual desktop, None where it tells none.

    ``window`` is the title of the window that it is in.
    """

    role: str
    name: str
    box_px: Rect | None
    window: str = ""

    @property
    def is_secret(self) -> bool:
        """Whether what is typed there shows as dots."""
        return self.role == _SECRET_ROLE

    @property
    def is_control(self) -> bool:
        """Whether it is one thing that a person works, and not what holds many."""
        return self.role in _NOUNS

    @property
    def is_field(self) -> bool:
        """Whether it is one that is typed into."""
        return self.role == "combo box" or _NOUNS.get(self.role) == "field"

    @property
    def words(self) -> str:
        """What a person would call it: ``the Save button``; "" for what has no name."""
        name = " ".join(self.name.replace("_", " ").split()).rstrip(":").strip()
        noun = _NOUNS.get(self.role, "")
        if not name or not noun or len(name) > _MAX_NAME_CHARS:
            return ""
        return f"the {name}" if name.casefold().split()[-1] == noun else f"the {name} {noun}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to the request of that number; without one, the news that ``told`` has got the focus."""

    number: int | None
    told: Told | None


class Accessible:
    """Asks what lies at a place and what has the focus; for one thread, until it is closed.

    ``is_there`` is None until that is known. Answers wait in the descriptor `fileno`, which is None once
    nothing will come any more.
    """

    def __init__(self) -> None:
        self.is_there: bool | None = None
        self._waiting: set[int] = set()
        self._rest = b""
        self._process: subprocess.Popen[bytes] | None = None
        if not _has_bus():
            self.is_there = False
            return
        child = Path(__file__).with_name("accessible_child.py")
        try:
            self._process = subprocess.Popen(
                [SYSTEM_PYTHON, "-I", "-W", "ignore", str(child)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except OSError:
            self.is_there = False
            return
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)

    def fileno(self) -> int | None:
        """Return the descriptor to wait at."""
        out = None if self._process is None or self.is_there is False else self._process.stdout
        return None if out is None else out.fileno()

    @property
    def waits(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._waiting) and self.is_there is not False

    def ask_at(self, number: int, at: Point, pid: int | None, title: str, window_px: Rect | None) -> None:
        """Ask what lies at a pixel; the window under it helps to find it."""
        edges = (
            (0, 0, 0, 0) if window_px is None else (window_px.left, window_px.top, window_px.right, window_px.bottom)
        )
        self._ask(number, {"do": "at", "x": at.x_px, "y": at.y_px, "pid": pid or 0, "title": title, "window": edges})

    def ask_focus(self, number: int) -> None:
        """Ask what has the focus."""
        self._ask(number, {"do": "focus"})

    def answers(self) -> list[Answer]:
        """Return what has come so far, without waiting."""
        descriptor = self.fileno()
        found: list[Answer] = []
        while descriptor is not None:
            try:
                chunk = os.read(descriptor, 65536)
            except BlockingIOError:
                break
            if not chunk:
                self.is_there = False
                break
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            found += [answer for line in lines if (answer := self._read(line)) is not None]
        return found

    def close(self) -> None:
        """Let the child end; calling it again does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        threading.Thread(target=_see_off, args=(process,), name="accessible end", daemon=True).start()

    def _ask(self, number: int, request: dict[str, Any]) -> None:
        process = self._process
        # A program that hangs is not asked ever more.
        if process is None or process.stdin is None or self.is_there is False or len(self._waiting) >= _MAX_WAITING:
            return
        try:
            process.stdin.write(json.dumps({**request, "id": number}).encode() + b"\n")
        except OSError:
            self.is_there = False
            return
        self._waiting.add(number)

    def _read(self, line: bytes) -> Answer | None:
        try:
            said = json.loads(line)
        except ValueError:
            return None  # what a library has written between
        if "found" not in said:
            self.is_there = True
            return None
        number = said.get("id")
        self._waiting.discard(number)
        return Answer(number, _told(said["found"]))


def _has_bus() -> bool:
    """Say whether the session has a bus: without one, asking for it would start one that nobody ends."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or (folder is not None and (Path(folder) / "bus").exists())


def _see_off(process: subprocess.Popen[bytes]) -> None:
    """Wait for the child, which may still hang in a program that does not answer it."""
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _told(found: dict[str, Any] | None) -> Told | None:
    if found is None:
        return None
    left, top, right, bottom = found["box"]
    box_px = Rect(left, top, right, bottom) if right > left and bottom > top else None
    return Told(found["role"], found["name"], box_px, found["window"])
