"""A canvas that remembers the truth: which element is where, and which characters can be seen."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import skia

from model.nano.bank import Bank
from model.nano.elements import Box, Element
from model.nano.fonts import Face
from model.nano.themes import Color, Theme, fade
from model.nano.words import Words

_LEAST_VISIBLE = 0.6
_FIELDS = frozenset({"text_field", "combo", "spin", "slider"})
_BLUR_AREA = 20_000.0


@dataclass(slots=True)
class Run:
    """A drawn text: its characters' rows ``start:end`` in the glyph table, its box, whether whole."""

    text: str
    start: int
    end: int
    box: Box
    whole: bool


@dataclass(slots=True)
class _Entry:
    """An element to be: its fields, its text's rows, how many covers came before, its area unclipped."""

    role: str
    box: Box
    known: dict[str, Any]
    start: int
    end: int
    covers: int
    full_area: float
    caption: Run | None


class Painter:
    """Draws in rendered pixels, and keeps elements and glyphs in painter's order.

    What is drawn later with `cover` hides what lies under it; `clip` hides what falls outside.
    """

    def __init__(self, surface: skia.Surface, pixels: np.ndarray, theme: Theme, bank: Bank, rng: Random) -> None:
        self.canvas = surface.getCanvas()
        self.height, self.width = pixels.shape[:2]
        self._pixels = pixels
        self.theme = theme
        self.bank = bank
        self.rng = rng
        self.words = Words(bank.words, rng)
        self.later: list[Callable[[], None]] = []
        self.container = ""
        self.container_kind = ""
        self._fill = skia.Paint(AntiAlias=True)
        self._stroke = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style)
        self._ink = skia.Paint(AntiAlias=True)
        self._chars: list[str] = []
        self._xs: list[float] = []
        self._ys: list[float] = []
        self._entries: list[_Entry] = []
        self._covers: list[tuple[int, Box]] = []
        self._clips: list[Box] = [(0.0, 0.0, float(self.width), float(self.height))]
        self._groups = 0

    # shapes

    def rect(self, box: Box, color: Color, radius: float = 0.0) -> None:
        """Fill a box, with rounded corners when ``radius`` is not 0."""
        self._fill.setColor(color)
        if radius > 0.3:
            self.canvas.drawRoundRect(skia.Rect(*box), radius, radius, self._fill)
        else:
            self.canvas.drawRect(skia.Rect(*box), self._fill)

    def outline(self, box: Box, color: Color, radius: float = 0.0, width: float = 1.0) -> None:
        """Draw a border inside the box's edge."""
        half = width / 2
        inner = skia.Rect(box[0] + half, box[1] + half, max(box[2] - half, box[0]), max(box[3] - half, box[1]))
        self._stroke.setColor(color)
        self._stroke.setStrokeWidth(width)
        self.canvas.drawRoundRect(inner, max(radius - half, 0.0), max(radius - half, 0.0), self._stroke)

    def line(self, x0: float, y0: float, x1: float, y1: float, color: Color, width: float = 1.0) -> None:
        """Draw a straight line."""
        self._stroke.setColor(color)
        self._stroke.setStrokeWidth(width)
        self.canvas.drawLine(x0, y0, x1, y1, self._stroke)

    def circle(self, x: float, y: float, radius: float, color: Color, width: float = 0.0) -> None:
        """Draw a disc, or a ring when ``width`` is not 0."""
        if width:
            self._stroke.setColor(color)
            self._stroke.setStrokeWidth(width)
            self.canvas.drawCircle(x, y, radius, self._stroke)
        else:
            self._fill.setColor(color)
            self.canvas.drawCircle(x, y, radius, self._fill)

    def polyline(self, points: list[tuple[float, float]], color: Color, width: float) -> None:
        """Draw connected lines."""
        self._stroke.setColor(color)
        self._stroke.setStrokeWidth(width)
        for (x0, y0), (x1, y1) in pairwise(points):
            self.canvas.drawLine(x0, y0, x1, y1, self._stroke)

    def polygon(self, points: list[tuple[float, float]], color: Color, edge: Color, width: float) -> None:
        """Fill a closed shape and draw its edge."""
        path = skia.Path.Polygon([skia.Point(x, y) for x, y in points], True)
        self._fill.setColor(color)
        self.canvas.drawPath(path, self._fill)
        self._stroke.setColor(edge)
        self._stroke.setStrokeWidth(width)
        self.canvas.drawPath(path, self._stroke)

    def backdrop(self, colors: list[Color], *, across: bool = False) -> None:
        """Fill the whole screen with a linear gradient, before anything else is drawn."""
        length = self.width if across else self.height
        stops = np.array([[(c >> 16) & 255, (c >> 8) & 255, c & 255, 255] for c in colors], np.float32)
        at = np.linspace(0, len(colors) - 1, length)
        ramp = np.stack([np.interp(at, range(len(colors)), stops[:, i]) for i in range(4)], 1).astype(np.uint8)
        self._pixels[:] = ramp[None] if across else ramp[:, None]

    def gradient(self, box: Box, colors: list[Color], radius: float = 0.0, *, across: bool = False) -> None:
        """Fill a box with a linear gradient, downwards or to the right."""
        end = skia.Point(box[2], box[1]) if across else skia.Point(box[0], box[3])
        paint = skia.Paint(
            AntiAlias=True, Shader=skia.GradientShader.MakeLinear([skia.Point(box[0], box[1]), end], colors)
        )
        self.canvas.drawRoundRect(skia.Rect(*box), radius, radius, paint)

    def shadow(self, box: Box, radius: float, blur: float, drop: float = 0.0, alpha: float = 0.3) -> None:
        """Draw a soft shadow around a box."""
        lowered = (box[0], box[1] + drop, box[2], box[3] + drop)
        if _area(box) > _BLUR_AREA:
            # rings cost a fraction of blurring a large mask
            for step in range(4):
                grow = blur * (step + 0.5) * 0.4
                ring = (lowered[0] - grow, lowered[1] - grow, lowered[2] + grow, lowered[3] + grow)
                self.outline(ring, fade(0xFF000000, alpha * (0.5, 0.32, 0.18, 0.08)[step]), radius + grow, blur * 0.4)
            return
        paint = skia.Paint(
            AntiAlias=True,
            Color=fade(0xFF000000, alpha),
            MaskFilter=skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, max(blur, 0.5)),
        )
        self.canvas.drawRoundRect(skia.Rect(*lowered), radius, radius, paint)

    def icon(self, concept: str, box: Box, color: Color, *, listed: bool = True) -> bool:
        """Draw an icon into a square box; say whether the theme's set has it.

        It is listed as an image without text, so that a query knows of every such picture.
        """
        row = self.bank.icon_row(self.theme.icons, concept, self.rng)
        if row is None:
            return False
        self._ink.setColor(color)
        image = self.bank.icon_image(row)
        self.canvas.drawImageRect(image, skia.Rect(*box), _SAMPLING, self._ink)
        if listed:
            self.add("image", box, icon=concept)
        return True

    # text

    def face(self, size: float = 1.0, weight: int = 400, family: str = "") -> Face:
        """Open the theme's font at ``size`` times the theme's text size."""
        theme = self.theme
        return self.bank.face(family or theme.font, weight, size * theme.text_size * theme.unit_px, theme.text_style)

    def text(self, text: str, x: float, baseline: float, face: Face, color: Color, spacing: float = 0.0) -> Run:
        """Draw a line of text and note where each character stands.

        Characters that the font lacks are left out of the drawing and of the truth.
        """
        glyphs = face.measure(text)
        if not all(glyph[3] or char == " " for glyph, char in zip(glyphs, text, strict=True)):
            text = "".join(char for char, glyph in zip(text, glyphs, strict=True) if glyph[3] or char == " ")
            glyphs = face.measure(text)
        start = len(self._chars)
        chars, xs, ys = self._chars, self._xs, self._ys
        clip = self._clips[-1]
        pen, pens, whole = x, [], True
        left, right = clip[0] + 0.2 * face.size_px, clip[2] - 0.2 * face.size_px
        seen_rows = baseline - face.x_height_px > clip[1] and baseline < clip[3]
        for char, (advance, centre_x, centre_y, drawable) in zip(text, glyphs, strict=True):
            pens.append(pen)
            if drawable:
                if seen_rows and left < pen + centre_x < right:
                    chars.append(char)
                    xs.append(pen + centre_x)
                    ys.append(baseline + centre_y)
                else:
                    whole = False
            pen += advance + spacing
        self._ink.setColor(color)
        if spacing:
            blob = skia.TextBlob.MakeFromPosTextH(text, pens, baseline, face.font) if text.strip() else None
            if blob is not None:
                self.canvas.drawTextBlob(blob, 0, 0, self._ink)
        else:
            self.canvas.drawString(text, x, baseline, face.font, self._ink)
        box = (x, baseline - face.ascent_px * 0.95, pen, baseline + face.descent_px)
        return Run(text, start, len(chars), box, whole)

    def text_in(self, text: str, box: Box, face: Face, color: Color, align: str = "left", spacing: float = 0.0) -> Run:
        """Draw text on the box's middle line, cut with "…" when it is too long (then not whole)."""
        room = box[2] - box[0]
        width = face.width(text, spacing)
        whole = True
        if width > room:
            count = face.fits(text, room - face.advance("…") - spacing * len(text))
            text, whole = text[:count].rstrip() + "…", False
            width = face.width(text, spacing)
            if count < 1:
                return Run("", len(self._chars), len(self._chars), (box[0], box[1], box[0], box[3]), False)
        x = box[0] if align == "left" else box[2] - width if align == "right" else (box[0] + box[2] - width) / 2
        baseline = (box[1] + box[3] + face.cap_px) / 2
        run = self.text(text, x if face.subpixel else round(x), round(baseline), face, color, spacing)
        run.whole = run.whole and whole
        return run

    # truth

    def add(self, role: str, box: Box, run: Run | None = None, *, caption: Run | None = None, **known: Any) -> None:
        """List an element.

        ``run`` is the text in it, which must be seen whole for the element to be listed, unless it
        has a place in a list, an icon, or is a field. ``caption`` is a text elsewhere that gives the
        ``label``, which is dropped when the caption cannot be seen.
        """
        if run is not None and run.whole and "text" not in known:
            known["text"] = run.text
        if caption is not None:
            known["label"] = known.get("label", caption.text) if caption.whole else ""
        known["container"], known["container_kind"] = self.container, self.container_kind
        span = (run.start, run.end) if run is not None else (0, 0)
        clipped = _intersect(box, self._clips[-1])
        if clipped is None or not (
            run is None or run.whole or "position" in known or "icon" in known or role in _FIELDS
        ):
            if known.get("group"):
                self._entries.append(_Entry(role, box, known, 0, 0, 0, 0.0, None))
            return
        self._entries.append(_Entry(role, clipped, known, *span, len(self._covers), _area(box), caption))

    def group(self, title: str = "") -> str:
        """Name a new container: its visible title, or a name beginning with "#" when it has none."""
        self._groups += 1
        return title or f"#{self._groups}"

    def finish(self) -> None:
        """Draw what was put off until everything below it is there."""
        waiting, self.later = self.later, []
        for draw in waiting:
            draw()

    def cover(self, box: Box) -> None:
        """Say that what is drawn from now on hides everything under ``box``."""
        clipped = _intersect(box, self._clips[-1])
        if clipped is not None:
            self._covers.append((len(self._chars), clipped))

    def push_clip(self, box: Box) -> None:
        """Draw only inside ``box`` until `pop_clip`."""
        self.canvas.save()
        self.canvas.clipRect(skia.Rect(*box))
        self._clips.append(_intersect(box, self._clips[-1]) or (0.0, 0.0, 0.0, 0.0))

    def pop_clip(self) -> None:
        """End the last `push_clip`."""
        self.canvas.restore()
        self._clips.pop()

    def truth(self, ratio: float) -> tuple[tuple[Element, ...], np.ndarray]:
        """Give what can be seen: elements and glyphs in pixels times ``ratio``."""
        count = len(self._chars)
        xs, ys = np.array(self._xs, np.float32), np.array(self._ys, np.float32)
        seen = np.ones(count, bool)
        margin = 0.25 * self.theme.text_size * self.theme.unit_px
        for rows, (x0, y0, x1, y1) in self._covers:
            x, y = xs[:rows], ys[:rows]
            seen[:rows] &= (x < x0 - margin) | (x > x1 + margin) | (y < y0 - margin) | (y > y1 + margin)
        hidden = np.concatenate([[0], np.cumsum(~seen)]).tolist()
        codes = np.array([ord(char) for char in self._chars], np.float32)
        glyphs = np.stack([codes, xs * ratio, ys * ratio], 1)[seen] if count else np.zeros((0, 3), np.float32)
        kept: list[tuple[_Entry, Box]] = []
        broken: set[str] = set()
        for entry in self._entries:
            box = None
            if entry.full_area and hidden[entry.end] == hidden[entry.start]:
                box = self._visible(entry)
            if box is None or min(box[2] - box[0], box[3] - box[1]) * ratio < 3.5:
                broken.add(entry.known.get("group", ""))
                continue
            kept.append((entry, (box[0] * ratio, box[1] * ratio, box[2] * ratio, box[3] * ratio)))
        broken.discard("")
        elements: list[Element] = []
        for entry, box in kept:
            known = entry.known
            if known.get("group") in broken and known.get("group_kind") != "table":
                # a list of which a part is hidden has no honest third or last item
                known["group_kind"], known["position"] = "", 0
            if entry.caption is not None and hidden[entry.caption.end] != hidden[entry.caption.start]:
                known["label"] = ""
            elements.append(Element(entry.role, box, **known))  # type: ignore[arg-type] - its fields
        return tuple(elements), glyphs.astype(np.float32)

    def _visible(self, entry: _Entry) -> Box | None:
        """Trim the element's box by what covers it; ``None`` when too little is left."""
        box = entry.box
        hole = 0.0
        for _, cover in self._covers[entry.covers :]:
            shared = _intersect(box, cover)
            if shared is None:
                continue
            x0, y0, x1, y1 = box
            if cover[0] <= x0 and cover[2] >= x1:
                if cover[1] <= y0:
                    y0 = cover[3]
                elif cover[3] >= y1:
                    y1 = cover[1]
            elif cover[1] <= y0 and cover[3] >= y1:
                if cover[0] <= x0:
                    x0 = cover[2]
                elif cover[2] >= x1:
                    x1 = cover[0]
            if x1 <= x0 or y1 <= y0:
                return None
            if (x0, y0, x1, y1) == box:
                hole += _area(shared)
            box = (x0, y0, x1, y1)
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            if cover[0] <= x <= cover[2] and cover[1] <= y <= cover[3]:
                return None
        return box if _area(box) - hole >= _LEAST_VISIBLE * entry.full_area else None


_SAMPLING = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _intersect(first: Box, second: Box) -> Box | None:
    x0, y0 = max(first[0], second[0]), max(first[1], second[1])
    x1, y1 = min(first[2], second[2]), min(first[3], second[3])
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
