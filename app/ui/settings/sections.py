"""The sections of the settings page: each a card of controls that save what they show as soon as it changes."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.translate import tr
from app.ui.theme import tokens_now
from app.ui.widgets.controls import hint, icon_button, label, pad_spin_box, subheading

_FIELD_PX = 260
_CAPTION_PX = 190
_STACK_ABOVE_PX = 18
"""Size of the text from which captions stand above their controls."""


class Section(QFrame):
    """A card with a title and a form."""

    def __init__(self, title: str, explained: str = "") -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 20)
        layout.setSpacing(12)
        layout.addWidget(subheading(title))
        if explained:
            layout.addWidget(hint(explained))
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(24)
        self.form.setVerticalSpacing(12)
        large = tokens_now().text_px > _STACK_ABOVE_PX
        stacked, beside = QFormLayout.RowWrapPolicy.WrapAllRows, QFormLayout.RowWrapPolicy.WrapLongRows
        self.form.setRowWrapPolicy(stacked if large else beside)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(self.form)

    def add(self, caption: str, control: QWidget, explained: str = "") -> None:
        """Add a control with its caption, which also names it for screen readers."""
        if not control.accessibleName():
            control.setAccessibleName(caption)
        if explained:
            control.setAccessibleDescription(explained)
        words = label(caption)
        words.setBuddy(control)
        words.setMinimumWidth(round(_CAPTION_PX * tokens_now().text_px / 14))
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(control)
        if explained:
            column.addWidget(small(explained))
        self.form.addRow(words, holder)

    def add_wide(self, control: QWidget, explained: str = "") -> None:
        """Add something as wide as the card."""
        self.form.addRow(control)
        if explained:
            control.setAccessibleDescription(explained)
            self.form.addRow(small(explained))


def small(text: str) -> QLabel:
    """Make the line under a control."""
    made = label(text, "small")
    made.setWordWrap(True)
    return made


class _Choice(QComboBox):
    """Leaves the wheel to the page, which scrolls."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Change nothing by accident."""
        event.ignore()


class _Number(QSpinBox):
    """Leaves the wheel to the page, which scrolls."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Change nothing by accident."""
        event.ignore()


def choice(options: Sequence[tuple[str, object]], value: object, changed: Callable[[object], None]) -> QComboBox:
    """Make a list to choose from: (text, value)."""
    box = _Choice()
    for text, each in options:
        box.addItem(text, each)
    place = next((place for place, (_, each) in enumerate(options) if each == value), 0)
    box.setCurrentIndex(place)
    box.setMaximumWidth(_wide(2))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(14)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.currentIndexChanged.connect(lambda _place: changed(box.currentData()))
    return box


def number(
    value: int, limits: tuple[int, int], changed: Callable[[int], None], suffix: str = "", zero: str = "", step: int = 1
) -> QSpinBox:
    """Make a field for a number; ``zero`` is what the lowest value is called."""
    box = _Number()
    box.setRange(*limits)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    box.setSpecialValueText(zero)
    box.setValue(value)
    box.setMaximumWidth(_wide())
    pad_spin_box(box)
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.valueChanged.connect(changed)
    return box


def _wide(times: int = 1) -> int:
    return round(times * _FIELD_PX * tokens_now().text_px / 14)


def switch(text: str, value: bool, changed: Callable[[bool], None]) -> QCheckBox:
    """Make a box to tick; ``text`` is short, as it does not wrap."""
    box = QCheckBox(text)
    box.setChecked(value)
    box.toggled.connect(changed)
    return box


def names(value: Sequence[str], changed: Callable[[tuple[str, ...]], None], example: str) -> QLineEdit:
    """Make a field for names with commas between them."""
    line = QLineEdit(", ".join(value))
    line.setPlaceholderText(example)
    line.setProperty("data", True)

    def save() -> None:
        changed(tuple(part.strip() for part in line.text().split(",") if part.strip()))

    line.editingFinished.connect(save)
    return line


class KeyField(QWidget):
    """A field that takes the keys one presses, and a button that takes them away."""

    def __init__(self, name: str, value: str, changed: Callable[[str], None]) -> None:
        super().__init__()
        self._changed = changed
        self.edit = QKeySequenceEdit(QKeySequence(value))
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName(name)
        self.edit.setMaximumWidth(_wide())
        if (line := self.edit.findChild(QLineEdit)) is not None:
            line.setAccessibleName(name)
            line.setPlaceholderText(tr("Press the keys"))
        self.edit.editingFinished.connect(self._save)
        clear = icon_button("close", tr("No keys for: {name}", name=name))
        clear.clicked.connect(self._clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.edit)
        layout.addWidget(clear)
        layout.addStretch(1)
        self.setFocusProxy(self.edit)
        self.setAccessibleName(name)

    def _save(self) -> None:
        self._changed(self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def _clear(self) -> None:
        self.edit.clear()
        self._save()
