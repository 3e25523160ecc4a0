"""What ``python main.py`` without a command runs: the window, or a word to the one that is open already."""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import data_folder

if TYPE_CHECKING:
    from app.ui.application import DeskhandApplication

_HEAVY = ("torch", "transformers", "numpy", "openai")
_SETTLE_S = 1.5
_PATIENCE_S = 60.0


def run_window(command: str = "raise", times_file: Path | None = None) -> int:
    """Open the window and return its exit code; with one open already, make that one do ``command``.

    ``times_file`` is for measuring: when the window has been painted and its process has settled, times and
    memory are written there, and the window closes.
    """
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication

    imported_s = time.time()
    rounding = Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(rounding)
    QApplication.setDesktopFileName("deskhand")
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Deskhand")
    application.setStyle("Fusion")
    application.setQuitOnLastWindowClosed(False)

    from app.ui.instance import Instance, tell_running

    folder = data_folder()
    instance = Instance(folder)
    if not instance.claim():
        tell_running(folder, command)
        return 0

    from app.ui.application import DeskhandApplication

    deskhand = DeskhandApplication(folder)
    instance.asked.connect(deskhand.do)
    deskhand.show()
    if times_file is not None:
        deskhand.window.painted.connect(lambda: _measure(deskhand, times_file, imported_s))
    instance.listen()
    if command == "capture":
        deskhand.window.painted.connect(lambda: deskhand.do("capture"), Qt.ConnectionType.QueuedConnection)
    code = application.exec()
    instance.release()
    return code


def _measure(deskhand: "DeskhandApplication", times_file: Path, imported_s: float) -> None:
    """Write the figures once the engine is ready or has failed, or a while later where none is loaded."""
    from PySide6.QtCore import QTimer

    painted = {"imported_s": imported_s, "painted_s": time.time(), "painted_bytes": _resident_bytes()}
    painted["cpu_s"] = time.process_time()
    _open_a_chat(deskhand)
    watch = QTimer(deskhand)
    since_s = time.monotonic()

    def look() -> None:
        waits = deskhand.settings.value.load_at_start and deskhand.engine.state not in ("ready", "failed")
        passed_s = time.monotonic() - since_s
        if passed_s < _SETTLE_S or (waits and passed_s < _PATIENCE_S):
            return
        watch.stop()
        heavy = [name for name in _HEAVY if name in sys.modules]
        figures = {**painted, "resident_bytes": _resident_bytes(), "loaded": heavy, "engine": deskhand.engine.state}
        times_file.write_text(json.dumps(figures), encoding="utf-8")
        deskhand.quit()

    watch.timeout.connect(look)
    watch.start(100)


def _open_a_chat(deskhand: "DeskhandApplication") -> None:
    """Open the latest chat there is, as a person would who goes on with it."""
    from app.ui.chat.page import ChatPage

    page = deskhand.window.page("chat")
    if isinstance(page, ChatPage) and (chats := page.history.conversations.list()):
        page.session.open(chats[0].id)


def _resident_bytes() -> int:
    import psutil

    return psutil.Process(os.getpid()).memory_info().rss
