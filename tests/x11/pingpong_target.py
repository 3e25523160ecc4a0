"""A Qt window whose Open button shows a notice, and whose Close button takes it away again, for ever."""

import json
import sys

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

OPEN, CLOSE = (40, 40, 160, 60), (320, 260, 160, 60)


def main() -> int:
    """Show the window until standard input ends; say where the buttons are when it is active."""
    application = QApplication(sys.argv[:1])
    window = QWidget()
    window.setWindowTitle("ping-pong")
    window.setFixedSize(560, 360)
    opener = QPushButton("Open", window)
    opener.setGeometry(*OPEN)
    notice = QLabel("Please read this notice.", window)
    notice.setStyleSheet("background: #fe8; color: black")
    notice.setGeometry(200, 40, 340, 200)
    closer = QPushButton("Close", window)
    closer.setGeometry(*CLOSE)
    notice.hide()
    closer.hide()
    opener.clicked.connect(notice.show)
    opener.clicked.connect(closer.show)
    opener.clicked.connect(opener.hide)
    closer.clicked.connect(notice.hide)
    closer.clicked.connect(opener.show)
    closer.clicked.connect(closer.hide)

    def ready() -> None:
        if not window.isActiveWindow():
            return
        timer.stop()
        rects = {}
        corner = window.mapToGlobal(window.rect().topLeft())
        for name, (left, top, width, height) in {"open": OPEN, "close": CLOSE}.items():
            x, y = corner.x() + left, corner.y() + top
            rects[name] = [x, y, x + width, y + height]
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
    sys.exit(main())
