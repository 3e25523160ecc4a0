"""Pictures in the transcript: thumbnails, a marked picture with its coordinates, and a viewer."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QDialog, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.store import Attachment, StoredPoint
from app.translate import tr
from app.ui.theme import tokens_now
from app.ui.widgets.controls import button, icon_button, label, row
from app.ui.widgets.flow import flow
from app.ui.widgets.picture import Mark, PictureView

_MARKED_HEIGHT_TEXTS = 20
"""Height of a marked picture, in heights of its text."""


class Thumbnail(QWidget):
    """A small picture; a click, or Enter, opens it."""

    opened = Signal()

    def __init__(self, name: str, height_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._height_px = height_px
        self.setAccessibleName(tr("Attachment {name}", name=name))
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(round(height_px * 1.4), height_px)

    def set_image(self, image: QImage) -> None:
        """Show the picture, cut to no more than twice as wide as high."""
        if image.isNull():
            return
        self._image = image
        wide = round(self._height_px * image.width() / max(1, image.height()))
        self.setFixedSize(max(self._height_px // 2, min(wide, 2 * self._height_px)), self._height_px)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw it with round corners, filling the room."""
        tokens = tokens_now()
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        outline = QPainterPath()
        outline.addRoundedRect(area, tokens.radius_px, tokens.radius_px)
        painter.fillPath(outline, tokens.color("raised"))
        if self._image is not None:
            painter.save()
            painter.setClipPath(outline)
            scale = max(area.width() / self._image.width(), area.height() / self._image.height())
            shown = QRectF(0, 0, area.width() / scale, area.height() / scale)
            shown.moveCenter(QRectF(self._image.rect()).center())
            painter.drawImage(area, self._image, shown)
            painter.restore()
        pen = painter.pen()
        pen.setColor(tokens.color("focus" if self.hasFocus() else "border"))
        pen.setWidthF(2 if self.hasFocus() else 1)
        painter.setPen(pen)
        painter.drawPath(outline)
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Open it."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Open it with Enter or the space bar."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class _InlinePicture(PictureView):
    """Leaves the wheel to the transcript until it has been clicked."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def coordinates_text(point: StoredPoint, width_px: int, height_px: int) -> str:
    """Write a place in pixels of its picture, as it is copied."""
    return f"{min(int(point.x_rel * width_px), width_px - 1)}, {min(int(point.y_rel * height_px), height_px - 1)}"


class MarkedPicture(QWidget):
    """The picture that an answer speaks of, with its places marked and to be copied."""

    opened = Signal()

    def __init__(
        self, attachment: Attachment, points: Sequence[StoredPoint], label_text: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.attachment = attachment
        self.points = tuple(points)
        self._view = _InlinePicture()
        self._view.setAccessibleName(tr("Picture with what was found"))
        self._view.setFixedHeight(_MARKED_HEIGHT_TEXTS * tokens_now().text_px)
        self._view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._label = label_text
        self._copy_buttons = []
        placed: list[QWidget] = []
        for point in self.points[:5]:
            text = coordinates_text(point, attachment.width_px, attachment.height_px)
            shown = label(f"x, y = {text}", "mono")
            shown.setProperty("data", True)
            shown.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            copy = icon_button("copy", tr("Copy the coordinates"))
            copy.setProperty("coordinates", text)
            copy.clicked.connect(self._copy)
            self._copy_buttons.append(copy)
            placed.append(row(shown, copy))
        larger = button(tr("Open the picture"), icon="search", role="ghost")
        larger.clicked.connect(self.opened)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._view)
        layout.addWidget(flow(*placed, "stretch", larger))

    @property
    def view(self) -> PictureView:
        """The picture's view."""
        return self._view

    def set_image(self, image: QImage) -> None:
        """Show the picture and mark the places."""
        self._view.set_image(image)
        self._view.set_marks(marks_of(self.points, self._label))

    def _copy(self) -> None:
        sender = self.sender()
        for each in self._copy_buttons:
            if each is sender:
                QGuiApplication.clipboard().setText(str(each.property("coordinates")))
                each.set_icon("check")


def marks_of(points: Sequence[StoredPoint], label_text: str = "") -> list[Mark]:
    """Make marks of an answer's places."""
    return [Mark("point", ((point.x_rel, point.y_rel),), point.label or label_text) for point in points]


class PictureDialog(QDialog):
    """A picture as large as the window allows."""

    def __init__(self, title: str, image: QImage, points: Sequence[StoredPoint], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        room = parent.window().size()
        self.resize(QSize(max(480, room.width() * 9 // 10), max(360, room.height() * 9 // 10)))
        self.view = PictureView()
        self.view.set_image(image)
        self.view.set_marks(marks_of(points))
        size = label(f"{image.width()}×{image.height()} px", "small")
        size.setProperty("data", True)
        fit = button(tr("Fit"), role="ghost")
        fit.clicked.connect(self.view.fit)
        whole = button(tr("Actual size"), role="ghost")
        whole.clicked.connect(self.view.actual_size)
        close = button(tr("Close"), role="primary")
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addWidget(size, 1)
        for each in (fit, whole, close):
            foot.addWidget(each)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.view, 1)
        layout.addLayout(foot)
        self.view.setFocus()
