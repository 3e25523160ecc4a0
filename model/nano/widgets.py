"""Buttons, links, texts and badges: each draws itself at a place and lists what it is."""

from typing import Any

from model.nano.elements import Box
from model.nano.paint import Painter, Run
from model.nano.themes import Color, fade, mix, readable

_FLAT_LOOKS = ("ghost", "soft")


def surface(p: Painter, box: Box, look: str, fill: Color, edge: Color, radius: float) -> None:
    """Draw the body of a control in one of the theme's looks."""
    theme, u = p.theme, p.theme.unit_px
    width = max(theme.border_width * u, 1.0)
    if look == "ghost":
        return
    if look == "shadow":
        p.shadow(box, radius, 1.2 * u, 0.8 * u, 0.35)
        p.rect(box, fill, radius)
    elif look == "gradient":
        p.gradient(box, [mix(fill, 0xFFFFFFFF, 0.2), mix(fill, 0xFF000000, 0.12)], radius)
        p.outline(box, edge, radius, width)
    elif look == "bevel":
        p.rect(box, fill)
        light, shade = mix(fill, 0xFFFFFFFF, 0.7), mix(fill, 0xFF000000, 0.45)
        x0, y0, x1, y1 = box
        p.line(x0, y0, x1, y0, light, width)
        p.line(x0, y0, x0, y1, light, width)
        p.line(x0, y1, x1, y1, shade, width)
        p.line(x1, y0, x1, y1, shade, width)
    elif look == "border":
        p.rect(box, fill, radius)
        p.outline(box, edge, radius, width)
    else:
        p.rect(box, fill, radius)


def button_text(p: Painter) -> str:
    """Choose a button's text as this theme writes it."""
    text = p.words.button()
    return text.upper() if p.theme.upper_buttons else text


def button_width(p: Painter, text: str, *, icon: str = "", wide: float = 1.0) -> float:
    """Measure the width a button with ``text`` takes, in rendered pixels."""
    theme, u = p.theme, p.theme.unit_px
    face = p.face(1.0, theme.button_weight)
    width = face.width(text, theme.letter_spacing * u) + 2 * theme.padding * u * wide
    if icon:
        width += theme.text_size * 1.6 * u
    return max(width, theme.control_height * u)


def button(p: Painter, box: Box, text: str, kind: str = "", icon: str = "", **known: Any) -> None:
    """Draw a button with text: ``kind`` is "primary", "danger", "ghost" or "" for an ordinary one."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    fill, ink, look, edge = theme.button, theme.on_button, theme.button_look, theme.border
    if kind in ("primary", "danger"):
        fill = theme.accent if kind == "primary" else theme.danger
        ink = theme.on_accent if kind == "primary" else readable(fill)
        edge = mix(fill, 0xFF000000, 0.2)
        if look in _FLAT_LOOKS:
            look = "fill"
    elif kind == "ghost":
        look = "ghost"
    elif look == "soft":
        fill = mix(theme.window, theme.accent, 0.14)
    elif look == "border" and rng.random() < 0.6:
        fill = theme.window
    state = rng.random()
    if state < 0.06:
        fill = mix(fill, theme.text, 0.12)
        if look == "ghost":
            look = "fill"
    enabled = state < 0.93
    if not enabled:
        fill = mix(fill, theme.window, 0.5)
        ground = theme.window if look == "ghost" else fill
        ink = mix(readable(ground), ground, 0.5)
    radius = min(theme.radius * u, (box[3] - box[1]) / 2)
    surface(p, box, look, fill, edge, radius)
    if state > 0.06 and state < 0.09:
        grow = 2 * u
        ring = (box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow)
        p.outline(ring, fade(theme.accent, 0.7), radius + grow, 1.5 * u)
    face = p.face(1.0, theme.button_weight)
    inner = (box[0] + theme.padding * u * 0.4, box[1], box[2] - theme.padding * u * 0.4, box[3])
    if icon:
        side = theme.text_size * 1.2 * u
        gap = theme.text_size * 0.4 * u
        width = min(face.width(text, theme.letter_spacing * u) + side + gap, inner[2] - inner[0])
        x = (box[0] + box[2] - width) / 2
        y = (box[1] + box[3] - side) / 2
        p.icon(icon, (x, y, x + side, y + side), ink)
        inner = (x + side + gap, box[1], inner[2], box[3])
    run = p.text_in(text, inner, face, ink, "left" if icon else "center", theme.letter_spacing * u)
    p.add("button", box, run, enabled=enabled, **known)


def icon_button(
    p: Painter, box: Box, concept: str, *, color: Color | None = None, framed: bool = False, **known: Any
) -> bool:
    """Draw a button that shows only an icon; say whether the theme's icon set has it."""
    theme, u = p.theme, p.theme.unit_px
    width, height = box[2] - box[0], box[3] - box[1]
    ink = theme.text if color is None else color
    enabled = p.rng.random() > 0.05
    if not enabled:
        ink = fade(ink, 0.4)
    if not p.bank.icon_row(theme.icons, concept, p.rng):
        return False
    if framed:
        surface(p, box, theme.button_look, theme.button, theme.border, min(theme.radius * u, height / 2))
        ink = theme.on_button
    elif p.rng.random() < 0.05:
        p.rect(box, fade(theme.text, 0.12), min(theme.radius * u, height / 2))
    side = min(width, height) * p.rng.uniform(0.55, 0.75)
    x, y = round((box[0] + box[2] - side) / 2), round((box[1] + box[3] - side) / 2)
    p.icon(concept, (x, y, x + side, y + side), ink, listed=False)
    p.add("icon_button", box, icon=concept, enabled=enabled, **known)
    return True


