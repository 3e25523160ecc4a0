"""Things to fill in or switch: text fields, combo boxes, check boxes, sliders and their like."""

from typing import Any

from model.nano.elements import Box
from model.nano.paint import Painter
from model.nano.themes import fade, mix, readable


def field_body(p: Painter, box: Box, *, focused: bool = False, enabled: bool = True) -> None:
    """Draw the empty body of a text field in the theme's look."""
    theme, u = p.theme, p.theme.unit_px
    radius = min(theme.radius * u, (box[3] - box[1]) / 2)
    edge = theme.accent if focused else theme.border
    width = max(theme.border_width * u, 1.0) * (1.6 if focused else 1.0)
    fill = theme.field if enabled else mix(theme.field, theme.window, 0.7)
    if theme.field_look == "box":
        p.rect(box, fill, radius)
        p.outline(box, edge, radius, width)
    elif theme.field_look == "filled":
        p.rect(box, mix(fill, theme.text, 0.07), radius)
        if focused:
            p.outline(box, edge, radius, width)
    else:
        p.line(box[0], box[3] - width, box[2], box[3] - width, edge, width)


def text_field(
    p: Painter, box: Box, *, label: str = "", placeholder: str = "", value: str = "", icon: str = "", **known: Any
) -> None:
    """Draw a text field: filled with ``value`` ("•" for a password), or empty with its placeholder."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    enabled, focused = rng.random() > 0.05, rng.random() < 0.1
    field_body(p, box, focused=focused, enabled=enabled)
    pad = theme.padding * u * (0.7 if theme.field_look != "underline" else 0.2)
    x0, x1 = box[0] + pad, box[2] - pad
    if icon:
        side = min(theme.text_size * 1.2 * u, (box[3] - box[1]) * 0.8)
        y = (box[1] + box[3] - side) / 2
        if rng.random() < 0.75:
            p.icon(icon, (x0, y, x0 + side, y + side), theme.muted)
            x0 += side + 4 * u
        else:
            p.icon(icon, (x1 - side, y, x1, y + side), theme.muted)
            x1 -= side + 4 * u
    face = p.face(1.0)
    inner = (x0, box[1], max(x1, x0 + 1), box[3])
    shown = ""
    if value:
        run = p.text_in(value, inner, face, theme.text if enabled else theme.muted)
        end = run.box[2]
    else:
        run = p.text_in(placeholder, inner, face, mix(theme.field, theme.text, rng.uniform(0.45, 0.65)))
        shown = run.text if run.whole else ""
        known["text"] = ""
        end = x0
    if focused and rng.random() < 0.6:
        p.line(
            end + u,
            (box[1] + box[3]) / 2 - 0.6 * face.size_px,
            end + u,
            (box[1] + box[3]) / 2 + 0.6 * face.size_px,
            theme.text,
            max(u, 1),
        )
    p.add("text_field", box, run, label=label, placeholder=shown, enabled=enabled, **known)


def combo(p: Painter, box: Box, value: str, *, label: str = "", **known: Any) -> None:
    """Draw a combo box showing ``value``."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    if theme.field_look == "underline" or rng.random() < 0.5:
        field_body(p, box)
        ink = theme.text
    else:
        radius = min(theme.radius * u, (box[3] - box[1]) / 2)
        p.rect(box, theme.button, radius)
        p.outline(box, theme.border, radius, max(theme.border_width * u, 1))
        ink = theme.on_button
    height = box[3] - box[1]
    middle, arm = (box[1] + box[3]) / 2, max(theme.text_size * u * 0.24, 2)
    x = box[2] - height * 0.5
    if rng.random() < 0.3:
        p.polyline(
            [(x - arm, middle - arm * 0.4), (x, middle - arm * 1.4), (x + arm, middle - arm * 0.4)],
            ink,
            max(1.3 * u, 1),
        )
        p.polyline(
            [(x - arm, middle + arm * 0.4), (x, middle + arm * 1.4), (x + arm, middle + arm * 0.4)],
            ink,
            max(1.3 * u, 1),
        )
    else:
        p.polyline(
            [(x - arm, middle - arm / 2), (x, middle + arm / 2), (x + arm, middle - arm / 2)], ink, max(1.4 * u, 1)
        )
    run = p.text_in(value, (box[0] + theme.padding * u * 0.7, box[1], x - arm * 2, box[3]), p.face(1.0), ink)
    p.add("combo", box, run, label=label, **known)


def spin(p: Painter, box: Box, value: str, *, label: str = "", **known: Any) -> None:
    """Draw a number field with its two little arrows."""
    theme, u = p.theme, p.theme.unit_px
    field_body(p, box)
    height = box[3] - box[1]
    x, middle, arm = box[2] - height * 0.4, (box[1] + box[3]) / 2, height * 0.12
    for sign in (-1, 1):
        y = middle + sign * height * 0.2
        p.polyline(
            [(x - arm, y - sign * arm / 2), (x, y + sign * arm / 2), (x + arm, y - sign * arm / 2)],
            theme.text,
            max(1.2 * u, 1),
        )
    run = p.text_in(value, (box[0] + theme.padding * u * 0.6, box[1], x - arm * 2, box[3]), p.face(1.0), theme.text)
    p.add("spin", box, run, label=label, **known)


