"""Cover every monitor of a Wayland desktop with known noise, pixel by pixel, until standard input ends."""

import sys
import zlib

import numpy as np
from PySide6.QtCore import QSocketNotifier
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPaintEvent, QRasterWindow, QScreen


def noise(name: str, width_px: int, height_px: int) -> np.ndarray:
    """Return the pixels for a monitor as RGB."""
    return np.random.default_rng(zlib.crc32(name.encode())).integers(0, 256, (height_px, width_px, 3), np.uint8)


class Cover(QRasterWindow):
    """Fills one monitor; where that is, the compositor decides by the title."""

    def __init__(self, screen: QScreen) -> None:
        super().__init__()
        self._name = screen.name()
        self.setTitle(self._name)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        ratio = self.devicePixelRatio()
        pixels = noise(self._name, round(self.width() * ratio), round(self.height() * ratio))
        height, width, _ = pixels.shape
        image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        painter.drawImage(0, 0, image)
        painter.end()


if __name__ == "__main__":
    application = QGuiApplication(["cover"])
    covers = [Cover(screen) for screen in application.screens()]
    for cover in covers:
        cover.show()
    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(application.quit)
    sys.exit(application.exec())
