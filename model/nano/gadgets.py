"""Compound widgets: group boxes, calendars, media players, opened drop-down lists, mail, boards, charts."""

import calendar

from model.nano.containers import heading, list_panel
from model.nano.elements import Box
from model.nano.fields import choice, field_body, progress, slider
from model.nano.paint import Painter
from model.nano.themes import fade, hls, mix, readable
from model.nano.widgets import badge, button, icon_button, image, label, line_height, paragraph


def group_box(p: Painter, box: Box) -> None:
    """Draw a frame with its title in the border, filled with check boxes or radio buttons."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh, gap = line_height(p), theme.gap * u
    title = p.words.label(2)
    face = p.face(1.0, rng.choice([400, theme.bold]))
    role = rng.choice(["checkbox", "radio"])
    count = rng.randint(2, 6)
    columns = rng.choice([1, 1, 2])
    height = min(lh * 0.8 + -(-count // columns) * (lh * 1.3 + gap * 0.6) + gap * 2, box[3] - box[1])
    frame = (box[0], box[1] + lh * 0.5, min(box[2], box[0] + rng.uniform(12, 40) * lh), box[1] + height)
    p.outline(frame, theme.border, min(theme.radius, 6) * u, max(u, 1))
    x = frame[0] + 8 * u
    width = face.width(title)
    if x + width < frame[2] - 8 * u:
        p.rect((x - 3 * u, box[1], x + width + 3 * u, box[1] + lh), theme.window)
        run = p.text_in(title, (x, box[1], x + width + 1, box[1] + lh), face, theme.text)
        p.add("label", run.box, run)
    y = frame[1] + lh * 0.5 + gap
    picked = rng.randint(0, count - 1)
    span = (frame[2] - frame[0] - 2 * gap) / columns
    for index in range(count):
        left = frame[0] + gap + index % columns * span
        if y + lh * 1.4 > frame[3]:
            return
        on = index == picked if role == "radio" else None
        choice(p, left, y, p.words.label(3), role, on=on, room_px=span - lh * 2)
        if index % columns == columns - 1:
            y += lh * 1.3 + gap * 0.6


def month(p: Painter, box: Box) -> None:
    """Draw a month of a calendar: arrows, the month's name, day names, days."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    side = min((box[2] - box[0]) / 7, (box[3] - box[1]) / 8, 44 * u)
    if side < 14 * u:
        return
    number, year = rng.randint(1, 12), rng.randint(1990, 2035)
    x0, y = box[0], box[1]
    icon_button(p, (x0, y, x0 + side, y + side), "chevron left")
    icon_button(p, (x0 + 6 * side, y, x0 + 7 * side, y + side), "chevron right")
    title = f"{calendar.month_name[number]} {year}"
    run = p.text_in(title, (x0 + side, y, x0 + 6 * side, y + side), p.face(1.0, theme.bold), theme.text, "center")
    p.add("heading", run.box, run)
    names = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"] if rng.random() < 0.5 else list("MTWTFSS")
    for column, name in enumerate(names):
        cell = (x0 + column * side, y + side, x0 + (column + 1) * side, y + 2 * side)
        p.text_in(name, cell, p.face(0.86), theme.muted, "center")
    first, days = calendar.monthrange(year, number)
    today = rng.randint(1, days)
    for day in range(1, days + 1):
        place = first + day - 1
        left, top = x0 + place % 7 * side, y + (2 + place // 7) * side
        cell = (left, top, left + side, top + side)
        ink = theme.text
        if day == today:
            p.rect(cell, theme.accent, side / 2 if theme.radius > 3 else 0)
            ink = theme.on_accent
        run = p.text_in(str(day), cell, p.face(), ink, "center")
        p.add("button", cell, run)


def player(p: Painter, box: Box) -> None:
    """Draw a media player: a picture, a title, a seek bar with times, transport buttons."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh = line_height(p)
    foot = 44 * u + lh * 1.4
    y = box[1]
    if box[3] - box[1] > foot + 60 * u:
        y = box[3] - foot
        image(p, (box[0], box[1], box[2], y - 4 * u), theme.radius * u)
    if box[3] - y < foot * 0.9:
        return
    times = [f"{rng.randint(0, 9)}:{rng.randint(0, 59):02}" for _ in range(2)]
    face = p.face(0.86)
    width = face.width("00:00")
    p.text_in(times[0], (box[0], y, box[0] + width + 4 * u, y + lh), face, theme.muted)
    p.text_in(times[1], (box[2] - width - 4 * u, y, box[2], y + lh), face, theme.muted, "right")
    slider(p, (box[0] + width + 8 * u, y, box[2] - width - 8 * u, y + lh))
    side = rng.uniform(26, 40) * u
    names = ["previous", rng.choice(["play", "pause"]), "next"]
    names = ["shuffle", *names, "repeat"] if rng.random() < 0.5 else names
    names += rng.sample(["volume", "mute", "fullscreen", "heart", "more", "list", "download"], rng.randint(0, 3))
    x = (box[0] + box[2] - side * 1.1 * len(names)) / 2 if rng.random() < 0.6 else box[0]
    top = y + lh * 1.3
    for name in names:
        if x + side > box[2]:
            return
        icon_button(p, (x, top, x + side, top + side), name)
        x += side * 1.1


def dropped_list(p: Painter, box: Box) -> None:
    """Draw a combo box whose list is open over what lies below it."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    height = theme.control_height * u
    texts = [p.words.label(2) for _ in range(rng.randint(3, 9))]
    face = p.face()
    width = min(max(face.width(text) for text in texts) + 4 * theme.padding * u, box[2] - box[0])
    top = (box[0], box[1], box[0] + width, box[1] + height)
    field_body(p, top, focused=True)
    run = p.text_in(
        texts[0], (top[0] + theme.padding * u * 0.7, top[1], top[2] - height * 0.8, top[3]), face, theme.text
    )
    p.add("combo", top, run)
    # drawn when the rest of the window is, since it lies above it
    p.later.append(lambda: _open_list(p, top, texts))


def _open_list(p: Painter, field: Box, texts: list[str]) -> None:
    theme, u, face = p.theme, p.theme.unit_px, p.face()
    row = (field[3] - field[1]) * p.rng.uniform(0.8, 1.0)
    top = field[3] + u
    below = (field[0], top, field[2], top + row * len(texts) + 4 * u)
    p.cover(below)
    radius = min(theme.radius, 6) * u
    if theme.shadows:
        p.shadow(below, 0, 4 * u, 2 * u)
    p.rect(below, theme.panel)
    p.outline(below, theme.border, 0, max(u, 1))
    group = p.group()
    y = top + 2 * u
    for index, text in enumerate(texts):
        item = (below[0] + 2 * u, y, below[2] - 2 * u, y + row)
        ink = theme.text
        if index == 0:
            p.rect(item, theme.selection, radius)
            ink = theme.on_selection
        run = p.text_in(text, (item[0] + theme.padding * u * 0.6, y, item[2], item[3]), face, ink)
        p.add("list_item", item, run, group=group, group_kind="list", position=index + 1)
        y += row


def mail_panel(p: Painter, box: Box) -> None:
    """Fill a box with a list of messages and the one that is open."""
    theme, u = p.theme, p.theme.unit_px
    split = box[0] + (box[2] - box[0]) * p.rng.uniform(0.3, 0.45)
    list_panel(p, (box[0], box[1], split, box[3]))
    inner = (split + theme.gap * u, box[1], box[2], box[3])
    _, y = heading(p, inner, size=1.3)
    run = label(p, inner[0], y, p.words.email(), color=theme.muted, room_px=inner[2] - inner[0])
    y = run.box[3] + theme.gap * u
    x = inner[0]
    side = theme.control_height * u
    for name in p.rng.sample(["back", "forward", "trash", "archive", "star", "flag", "print", "more"], 4):
        if x + side < inner[2] and icon_button(p, (x, y, x + side, y + side), name):
            x += side * 1.15
    paragraph(p, (inner[0], y + side + theme.gap * u, inner[2], inner[3]), 12)


def board(p: Painter, box: Box) -> None:
    """Fill a box with columns of little cards."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    gap, lh = theme.gap * u, line_height(p)
    columns = max(1, min(5, int((box[2] - box[0]) / (120 * u))))
    width = (box[2] - box[0] - gap * (columns - 1)) / columns
    for column in range(columns):
        x = box[0] + column * (width + gap)
        p.rect((x, box[1], x + width, box[3]), mix(theme.window, theme.text, 0.05), theme.radius * u)
        run = label(
            p, x + gap, box[1] + gap * 0.6, p.words.label(2), weight=theme.bold, room_px=width - 2 * gap, role="heading"
        )
        y = run.box[3] + gap * 0.6
        for _ in range(rng.randint(1, 6)):
            tagged = rng.random() < 0.4
            height = lh * (2.9 if tagged else 1.5) + gap * 0.6
            if y + height > box[3]:
                break
            card = (x + gap * 0.5, y, x + width - gap * 0.5, y + height)
            p.rect(card, theme.panel, min(theme.radius, 8) * u)
            p.outline(card, theme.border, min(theme.radius, 8) * u, max(u, 1))
            run = p.text_in(p.words.label(3), (card[0] + gap, y, card[2] - gap, y + lh * 1.7), p.face(), theme.text)
            p.add("list_item", card, run)
            if tagged:
                badge(p, card[0] + gap, y + lh * 1.55, p.words.label(1)[:14])
            y += height + gap * 0.7


def chart(p: Painter, box: Box) -> None:
    """Draw a bar or line chart with a title and captions."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    _, top = heading(p, box)
    lh = line_height(p, 0.8)
    base = box[3] - lh * 1.2
    if base - top < 30 * u:
        return
    count = rng.randint(3, 12)
    step = (box[2] - box[0]) / count
    face = p.face(0.8)
    color = theme.accent if rng.random() < 0.6 else hls(rng.random(), 0.5, 0.7)
    p.line(box[0], base, box[2], base, theme.border, max(u, 1))
    points: list[tuple[float, float]] = []
    bars = rng.random() < 0.6
    for index in range(count):
        x = box[0] + index * step
        y = base - (base - top) * rng.uniform(0.1, 0.95)
        if bars:
            p.rect((x + step * 0.2, y, x + step * 0.8, base), color, min(theme.radius, 3) * u)
        points.append((x + step / 2, y))
        p.text_in(p.words.label(1)[:6], (x, base, x + step, box[3]), face, theme.muted, "center")
    if not bars:
        p.polyline(points, color, max(2 * u, 1))


def steps_panel(p: Painter, box: Box) -> None:
    """Fill a box with a wizard's page: numbered steps, a text, progress, buttons at the foot."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh, height = line_height(p), theme.control_height * u
    x, y = box[0], box[1]
    current = rng.randint(0, 2)
    for index in range(rng.randint(2, 5)):
        text = p.words.label(1)
        width = p.face().width(text) + lh * 2.4
        if x + width > box[2]:
            break
        fill = theme.accent if index <= current else mix(theme.window, theme.text, 0.2)
        p.circle(x + lh * 0.7, y + lh * 0.7, lh * 0.7, fill)
        p.text_in(str(index + 1), (x, y, x + lh * 1.4, y + lh * 1.4), p.face(0.9), readable(fill), "center")
        label(p, x + lh * 1.7, y + lh * 0.2, text, color=theme.text if index == current else theme.muted)
        x += width + theme.gap * u
    y += lh * 2.2
    _, y = heading(p, (box[0], y, box[2], box[3]), size=1.4)
    foot = box[3] - height
    y = paragraph(p, (box[0], y, box[2], foot), rng.randint(1, 4), links=0.1)
    if rng.random() < 0.5 and y + 8 * u < foot:
        progress(p, (box[0], y, box[2], y + 6 * u))
    x = box[2]
    for text, kind in (("Next", "primary"), ("Back", ""), ("Cancel", "")):
        shown = text.upper() if theme.upper_buttons else text
        width = p.face(1.0, theme.button_weight).width(shown) + 2.4 * theme.padding * u
        if x - width > box[0] and foot > y:
            button(p, (x - width, foot, x, box[3]), shown, kind)
        x -= width + theme.gap * u
    p.line(box[0], foot - theme.gap * u * 0.5, box[2], foot - theme.gap * u * 0.5, fade(theme.border, 0.6), max(u, 1))
