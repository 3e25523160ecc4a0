"""Open the real application on a real X server, go through it by keyboard, and photograph what shows.

``python -m tests.app.ui.drive FOLDER`` writes light and dark pictures at scale 1 and 2; look at them.
"""

import argparse
import json
import re
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from PIL import Image

from agent.hands.gate import HandAction
from agent.hands.x11 import X11Hands
from agent.types import Click, Hotkey, Point, Press, TypeText
from model.nano.app_session import AppSession
from model.nano.atspi_read import Node

ROOT = Path(__file__).resolve().parents[3]
SIZE_PX = (1920, 1080)
LIMIT_S = 90.0
KNOWN_PAGES = ("chat", "agent", "batch", "models", "settings")


class _OpenGate:
    """The display is ours alone: everything may happen."""

    def admit(self, action: HandAction) -> None:
        """Allow it."""

    def check(self) -> None:
        """Go on."""


class Drive:
    """The application in a session of its own; ``home`` holds the app's data and what the session writes."""

    def __init__(self, home: Path, scale: float = 1.0, size_px: tuple[int, int] = SIZE_PX, **settings: object) -> None:
        self.home = home
        self.data = home / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.change(**settings)
        self._scale = scale
        self.size_px = size_px
        self._session = AppSession(home, size_px, "Adwaita", "Clearlooks", "Sans 10", "1")
        self._hands: X11Hands | None = None

    def change(self, **settings: object) -> None:
        """Write settings before a start."""
        (self.data / "settings.json").write_text(json.dumps(settings), encoding="utf-8")

    def __enter__(self) -> Self:
        self._session.__enter__()
        try:
            self._hands = X11Hands(_OpenGate(), self.display)
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def display(self) -> str:
        """The X server's name."""
        return self._session._display

    def start(self, *arguments: str) -> None:
        """Start the application and wait for its window."""
        environment = {
            "DESKHAND_HOME": str(self.data),
            "QT_SCALE_FACTOR": f"{self._scale:g}",
            "QT_QPA_PLATFORM": "xcb",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }
        pairs = [f"{name}={value}" for name, value in environment.items()]
        self._session.start(shlex.join(["env", *pairs, sys.executable, str(ROOT / "main.py"), *arguments]))

    def close(self) -> None:
        """End everything."""
        for process in self.processes():
            process.kill()
        if self._hands is not None:
            self._hands.close()
            self._hands = None
        self._session.close()

    def processes(self) -> list[psutil.Process]:
        """Return the window's process, and the engine's below it."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("DESKHAND_HOME") == str(self.data) and "python" in process.name()
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            return False

    def window_process(self) -> psutil.Process:
        """Return the window's process."""
        return next(process for process in self.processes() if str(ROOT / "main.py") in process.cmdline()[:3])

    def engine_process(self) -> psutil.Process | None:
        """Return the engine's process, while there is one."""
        return next((process for process in self.processes() if "model.serve" in process.cmdline()), None)

    def keys(self, *names: str) -> None:
        """Press keys together."""
        if self._hands is not None:
            first, *more = names
            self._hands.perform(Hotkey((first, *more)) if more else Press(first))

    def type(self, text: str) -> None:
        """Type a text."""
        if self._hands is not None:
            self._hands.perform(TypeText(text))

    def hand(self, action: HandAction) -> None:
        """Do anything that a hand does, in pixels of the screen."""
        if self._hands is not None:
            self._hands.perform(action)

    def click(self, node: Node) -> None:
        """Click the middle of what is shown."""
        left, top, right, bottom = self.box_px(node)
        if self._hands is not None:
            self._hands.perform(Click(Point(round((left + right) / 2), round((top + bottom) / 2))))

    def box_px(self, node: Node) -> tuple[float, float, float, float]:
        """Return a node's box in pixels of the screen; Qt tells screen readers logical ones."""
        left, top, right, bottom = (self._scale * edge for edge in node.box_px)
        return left, top, right, bottom

    def nodes(self) -> list[Node]:
        """Read what a screen reader is told."""
        return self._session.nodes()

    def node(self, name: str, role: str = "") -> Node | None:
        """Return the node of that name that shows."""
        return next((n for n in self.nodes() if n.name == name and role in ("", n.role)), None)

    def says(self, part: str) -> bool:
        """Whether something that shows says this."""
        return any(part in node.name or part in node.text for node in self.nodes())

    def until(self, condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
        """Wait until something holds; raise TimeoutError that names ``what``."""
        end_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end_s:
                raise TimeoutError(f"{what} did not come within {limit_s:g} s")
            time.sleep(0.1)

    def picture(self) -> Image.Image:
        """Return what the screen shows, once it rests."""
        self._session._rest()
        return Image.fromarray(self._session.capture()[0])

    def kill_engine(self) -> None:
        """End the engine as an out-of-memory killer would."""
        if (engine := self.engine_process()) is not None:
            engine.send_signal(signal.SIGKILL)


def photograph(folder: Path, theme: str, scale: float) -> list[Path]:
    """Go through the welcome and each page by keyboard; return the pictures written."""
    made: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="deskhand-drive-") as home, Drive(Path(home), scale, theme=theme) as drive:

        def shoot(name: str) -> None:
            made.append(folder / f"{theme}-{scale:g}x-{name}.png")
            drive.picture().save(made[-1])

        drive.until(lambda: drive.says("The model is loaded and ready."), "the built-in checkpoint")
        drive.keys("enter")
        drive.until(lambda: drive.says("Found at") or drive.says("Not found"), "an answer about the screen")
        shoot("welcome")
        check_found(drive)
        drive.keys("escape")
        for number, page in enumerate(pages_of(drive), 1):
            drive.keys("ctrl", str(number))
            drive.until(lambda page=page: drive.says(f"{page} – Deskhand"), page)
            shoot(f"{number}-{page.lower()}")
            drive.keys("tab")
            drive.keys("tab")
            shoot(f"{number}-{page.lower()}-tab")
        drive.keys("f1")
        drive.until(lambda: drive.says("Keys and help"), "the sheet of keys")
        shoot("help")
        drive.keys("escape")
        drive.kill_engine()
        drive.until(lambda: drive.says("is being started again"), "word of the engine's end")
        shoot("engine-killed")
        drive.until(lambda: not drive.says("is being started again"), "the engine's return")
        drive.keys("ctrl", "q")
        drive.until(lambda: not drive.processes(), "the end")
    return made


def check_found(drive: Drive) -> None:
    """Raise AssertionError unless the welcome has found its own start button where it really is."""
    nodes = drive.nodes()
    said = next(node.name for node in nodes if "Found at" in node.name or "Not found" in node.name)
    boxes = [drive.box_px(node) for node in nodes if node.name == "Start"]
    numbers = [int(number) for number in re.findall(r"\d+", said)[:2]]
    if len(numbers) < 2 or not any(box[0] <= numbers[0] <= box[2] and box[1] <= numbers[1] <= box[3] for box in boxes):
        raise AssertionError(f"{said} is in none of {boxes}")


def pages_of(drive: Drive) -> list[str]:
    """Return the names of the pages in the sidebar, as it tells them."""
    named = {node.name for node in drive.nodes()}
    return [page.capitalize() for page in KNOWN_PAGES if page.capitalize() in named]


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", action="append", choices=("light", "dark", "contrast"))
    parser.add_argument("--scale", action="append", type=float)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for theme in args.theme or ("light", "dark"):
        for scale in args.scale or (1.0, 2.0):
            for file in photograph(args.folder, theme, scale):
                print(file)


if __name__ == "__main__":
    main()