def label(p: Painter, x: float, y: float, text: str, *, size: float = 1.0, weight: int = 400, **more: Any) -> Run:
    """Draw one line of text with its top left at ``x``, ``y`` and list it.

    ``more``: color, family, role ("label" when absent), room_px (cut with "…" when wider), listed.
    """
    theme = p.theme
    face = p.face(size, weight, more.get("family", ""))
    color = more.get("color", theme.text)
    room = more.get("room_px", p.width * 2.0)
    height = face.ascent_px + face.descent_px
    run = p.text_in(text, (x, y, x + room, y + height), face, color)
    if more.get("listed", True) and run.text and run.whole:
        p.add(more.get("role", "label"), run.box, run)
    return run


def line_height(p: Painter, size: float = 1.0) -> float:
    """Give the height of a line of the theme's text, in rendered pixels."""
    face = p.face(size)
    return face.ascent_px + face.descent_px


def paragraph(p: Painter, box: Box, lines: int, *, size: float = 1.0, links: float = 0.1) -> float:
    """Fill a box with running text that has links in it; return where it ends (y).

    Lines of running text are glyphs, not elements; links are.
    """
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    face = p.face(size)
    step = (face.ascent_px + face.descent_px) * rng.uniform(1.05, 1.4)
    y = box[1]
    space = face.advance(" ")
    for _ in range(lines):
        if y + step > box[3]:
            break
        x, plain = box[0], []
        start = x
        width = 0.0
        baseline = round(y + face.ascent_px)
        while True:
            linked = rng.random() < links * 0.25
            word = p.words.phrase(rng.randint(1, 3)) if linked else p.words.word()
            advance = face.width(word)
            if start + width + advance > box[2]:
                break
            if linked:
                if plain:
                    p.text(" ".join(plain), start, baseline, face, theme.text)
                    start, plain = start + width, []
                link(p, start, baseline, word, size=size)
                start, width = start + advance + space, 0.0
            else:
                plain.append(word)
                width += advance + space
        if plain:
            p.text(" ".join(plain), start, baseline, face, theme.text)
        y += step
    return y + 2 * u


def link(p: Painter, x: float, baseline: float, text: str, *, size: float = 1.0, color: Color | None = None) -> Run:
    """Draw a link, underlined or not, and list it."""
    theme, u = p.theme, p.theme.unit_px
    run = p.text(text, x, baseline, p.face(size), theme.link if color is None else color)
    if theme.border_width <= 1:
        p.line(x, baseline + 1.5 * u, run.box[2], baseline + 1.5 * u, theme.link, max(u * 0.8, 1))
    p.add("link", run.box, run)
    return run


def badge(p: Painter, x: float, y: float, text: str, **known: Any) -> Box:
    """Draw a chip with text; return its box."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    face = p.face(0.88, theme.bold if rng.random() < 0.3 else 400)
    height = (face.ascent_px + face.descent_px) * 1.35
    width = face.width(text) + theme.padding * u * 1.3
    box = (x, y, x + width, y + height)
    if rng.random() < 0.5:
        fill = mix(theme.window, theme.accent, rng.choice([0.15, 0.25, 1.0]))
        p.rect(box, fill, height / 2 if rng.random() < 0.7 else theme.radius * u)
        ink = readable(fill)
    else:
        p.outline(box, theme.border, height / 2, max(u, 1))
        ink = theme.text
    run = p.text_in(text, (x, y, x + width, y + height), face, ink, "center")
    p.add("label", box, run, **known)
    return box


def image(p: Painter, box: Box, radius: float = 0.0) -> None:
    """Draw a picture: a landscape of gradients and discs."""
    rng = p.rng
    palette = p.theme
    first = mix(palette.accent, 0xFF000000 | int(rng.random() * 0xFFFFFF), rng.random())
    second = 0xFF000000 | int(rng.random() * 0xFFFFFF)
    p.gradient(box, [first, second], radius, across=rng.random() < 0.3)
    p.push_clip(box)
    for _ in range(rng.randint(1, 5)):
        x, y = rng.uniform(box[0], box[2]), rng.uniform(box[1], box[3])
        size = rng.uniform(0.1, 0.5) * (box[3] - box[1])
        color = fade(0xFF000000 | int(rng.random() * 0xFFFFFF), rng.uniform(0.2, 0.9))
        if rng.random() < 0.5:
            p.circle(x, y, size, color)
        else:
            p.rect((x, y, x + size * rng.uniform(0.5, 3), y + size), color)
    p.pop_clip()
