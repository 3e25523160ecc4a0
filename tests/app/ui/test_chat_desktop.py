"""The screenshot buttons on a real X screen: our own window is not in the picture, and comes back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

_PROGRAM = """
import os, sys
from pathlib import Path
from PIL import Image
from PySide6.QtCore import QPoint, QTimer, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from app.settings import SettingsStore
from app.ui.capture.frozen import FrozenScreen
from app.ui.chat.page import ChatPage
from app.ui.engine import EngineService
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.ui.theme import ThemeService
home = Path(os.environ["DESKHAND_HOME"])
application = QApplication(sys.argv)
settings, tasks = SettingsStore(home / "settings.json"), Tasks()
engine, theme = EngineService(settings, tasks, home), ThemeService(settings)
theme.apply()
behind = QWidget(None, Qt.WindowType.FramelessWindowHint)
behind.setStyleSheet("background: #ff8800")
behind.setGeometry(0, 0, 800, 600)
behind.show()
window = QMainWindow()
page = ChatPage(Services(settings, tasks, engine, theme, home, lambda level, text: print(text)))
window.setCentralWidget(page)
window.setGeometry(20, 20, 760, 560)
window.show()
window.raise_()
closed = []
application.lastWindowClosed.connect(lambda: closed.append(1))
def look():
    if page.composer.strip.attachments and not page.composer.strip.is_reading:
        timer.stop()
        picture = Image.open(page.history.files.path(page.composer.strip.attachments[0].digest)).convert("RGB")
        count = sum(n for n, c in picture.getcolors(1 << 24) if c == (255, 136, 0))
        share = count / (picture.width * picture.height)
        print("size", picture.size, "behind", share > 0.99, "visible", window.isVisible(), "closed", closed, flush=True)
        page.closing()
        engine.close()
        tasks.close()
        application.exit(0)
timer = QTimer()
timer.timeout.connect(look)
timer.start(50)
def drag():
    frozen = [each for each in application.topLevelWidgets() if isinstance(each, FrozenScreen) and each.isVisible()]
    if not frozen:
        QTimer.singleShot(50, drag)
        return
    QTest.mousePress(frozen[0], Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(frozen[0], QPoint(250, 200))
    QTest.mouseMove(frozen[0], QPoint(400, 300))
    QTest.mouseRelease(frozen[0], Qt.MouseButton.LeftButton, pos=QPoint(400, 300))
if sys.argv[1] == "region":
    QTimer.singleShot(500, page.composer.region_button.click)
    QTimer.singleShot(600, drag)
else:
    QTimer.singleShot(500, page.composer.screen_button.click)
QTimer.singleShot(60000, lambda: application.exit(3))
sys.exit(application.exec())
"""


@pytest.fixture
def display() -> Iterator[str]:
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.mark.parametrize(("what", "size_px"), [("screen", (800, 600)), ("region", (301, 201))])
def test_the_picture_of_the_screen_is_without_our_window(display: str, what: str, size_px: tuple[int, int]) -> None:
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    environment.pop("WAYLAND_DISPLAY", None)
    command = [sys.executable, "-c", _PROGRAM, what]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"size {size_px} behind True visible True closed []"
