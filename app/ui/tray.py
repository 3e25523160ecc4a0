"""The icon in the tray, where there is one; never the only way to anything."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.translate import tr
from app.ui.icons import pixmap
from app.ui.services import Services


class Tray(QObject):
    """Asks for what its menu offers."""

    show_wanted = Signal()
    capture_wanted = Signal()
    pause_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._menu = QMenu()
        for text, signal in (
            (tr("Show Deskhand"), self.show_wanted),
            (tr("Ask about a part of the screen"), self.capture_wanted),
            (tr("Pause or resume the agent"), self.pause_wanted),
            (tr("Quit"), self.quit_wanted),
        ):
            self._menu.addAction(text).triggered.connect(signal)
        self._icon = QSystemTrayIcon(app_icon(services.theme.tokens.accent), self)
        self._icon.setToolTip("Deskhand")
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._icon.show()

    def tell(self, message: str) -> None:
        """Say something for a moment, as the desktop does such things."""
        self._icon.showMessage("Deskhand", message, self._icon.icon())

    def close(self) -> None:
        """Take the icon away."""
        self._icon.hide()
        self._menu.deleteLater()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.show_wanted.emit()


def make_tray(services: Services, parent: QObject) -> Tray | None:
    """Make the icon, or nothing where the desktop has no tray."""
    return Tray(services, parent) if QSystemTrayIcon.isSystemTrayAvailable() else None


def app_icon(color: str) -> QIcon:
    """Return the application's icon."""
    icon = QIcon()
    for size in (16, 32, 64, 128):
        icon.addPixmap(pixmap("logo", color, size))
    return icon
