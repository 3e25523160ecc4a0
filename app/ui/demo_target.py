"""The window of ``deskhand demo``: a small form, ``python -m app.ui.demo_target``, until standard input ends.

It says on standard output, as JSON lines, where it is and what was done in it. It knows nothing of the run:
only what arrives by mouse and keyboard counts.
"""

import json
import sys

from PySide6.QtCore import QObject, QPoint, QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

APP_CLASS = "deskhand-demo"
_SIZE = (620, 400)
_SETTLED_MS = 300


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class GuestBook(QWidget):
    """A form to fill in and to save."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Guest book")
        self.setMinimumSize(*_SIZE)
        heading = QLabel("Sign the guest book")
        font = heading.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        heading.setFont(font)
        self._name, self._city = QLineEdit(), QLineEdit()
        self._newsletter = QCheckBox("Send me the newsletter")
        self._state = QLabel("Nothing has been saved yet.")
        save, cancel = QPushButton("Save"), QPushButton("Cancel")
        save.clicked.connect(self._save)
        cancel.clicked.connect(self._clear)
        form = QFormLayout()
        form.addRow("Name", self._name)
        form.addRow("City", self._city)
        form.addRow("", self._newsletter)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(cancel)
        buttons.addWidget(save)
        page = QVBoxLayout(self)
        page.setContentsMargins(32, 28, 32, 28)
        page.setSpacing(22)
        page.addWidget(heading)
        page.addLayout(form)
        page.addWidget(self._state)
        page.addStretch()
        page.addLayout(buttons)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's own name
        """Say where the window is once a window manager has had time to place it."""
        super().showEvent(event)
        QTimer.singleShot(_SETTLED_MS, self._tell_place)

    def _tell_place(self) -> None:
        ratio, screen = self.devicePixelRatio(), self.screen().geometry()
        inside = self.mapToGlobal(QPoint(0, 0)) - screen.topLeft()
        # The top left corner of a screen is given in pixels by X11; what lies on it, in Qt's units.
        left, top = screen.left() + inside.x() * ratio, screen.top() + inside.y() * ratio
        say(
            event="ready",
            window=int(self.winId()),
            rect_px=[round(edge) for edge in (left, top, left + self.width() * ratio, top + self.height() * ratio)],
        )

    def _save(self) -> None:
        name, city = self._name.text(), self._city.text()
        self._state.setText(f"Saved: {name}, {city}")
        say(event="saved", name=name, city=city, newsletter=self._newsletter.isChecked())

    def _clear(self) -> None:
        for field in (self._name, self._city):
            field.clear()
        self._newsletter.setChecked(False)
        say(event="cancelled")


class Session(QObject):
    """The window, and the end with standard input."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._window = GuestBook()
        self._window.show()
        self._window.activateWindow()
        self._input = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._input.activated.connect(self._read)

    def _read(self) -> None:
        if not sys.stdin.buffer.raw.read(4096):  # pyright: ignore[reportAttributeAccessIssue]  # a pipe is raw below
            self._application.quit()


def main() -> int:
    """Show the form until standard input ends."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    application = QApplication([APP_CLASS])
    application.setStyle("Fusion")
    session = Session(application)
    code = application.exec()
    session.deleteLater()
    return code


if __name__ == "__main__":
    sys.exit(main())
