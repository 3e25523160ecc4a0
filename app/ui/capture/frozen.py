"""The frozen screen: one full-screen window a monitor, on which a region is chosen by mouse or keyboard."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QScreen
from PySide6.QtWidgets import QWidget

from app.translate import tr
from app.ui.agent.screens import ScreenMap
from app.ui.theme import tokens_now
from app.ui.widgets.picture_marks import Mark, draw_marks

_SMALLEST_PX = 4
_SHADE = QColor(0, 0, 0, 110)
_FAR_PX = 20
_STEPS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class FrozenScreen(QWidget):
    """``chosen`` carries the region in pixels of this monitor's picture; ``left`` says that the person gave up.

    With the mouse: drag. With the keyboard: the arrows move the cross (with Shift further), Space sets a corner
    and then the other, Enter takes the region, or all of the monitor while there is none.
    """

    chosen = Signal(QRect)
    begun = Signal()
    left = Signal()

    def __init__(self, picture: QImage, map_: ScreenMap, screen: QScreen) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self.setWindowTitle(tr("Choose a part of the screen"))
        self.setAccessibleName(tr("Frozen screen"))
        self.setAccessibleDescription(
            tr("Drag, or move the cross with the arrows, press Space at both corners and Enter; Escape leaves.")
        )
        self._picture = picture
        self._scale = map_.scale
        self._cross = QPoint(picture.width() // 2, picture.height() // 2)
        self._corner: QPoint | None = None
        self._region: QRect | None = None
        self._dragging = False
        self._fixed = False
        self._by_keys = False
        self._marks: tuple[Mark, ...] = ()
        self.setScreen(screen)
        self.setGeometry(map_.logical)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def region(self) -> QRect | None:
        """The region in pixels of the picture."""
        return self._region

    def picture_of_region(self) -> QImage:
        """Return the region's pixels; the whole monitor's while there is none."""
        return self._picture.copy(self._region) if self._region is not None else self._picture

    def region_on_widget(self) -> QRectF:
        """Return where the region is drawn, in logical pixels of this window."""
        region = self._region or self._picture.rect()
        return QRectF(
            region.x() / self._scale,
            region.y() / self._scale,
            region.width() / self._scale,
            region.height() / self._scale,
        )

    def clear(self) -> None:
        """Begin anew: a region is being chosen on another monitor."""
        if not self._fixed:
            self._region = self._corner = None
            self._dragging = False
            self.update()

    def fix(self) -> None:
        """Keep the region as it is: a question is being asked about it."""
        self._fixed = True
        self.unsetCursor()
        self.update()

    def mark(self, place: tuple[float, float] | None) -> None:
        """Show a place that is relative to the region."""
        region = self._region or self._picture.rect()
        if place is None:
            self._marks = ()
        else:
            x = (region.x() + place[0] * region.width()) / self._picture.width()
            y = (region.y() + place[1] * region.height()) / self._picture.height()
            self._marks = (Mark("point", ((x, y),)),)
        self.update()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is marked, relative to this monitor's picture."""
        return self._marks

    # --- choosing --------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin a region; the right button gives up."""
        if event.button() == Qt.MouseButton.RightButton:
            self.left.emit()
        elif event.button() == Qt.MouseButton.LeftButton and not self._fixed:
            self._by_keys = False
            self._corner = self._pixel(event)
            self._region = None
            self._dragging = True
            self.begun.emit()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the region out."""
        if self._fixed:
            return
        self._by_keys = False
        self._cross = self._pixel(event)
        if self._dragging:
            self._stretch()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take the region, unless it was only a click."""
        if event.button() != Qt.MouseButton.LeftButton or not self._dragging or self._fixed:
            return
        self._cross = self._pixel(event)
        self._stretch()
        self._dragging = False
        self._take()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Move the cross, set corners, take the region or give up."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.left.emit()
        elif self._fixed:
            super().keyPressEvent(event)
        elif key in _STEPS:
            far = _FAR_PX if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._by_keys = True
            self._cross = self._inside(self._cross + _STEPS[key] * far)
            if self._corner is not None:
                self._stretch()
            self.update()
        elif key == Qt.Key.Key_Space:
            self._by_keys = True
            self._set_corner()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._region is None:
                self._region = self._picture.rect()
            self._take()
        else:
            super().keyPressEvent(event)

    def _set_corner(self) -> None:
        if self._corner is None:
            self._corner = QPoint(self._cross)
            self.begun.emit()
        else:
            self._stretch()
            self._take()
        self.update()

    def _take(self) -> None:
        region = self._region
        self._corner = None
        if region is None or min(region.width(), region.height()) < _SMALLEST_PX:
            self._region = None
            self.update()
            return
        self.chosen.emit(region)

    def _stretch(self) -> None:
        if self._corner is not None:
            left, right = sorted((self._corner.x(), self._cross.x()))
            top, bottom = sorted((self._corner.y(), self._cross.y()))
            self._region = QRect(left, top, right - left + 1, bottom - top + 1)

    def _pixel(self, event: QMouseEvent) -> QPoint:
        place = event.position()
        return self._inside(QPoint(int(place.x() * self._scale), int(place.y() * self._scale)))

    def _inside(self, point: QPoint) -> QPoint:
        return QPoint(
            min(max(point.x(), 0), self._picture.width() - 1), min(max(point.y(), 0), self._picture.height() - 1)
        )

    # --- drawing ---------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the screen in shade, the region in the light, and its size."""
        tokens = tokens_now()
        painter = QPainter(self)
        whole = QRectF(0, 0, self._picture.width() / self._scale, self._picture.height() / self._scale)
        painter.drawImage(whole, self._picture)
        painter.fillRect(self.rect(), _SHADE)
        if self._region is not None:
            shown = self.region_on_widget()
            painter.drawImage(shown, self._picture, QRectF(self._region))
            painter.setPen(QPen(tokens.color("marker"), 2))
            painter.drawRect(shown.adjusted(-1, -1, 1, 1))
            self._label(painter, f"{self._region.width()} × {self._region.height()} px", shown)
        elif not self._fixed:
            self._hint(painter)
        if not self._fixed and self._region is None:
            self._draw_cross(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_marks(painter, self._marks, lambda x, y: whole.topLeft() + _at(whole, x, y), whole, tokens)
        painter.end()

    def _draw_cross(self, painter: QPainter) -> None:
        x, y = self._cross.x() / self._scale, self._cross.y() / self._scale
        painter.setPen(QPen(tokens_now().color("marker"), 1))
        painter.drawLine(QRectF(0, y, self.width(), 0).topLeft(), QRectF(0, y, self.width(), 0).topRight())
        painter.drawLine(QRectF(x, 0, 0, self.height()).topLeft(), QRectF(x, 0, 0, self.height()).bottomLeft())

    def _label(self, painter: QPainter, text: str, beside: QRectF) -> None:
        size = painter.fontMetrics().size(0, text) + QSize(16, 8)
        top = beside.top() - size.height() - 6
        box = QRectF(beside.left(), top if top >= 0 else beside.top() + 6, size.width(), size.height())
        tokens = tokens_now()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color("marker"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(tokens.color("on_marker"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _hint(self, painter: QPainter) -> None:
        text = tr("Drag over what you want to ask about · Enter takes all of it · Escape leaves")
        size = painter.fontMetrics().size(0, text) + QSize(32, 16)
        box = QRectF((self.width() - size.width()) / 2, 24, size.width(), size.height())
        tokens = tokens_now()
        painter.setPen(QPen(tokens.color("border"), 1))
        painter.setBrush(tokens.color("raised"))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(tokens.color("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _at(whole: QRectF, x_rel: float, y_rel: float) -> QPoint:
    return QPoint(round(x_rel * whole.width()), round(y_rel * whole.height()))
