"""A small Qt program to be worked by hands; it says on standard output what reached it, as JSON lines."""

import json
import sys

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

_MODIFIERS = {
    "ctrl": Qt.KeyboardModifier.ControlModifier,
    "shift": Qt.KeyboardModifier.ShiftModifier,
    "alt": Qt.KeyboardModifier.AltModifier,
    "super": Qt.KeyboardModifier.MetaModifier,
}


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def modifiers(event: QMouseEvent | QWheelEvent | QKeyEvent) -> list[str]:
    """Name the modifiers of an event."""
    return [name for name, flag in _MODIFIERS.items() if event.modifiers() & flag]


class Reporter(QObject):
    """Reports the events of a widget, and when its window first is active."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._ready = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Report and let pass."""
        if event.type() == QEvent.Type.WindowActivate and not self._ready:
            self._ready = True
            corner = self._widget.mapToGlobal(self._widget.rect().topLeft())
            say(event="ready", rect=[corner.x(), corner.y(), self._widget.width(), self._widget.height()])
        if not isinstance(self._widget, QLineEdit | QPlainTextEdit):
            self._report(event)
        return False

    def _report(self, event: QEvent) -> None:
        if isinstance(event, QMouseEvent):
            at = event.globalPosition()
            buttons = [str(button.name).removesuffix("Button").lower() for button in event.buttons()]
            say(
                event=event.type().name,
                at=[at.x(), at.y()],
                button=str(event.button().name).removesuffix("Button").lower(),
                buttons=buttons,
                mods=modifiers(event),
            )
        elif isinstance(event, QWheelEvent):
            turned = event.angleDelta()
            at = event.globalPosition()
            say(
                event="Wheel",
                at=[at.x(), at.y()],
                right=-turned.x() // 120,
                up=turned.y() // 120,
                mods=modifiers(event),
            )
        elif isinstance(event, QKeyEvent) and not event.isAutoRepeat():
            say(event=event.type().name, key=Qt.Key(event.key()).name, text=event.text(), mods=modifiers(event))


def main(kind: str) -> int:
    """Show one widget until standard input ends."""
    application = QApplication(sys.argv[:1])
    widget: QWidget
    if kind == "edit":
        widget = QPlainTextEdit()
    elif kind == "line":
        widget = QLineEdit()
    else:
        widget = QWidget()
        widget.setMouseTracking(True)
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(Reporter(widget))
    widget.setWindowTitle(f"target {kind}")
    widget.resize(600, 400)

    def answer() -> None:
        line = sys.stdin.readline()
        if not line:
            application.quit()
            return
        command = json.loads(line)
        clipboard = QGuiApplication.clipboard()
        match command["do"]:
            case "get" if isinstance(widget, QPlainTextEdit):
                say(event="text", text=widget.toPlainText())
            case "get" if isinstance(widget, QLineEdit):
                say(event="text", text=widget.text())
            case "clear" if isinstance(widget, QPlainTextEdit | QLineEdit):
                widget.clear()
                say(event="cleared")
            case "copy":
                clipboard.setText(command["text"])
                say(event="copied")
            case "clipboard":
                say(event="clipboard", text=clipboard.text())

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, widget)
    notifier.activated.connect(answer)
    widget.show()
    widget.activateWindow()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
