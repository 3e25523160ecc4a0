"""Our own targets for the calibration: ``python -m app.ui.calibration_target``, until standard input ends.

One window covers each monitor whole, so that even a click that goes wrong lands in a window of ours. It says
on standard output, as JSON lines, where it drew its targets and which presses reached it: by Qt, and by the
display server's own event.
"""

import ctypes
import json
import struct
import sys
from typing import Any

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QObject, QRect, QSocketNotifier, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QMouseEvent, QPainter, QPaintEvent, QRasterWindow, QScreen

SIZE_PX = 21
_MARGIN_PX = 12
_BACKGROUND = QColor(24, 26, 30)
_PLACES = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.0, 1.0), (1.0, 1.0), (0.31, 0.67), (0.73, 0.21))
"""Where targets lie, relative to the room that a window has for their corners."""

_CORE_PRESS, _GENERIC, _XI_PRESS = 4, 35, 4
_CORE_EVENT = struct.Struct("=BBHIIIIhhhh")
_XI_EVENT = struct.Struct("=BBHIHHIIIIIIiiii")
"""Type, extension, sequence, length, kind, device, time, detail, root, event, child, full sequence, 4 positions."""


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def colour_of(number: int) -> tuple[int, int, int]:
    """Return the colour of a target, unlike that of every other one."""
    return 230 + number // 16, 5 + 15 * (number % 16), 91


class RawPresses(QAbstractNativeEventFilter):
    """Remembers the last button press of the X server, before Qt has made anything of it."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, Any] | None = None

    def nativeEventFilter(self, kind: QByteArray | bytes | bytearray | memoryview, message: int) -> object:  # noqa: N802
        """Read a press and let everything pass."""
        if QByteArray(kind) == b"xcb_generic_event_t":
            address = int(message)
            if ctypes.string_at(address, 1)[0] & 0x7F == _CORE_PRESS:
                *_, event, _, root_x, root_y, x, y = _CORE_EVENT.unpack(ctypes.string_at(address, _CORE_EVENT.size))
                self._keep(event, [float(value) for value in (root_x, root_y, x, y)])
            elif ctypes.string_at(address, 1)[0] & 0x7F == _GENERIC:
                read = _XI_EVENT.unpack(ctypes.string_at(address, _XI_EVENT.size))
                if read[4] == _XI_PRESS:
                    self._keep(read[9], [value / 65536 for value in read[12:]])
        return False, 0

    def _keep(self, window: int, at: list[float]) -> None:
        self.last = {"window": window, "root": at[:2], "local": at[2:]}


class TargetWindow(QRasterWindow):
    """Covers one monitor with targets; ``shown`` comes once, when they have been drawn."""

    shown = Signal()

    def __init__(self, screen: QScreen, first: int, raw: RawPresses) -> None:
        super().__init__()
        self._first = first
        self._raw = raw
        self._drawn = False
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        self.setFlags(flags | Qt.WindowType.BypassWindowManagerHint | Qt.WindowType.WindowDoesNotAcceptFocus)
        self.setTitle("Deskhand calibration")
        self.setScreen(screen)
        self.setGeometry(screen.geometry())

    def places(self) -> list[QRect]:
        """Return where the targets are, in pixels of the window."""
        ratio = self.devicePixelRatio()
        room_x = int(self.width() * ratio) - SIZE_PX - 2 * _MARGIN_PX
        room_y = int(self.height() * ratio) - SIZE_PX - 2 * _MARGIN_PX
        corners = ((_MARGIN_PX + int(room_x * x), _MARGIN_PX + int(room_y * y)) for x, y in _PLACES)
        return [QRect(left, top, SIZE_PX, SIZE_PX) for left, top in corners]

    def spots(self) -> list[dict[str, Any]]:
        """Return what is told of the targets."""
        return [
            {
                "rgb": colour_of(self._first + n),
                "size_px": SIZE_PX,
                "window": int(self.winId()),
                "centre_px": [place.x() + SIZE_PX / 2, place.y() + SIZE_PX / 2],
                "scale": self.devicePixelRatio(),
            }
            for n, place in enumerate(self.places())
        ]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw in pixels, not in Qt's units, so that no target's edge falls between two pixels."""
        painter = QPainter(self)
        painter.scale(1 / self.devicePixelRatio(), 1 / self.devicePixelRatio())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRect(0, 0, 32767, 32767), _BACKGROUND)
        for n, place in enumerate(self.places()):
            painter.fillRect(place, QColor(*colour_of(self._first + n)))
        painter.end()
        if not self._drawn:
            self._drawn = True
            self.shown.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell where a press arrived."""
        ratio, raw = self.devicePixelRatio(), self._raw.last
        self._raw.last = None
        if raw is not None and raw["window"] != int(self.winId()):
            raw = None
        at = event.position()
        say(event="press", window=int(self.winId()), local_px=[at.x() * ratio, at.y() * ratio], raw=raw)


class Session(QObject):
    """All windows, and the end with standard input."""

    def __init__(self, application: QGuiApplication) -> None:
        super().__init__(application)
        self._application = application
        self._raw = RawPresses()
        application.installNativeEventFilter(self._raw)
        screens = application.screens()
        self._windows = [TargetWindow(screen, n * len(_PLACES), self._raw) for n, screen in enumerate(screens)]
        self._waiting = len(self._windows)
        for window in self._windows:
            window.shown.connect(self._one_shown)
            window.show()
        self._input = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._input.activated.connect(self._read)

    def _one_shown(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            say(event="ready", spots=[spot for window in self._windows for spot in window.spots()])

    def _read(self) -> None:
        if not sys.stdin.buffer.raw.read(4096):  # pyright: ignore[reportAttributeAccessIssue]  # a pipe is raw below
            self._application.quit()


def main() -> int:
    """Show the targets until standard input ends."""
    application = QGuiApplication(["deskhand-calibration"])
    session = Session(application)
    code = application.exec()
    session.deleteLater()
    return code


if __name__ == "__main__":
    sys.exit(main())
