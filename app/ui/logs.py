"""The log viewer: Deskhand's own log and the engine's, by level, to copy."""

import logging
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.crash import tail
from app.logs import Logbook, LogLine
from app.translate import tr
from app.ui.widgets.controls import button, row

_ENGINE_BYTES = 200_000
_MAX_BLOCKS = 5000


class LogDialog(QDialog):
    """Shows lines as they come. ``logbook`` None, as in tests of single pages, shows the files alone."""

    _arrived = Signal(object)

    def __init__(self, logbook: Logbook | None, folder: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self._book, self._folder = logbook, folder
        self.setWindowTitle(tr("Logs"))
        self.resize(860, 560)
        self.source = QComboBox()
        self.source.addItem(tr("Window"), "deskhand.log")
        self.source.addItem(tr("Engine"), "engine.log")
        self.source.addItem(tr("Local server"), "server.log")
        self.source.setAccessibleName(tr("Which log"))
        self.level = QComboBox()
        for name, number in (
            (tr("Everything"), logging.NOTSET),
            (tr("Warnings and errors"), logging.WARNING),
            (tr("Errors only"), logging.ERROR),
        ):
            self.level.addItem(name, number)
        self.level.setAccessibleName(tr("Level"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Filter by text"))
        self.search.setAccessibleName(tr("Filter by text"))
        self.search.setClearButtonEnabled(True)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setProperty("role", "mono")
        self.view.setProperty("data", True)
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.view.setMaximumBlockCount(_MAX_BLOCKS)
        self.view.setAccessibleName(tr("Log"))
        self.view.setTabChangesFocus(True)
        copy = button(tr("Copy what is shown"), icon="copy")
        copy.clicked.connect(self.copy)
        folder_button = button(tr("Open the folder"), icon="folder", role="ghost")
        folder_button.clicked.connect(self._open_folder)
        close = button(tr("Close"))
        close.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addWidget(row(self.source, self.level, self.search))
        layout.addWidget(self.view, 1)
        layout.addWidget(row(folder_button, "stretch", copy, close))
        self.source.currentIndexChanged.connect(self.refresh)
        self.level.currentIndexChanged.connect(self.refresh)
        self.search.textChanged.connect(self.refresh)
        self._arrived.connect(self._add)
        if logbook is not None:
            logbook.on_line = self._arrived.emit
        self.finished.connect(self._leave)
        self.refresh()

    def refresh(self) -> None:
        """Show what the filters let through."""
        own = self.source.currentData() == "deskhand.log"
        if own and self._book is not None:
            lines = [line.text for line in self._book.lines(self._level()) if self._wanted(line.text)]
        else:
            text = tail(self._folder / "logs" / str(self.source.currentData()), _ENGINE_BYTES)
            lines = [line for line in text.splitlines() if level_of(line) >= self._level() and self._wanted(line)]
        self.view.setPlainText("\n".join(lines))
        bar = self.view.verticalScrollBar()
        bar.setValue(bar.maximum())

    def copy(self) -> None:
        """Put what is shown into the clipboard."""
        QGuiApplication.clipboard().setText(self.view.toPlainText())

    def _level(self) -> int:
        return int(self.level.currentData())

    def _wanted(self, text: str) -> bool:
        return self.search.text().casefold() in text.casefold()

    def _add(self, line: LogLine) -> None:
        if self.source.currentData() == "deskhand.log" and line.level >= self._level() and self._wanted(line.text):
            self.view.appendPlainText(line.text)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder / "logs")))

    def _leave(self) -> None:
        if self._book is not None:
            self._book.on_line = None


def level_of(line: str) -> int:
    """Guess the level of a line that some program wrote; a traceback's lines count as errors."""
    for word, level in (("CRITICAL", 50), ("ERROR", 40), ("Error", 40), ("Traceback", 40), ("WARN", 30), ("Warn", 30)):
        if word in line:
            return level
    return logging.INFO
