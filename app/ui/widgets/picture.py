"""A picture to look into: zoom, pan, marks that stay crisp, and a place to be picked by mouse or keyboard."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from app.translate import tr
from app.ui.theme import tokens_now
from app.ui.widgets.picture_marks import Mark, draw_cross, draw_marks

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Mark", "PictureView", "qimage_of"]

_STEP = 1.25
_WHEEL_NOTCH = 120
_MAX_SCALE = 32.0
_PAN_PX = 48
_FAR_PX = 10
_PIXELS_FROM = 2.0
"""From this many device pixels per picture pixel on, pixels are drawn as squares."""
_STEPS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}


def qimage_of(picture: "Image.Image") -> QImage:
    """Copy a PIL picture into a QImage; transparency is kept."""
    alpha = "A" in picture.getbands() or "transparency" in picture.info
    mode, bands = ("RGBA", 4) if alpha else ("RGB", 3)
    image_format = QImage.Format.Format_RGBA8888 if alpha else QImage.Format.Format_RGB888
    raw = picture.convert(mode).tobytes()
    # The copy owns its pixels; the first one only borrows them from ``raw``.
    return QImage(raw, picture.width, picture.height, bands * picture.width, image_format).copy()


class PictureView(QWidget):
    """Shows a picture with marks on it.

    The wheel and Ctrl with + and - zoom, 0 fits it in, 1 shows it pixel for pixel; dragging and the arrows pan.
    With picking on, a click emits ``picked`` with the place relative to the picture; the arrows then move a cross
    (with Shift ten times as far) and Enter picks. ``zoomed`` follows every change of the scale.
    """

    picked = Signal(float, float)
    zoomed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels: list[QImage] = []
        self._marks: tuple[Mark, ...] = ()
        self._fits = True
        self._scale = 1.0
        self._centre = QPointF(0.5, 0.5)
        self._picking = False
        self._cross: QPointF | None = None
        self._pressed: QPointF | None = None
        self._dragged: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)
        self.setAccessibleName(tr("Picture"))
        self._describe()

    @property
    def image(self) -> QImage | None:
        """The picture that is shown."""
        return self._levels[0] if self._levels else None

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks on it."""
        return self._marks

    @property
    def is_picking(self) -> bool:
        """Whether a click picks a place."""
        return self._picking

    @property
    def zoom_percent(self) -> int:
        """The size on the screen: 100 draws one pixel of the picture as one of the screen."""
        return round(100 * self._scale * self.devicePixelRatioF())

    def set_image(self, image: QImage | None) -> None:
        """Show a picture, or none; one of the size of the last is shown at the same zoom and place."""
        image = None if image is None or image.isNull() else image
        same = image is not None and self.image is not None and self.image.size() == image.size()
        self._levels = [] if image is None else [image]
        if not same:
            self._cross = None
            self.fit()
        self._describe()
        self.update()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Draw these marks, the last on top."""
        self._marks = tuple(marks)
        self._describe()
        self.update()

    def set_picking(self, on: bool) -> None:
        """Let a click, or Enter at the cross, pick a place."""
        self._picking = on
        self._cross = None
        if on:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()
        self._describe()
        self.update()

    def fit(self) -> None:
        """Show all of the picture; small ones are not enlarged."""
        self._fits = True
        self._centre = QPointF(0.5, 0.5)
        self._rescale(self._fit_scale())

    def actual_size(self) -> None:
        """Show one pixel of the picture as one of the screen."""
        self._zoom_to(1 / self.devicePixelRatioF(), QRectF(self.rect()).center())

    def zoom_in(self) -> None:
        """Show it larger."""
        self._zoom_to(self._scale * _STEP, QRectF(self.rect()).center())

    def zoom_out(self) -> None:
        """Show it smaller."""
        self._zoom_to(self._scale / _STEP, QRectF(self.rect()).center())

    def show_place(self, x_rel: float, y_rel: float, scale: float | None = None) -> None:
        """Bring a place to the middle; ``scale`` is in screen pixels per pixel of the picture."""
        self._fits = False
        self._centre = QPointF(x_rel, y_rel)
        self._rescale(self._scale if scale is None else scale / self.devicePixelRatioF())

    def place_of(self, x_rel: float, y_rel: float) -> QPointF:
        """Return where in the widget a place of the picture is drawn, in logical pixels."""
        target = self._target()
        return QPointF(target.x() + x_rel * target.width(), target.y() + y_rel * target.height())

    def relative_at(self, position: QPointF) -> tuple[float, float] | None:
        """Return the place of the picture under a position of the widget; None beside the picture."""
        target = self._target()
        if self.image is None or not target.contains(position):
            return None
        x, y = (position.x() - target.x()) / target.width(), (position.y() - target.y()) / target.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a fair share."""
        return QSize(480, 320)

    def _size(self) -> QSizeF:
        return QSizeF(self._levels[0].size()) if self._levels else QSizeF(1, 1)

    def _fit_scale(self) -> float:
        size = self._size()
        scale = min(self.width() / size.width(), self.height() / size.height())
        return min(scale, max(1.0, 1 / self.devicePixelRatioF()))

    def _target(self) -> QRectF:
        """Return where all of the picture would be drawn."""
        size = self._size() * self._scale
        left = self.width() / 2 - self._centre.x() * size.width()
        top = self.height() / 2 - self._centre.y() * size.height()
        return QRectF(QPointF(left, top), size)

    def _zoom_to(self, scale: float, about: QPointF) -> None:
        """Change the scale and keep what is under ``about`` where it is."""
        before = self._target()
        scale = min(max(scale, self._fit_scale()), _MAX_SCALE)
        if scale == self._scale or self.image is None:
            return
        factor = scale / self._scale
        moved = about + (before.center() - about) * factor
        size = self._size() * scale
        offset = QPointF(self.width() / 2, self.height() / 2) - moved
        self._centre = QPointF(0.5 + offset.x() / size.width(), 0.5 + offset.y() / size.height())
        self._fits = scale <= self._fit_scale()
        self._rescale(scale)

    def _rescale(self, scale: float) -> None:
        changed = scale != self._scale
        self._scale = min(max(scale, 1e-4), _MAX_SCALE)
        self._hold()
        self.update()
        if changed:
            self._describe()
            self.zoomed.emit()

    def _pan(self, by: QPointF) -> None:
        size = self._size() * self._scale
        self._centre -= QPointF(by.x() / size.width(), by.y() / size.height())
        self._hold()
        self.update()

    def _hold(self) -> None:
        """Keep the picture in view: in the middle where there is room, never past its edge."""
        size = self._size() * self._scale
        self._centre = QPointF(
            _held(self._centre.x(), self.width() / size.width()),
            _held(self._centre.y(), self.height() / size.height()),
        )

    def _describe(self) -> None:
        if self.image is None:
            self.setAccessibleDescription(tr("no picture"))
            return
        width, height, zoom = self.image.width(), self.image.height(), self.zoom_percent
        said = tr("{width} × {height} pixels, zoom {zoom} %", width=width, height=height, zoom=zoom)
        labels = ", ".join(mark.label for mark in self._marks if mark.label)
        if self._marks:
            said += "; " + tr("{count} marks", count=len(self._marks)) + (f": {labels}" if labels else "")
        if self._picking:
            said += "; " + tr("pick a place: click it, or move the cross with the arrows and press Enter")
        self.setAccessibleDescription(said)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit again, or keep the middle in the middle."""
        super().resizeEvent(event)
        if self._fits:
            self.fit()
        else:
            self._rescale(max(self._scale, self._fit_scale()))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Zoom about the mouse."""
        if self.image is None or not event.angleDelta().y():
            event.ignore()
            return
        self._zoom_to(self._scale * _STEP ** (event.angleDelta().y() / _WHEEL_NOTCH), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin a click or a drag."""
        if event.button() != Qt.MouseButton.LeftButton or self.image is None:
            super().mousePressEvent(event)
            return
        self._pressed = event.position()
        self._dragged = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Pan once it is clearly a drag."""
        if self._pressed is None:
            return
        if self._dragged is None:
            if (event.position() - self._pressed).manhattanLength() < QApplication.startDragDistance():
                return
            self._dragged = self._pressed
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self._pan(event.position() - self._dragged)
        self._dragged = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Pick, unless it was a drag."""
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        clicked, self._pressed, self._dragged = self._dragged is None, None, None
        if self._picking:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()
        place = self.relative_at(event.position())
        if clicked and self._picking and place is not None:
            self.picked.emit(*place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Change between all of the picture and its pixels."""
        if event.button() != Qt.MouseButton.LeftButton or self._picking:
            super().mouseDoubleClickEvent(event)
        elif self._fits:
            self._zoom_to(1 / self.devicePixelRatioF(), event.position())
        else:
            self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Zoom, pan, or move the cross and pick."""
        key, far = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self.image is None:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key == Qt.Key.Key_Minus:
            self.zoom_out()
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_1:
            self.actual_size()
        elif key in _STEPS and self._picking:
            self._move_cross(_STEPS[key] * (_FAR_PX if far else 1))
        elif key in _STEPS:
            self._pan(_STEPS[key] * -_PAN_PX)
        elif self._picking and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            cross = self._cross_place()
            self.picked.emit(cross.x(), cross.y())
        else:
            super().keyPressEvent(event)

    def _cross_place(self) -> QPointF:
        """Return where the cross is; it begins in the middle of what is seen."""
        return self._cross or QPointF(*(self.relative_at(QRectF(self.rect()).center()) or (0.5, 0.5)))

    def _move_cross(self, step: QPointF) -> None:
        """Move the cross by so many pixels of the picture, or of the screen where those are larger."""
        size = self._size()
        reach = max(1.0, 1 / (self._scale * self.devicePixelRatioF()))
        at = self._cross_place()
        x = at.x() + step.x() * reach / size.width()
        y = at.y() + step.y() * reach / size.height()
        self._cross = QPointF(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        if not QRectF(self.rect()).contains(self.place_of(self._cross.x(), self._cross.y())):
            self._centre = QPointF(self._cross)
            self._hold()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the picture's visible part, then the marks."""
        tokens = tokens_now()
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.color("code_background"))
        if self.image is not None:
            self._draw_picture(painter)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            area = QRectF(self.rect())
            draw_marks(painter, self._marks, self.place_of, area, tokens)
            if self._picking and self._cross is not None:
                draw_cross(painter, self.place_of(self._cross.x(), self._cross.y()), area, tokens)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.color("focus"), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.end()

    def _draw_picture(self, painter: QPainter) -> None:
        target = self._target()
        visible = target.intersected(QRectF(self.rect()))
        density = self._scale * self.devicePixelRatioF()
        level = self._level(density)
        ratio = level.width() / target.width(), level.height() / target.height()
        source = QRectF(
            (visible.x() - target.x()) * ratio[0],
            (visible.y() - target.y()) * ratio[1],
            visible.width() * ratio[0],
            visible.height() * ratio[1],
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, density < _PIXELS_FROM)
        painter.drawImage(visible, level, source)

    def _level(self, density: float) -> QImage:
        """Return the picture, halved until it is less than twice too large: what is shrunk further loses lines."""
        wanted = 0
        while density < 0.5 and wanted < 6:
            density *= 2
            wanted += 1
        while len(self._levels) <= wanted:
            last = self._levels[-1]
            half = QSize(max(1, last.width() // 2), max(1, last.height() // 2))
            smooth = Qt.TransformationMode.SmoothTransformation
            self._levels.append(last.scaled(half, Qt.AspectRatioMode.IgnoreAspectRatio, smooth))
        return self._levels[wanted]


def _held(centre: float, share: float) -> float:
    """Keep a middle so that a window of ``share`` of the picture stays inside it."""
    return 0.5 if share >= 1 else min(max(centre, share / 2), 1 - share / 2)
