"""SIGINT and SIGTERM as a wish to end: Qt's loop does not return to Python by itself when they come."""

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal


class EndSignals(QObject):
    """``asked`` follows Ctrl-C in the terminal and the end of the desktop's session."""

    asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._heard)
        self._before = {number: signal.signal(number, _noted) for number in (signal.SIGINT, signal.SIGTERM)}
        signal.set_wakeup_fd(self._write.fileno())

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(-1)
        self._notifier.setEnabled(False)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    def _heard(self) -> None:
        self._read.recv(64)
        self.asked.emit()


def _noted(_number: int, _frame: object) -> None:
    """Let the signal only wake the loop."""
