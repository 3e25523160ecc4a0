"""From the desktop's physical pixels to Qt's logical ones, screen by screen: the only place in the window that does."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QGuiApplication, QScreen

from agent.coords import logical_to_physical, physical_to_logical
from agent.types import Point, Rect


@dataclass(frozen=True, slots=True)
class ScreenMap:
    """One screen in both units. Its origin is the same number in both; its size is divided by ``scale``."""

    logical: QRect
    rect_px: Rect
    scale: float

    def to_logical(self, point: Point) -> QPointF:
        """Return the centre of a pixel in logical units."""
        x, y = physical_to_logical(
            point, (self.logical.left(), self.logical.top()), Point(self.rect_px.left, self.rect_px.top), self.scale
        )
        return QPointF(x, y)

    def to_physical(self, x: float, y: float) -> Point:
        """Return the pixel under a logical point."""
        origin = (self.logical.left(), self.logical.top())
        return logical_to_physical(x, y, origin, Point(self.rect_px.left, self.rect_px.top), self.scale)

    def rect_to_logical(self, rect_px: Rect) -> QRectF:
        """Return a rectangle of pixels in logical units."""
        left = self.logical.left() + (rect_px.left - self.rect_px.left) / self.scale
        top = self.logical.top() + (rect_px.top - self.rect_px.top) / self.scale
        return QRectF(left, top, rect_px.width / self.scale, rect_px.height / self.scale)


def map_of(screen: QScreen) -> ScreenMap:
    """Describe a screen. Qt keeps physical origins and shrinks sizes, as measured on X11."""
    return map_from(screen.geometry(), screen.devicePixelRatio())


def map_from(logical: QRect, scale: float) -> ScreenMap:
    """Describe a screen by its logical geometry and its scale."""
    left, top = logical.left(), logical.top()
    size = (round(logical.width() * scale), round(logical.height() * scale))
    return ScreenMap(logical, Rect(left, top, left + size[0], top + size[1]), scale)


def map_at(point: Point, maps: Sequence[ScreenMap]) -> ScreenMap | None:
    """Return the screen that shows a pixel, or None."""
    return next((each for each in maps if each.rect_px.contains(point)), None)


def screen_maps() -> tuple[tuple[QScreen, ScreenMap], ...]:
    """Return all screens with their maps."""
    return tuple((screen, map_of(screen)) for screen in QGuiApplication.screens())
