"""A Qt window with a dead button, a late one, a quick one, and a caret or a spinner beside them."""

import json
import sys

from PySide6.QtCore import QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QVBoxLayout, QWidget

LATE_MS = 2000


class Button(QLabel):
    """A label to be pressed, which paints nothing of its own when the pointer is over it."""

    def __init__(self, text: str, result: QLabel, delay_ms: int | None) -> None:
        super().__init__(text)
        self._result, self._delay_ms = result, delay_ms
        self.setStyleSheet("background: #ccd; padding: 12px")

    def mousePressEvent(self, ev: QMouseEvent) -> None:  # noqa: N802
        """Answer on the label, late or never."""
        if self._delay_ms is not None:
            QTimer.singleShot(self._delay_ms, lambda: self._result.setText(self._result.text() + " Saved!"))


class Spinner(QWidget):
    """Turns for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(48, 48)
        self._angle = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._timer.start(40)

    def _turn(self) -> None:
        self._angle = (self._angle + 20) % 360
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw an arc."""
        painter = QPainter(self)
        pen = painter.pen()
        pen.setWidth(6)
        painter.setPen(pen)
        painter.drawArc(6, 6, 36, 36, self._angle * 16, 100 * 16)


def main(beside: str) -> int:
    """Show the window until standard input ends; say where the buttons are when it is active."""
    application = QApplication(sys.argv[:1])
    window = QWidget()
    layout = QVBoxLayout(window)
    result = QLabel("…")
    result.setFixedHeight(60)
    buttons = {name: Button(name, result, delay) for name, delay in (("dead", None), ("late", LATE_MS), ("quick", 0))}
    for button in buttons.values():
        layout.addWidget(button)
    layout.addWidget(result)
    if beside == "caret":
        field = QLineEdit()
        layout.addWidget(field)
        QTimer.singleShot(0, lambda: field.setFocus(Qt.FocusReason.OtherFocusReason))
    else:
        layout.addWidget(Spinner())
    window.resize(500, 400)

    def ready() -> None:
        if not window.isActiveWindow():
            return
        timer.stop()
        rects = {}
        for name, button in buttons.items():
            corner = button.mapToGlobal(button.rect().topLeft())
            rects[name] = [corner.x(), corner.y(), corner.x() + button.width(), corner.y() + button.height()]
        sys.stdout.write(json.dumps({"event": "ready", "rects": rects}) + "\n")
        sys.stdout.flush()

    timer = QTimer(window)
    timer.timeout.connect(ready)
    timer.start(50)
    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(application.quit)
    window.show()
    window.activateWindow()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
