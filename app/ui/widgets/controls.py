"""The controls that pages are made of, dressed by their role and named for those who cannot see them."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.translate import tr
from app.ui.icons import icon as drawn_icon
from app.ui.theme import tokens_now

_ICON_COLOURS = {"primary": "on_accent", "danger": "on_danger"}
_STRETCH = "stretch"


class Button(QPushButton):
    """A push button whose icon follows the theme."""

    def __init__(self, text: str = "", icon: str = "", role: str = "") -> None:
        super().__init__(text)
        self._icon_name = icon
        if role:
            self.setProperty("role", role)
        self._draw()

    def set_icon(self, name: str) -> None:
        """Show another icon."""
        self._icon_name = name
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icon again in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _draw(self) -> None:
        if not self._icon_name:
            return
        tokens = tokens_now()
        size = round(18 * tokens.text_px / 14)
        self.setIconSize(QSize(size, size))
        self.setIcon(drawn_icon(self._icon_name, tokens, size, _ICON_COLOURS.get(self.property("role"), "text")))


def button(text: str, *, icon: str = "", role: str = "", tip: str = "", name: str = "") -> Button:
    """Make a button; ``name`` is its object name, for tests and style."""
    made = Button(text, icon, role)
    made.setToolTip(tip)
    made.setObjectName(name)
    return made


def icon_button(icon: str, name: str, tip: str = "") -> Button:
    """Make a button that is only an icon; ``name`` is what screen readers say and, without ``tip``, the tool tip."""
    made = Button("", icon, "ghost")
    made.setProperty("shape", "icon")
    made.setAccessibleName(name)
    made.setToolTip(tip or name)
    return made


def heading(text: str) -> QLabel:
    """Make the title of a page."""
    return label(text, "heading")


def subheading(text: str) -> QLabel:
    """Make the title of a card."""
    return label(text, "subheading")


def hint(text: str) -> QLabel:
    """Make a quiet explanation that wraps."""
    made = label(text, "muted")
    made.setWordWrap(True)
    return made


def label(text: str, role: str = "") -> QLabel:
    """Make a plain text."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    return made


def row(*widgets: QWidget | str, spacing: int = 8) -> QWidget:
    """Put widgets side by side; "stretch" takes the room that is left."""
    return _box(QHBoxLayout(), widgets, spacing)


def column(*widgets: QWidget | str, spacing: int = 8) -> QWidget:
    """Put widgets below each other; "stretch" takes the room that is left."""
    return _box(QVBoxLayout(), widgets, spacing)


def card(*widgets: QWidget | str, spacing: int = 8) -> QFrame:
    """Put widgets below each other on a card."""
    frame = QFrame()
    frame.setProperty("role", "card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(16, 16, 16, 16)
    layout.setSpacing(spacing)
    _fill(layout, widgets)
    return frame


def scroll(widget: QWidget) -> QScrollArea:
    """Let a widget scroll upwards and downwards when there is no room for it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
    area.viewport().setAutoFillBackground(False)
    widget.setProperty("role", widget.property("role") or "scrolled")
    widget.setAutoFillBackground(False)
    area.setWidget(widget)
    # Scrolled by the focus of what is in it; by itself it would be one more stop of the Tab key.
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def pad_spin_box(box: QAbstractSpinBox) -> None:
    """Keep the text of a spin box away from its edge, which Qt's style sheets cannot."""
    if (line := box.findChild(QLineEdit)) is not None:
        line.setTextMargins(8, 0, 0, 0)


def restyle(widget: QWidget, role: str) -> None:
    """Give a widget another role, and its look."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def confirm(parent: QWidget, title: str, text: str, yes: str) -> bool:
    """Ask whether to go on; ``yes`` is what the button that does it says."""
    dialog, buttons = _dialog(parent, title, text)
    accept = buttons.addButton(yes, QDialogButtonBox.ButtonRole.AcceptRole)
    accept.setProperty("role", "danger")
    buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole).setDefault(True)
    return _ask(dialog)


def ask_text(parent: QWidget, title: str, text: str, value: str = "", yes: str = "") -> str | None:
    """Ask for one line of text; None when the person does not want to."""
    dialog, buttons = _dialog(parent, title, text)
    line = QLineEdit(value)
    line.setAccessibleName(text)
    line.selectAll()
    if isinstance(layout := dialog.layout(), QVBoxLayout):
        layout.insertWidget(layout.count() - 1, line)
    accept = buttons.addButton(yes or tr("OK"), QDialogButtonBox.ButtonRole.AcceptRole)
    accept.setProperty("role", "primary")
    accept.setDefault(True)
    buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
    line.setFocus()
    return line.text() if _ask(dialog) else None


def on_click(made: QPushButton, slot: Callable[[], object]) -> QPushButton:
    """Connect a button and return it, for use inside `row` and `column`."""
    made.clicked.connect(slot)
    return made


def _dialog(parent: QWidget, title: str, text: str) -> tuple[QDialog, QDialogButtonBox]:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setMinimumWidth(380)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(24, 24, 24, 16)
    layout.setSpacing(12)
    layout.addWidget(subheading(title))
    words = label(text)
    words.setWordWrap(True)
    layout.addWidget(words)
    buttons = QDialogButtonBox()
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    layout.addWidget(buttons)
    return dialog, buttons


def _ask(dialog: QDialog) -> bool:
    try:
        return dialog.exec() == QDialog.DialogCode.Accepted
    finally:
        dialog.deleteLater()


def _box(layout: QBoxLayout, widgets: tuple[QWidget | str, ...], spacing: int) -> QWidget:
    holder = QWidget()
    holder.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    holder.setLayout(layout)
    _fill(layout, widgets)
    return holder


def _fill(layout: QBoxLayout, widgets: tuple[QWidget | str, ...]) -> None:
    for widget in widgets:
        if isinstance(widget, QWidget):
            layout.addWidget(widget)
        elif widget == _STRETCH:
            layout.addStretch(1)
        else:
            layout.addWidget(label(widget))
