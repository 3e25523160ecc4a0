"""Photograph every page and dialog of the real application, as it looks to different people.

``python -m tests.app.ui.tour FOLDER [--look NAME]…`` writes pictures; look at them.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.types import Drag, Point, Scroll
from app.translate import set_language
from app.ui.sidebar import page_title
from model.nano.atspi_read import Node
from tests.app.ui.drive import KNOWN_PAGES, Drive
from tests.app.ui.tour_data import seed, seed_crash

MOST_SCREENS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """A person's screen and choices."""

    theme: str = "light"
    scale: float = 1.0
    size_px: tuple[int, int] = (1920, 1080)
    text_percent: int = 100
    language: str = "en"


LOOKS = {
    "light": Look(),
    "dark": Look("dark"),
    "contrast": Look("contrast"),
    "dark-2x": Look("dark", 2.0),
    "light-2x-4k": Look("light", 2.0, (3840, 2160)),
    "light-3x-4k": Look("light", 3.0, (3840, 2160)),
    "narrow": Look("light", 1.0, (940, 760)),
    "text-200": Look("dark", 1.0, (1920, 1080), 200),
    "text-300": Look("light", 1.0, (1920, 1080), 300),
    "text-300-narrow": Look("light", 1.0, (940, 1000), 300),
    "chinese": Look("light", language="zh_CN"),
}


class Tour:
    """Goes through the application that a `Drive` holds; ``shoot`` writes a picture of the screen."""

    def __init__(self, drive: Drive, folder: Path, name: str, language: str = "en") -> None:
        self._drive = drive
        self._folder = folder
        self._name = name
        self._language = language
        self.made: list[Path] = []

    def shoot(self, what: str) -> None:
        """Photograph the screen."""
        self.made.append(self._folder / f"{self._name}-{what}.png")
        self._drive.picture().save(self.made[-1])

    def shoot_all(self, what: str) -> None:
        """Photograph the page from its top to its end."""
        before = b""
        for number in range(MOST_SCREENS):
            picture = self._drive.picture()
            if picture.tobytes() == before:
                break
            before = picture.tobytes()
            self.made.append(self._folder / f"{self._name}-{what}{'' if number == 0 else f'-{number + 1}'}.png")
            picture.save(self.made[-1])
            self._scroll(-4)
        self._scroll(60)

    def _scroll(self, notches: int) -> None:
        width, height = self._drive.size_px
        self._drive.hand(Scroll(Point(round(width * 0.55), round(height * 0.62)), notches))

    def click(self, *names: str) -> bool:
        """Click the first control of one of these names that shows; say whether there was one."""
        for name in names:
            node = next((n for n in self._drive.nodes() if n.name == name and self._can_be_clicked(n)), None)
            if node is not None:
                self._drive.click(node)
                return True
        return False

    def _can_be_clicked(self, node: Node) -> bool:
        left, top, right, bottom = self._drive.box_px(node)
        width, height = self._drive.size_px
        inside = 0 <= left < right <= width and 0 <= top < bottom <= height
        return inside and "SHOWING" in node.states and node.role not in ("label", "panel", "frame")

    def page(self, number: int) -> None:
        """Go to a page by its number."""
        self._drive.keys("ctrl", str(number))
        set_language(self._language)
        title = page_title(KNOWN_PAGES[number - 1])
        self._drive.until(lambda: self._drive.says(f"{title} – Deskhand"), title)

    def go(self) -> None:
        """Visit everything."""
        steps: tuple[Callable[[], None], ...] = (
            self._crash,
            self._pages,
            self._chat,
            self._agent,
            self._batch,
            self._models,
            self._dialogs,
            self._capture,
        )
        for step in steps:
            step()

    def _crash(self) -> None:
        self.shoot("crash")
        self._drive.keys("escape")

    def _pages(self) -> None:
        for number, page in enumerate(("chat", "agent", "batch", "models", "settings"), 1):
            self.page(number)
            if page == "chat":
                self._drive.keys("ctrl", "n")
            self.shoot_all(f"{number}-{page}")

    def _chat(self) -> None:
        self.page(1)
        self._drive.keys("ctrl", "k")
        self._drive.type("window show")
        self._drive.keys("enter")
        self.shoot_all("chat-answer")
        self._drive.keys("escape")

    def _agent(self) -> None:
        self.page(2)
        if self.click("Goal", "目标"):
            self.shoot("agent-goal")
        self.click("Steps", "步骤")
        self._drive.keys("tab")
        if self.click("Past runs", "历史运行"):
            self.shoot_all("agent-past")
        self.click("Task", "任务")
        if self.click("Record", "录制"):
            self.shoot("agent-record")
            self.click("Stop", "停止", "Done", "完成")
            self.shoot("agent-recorded")
            self._drive.keys("escape")

    def _batch(self) -> None:
        self.page(3)
        if self.click("Open", "打开"):
            self.shoot("batch-run")
            if self.click("Charts", "图表"):
                self.shoot_all("batch-charts")
            self.click("All runs", "所有任务")

    def _models(self) -> None:
        self.page(4)
        for number, names in enumerate((("Local server", "本地服务器"), ("Other servers", "其他服务器")), 2):
            if self.click(*names):
                self.shoot_all(f"models-tab{number}")
        if self.click("Add a server…", "添加服务器…"):
            self.shoot("models-add-server")
            self._drive.keys("escape")
        self.click("Models", "模型")

    def _dialogs(self) -> None:
        self._drive.keys("ctrl", "/")
        self.shoot_all("help")
        if self.click("Logs", "日志"):
            self.shoot("logs")
            self._drive.keys("escape")
        self._drive.keys("f1")
        if self.click("Welcome page", "欢迎页"):
            self.shoot_all("welcome")
            self._drive.keys("escape")

    def _capture(self) -> None:
        self._drive.keys("ctrl", "alt", "space")
        self.shoot("capture")
        width, height = self._drive.size_px
        self._drive.hand(Drag(Point(width // 3, height // 4), Point(width * 3 // 5, height * 3 // 5)))
        self.shoot("capture-asked")
        self._drive.keys("escape")
        self._drive.keys("escape")


def take(folder: Path, name: str) -> list[Path]:
    """Photograph everything in one look; return the pictures written."""
    look = LOOKS[name]
    with tempfile.TemporaryDirectory(prefix="deskhand-tour-") as home:
        settings = {"theme": look.theme, "text_percent": look.text_percent, "language": look.language, "welcomed": True}
        drive = Drive(Path(home), look.scale, look.size_px, load_at_start=False, **settings)
        seed(drive.data)
        seed_crash(drive.data)
        with drive:
            tour = Tour(drive, folder, name, look.language)
            tour.go()
    return tour.made


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--look", action="append", choices=LOOKS)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in args.look or LOOKS:
        for file in take(args.folder, name):
            print(file)


if __name__ == "__main__":
    main()
