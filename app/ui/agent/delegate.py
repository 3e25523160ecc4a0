"""How a step of a run is drawn in the timeline: number, thought, action, verdict and time on one card."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.agent.timeline import Role, Row
from app.ui.theme import Tokens, tokens_now

_WRAP = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft)
_MAX_LINES = 4


class StepDelegate(QStyledItemDelegate):
    """Draws rows of a `TimelineModel`; their height follows from their words and the width of the view."""

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return how much room a step's words take."""
        row = index.data(Role.ROW)
        view = option.widget  # pyright: ignore[reportAttributeAccessIssue] - missing in Qt's stubs
        width = view.viewport().width() if isinstance(view, QAbstractItemView) else 320
        return QSize(width, self._draw(None, QRect(0, 0, width, 0), row, tokens_now()))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw a step."""
        tokens = tokens_now()
        rect: QRect = option.rect  # pyright: ignore[reportAttributeAccessIssue] - missing in Qt's stubs
        state: QStyle.StateFlag = option.state  # pyright: ignore[reportAttributeAccessIssue] - missing in Qt's stubs
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(tokens.color("selection" if chosen else "surface"))
        painter.setPen(QPen(tokens.color("focus" if focused else "border"), 2 if focused else 1))
        card = QRectF(rect).adjusted(3, 3, -3, -3)
        painter.drawRoundedRect(card, tokens.radius_px + 2, tokens.radius_px + 2)
        self._draw(painter, rect, index.data(Role.ROW), tokens)
        painter.restore()

    def _draw(self, painter: QPainter | None, rect: QRect, row: Row, tokens: Tokens) -> int:
        """Draw, or only measure without a painter; return the height."""
        pad = round(tokens.text_px * 0.9)
        inner = rect.adjusted(pad, pad - 2, -pad, 0)
        title, body, small = _fonts(tokens)
        line = QFontMetrics(title).height()
        top = inner.top()
        if painter is not None:
            self._header(painter, QRect(inner.left(), top, inner.width(), line), row, tokens, title, small)
        top += line + 4
        for words, font, colour in (
            (row.thought, small, "muted"),
            (row.action, body, "text"),
            ("\n".join(row.notes[-2:]), small, "muted"),
        ):
            if not words:
                continue
            metrics = QFontMetrics(font)
            room = QRect(inner.left(), top, inner.width(), 10_000)
            height = min(metrics.boundingRect(room, _WRAP, words).height(), _MAX_LINES * metrics.lineSpacing())
            if painter is not None:
                painter.setFont(font)
                painter.setPen(tokens.color(colour))
                painter.drawText(QRect(inner.left(), top, inner.width(), height), _WRAP, words)
            top += height + 3
        return top - rect.top() + pad - 3

    def _header(self, painter: QPainter, rect: QRect, row: Row, tokens: Tokens, title: QFont, small: QFont) -> None:
        colour = {"good": "success", "bad": "danger", "busy": "accent", "plain": "muted"}[row.tone]
        dot = QRectF(rect.left(), rect.center().y() - 4, 9, 9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color(colour))
        painter.drawEllipse(dot)
        painter.setPen(tokens.color("text"))
        painter.setFont(title)
        painter.drawText(rect.adjusted(17, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), row.title)
        painter.setFont(small)
        painter.setPen(QColor(tokens.color(colour)))
        seconds = f"{row.ended_s - row.began_s:.1f} s" if row.step and row.ended_s else ""
        said = " · ".join(part for part in (row.verdict, seconds) if part)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), said)


def _fonts(tokens: Tokens) -> tuple[QFont, QFont, QFont]:
    title, body, small = QFont(), QFont(), QFont()
    title.setPixelSize(tokens.text_px)
    title.setWeight(QFont.Weight.DemiBold)
    body.setPixelSize(tokens.text_px)
    small.setPixelSize(max(10, round(tokens.text_px * 0.86)))
    return title, body, small
