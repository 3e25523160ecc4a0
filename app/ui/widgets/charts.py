"""Charts painted in the tokens' colours: shares with their intervals, and how values are spread."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.translate import tr
from app.ui.theme import tokens_now

_BAR_GAP_PX = 8
_BAR_SHARE = 0.42
_LABEL_SHARE = 0.32
_FOCUS_PX = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A share of 1 with the ends of its interval; ``detail`` stands behind it. ``name`` is what choosing it gives."""

    label: str
    share: float
    detail: str
    low: float | None = None
    high: float | None = None
    name: str = ""


class BarChart(QWidget):
    """Horizontal bars of shares. With ``choosable`` a click, or Enter on the one the arrows mark, emits ``chosen``."""

    chosen = Signal(str)

    def __init__(self, title: str, *, choosable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: tuple[Bar, ...] = ()
        self._title = title
        self._choosable = choosable
        self._marked = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)
        if choosable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Show these."""
        if tuple(bars) == self.bars:
            return
        self.bars = tuple(bars)
        self._marked = min(self._marked, max(0, len(self.bars) - 1))
        self.setAccessibleDescription(
            "; ".join(f"{bar.label}: {bar.share:.0%} {bar.detail}" for bar in self.bars) or tr("nothing yet")
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a line a bar."""
        return QSize(320, max(1, len(self.bars)) * self._line_px())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a line a bar."""
        return QSize(200, self.sizeHint().height())

    def _line_px(self) -> int:
        return round(QFontMetricsF(self.font()).height()) + _BAR_GAP_PX

    def _bar_at(self, position: QPointF) -> Bar | None:
        number = int(position.y() // self._line_px())
        return self.bars[number] if 0 <= number < len(self.bars) else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the bar under the mouse."""
        bar = self._bar_at(event.position())
        if self._choosable and bar is not None and event.button() == Qt.MouseButton.LeftButton:
            self._marked = self.bars.index(bar)
            self.update()
            self.chosen.emit(bar.name or bar.label)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Mark and choose a bar."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        if not self._choosable or not self.bars:
            super().keyPressEvent(event)
        elif step is not None and 0 <= self._marked + step < len(self.bars):
            self._marked += step
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            bar = self.bars[self._marked]
            self.chosen.emit(bar.name or bar.label)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say a bar's numbers when the mouse rests on it."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            bar = self._bar_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if bar is None else _told(bar), self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the bars, each behind its label."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        line = self._line_px()
        detail_px = max((metrics.horizontalAdvance(f"100% {bar.detail}") for bar in self.bars), default=0) + 12
        widest = max((metrics.horizontalAdvance(bar.label) for bar in self.bars), default=0) + 12
        label_px = min(widest, _LABEL_SHARE * self.width())
        track_px = max(24.0, self.width() - label_px - detail_px)
        for number, bar in enumerate(self.bars):
            top = number * line
            self._draw(painter, bar, QRectF(0, top, self.width(), line), (label_px, track_px), metrics)
            if self.hasFocus() and number == self._marked:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(tokens_now().color("focus"), _FOCUS_PX))
                painter.drawRoundedRect(QRectF(1, top + 1, self.width() - 2, line - 2), 4, 4)
        painter.end()

    def _draw(
        self, painter: QPainter, bar: Bar, area: QRectF, widths: tuple[float, float], metrics: QFontMetricsF
    ) -> None:
        tokens = tokens_now()
        label_px, track_px = widths
        middle = area.center().y()
        height = area.height() * _BAR_SHARE
        painter.setPen(tokens.color("text"))
        text = metrics.elidedText(bar.label, Qt.TextElideMode.ElideMiddle, label_px - 10)
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(4, area.top(), label_px - 6, area.height()), left, text)
        track = QRectF(label_px, middle - height / 2, track_px, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color("hover"))
        painter.drawRoundedRect(track, 3, 3)
        painter.setBrush(tokens.color("accent"))
        if bar.share > 0:
            painter.drawRoundedRect(QRectF(track.left(), track.top(), max(3.0, bar.share * track_px), height), 3, 3)
        if bar.low is not None and bar.high is not None:
            painter.setPen(QPen(tokens.color("text"), 1))
            low, high = label_px + bar.low * track_px, label_px + bar.high * track_px
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for end in (low, high):
                painter.drawLine(QPointF(end, middle - 3), QPointF(end, middle + 3))
        painter.setPen(tokens.color("muted"))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(area.adjusted(0, 0, -4, 0), right, f"{bar.share:.0%} {bar.detail}")


def _told(bar: Bar) -> str:
    said = f"{bar.label}: {bar.share:.1%} {bar.detail}"
    if bar.low is not None and bar.high is not None:
        said += "\n" + tr("95 % interval {low} to {high}", low=f"{bar.low:.1%}", high=f"{bar.high:.1%}")
    return said


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges, and values to be marked by a line with a label."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    lines: tuple[tuple[float, str], ...] = ()
    low_label: str = ""
    high_label: str = ""


class HistogramChart(QWidget):
    """Columns of counts, with a few values marked."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.histogram: Histogram | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)

    def set_histogram(self, histogram: Histogram | None) -> None:
        """Show this."""
        self.histogram = histogram
        said = "" if histogram is None else "; ".join(label for _value, label in histogram.lines)
        self.setAccessibleDescription(said or tr("nothing yet"))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a low strip."""
        return QSize(320, round(QFontMetricsF(self.font()).height() * 8))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a low strip."""
        return QSize(200, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the columns, the lines, and what they stand for."""
        shown = self.histogram
        if shown is None or not shown.counts or not any(shown.counts):
            return
        tokens = tokens_now()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text_px = QFontMetricsF(self.font()).height()
        names = len(shown.lines) * text_px
        plot = QRectF(4, names + 4, self.width() - 8, self.height() - names - text_px - 12)
        span, width = (shown.edges[-1] - shown.edges[0]) or 1.0, plot.width() / len(shown.counts)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color("accent"))
        for number, count in enumerate(shown.counts):
            height = plot.height() * count / max(shown.counts)
            painter.drawRect(QRectF(plot.left() + number * width, plot.bottom() - height, max(1.0, width - 1), height))
        painter.setPen(QPen(tokens.color("control"), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        for number, (value, name) in enumerate(shown.lines):
            x = plot.left() + plot.width() * min(max((value - shown.edges[0]) / span, 0.0), 1.0)
            top = number * text_px
            painter.setPen(QPen(tokens.color("text"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, top + text_px / 2), QPointF(x, plot.bottom()))
            painter.setPen(tokens.color("text"))
            right = x > self.width() / 2
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            room = QRectF(0, top, x - 5, text_px) if right else QRectF(x + 5, top, self.width() - x - 5, text_px)
            painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(tokens.color("muted"))
        below = QRectF(plot.left(), plot.bottom() + 4, plot.width(), text_px)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, shown.low_label)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, shown.high_label)
        painter.end()
