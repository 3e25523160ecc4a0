"""The application: builds the services and the window, and ties crash marks, log, tray and later starts to them."""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QByteArray,
    QLibraryInfo,
    QLocale,
    QObject,
    QSettings,
    Qt,
    QTimer,
    QtMsgType,
    QTranslator,
    qInstallMessageHandler,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog

from app.crash import CrashWatch, LastEnd
from app.logs import open_log
from app.settings import SettingsStore
from app.translate import LANGUAGES, language_of, set_language, tr
from app.ui.engine import EngineService
from app.ui.main_window import MainWindow
from app.ui.notify import Notifier
from app.ui.services import Services
from app.ui.signals import EndSignals
from app.ui.tasks import Tasks
from app.ui.theme import ThemeService

if TYPE_CHECKING:
    from app.ui.capture.hotkeys import GlobalHotkeys
    from app.ui.tray import Tray

_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class DeskhandApplication(QObject):
    """Everything that lives as long as the window. Make it once, after QApplication; `show`, then run Qt's loop."""

    def __init__(self, data_folder: Path) -> None:
        super().__init__()
        self.data_folder = data_folder
        self.settings = SettingsStore(data_folder / "settings.json")
        language = self._language()
        set_language(language)
        self._qt_texts = QTranslator(self)
        if self._qt_texts.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            QApplication.installTranslator(self._qt_texts)
        self.logbook, self._close_log = open_log(data_folder / "logs" / "deskhand.log")
        self._crash = CrashWatch(data_folder / "crash")
        self._last_end: LastEnd = self._crash.begin(data_folder / "logs" / "deskhand.log")
        self.notifier = Notifier(self)
        self.tasks = Tasks(self)
        self.engine = EngineService(self.settings, self.tasks, data_folder, self)
        self.theme = ThemeService(self.settings, self)
        self.theme.apply()
        self.services = Services(
            self.settings, self.tasks, self.engine, self.theme, data_folder, self.notifier, self._show_page
        )
        self.window = MainWindow(self.services, self.settings.value.page)
        self._geometry = QSettings(str(data_folder / "window.ini"), QSettings.Format.IniFormat)
        self._tray: Tray | None = None
        self._hotkeys: GlobalHotkeys | None = None
        self._signals = EndSignals(self)
        self._dialogs: dict[str, QDialog] = {}
        self._connect()

    def _connect(self) -> None:
        queued = Qt.ConnectionType.QueuedConnection
        self._crash.hook(self._uncaught)
        qInstallMessageHandler(_log_qt)
        self.notifier.told.connect(self.window.tell)
        self.notifier.told.connect(self._tell_desktop)
        self.tasks.failed_unheard.connect(self._work_failed)
        self.window.closed.connect(self._ended)
        self.window.quit_wanted.connect(self.quit)
        self.window.help_wanted.connect(self.show_help)
        self.window.painted.connect(self._after_paint, queued)
        self._signals.asked.connect(self.quit)

    def show(self) -> None:
        """Show the window where it was; the rest begins once it is painted."""
        saved = self._geometry.value(self._screens_key())
        if isinstance(saved, QByteArray):
            self.window.restoreGeometry(saved)
        self.window.show()

    def do(self, command: str) -> None:
        """Do what a later start, the tray or a key asks for: "raise" or "capture"."""
        if command == "capture":
            self._capture()
        else:
            self.window.show_up()

    def quit(self) -> None:
        """End the application."""
        self.window.end()

    def show_logs(self) -> None:
        """Open the log viewer."""
        from app.ui.logs import LogDialog

        self._open("logs", lambda: LogDialog(self.logbook, self.data_folder, self.window))

    def show_help(self) -> None:
        """Open the sheet of keys."""
        from app.ui.help import HelpDialog

        self._open("help", lambda: HelpDialog(self, self.window))

    def show_welcome(self) -> None:
        """Open what a first start shows."""
        from app.ui.onboarding import WelcomeDialog

        self._open("welcome", lambda: WelcomeDialog(self.services, self.window))

    def _open(self, name: str, make: Callable[[], QDialog]) -> None:
        if known := self._dialogs.get(name):
            known.raise_()
            known.activateWindow()
            return
        dialog = make()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(lambda _result, name=name: self._dialogs.pop(name, None))
        self._dialogs[name] = dialog
        dialog.open()

    def _after_paint(self) -> None:
        """Begin what nobody waits for: the engine, the tray, and what there is to say."""
        QTimer.singleShot(0, self._start_engine)
        QTimer.singleShot(0, self._start_tray)
        QTimer.singleShot(0, self._start_hotkeys)
        logging.getLogger("deskhand").info("started on %s", QGuiApplication.platformName())
        if self.settings.problem:
            self.notifier("warning", self.settings.problem)
        if not self._last_end.clean and self._last_end.report:
            from app.ui.crash import CrashDialog

            self._open("crash", lambda: CrashDialog(self._last_end.report, self.window))
        elif not self._last_end.clean:
            self.notifier("info", tr("Deskhand was ended from outside last time. Everything you had is still there."))
        elif not self.settings.value.welcomed:
            self.show_welcome()

    def _start_engine(self) -> None:
        value = self.settings.value
        if not value.load_at_start:
            return
        for endpoint in value.endpoints:
            if value.endpoint and endpoint.name == value.endpoint:
                self.engine.use_endpoint(endpoint)
                return
        self.engine.load(value.model, quantize=value.quantize)

    def _start_tray(self) -> None:
        from app.ui.tray import app_icon, make_tray

        QGuiApplication.setWindowIcon(app_icon(self.theme.tokens.accent))
        tray = make_tray(self.services, self)
        self._tray = tray
        if tray is not None:
            tray.show_wanted.connect(self.window.show_up)
            tray.capture_wanted.connect(self._capture)
            tray.pause_wanted.connect(self._pause_agent)
            tray.quit_wanted.connect(self.quit)
            self.window.hide_instead = self.settings.value.close_to_tray
            self.settings.subscribe(self._settings_changed)

    def _start_hotkeys(self) -> None:
        from app.ui.capture.hotkeys import GlobalHotkeys

        self._hotkeys = GlobalHotkeys(self.settings, self)
        self._hotkeys.pressed.connect(self._hotkey)

    def _hotkey(self, name: str) -> None:
        """Do what a key asks for that works everywhere on the desktop."""
        if name == "capture":
            self._capture()
        else:
            self._pause_agent()

    def _pause_agent(self) -> None:
        if (page := self.window.page("agent")) is not None:
            page.toggle_pause()  # pyright: ignore[reportAttributeAccessIssue] - made by name, so its type is not known

    def _settings_changed(self, _value: object) -> None:
        self.window.hide_instead = self._tray is not None and self.settings.value.close_to_tray

    def _capture(self) -> None:
        if importlib.util.find_spec("app.ui.capture") is None:
            self.notifier("error", tr("This version cannot ask about a part of the screen."))
            return
        importlib.import_module("app.ui.capture").begin(self.services, self.window)

    def _show_page(self, name: str) -> None:
        match name:
            case "logs":
                self.show_logs()
            case "welcome":
                self.show_welcome()
            case _:
                self.window.show_page(name)
                self.window.show_up()

    def _tell_desktop(self, _level: str, message: str) -> None:
        """Let the desktop say what is told while the person is elsewhere."""
        if self.window.isActiveWindow():
            return
        QApplication.alert(self.window)
        if self._tray is not None:
            self._tray.tell(message)

    def _work_failed(self, message: str) -> None:
        self.notifier("error", message)

    def _uncaught(self, message: str) -> None:
        # From any thread: the notifier's signal finds its way to the window's.
        self.notifier("error", tr("Something in Deskhand went wrong: {what}. The logs say more.", what=message))

    def _ended(self) -> None:
        """Save the window's place, and stop everything; the window is gone from the screen already."""
        self._geometry.setValue(self._screens_key(), self.window.saveGeometry())
        self._geometry.sync()
        self.window.hide()
        if self._tray is not None:
            self._tray.close()
        if self._hotkeys is not None:
            self._hotkeys.close()
        self._signals.close()
        self.engine.close()
        self.tasks.close()
        qInstallMessageHandler(None)
        self._crash.end()
        self._close_log()
        QApplication.quit()

    def _language(self) -> str:
        chosen = self.settings.value.language
        if chosen != "system":
            return chosen if chosen in LANGUAGES or chosen == "pseudo" else "en"
        return language_of(QLocale.system().name())

    def _screens_key(self) -> str:
        """Name the arrangement of screens, so that each has its own place for the window."""
        parts = []
        for screen in QGuiApplication.screens():
            box = screen.geometry()
            parts.append(f"{box.width()}x{box.height()}+{box.x()}+{box.y()}")
        return f"geometry/{' '.join(sorted(parts))}"


def _log_qt(kind: QtMsgType, context: object, message: str) -> None:
    """Keep what Qt says in our log."""
    logging.getLogger("qt").log(_QT_LEVELS.get(kind, logging.WARNING), "%s", message)
    if kind == QtMsgType.QtFatalMsg:
        sys.stderr.write(f"{message}\n")
