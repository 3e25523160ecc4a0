"""An overlay as the window's author has to make it, in Qt; says its window's number, then draws until input ends."""

import sys

from PySide6.QtCore import QRect, QSocketNotifier, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QRasterWindow

from agent.capture.exclusion import MARKER_RGB


class Overlay(QRasterWindow):
    """Opaque, with the marker's colour in its corners."""

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(QRect(0, 0, self.width(), self.height()), QColor(20, 90, 160))
        for left in (0, self.width() - 4):
            for top in (0, self.height() - 4):
                painter.fillRect(QRect(left, top, 4, 4), QColor(*MARKER_RGB))
        painter.end()


application = QGuiApplication(["overlay"])
overlay = Overlay()
flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool
if sys.argv[1] == "bypass":
    flags |= Qt.WindowType.BypassWindowManagerHint
overlay.setFlags(flags | Qt.WindowType.WindowTransparentForInput | Qt.WindowType.WindowDoesNotAcceptFocus)
overlay.setGeometry(200, 150, 500, 300)
overlay.show()
sys.stdout.write(f"{int(overlay.winId())}\n")
sys.stdout.flush()
notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
notifier.activated.connect(application.quit)
sys.exit(application.exec())
