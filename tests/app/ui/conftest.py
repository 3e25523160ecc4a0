"""A window without a screen, on a home of its own; fails on Qt warnings, stray log lines, threads and timers."""

import gc
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app.settings import HOME_VARIABLE, SettingsStore
from app.translate import set_language
from app.ui.engine import EngineService
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.ui.theme import ThemeService
from tests.app.ui.agent_pages import agent_page  # noqa: F401 - a fixture
from tests.app.ui.batch_pages import batch_page, pointer  # noqa: F401 - fixtures
from tests.app.ui.chat_pages import chat_script, open_chat  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the app's data of one test in that test's folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    return folder


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


@dataclass
class Notices:
    """What the person was told: (level, message)."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, level: str, message: str) -> None:
        self.told.append((level, message))


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def services(qapp: QApplication, home: Path, notices: Notices, no_leaks: None) -> Iterator[Services]:
    """Give what pages get: real services on a private home, no model loaded. `notices` has what was told."""
    settings = SettingsStore(home / "settings.json")
    root = QObject()
    tasks = Tasks(root)
    engine = EngineService(settings, tasks, home, root)
    theme = ThemeService(settings, root)
    theme.apply()
    yield Services(settings, tasks, engine, theme, home, notices)
    engine.close()
    tasks.close()
    root.deleteLater()
    _delete_now()


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail when a test leaves a thread, a running timer or a window behind."""
    before = set(threading.enumerate())
    yield
    _delete_now()
    # A thread that has been told to end needs a moment for it.
    # tqdm starts a watcher of its own with the first bar of a process, and keeps it.
    left = [each for each in threading.enumerate() if each not in before and each.name != "tqdm_monitor"]
    for thread in left:
        thread.join(5)
    left = [thread.name for thread in left if thread.is_alive()]
    assert not left, f"threads were left running: {left}"
    gc.collect()
    timers = [timer for timer in gc.get_objects() if type(timer) is QTimer and isValid(timer) and timer.isActive()]
    described = [f"{timer.objectName() or 'timer'} of {timer.parent()!r}" for timer in timers]
    for timer in timers:
        timer.stop()
    assert not described, f"timers were left running: {described}"
    windows = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
    for window in windows:
        window.close()
    assert not windows, f"windows were left open: {windows}"


@pytest.fixture(autouse=True)
def quiet_log(request: pytest.FixtureRequest) -> Iterator[list[logging.LogRecord]]:
    """Fail on a log line from warning upwards; a test that expects one takes this fixture and empties the list."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keep(logging.WARNING)
    logging.getLogger().addHandler(handler)
    yield records
    logging.getLogger().removeHandler(handler)
    assert not records, f"unexpected log lines: {[record.getMessage() for record in records]}"


def _delete_now() -> None:
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
