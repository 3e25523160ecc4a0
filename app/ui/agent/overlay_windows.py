"""What the agent shows on the real screen: a border, the marker of a click, and a small box with Pause and Stop.

All of it is made of solid shapes: where no compositor runs, a translucent window is a black one.
"""

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.translate import tr
from app.ui.theme import Tokens, tokens_now
from app.ui.widgets.controls import icon_button, label

BORDER_PX = 4
MARKER_PX = 64
_RING_PX = 7
_WORDS_PX = 260

_ON_TOP = (
    Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.Tool
    | Qt.WindowType.WindowDoesNotAcceptFocus
    # Without it, openbox puts the window between the pointer and what is below (measured).
    | Qt.WindowType.BypassWindowManagerHint
)


class _Mark(QWidget):
    """A window that is only seen: clicks go to what lies below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, _ON_TOP | Qt.WindowType.WindowTransparentForInput)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)


class BorderWindow(_Mark):
    """A border around one screen: the agent is acting here."""

    def __init__(self, area: QRect, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Deskhand is acting"))
        self.setGeometry(area)
        whole = QRegion(0, 0, area.width(), area.height())
        hole = QRect(0, 0, area.width(), area.height()).adjusted(BORDER_PX, BORDER_PX, -BORDER_PX, -BORDER_PX)
        self.setMask(whole.subtracted(QRegion(hole)))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Fill the border."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), tokens_now().color("marker"))
        painter.end()


class MarkerWindow(_Mark):
    """A ring around the place where a click is about to land; the place itself stays free."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Deskhand will click here"))
        self.resize(MARKER_PX, MARKER_PX)
        outer = QRegion(0, 0, MARKER_PX, MARKER_PX, QRegion.RegionType.Ellipse)
        inner = MARKER_PX - 2 * _RING_PX
        self.setMask(outer.subtracted(QRegion(_RING_PX, _RING_PX, inner, inner, QRegion.RegionType.Ellipse)))

    def put_at(self, center: QPointF) -> None:
        """Move it around a logical point."""
        self.move(round(center.x() - MARKER_PX / 2), round(center.y() - MARKER_PX / 2))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the ring with a light edge, to be seen on any ground."""
        tokens: Tokens = tokens_now()
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.color("marker"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tokens.color("on_marker"), 2))
        painter.setBrush(QBrush(Qt.BrushStyle.NoBrush))
        painter.drawEllipse(QPointF(MARKER_PX / 2, MARKER_PX / 2), MARKER_PX / 2 - 1, MARKER_PX / 2 - 1)
        painter.end()


class ControlBox(QFrame):
    """Pause, Stop and the way back to the window, always at hand; takes clicks but never the keyboard."""

    pause_asked = Signal()
    stop_asked = Signal()
    window_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, _ON_TOP)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setProperty("role", "toast")
        self.setWindowTitle(tr("Deskhand is acting"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.setSpacing(8)
        self.words: QLabel = label(tr("Deskhand is acting"))
        self.words.setFixedWidth(_WORDS_PX)
        self.pause = icon_button("pause", tr("Pause"))
        self.stop = icon_button("stop", tr("Stop"))
        self.back = icon_button("agent", tr("Show the window"))
        for made, signal in (
            (self.pause, self.pause_asked),
            (self.stop, self.stop_asked),
            (self.back, self.window_asked),
        ):
            made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            made.clicked.connect(signal)
        for widget in (self.words, self.pause, self.stop, self.back):
            layout.addWidget(widget)

    def say(self, text: str) -> None:
        """Say what is being done, cut to fit."""
        self.words.setToolTip(text)
        self.words.setText(self.words.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _WORDS_PX))

    def show_paused(self, paused: bool) -> None:
        """Offer to go on instead of to pause."""
        self.pause.set_icon("play" if paused else "pause")
        name = tr("Resume") if paused else tr("Pause")
        self.pause.setAccessibleName(name)
        self.pause.setToolTip(name)

    def put_into(self, area: QRect) -> None:
        """Move it to the lower right corner of an area."""
        self.adjustSize()
        outline = QPainterPath()
        radius = tokens_now().radius_px + 4
        outline.addRoundedRect(QRectF(self.rect()), radius, radius)
        self.setMask(QRegion(outline.toFillPolygon().toPolygon()))
        self.move(area.right() - self.width() - 16, area.bottom() - self.height() - 16)
