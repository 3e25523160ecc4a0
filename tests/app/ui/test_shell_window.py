"""The window itself: pages by keyboard, messages, the engine's trouble, and an orderly end."""

import sys
import types

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.crash import CrashWatch
from app.logs import open_log
from app.ui import main_window
from app.ui.banner import EngineBanner
from app.ui.crash import CrashDialog
from app.ui.logs import LogDialog, level_of
from app.ui.main_window import MainWindow
from app.ui.page import Page, PageEntry
from app.ui.services import Services
from app.ui.widgets.toast import MAX_SHOWN, ToastStack


class _FirstPage(Page):
    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(services, parent)
        self.times_shown = 0
        self.closed = False
        self.line = QLineEdit(self)
        self.line.setAccessibleName("line")

    def shown(self) -> None:
        self.times_shown += 1

    def closing(self) -> None:
        self.closed = True


class _BrokenPage(Page):
    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(services, parent)
        raise RuntimeError("no luck")


@pytest.fixture
def window(services: Services, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    module = types.ModuleType("tests_pages")
    module.__spec__ = types.SimpleNamespace(name="tests_pages")  # type: ignore[assignment]
    module.First, module.Broken = _FirstPage, _BrokenPage  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests_pages", module)
    pages = (
        PageEntry("chat", "tests_pages", "First"),
        PageEntry("agent", "tests_pages", "Broken"),
        PageEntry("batch", "no.such.module", "Page"),
        PageEntry("settings", "app.ui.settings.page", "SettingsPage"),
    )
    monkeypatch.setattr(main_window, "PAGES", pages)
    made = MainWindow(services)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_pages_are_made_when_first_shown_and_reached_by_keys(window: MainWindow, qtbot: QtBot) -> None:
    assert window.page_names == ["chat", "agent", "settings"]
    first = window.page("chat")
    assert isinstance(first, _FirstPage)
    assert window.page("settings") is None
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert (window.current, window.windowTitle()) == ("settings", "Settings – Deskhand")
    assert window.sidebar.entries["settings"].isChecked()
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert (window.current, first.times_shown) == ("chat", 2)
    assert window.services.settings.value.page == "chat"


def test_a_page_that_breaks_takes_nothing_along(window: MainWindow, quiet_log: list[object]) -> None:
    window.show_page("agent")
    page = window.page("agent")
    assert page is not None
    assert any("RuntimeError: no luck" in text.text() for text in page.findChildren(QLabel))
    assert len(quiet_log) == 1
    quiet_log.clear()
    window.show_page("chat")
    assert window.current == "chat"


def test_closing_ends_the_pages_or_hides_the_window(window: MainWindow, qtbot: QtBot) -> None:
    window.hide_instead = True
    window.close()
    assert not window.isVisible()
    page = window.page("chat")
    assert isinstance(page, _FirstPage)
    assert not page.closed
    window.show_up()
    with qtbot.waitSignal(window.closed):
        window.end()
    assert page.closed


def test_a_narrow_window_shows_icons_with_their_names_told(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1200, 700)
    qtbot.waitUntil(lambda: "Chat" in window.sidebar.entries["chat"].text())
    window.resize(700, 500)
    qtbot.waitUntil(lambda: window.sidebar.entries["chat"].text() == "")
    assert window.sidebar.entries["chat"].accessibleName() == "Chat"


def test_messages_come_go_and_do_not_pile_up(window: MainWindow, qtbot: QtBot) -> None:
    stack = window.findChild(ToastStack)
    assert stack is not None
    for number in range(MAX_SHOWN + 2):
        window.tell("error", f"problem {number}")
    window.tell("error", "problem 4")
    assert [text for _, text in stack.messages] == ["problem 2", "problem 3", "problem 4"]
    assert window.rect().contains(stack.geometry())
    stack.clear()
    assert stack.messages == []
    assert not stack.isVisible()


def test_the_engines_trouble_is_said_above_the_page(window: MainWindow, services: Services, qtbot: QtBot) -> None:
    banner = window.findChild(EngineBanner)
    assert banner is not None
    assert not banner.isVisible()
    services.engine.load("/no/such/checkpoint")
    qtbot.waitUntil(lambda: banner.isVisible(), timeout=60_000)
    assert "/no/such/checkpoint" in banner.text
    services.engine.unload()
    assert not banner.isVisible()
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=60_000)


def test_the_log_is_filtered_by_level_and_text(services: Services, qtbot: QtBot, quiet_log: list[object]) -> None:
    import logging

    book, close = open_log(services.data_folder / "logs" / "deskhand.log")
    log = logging.getLogger("somewhere")
    parent = QWidget()
    qtbot.addWidget(parent)
    log.info("all is well")
    log.warning("rather odd")
    dialog = LogDialog(book, services.data_folder, parent)
    dialog.show()
    assert "all is well" in dialog.view.toPlainText()
    dialog.level.setCurrentIndex(1)
    assert "all is well" not in dialog.view.toPlainText()
    log.error("quite broken")
    qtbot.waitUntil(lambda: "quite broken" in dialog.view.toPlainText())
    dialog.search.setText("odd")
    assert dialog.view.toPlainText().endswith("rather odd")
    (services.data_folder / "logs" / "engine.log").write_text("fine\nTraceback here\n")
    dialog.search.clear()
    dialog.source.setCurrentIndex(1)
    assert dialog.view.toPlainText() == "Traceback here"
    dialog.accept()
    close()
    assert "quite broken" in (services.data_folder / "logs" / "deskhand.log").read_text()
    assert level_of("WARNING x") == logging.WARNING
    quiet_log.clear()


def test_a_crash_leaves_a_report_that_can_be_copied(services: Services, qtbot: QtBot, quiet_log: list[object]) -> None:
    folder, log = services.data_folder / "crash", services.data_folder / "log"
    log.write_text("the last line of the log\n")
    watch = CrashWatch(folder)
    assert watch.begin(log).clean
    heard: list[str] = []
    watch.hook(heard.append)
    sys.excepthook(ValueError, ValueError("oh no"), None)
    assert heard == ["ValueError: oh no"]
    quiet_log.clear()
    watch.end()
    assert CrashWatch(folder).begin(log).clean

    later = CrashWatch(folder)
    ended = later.begin(log)
    later.end()
    assert (ended.clean, ended.report) == (False, "")
    (folder / "running").write_text("1")
    (folder / "fault.txt").write_text("Fatal Python error: Segmentation fault")
    last = CrashWatch(folder)
    ended = last.begin(log)
    last.end()
    assert "Segmentation fault" in ended.report
    assert "the last line of the log" in ended.report
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = CrashDialog(ended.report, parent)
    dialog.copy()
    from PySide6.QtGui import QGuiApplication

    assert QGuiApplication.clipboard().text() == ended.report
