"""The window: a sidebar, one page at a time, a line about the engine when it is in trouble, and messages."""

import importlib
import importlib.util
import logging

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.banner import EngineBanner
from app.ui.page import PAGES, Page, PageEntry
from app.ui.services import Services
from app.ui.sidebar import Sidebar, page_title
from app.ui.widgets.controls import column, heading, hint
from app.ui.widgets.toast import ToastStack

MIN_WIDTH_PX, MIN_HEIGHT_PX = 640, 440
_FIRST_WIDTH_PX, _FIRST_HEIGHT_PX = 1240, 820
_FRAME_PX = 40
"""Room that a window manager's frame and panel are left at the first start."""

_NARROW_BELOW_TEXTS = 68
"""Widths of a window, in heights of its text, below which the sidebar shows icons alone."""

_log = logging.getLogger(__name__)


class MainWindow(QMainWindow):
    """Makes each page when it is first shown.

    ``painted`` follows the first paint, ``closed`` the end of the window; ``hide_instead`` says that closing
    only hides it, because a tray holds the way back.
    """

    painted = Signal()
    closed = Signal()
    help_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, services: Services, first: str = "") -> None:
        super().__init__()
        self.services = services
        self.hide_instead = False
        self._was_painted = False
        self._entries = {entry.name: entry for entry in PAGES if _exists(entry)}
        self._pages: dict[str, QWidget] = {}
        self.current = ""
        self.setWindowTitle("Deskhand")
        self.setMinimumSize(MIN_WIDTH_PX, MIN_HEIGHT_PX)
        room = self.screen().availableGeometry()
        self.resize(
            min(_FIRST_WIDTH_PX, room.width() - _FRAME_PX), min(_FIRST_HEIGHT_PX, room.height() - 2 * _FRAME_PX)
        )
        self.sidebar = Sidebar(list(self._entries), services.engine, services.theme, self)
        self.banner = EngineBanner(services)
        self._stack = QStackedWidget()
        self._lay_out()
        self.toasts = ToastStack(self)
        self._bind_keys()
        self.sidebar.chosen.connect(self.show_page)
        self.sidebar.status_clicked.connect(self._show_models)
        self.sidebar.help_clicked.connect(self.help_wanted)
        wanted = first if first in self._entries else next(iter(self._entries), "")
        if wanted:
            self.show_page(wanted)

    def _lay_out(self) -> None:
        right = QWidget()
        inside = QVBoxLayout(right)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self.banner)
        inside.addWidget(self._stack, 1)
        whole = QWidget()
        whole.setProperty("role", "page")
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(right, 1)
        self.setCentralWidget(whole)

    def _bind_keys(self) -> None:
        for number, name in enumerate(self._entries, 1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            shortcut.activated.connect(lambda name=name: self.show_page(name))
        for keys, slot in (
            ("Ctrl+,", self._show_settings),
            ("Ctrl+Q", self.quit_wanted),
            ("Ctrl+/", self.help_wanted),
            ("F1", self.help_wanted),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)

    @property
    def page_names(self) -> list[str]:
        """The pages there are."""
        return list(self._entries)

    def page(self, name: str) -> QWidget | None:
        """Return a page that has been made already."""
        return self._pages.get(name)

    def show_page(self, name: str) -> None:
        """Go to a page, and make it if this is the first time; other names are ignored."""
        if name not in self._entries:
            return
        if name not in self._pages:
            self.add_page(name, self._make(self._entries[name]))
        page = self._pages[name]
        self._stack.setCurrentWidget(page)
        self.sidebar.mark(name)
        self.current = name
        self.setWindowTitle(f"{page_title(name)} – Deskhand")
        if isinstance(page, Page):
            page.shown()
        self._settle_focus(name)
        if name != self.services.settings.value.page:
            self.services.settings.change(page=name)

    def _settle_focus(self, name: str) -> None:
        """Leave the focus on the page, or on its entry: what had it may have been hidden with another page."""
        focused, entry = self.focusWidget(), self.sidebar.entries.get(name)
        strays = focused is None or (focused is not entry and focused in self.sidebar.entries.values())
        if strays and entry is not None:
            entry.setFocus()

    def add_page(self, name: str, page: QWidget) -> None:
        """Take in a page that was made elsewhere."""
        page.setProperty("role", "page")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        page.setAccessibleName(page_title(name))
        self._pages[name] = page
        self._stack.addWidget(page)

    def _make(self, entry: PageEntry) -> QWidget:
        try:
            kind: type[Page] = getattr(importlib.import_module(entry.module), entry.type_name)
            return kind(self.services, self._stack)
        except Exception as error:  # noqa: BLE001 - a border: one page shall not take the others along
            _log.exception("page %s could not be made", entry.name)
            return _broken(f"{type(error).__name__}: {error}")

    def tell(self, level: str, message: str) -> None:
        """Show a message in the corner."""
        self.toasts.tell(level, message)

    def show_up(self) -> None:
        """Come to the front, from wherever the window is."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def end(self) -> None:
        """Let every page save and stop, and close for good."""
        self.hide_instead = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Hide, or end the pages and say that the window is closed."""
        if self.hide_instead:
            event.ignore()
            self.hide()
            return
        self.toasts.clear()
        for name, page in self._pages.items():
            if isinstance(page, Page):
                try:
                    page.closing()
                except Exception:  # noqa: BLE001 - a border: the other pages shall save, too
                    _log.exception("page %s did not close", name)
        event.accept()
        self.closed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Note the first paint, once all of it is on its way to the screen."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Give the page the sidebar's room where there is little."""
        super().resizeEvent(event)
        self._fit_sidebar()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow a change of the text's size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "sidebar"):
            self._fit_sidebar()

    def _fit_sidebar(self) -> None:
        self.sidebar.set_narrow(self.width() < _NARROW_BELOW_TEXTS * self.services.theme.tokens.text_px)

    def _show_models(self) -> None:
        self.show_page("models" if "models" in self._entries else "settings")

    def _show_settings(self) -> None:
        self.show_page("settings")


def _exists(entry: PageEntry) -> bool:
    try:
        return importlib.util.find_spec(entry.module) is not None
    except ModuleNotFoundError:
        return False


def _broken(why: str) -> QWidget:
    """Stand in for a page that could not be made, and say why."""
    said = hint(tr("This page could not be opened: {why}. The logs say more.", why=why))
    holder = column(heading(tr("Something is broken")), said, "stretch", spacing=12)
    holder.setContentsMargins(24, 24, 24, 24)
    return holder


def shortcut_sheet() -> list[tuple[str, str]]:
    """Return the keys that work in the whole window, and what they do."""
    return [
        ("Ctrl+1 … Ctrl+5", tr("Go to a page")),
        ("Ctrl+,", tr("Settings")),
        ("Ctrl+/, F1", tr("This sheet")),
        ("Ctrl+N", tr("New chat")),
        ("Ctrl+K, Ctrl+F", tr("Search the history")),
        ("Enter / Shift+Enter", tr("Send / new line")),
        ("↑", tr("Edit your last message, in an empty field")),
        ("Ctrl+Shift+C", tr("Copy the last answer")),
        ("Ctrl+Enter", tr("Start the agent on what is written")),
        ("Esc", tr("Stop the answer, or leave an edit")),
        ("Ctrl+Q", tr("Quit")),
    ]
