"""Marks on a picture: drawn in the widget's own pixels, so that they are as crisp and as large at every zoom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app.ui.theme import Tokens

MarkKind = Literal["point", "box", "polygon"]
Tone = Literal["accent", "success", "danger", "muted"]

_COLOURS = {"accent": "marker", "success": "success", "danger": "danger", "muted": "muted"}
_RING_PX = 9.0
_LINE_PX = 2.0
_HALO_PX = 5.0
_PAD_PX = 5.0
_BRIGHT = 140


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to show on a picture, in places relative to it. A box is given by two or more of its corners."""

    kind: MarkKind
    points: tuple[tuple[float, float], ...]
    label: str = ""
    tone: Tone = "accent"


def draw_marks(
    painter: QPainter,
    marks: Sequence[Mark],
    place_of: Callable[[float, float], QPointF],
    area: QRectF,
    tokens: Tokens,
) -> None:
    """Draw the marks, and then their labels so that none is covered; labels stay inside ``area``."""
    drawn = [(mark, _draw(painter, mark, [place_of(x, y) for x, y in mark.points], tokens)) for mark in marks]
    taken: list[QRectF] = []
    for mark, bounds in drawn:
        if mark.label and area.intersects(bounds):
            taken.append(_draw_label(painter, mark, bounds, area, tokens, taken))


def draw_cross(painter: QPainter, at: QPointF, area: QRectF, tokens: Tokens) -> None:
    """Draw the lines that show where Enter would pick."""
    for pen in _pens(tokens.color("marker"), tokens, 1.0):
        painter.setPen(pen)
        painter.drawLine(QPointF(area.left(), at.y()), QPointF(area.right(), at.y()))
        painter.drawLine(QPointF(at.x(), area.top()), QPointF(at.x(), area.bottom()))


def _draw(painter: QPainter, mark: Mark, places: list[QPointF], tokens: Tokens) -> QRectF:
    """Draw the shape; return what it covers."""
    if not places:
        return QRectF()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    scale = tokens.text_px / 14
    bounds = QPolygonF(places).boundingRect()
    for pen in _pens(tokens.color(_COLOURS[mark.tone]), tokens, _LINE_PX * scale):
        painter.setPen(pen)
        if mark.kind == "box":
            painter.drawRect(bounds)
        elif mark.kind == "polygon":
            painter.drawPolygon(QPolygonF(places))
        else:
            for place in places:
                _draw_ring(painter, place, _RING_PX * scale)
    if mark.kind == "point":
        reach = 1.6 * _RING_PX * scale
        bounds.adjust(-reach, -reach, reach, reach)
    return bounds


def _draw_ring(painter: QPainter, at: QPointF, radius: float) -> None:
    """Draw a ring with a dot that leaves what is pointed at visible."""
    painter.drawEllipse(at, radius, radius)
    painter.drawEllipse(at, 0.8, 0.8)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        painter.drawLine(at + QPointF(dx, dy) * radius, at + QPointF(dx, dy) * (1.6 * radius))


def _pens(colour: QColor, tokens: Tokens, width: float) -> tuple[QPen, QPen]:
    """Return a halo that stands out from the colour, then the colour: one of the two shows on any picture."""
    halo = QColor(_on(colour))
    halo.setAlpha(190)
    scale = tokens.text_px / 14
    pens = QPen(halo, width + (_HALO_PX - _LINE_PX) * scale), QPen(colour, width)
    for pen in pens:
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pens


def _draw_label(
    painter: QPainter, mark: Mark, bounds: QRectF, area: QRectF, tokens: Tokens, taken: list[QRectF]
) -> QRectF:
    metrics = QFontMetricsF(painter.font())
    text = metrics.elidedText(mark.label, Qt.TextElideMode.ElideRight, max(40.0, area.width() - 4 * _PAD_PX))
    width, height = metrics.horizontalAdvance(text) + 2 * _PAD_PX, metrics.height() + _PAD_PX
    gap = _HALO_PX
    above, below = bounds.top() - height - gap, bounds.bottom() + gap
    places = [QRectF(bounds.left(), y, width, height) for y in (above, below)]
    places += [QRectF(x, bounds.top(), width, height) for x in (bounds.right() + gap, bounds.left() - width - gap)]
    free = (p for p in places if area.contains(p) and not any(p.intersects(other) for other in taken))
    box = next(free, None) or _inside(places[0], area)
    colour = tokens.color(_COLOURS[mark.tone])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(_on(colour))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return box


def _inside(box: QRectF, area: QRectF) -> QRectF:
    left = min(max(box.left(), area.left()), area.right() - box.width())
    top = min(max(box.top(), area.top()), area.bottom() - box.height())
    return QRectF(left, top, box.width(), box.height())


def _on(colour: QColor) -> QColor:
    """Return black or white, whichever can be read on a colour."""
    bright = 0.299 * colour.red() + 0.587 * colour.green() + 0.114 * colour.blue() > _BRIGHT
    return QColor(Qt.GlobalColor.black if bright else Qt.GlobalColor.white)
