"""Short messages in a corner of the window: errors stay until they are closed, the rest goes by itself."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.icons import pixmap
from app.ui.theme import tokens_now
from app.ui.widgets.controls import icon_button, label

MAX_SHOWN = 3

_ICONS = {"info": ("info", "accent"), "warning": ("warning", "warning"), "error": ("warning", "danger")}
_SHOW_MS = 7000
_MARGIN_PX = 16
_WIDTH_PX = 420


class Toast(QFrame):
    """One message."""

    def __init__(self, level: str, message: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.level = level
        self.message = message
        self.setProperty("role", "toast")
        tokens = tokens_now()
        name, colour = _ICONS.get(level, _ICONS["info"])
        picture = QLabel()
        picture.setPixmap(pixmap(name, getattr(tokens, colour), 20))
        words = label(message)
        words.setProperty("data", True)
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        close = icon_button("close", tr("Close this message"))
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(12)
        layout.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(words, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        if level != "error":
            self._timer.start(_SHOW_MS)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, message))

    def dismiss(self) -> None:
        """Go away."""
        self._timer.stop()
        self.hide()
        self.deleteLater()
        if isinstance(stack := self.parentWidget(), ToastStack):
            stack.settle(without=self)


class ToastStack(QWidget):
    """Holds the messages in the lower right corner of its parent; as large as they are."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._toasts: list[Toast] = []
        parent.installEventFilter(self)
        self.hide()

    @property
    def messages(self) -> list[tuple[str, str]]:
        """What is shown: (level, message)."""
        return [(toast.level, toast.message) for toast in self._toasts]

    def tell(self, level: str, message: str) -> None:
        """Show a message; the same one twice is shown once, and the oldest gives way to more than a few."""
        if (level, message) in self.messages:
            return
        toast = Toast(level, message, self)
        self._toasts.append(toast)
        self._layout.addWidget(toast)
        while len(self._toasts) > MAX_SHOWN:
            self._toasts[0].dismiss()
        self.settle()

    def clear(self) -> None:
        """Take every message away."""
        for toast in tuple(self._toasts):
            toast.dismiss()

    def settle(self, without: Toast | None = None) -> None:
        """Take the room that the messages need."""
        self._toasts = [toast for toast in self._toasts if toast is not without]
        parent = self.parentWidget()
        if not self._toasts or parent is None:
            self.hide()
            return
        scale = tokens_now().text_px / 14
        width = min(round(_WIDTH_PX * scale), parent.width() - 2 * _MARGIN_PX)
        self.setFixedWidth(max(width, 100))
        height = sum(toast.heightForWidth(width) for toast in self._toasts) + 8 * (len(self._toasts) - 1)
        self.resize(width, height)
        self.move(parent.width() - width - _MARGIN_PX, parent.height() - height - _MARGIN_PX)
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the parent's size."""
        if event.type() == QEvent.Type.Resize:
            self.settle()
        return super().eventFilter(watched, event)
