"""A box to tick whose text wraps; Qt's own cuts a text off that is longer than its line."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QStyle, QStyleOptionButton, QStylePainter, QWidget

from app.ui.theme import tokens_now

_WRAP = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignVCenter)
_LEAST_TEXTS = 8
"""Width that is asked for at least, in heights of the text."""


class Switch(QCheckBox):
    """As high as its text needs at the width that it is given; a click anywhere on it ticks."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Say that less width takes more height."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Return the height of the wrapped text."""
        one = super().sizeHint()
        line = self.fontMetrics().height()
        return max(one.height(), self._text_height(width - self._beside()) + one.height() - line)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Accept a column of a few words."""
        one = super().sizeHint()
        return QSize(min(one.width(), self._beside() + _LEAST_TEXTS * self.fontMetrics().height()), one.height())

    def hitButton(self, pos: QPoint) -> bool:  # noqa: N802 - Qt's name
        """Take a click on any line of the text."""
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the box as Qt does, and the text beside it in as many lines as it takes."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        text = self.text()
        option.text = ""  # pyright: ignore[reportAttributeAccessIssue] - a field that the stubs leave out
        painter.drawControl(QStyle.ControlElement.CE_CheckBox, option)
        painter.setPen(tokens_now().color("text" if self.isEnabled() else "muted"))
        left = self._beside() - self._margin()
        room = QRect(left, 0, self.width() - left, self.height())
        painter.drawText(room, _WRAP, text)
        painter.end()

    def _beside(self) -> int:
        """Return what the box, the gap and the border take of the width."""
        return super().sizeHint().width() - self.fontMetrics().horizontalAdvance(self.text())

    def _margin(self) -> int:
        return round(tokens_now().text_px * 2 / 14) + 2

    def _text_height(self, width: int) -> int:
        room = QRect(0, 0, max(1, width), 100_000)
        return self.fontMetrics().boundingRect(room, _WRAP, self.text()).height()
