"""The sheet of keys, and the ways to the logs and the welcome page."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.main_window import shortcut_sheet
from app.ui.widgets.controls import button, label, row, subheading

if TYPE_CHECKING:
    from app.ui.application import DeskhandApplication


class HelpDialog(QDialog):
    """Lists the keys of the whole window."""

    def __init__(self, application: "DeskhandApplication", parent: QWidget) -> None:
        super().__init__(parent)
        self._application = application
        self.setWindowTitle(tr("Keys and help"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        hotkeys = application.settings.value.hotkeys
        everywhere = [
            (hotkeys.capture, tr("Ask about a part of the screen, from anywhere")),
            (hotkeys.pause, tr("Pause or resume the agent, from anywhere")),
            (hotkeys.stop, tr("Stop the agent, from anywhere")),
        ]
        for line, (keys, meaning) in enumerate([*shortcut_sheet(), *(pair for pair in everywhere if pair[0])]):
            written = label(keys, "mono")
            written.setProperty("data", True)
            grid.addWidget(written, line, 0)
            grid.addWidget(label(meaning), line, 1)
        logs = button(tr("Logs"), icon="list")
        logs.clicked.connect(self._logs)
        welcome = button(tr("Welcome page"), icon="info")
        welcome.clicked.connect(self._welcome)
        close = button(tr("Close"), role="primary")
        close.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addWidget(subheading(tr("Keys")))
        layout.addLayout(grid)
        layout.addWidget(row(logs, welcome, "stretch", close))
        close.setFocus()

    def _logs(self) -> None:
        self.accept()
        self._application.show_logs()

    def _welcome(self) -> None:
        self.accept()
        self._application.show_welcome()
