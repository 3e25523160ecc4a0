"""The dialog after a crash: what happened, as text that one can copy. Nothing is sent anywhere."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.widgets.controls import button, hint, row, subheading


class CrashDialog(QDialog):
    """Shows a report and copies it."""

    def __init__(self, report: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Deskhand ended unexpectedly"))
        self.resize(680, 460)
        self.report = QPlainTextEdit(report)
        self.report.setReadOnly(True)
        self.report.setProperty("role", "mono")
        self.report.setProperty("data", True)
        self.report.setAccessibleName(tr("Crash report"))
        self.report.setTabChangesFocus(True)
        self._copy = button(tr("Copy the report"), icon="copy", role="primary")
        self._copy.clicked.connect(self.copy)
        close = button(tr("Close"))
        close.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(12)
        layout.addWidget(subheading(tr("Deskhand ended unexpectedly last time")))
        layout.addWidget(
            hint(
                tr(
                    "Your chats, runs and settings are still there. The report below stays on this machine; "
                    "it holds no chats and no pictures. Copy it if you want to tell somebody."
                )
            )
        )
        layout.addWidget(self.report, 1)
        layout.addWidget(row("stretch", self._copy, close))
        self._copy.setFocus()

    def copy(self) -> None:
        """Put the report into the clipboard, and say so."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())
        self._copy.setText(tr("Copied"))
