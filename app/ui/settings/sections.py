"""The sections of the settings page: each a card of controls that save what they show as soon as it changes."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
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
from app.ui.theme import BASE_TEXT_PX, tokens_now
from app.ui.widgets.controls import hint, icon_button, label, pad_spin_box, subheading
from app.ui.widgets.switch import Switch

_FIELD_PX = 260
_CAPTION_PX = 190
_STACK_ABOVE_PX = 18
"""Size of the text from which captions stand above their controls."""

_WIDEST = "deskhandWidest"


class Section(QFrame):
    """A card with a title and a form."""

    def __init__(self, title: str, explained: str = "") -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 20)
        layout.setSpacing(12)
        titled = subheading(title)
        titled.setWordWrap(True)
        layout.addWidget(titled)
        if explained:
            layout.addWidget(hint(explained))
        self._captions: list[QLabel] = []
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(24)
        self.form.setVerticalSpacing(12)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(self.form)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow a change of the text's size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "form"):
            self._fit()

    def _fit(self) -> None:
        """Put captions above their controls where the text is large, and give both the width of their text."""
        large = tokens_now().text_px > _STACK_ABOVE_PX
        stacked, beside = QFormLayout.RowWrapPolicy.WrapAllRows, QFormLayout.RowWrapPolicy.WrapLongRows
        self.form.setRowWrapPolicy(stacked if large else beside)
        for words in self._captions:
            words.setMinimumWidth(0 if large else _in_texts(_CAPTION_PX))
        for control in self.findChildren(QWidget):
            if (widest := control.property(_WIDEST)) is not None:
                control.setMaximumWidth(_in_texts(widest))

    def add(self, caption: str, control: QWidget, explained: str = "") -> None:
        """Add a control with its caption, which also names it for screen readers."""
        if not control.accessibleName():
            control.setAccessibleName(caption)
        if explained:
            control.setAccessibleDescription(explained)
        words = label(caption)
        words.setBuddy(control)
        words.setWordWrap(True)
        self._captions.append(words)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(control)
        if explained:
            column.addWidget(small(explained))
        self.form.addRow(words, holder)
        self._fit()

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
    _limit(box, 2 * _FIELD_PX)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(10)
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
    _limit(box, _FIELD_PX)
    pad_spin_box(box)
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.valueChanged.connect(changed)
    return box


def _limit(control: QWidget, widest_px: int) -> None:
    """Let a control be no wider than this at ordinary text, and accordingly at larger text."""
    control.setProperty(_WIDEST, widest_px)
    control.setMaximumWidth(_in_texts(widest_px))


def _in_texts(length_px: int) -> int:
    return round(length_px * tokens_now().text_px / BASE_TEXT_PX)


def switch(text: str, value: bool, changed: Callable[[bool], None]) -> Switch:
    """Make a box to tick."""
    box = Switch(text)
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
        _limit(self.edit, _FIELD_PX)
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