def choice(p: Painter, x: float, y: float, caption: str, role: str, *, on: bool | None = None, **known: Any) -> Box:
    """Draw a check box, radio button or switch with its caption; return the box of both.

    The caption is the element's ``label``.
    """
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    on = rng.random() < 0.45 if on is None else on
    enabled = rng.random() > 0.06
    face = p.face(1.0)
    height = max(theme.text_size * 1.45, 14) * u
    side = min(height, max(theme.text_size * u * 1.15, 8))
    middle = y + height / 2
    width = side * (1.8 if role == "switch" else 1.0)
    mark = (x, middle - side / 2, x + width, middle + side / 2)
    {"checkbox": check_mark, "radio": radio_mark, "switch": switch_mark}[role](p, mark, on)
    ink = theme.text if enabled else mix(theme.window, theme.text, 0.45)
    gap = theme.text_size * 0.5 * u
    run = p.text_in(caption, (mark[2] + gap, y, mark[2] + gap + known.pop("room_px", p.width), y + height), face, ink)
    box = (x, y, max(run.box[2], mark[2]), y + height)
    p.add(role, box if run.whole else mark, run, text="", label=run.text if run.whole else "", enabled=enabled, **known)
    return box


def check_mark(p: Painter, mark: Box, on: bool) -> None:
    """Draw the box of a check box."""
    theme, u = p.theme, p.theme.unit_px
    side = mark[3] - mark[1]
    radius = min(theme.radius * u * 0.6, side * 0.3)
    filled = on and theme.check_look == "fill"
    p.rect(mark, theme.accent if filled else theme.field, radius)
    if not filled:
        p.outline(mark, mix(theme.border, theme.text, 0.3), radius, max(theme.border_width * u, 1))
    if on:
        ink = theme.on_accent if filled else readable(theme.field)
        x, y = mark[0], mark[1]
        if theme.check_look == "cross":
            for points in ([(0.25, 0.25), (0.75, 0.75)], [(0.25, 0.75), (0.75, 0.25)]):
                p.polyline([(x + a * side, y + b * side) for a, b in points], ink, max(1.5 * u, 1))
        else:
            points = [(0.2, 0.52), (0.42, 0.74), (0.8, 0.28)]
            p.polyline([(x + a * side, y + b * side) for a, b in points], ink, max(side * 0.12, 1))


def radio_mark(p: Painter, mark: Box, on: bool) -> None:
    """Draw the circle of a radio button."""
    theme, u = p.theme, p.theme.unit_px
    x, y, r = (mark[0] + mark[2]) / 2, (mark[1] + mark[3]) / 2, (mark[3] - mark[1]) / 2
    filled = on and theme.check_look == "fill"
    p.circle(x, y, r, theme.accent if filled else theme.field)
    if not filled:
        p.circle(
            x,
            y,
            r - 0.5 * u,
            theme.accent if on else mix(theme.border, theme.text, 0.3),
            max(theme.border_width * u, 1),
        )
    if on:
        p.circle(x, y, r * 0.45, theme.on_accent if filled else theme.accent)


def switch_mark(p: Painter, mark: Box, on: bool) -> None:
    """Draw the track and knob of a switch."""
    theme, u = p.theme, p.theme.unit_px
    r = (mark[3] - mark[1]) / 2
    p.rect(mark, theme.accent if on else mix(theme.window, theme.text, 0.3), r)
    x = mark[2] - r if on else mark[0] + r
    p.circle(x, mark[1] + r, r - 1.5 * u, 0xFFFFFFFF if not theme.dark or on else mix(theme.window, theme.text, 0.8))


def slider(p: Painter, box: Box, *, label: str = "", **known: Any) -> None:
    """Draw a horizontal slider somewhere between its ends."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    middle, thick = (box[1] + box[3]) / 2, rng.choice([2, 3, 4, 6]) * u
    track = (box[0], middle - thick / 2, box[2], middle + thick / 2)
    p.rect(track, mix(theme.window, theme.text, 0.25), thick / 2)
    x = box[0] + (box[2] - box[0]) * rng.uniform(0.05, 0.95)
    p.rect((track[0], track[1], x, track[3]), theme.accent, thick / 2)
    r = min((box[3] - box[1]) / 2, theme.text_size * 0.6 * u)
    if rng.random() < 0.7:
        p.circle(x, middle, r, theme.accent if rng.random() < 0.5 else 0xFFFFFFFF)
        p.circle(x, middle, r, fade(theme.text, 0.4), max(u, 1))
    else:
        p.rect((x - r / 2, middle - r, x + r / 2, middle + r), theme.accent, 2 * u)
    p.add("slider", (box[0], middle - r, box[2], middle + r), label=label, **known)


def progress(p: Painter, box: Box) -> None:
    """Draw a progress bar (nobody asks for it)."""
    theme = p.theme
    r = (box[3] - box[1]) / 2 if theme.radius > 3 else 0.0
    p.rect(box, mix(theme.window, theme.text, 0.15), r)
    p.rect((box[0], box[1], box[0] + (box[2] - box[0]) * p.rng.uniform(0.1, 1), box[3]), theme.accent, r)
