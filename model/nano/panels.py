"""Forms, settings, button rows, cards, texts: what fills the inside of a window or page."""

from collections.abc import Callable

from model.nano.containers import heading, list_panel, table_panel, tile_panel, tree_panel
from model.nano.elements import Box
from model.nano.fields import check_mark, choice, combo, progress, slider, switch_mark
from model.nano.forms import button_row, form_panel, search_field
from model.nano.gadgets import board, chart, dropped_list, group_box, mail_panel, month, player, steps_panel
from model.nano.paint import Painter, Run
from model.nano.themes import mix
from model.nano.widgets import (
    badge,
    button,
    button_text,
    button_width,
    icon_button,
    image,
    label,
    line_height,
    link,
    paragraph,
)


def settings_panel(p: Painter, box: Box) -> None:
    """Fill a box with rows: a caption at the left, a switch, combo box or button at the right."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    y = box[1]
    if rng.random() < 0.6:
        _, y = heading(p, box)
    lh, height = line_height(p), theme.control_height * u
    carded = rng.random() < 0.5
    double = rng.random() < 0.4
    repeated = button_text(p) if rng.random() < 0.4 else ""
    row = max(height, lh * (2.2 if double else 1.2)) + theme.gap * u * 1.2
    pad = theme.padding * u if carded else 0.0
    for _ in range(rng.randint(2, 12)):
        if y + row > box[3]:
            return
        line = (box[0], y, box[2], y + row - (3 * u if carded else 0))
        if carded:
            p.rect(line, theme.panel, theme.radius * u)
            p.outline(line, mix(theme.panel, theme.border, 0.6), theme.radius * u, max(u, 1))
        inner = (box[0] + pad, line[1], box[2] - pad, line[3])
        middle = (line[1] + line[3]) / 2
        kind = rng.choices(["switch", "combo", "button", "slider", "checkbox", "chevron"], [5, 3, 2, 1, 1, 1])[0]
        side = {"switch": lh * 2.2, "checkbox": lh, "chevron": lh}.get(kind, min(9 * lh, (box[2] - box[0]) * 0.4))
        text = p.words.label(3)
        area = (
            inner[0],
            middle - lh * (1.05 if double else 0.5),
            inner[2] - side - theme.gap * u,
            middle + lh * (0 if double else 0.5),
        )
        run = p.text_in(text, area, p.face(1.0, 500), theme.text)
        if double:
            under = (area[0], middle, area[2], middle + lh)
            second = p.text_in(p.words.phrase(rng.randint(2, 6)), under, p.face(0.86), theme.muted)
            p.add("label", second.box, second)
        control = (inner[2] - side, middle - height / 2, inner[2], middle + height / 2)
        if kind in ("switch", "checkbox"):
            mark = lh * (1.8 if kind == "switch" else 0.9)
            choice_mark(p, (inner[2] - mark, middle - lh / 2, inner[2], middle + lh / 2), kind, run)
        elif kind == "combo":
            combo(p, control, p.words.label(2), label=text, caption=run)
        elif kind == "slider":
            slider(p, control, label=text, caption=run)
        elif kind == "button":
            shown = repeated or button_text(p)
            width = min(button_width(p, shown), side)
            button(p, (inner[2] - width, control[1], inner[2], control[3]), shown)
        else:
            p.icon("chevron right", (inner[2] - lh, middle - lh / 2, inner[2], middle + lh / 2), theme.muted)
        if kind == "chevron":
            p.add("list_item", line, run)
        else:
            p.add("label", run.box, run)
        y += row


def choice_mark(p: Painter, box: Box, role: str, caption: Run) -> None:
    """Draw a switch or check box without its caption, whose label stands elsewhere."""
    on = p.rng.random() < 0.5
    if role == "switch":
        switch_mark(p, box, on)
    else:
        check_mark(p, box, on)
    p.add(role, box, caption=caption)


def text_panel(p: Painter, box: Box) -> None:
    """Fill a box with an article: headings and paragraphs with links."""
    rng, u = p.rng, p.theme.unit_px
    y = box[1]
    while y < box[3] - line_height(p) * 2:
        if rng.random() < 0.7:
            _, y = heading(p, (box[0], y, box[2], box[3]), size=rng.choice([1.1, 1.3, 1.6]))
        y = paragraph(p, (box[0], y, box[2], box[3]), rng.randint(1, 6), links=0.3 if rng.random() < 0.6 else 0.0)
        y += 8 * u
        if rng.random() < 0.2 and y + 60 * u < box[3]:
            image(p, (box[0], y, box[0] + (box[2] - box[0]) * rng.uniform(0.3, 1), y + 50 * u))
            y += 58 * u
        if rng.random() < 0.3 and y + p.theme.control_height * u < box[3]:
            button_row(p, (box[0], y, box[2], y + p.theme.control_height * u), align="left")
            y += p.theme.control_height * u + 8 * u


def card_panel(p: Painter, box: Box) -> None:
    """Fill a box with cards: a picture or figure, a title, a text, buttons or icons."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    gap = theme.gap * u * 1.5
    least = rng.uniform(110, 220) * u
    columns = max(1, int((box[2] - box[0] + gap) // (least + gap)))
    width = (box[2] - box[0] - gap * (columns - 1)) / columns
    height = min(rng.uniform(80, 220) * u, box[3] - box[1])
    repeated = [button_text(p) for _ in range(rng.randint(1, 2))] if rng.random() < 0.5 else None
    pictured, stat = rng.random() < 0.4, rng.random() < 0.25
    y = box[1]
    pad = theme.padding * u
    while y + height <= box[3]:
        for column in range(columns):
            x = box[0] + column * (width + gap)
            card = (x, y, x + width, y + height)
            if theme.shadows:
                p.shadow(card, theme.radius * u, 3 * u, u, 0.2)
            p.rect(card, theme.panel, theme.radius * u)
            p.outline(card, mix(theme.panel, theme.border, 0.7), theme.radius * u, max(u, 1))
            top = y + pad
            if pictured and height > 90 * u:
                image(p, (x, y, x + width, y + height * 0.4), theme.radius * u)
                top = y + height * 0.4 + pad * 0.5
            room = width - 2 * pad
            run = label(p, x + pad, top, p.words.label(3), size=1.08, weight=theme.bold, room_px=room, role="heading")
            top = run.box[3] + 3 * u
            if stat:
                top = label(p, x + pad, top, p.words.number(), size=1.7, weight=theme.bold, room_px=room).box[3]
            else:
                lines = int((card[3] - top - theme.control_height * u - pad) / line_height(p))
                top = paragraph(
                    p,
                    (x + pad, top, x + width - pad, card[3] - theme.control_height * u - pad),
                    min(lines, 3),
                    size=0.92,
                    links=0,
                )
            foot = (x + pad, card[3] - pad * 0.6 - theme.control_height * u, x + width - pad, card[3] - pad * 0.6)
            if foot[1] > top:
                kind = rng.random()
                if kind < 0.5:
                    button_row(p, foot, align="left", texts=repeated)
                elif kind < 0.75:
                    icon_row(p, foot)
                elif kind < 0.85:
                    badge(p, foot[0], foot[1], p.words.label(1))
        y += height + gap


def icon_row(p: Painter, box: Box, *, framed: bool = False) -> None:
    """Draw a row of different icon buttons."""
    rng, side = p.rng, box[3] - box[1]
    x = box[0]
    for concept in rng.sample(list(p.theme.icons.rows), rng.randint(1, 8)):
        if x + side > box[2]:
            return
        icon_button(p, (x, box[1], x + side, box[3]), concept, framed=framed)
        x += side * rng.uniform(1.0, 1.3)


def control_panel(p: Painter, box: Box) -> None:
    """Fill a box with loose controls one under another: buttons, boxes, badges, links, sliders."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    y, height, gap = box[1], theme.control_height * u, theme.gap * u
    while y + height < box[3]:
        row = (box[0], y, box[2], y + height)
        kind = rng.choices(
            ["buttons", "icons", "choices", "badges", "link", "slider", "search", "progress", "label"],
            [5, 3, 3, 1, 1.5, 1, 1, 0.5, 2],
        )[0]
        if kind == "buttons":
            button_row(p, row)
        elif kind == "icons":
            icon_row(p, row, framed=rng.random() < 0.4)
        elif kind == "choices":
            x = box[0]
            role = rng.choice(["checkbox", "radio", "switch"])
            while x + 8 * line_height(p) < box[2]:
                x = choice(p, x, y, p.words.label(2), role, room_px=box[2] - x - 40 * u)[2] + gap * 2
        elif kind == "badges":
            x = box[0]
            while x + 6 * line_height(p) < box[2]:
                x = badge(p, x, y, p.words.label(1))[2] + gap
        elif kind == "link":
            link(p, box[0], y + height * 0.7, p.words.label(3))
        elif kind == "slider":
            run = label(p, box[0], y, p.words.label(1), room_px=(box[2] - box[0]) * 0.4)
            slider(
                p,
                (run.box[2] + gap, y, max(box[2] - gap, run.box[2] + 4 * gap), y + line_height(p)),
                label=run.text,
                caption=run,
            )
        elif kind == "search":
            search_field(p, (box[0], y, min(box[2], box[0] + 240 * u), y + height))
        elif kind == "progress":
            progress(p, (box[0], y + height * 0.4, box[2], y + height * 0.6))
        else:
            label(p, box[0], y, p.words.phrase(rng.randint(1, 5)), room_px=box[2] - box[0])
        y += height + gap * rng.uniform(0.8, 1.8)


PANELS: tuple[tuple[Callable[[Painter, Box], None], float], ...] = (
    (form_panel, 2.4),
    (list_panel, 1.6),
    (table_panel, 1.4),
    (settings_panel, 1.4),
    (control_panel, 2.4),
    (card_panel, 1.3),
    (text_panel, 0.9),
    (tree_panel, 0.7),
    (tile_panel, 0.8),
    (group_box, 0.9),
    (month, 0.35),
    (player, 0.45),
    (dropped_list, 0.4),
    (mail_panel, 0.35),
    (board, 0.4),
    (chart, 0.35),
    (steps_panel, 0.35),
)


def fill(p: Painter, box: Box) -> None:
    """Fill a box with panels, split in two or more when there is room, and open what is to be open."""
    _fill(p, box, 0)
    p.finish()


def _fill(p: Painter, box: Box, depth: int) -> None:
    u, rng = p.theme.unit_px, p.rng
    width, height = (box[2] - box[0]) / u, (box[3] - box[1]) / u
    gap = p.theme.gap * u * 1.4
    if width < 40 or height < 24:
        return
    wide, tall = width > 420, height > 330
    if depth < 3 and (wide or tall) and rng.random() < (0.85 if width * height > 300_000 else 0.55):
        share = rng.uniform(0.3, 0.7)
        if wide and (not tall or rng.random() < 0.6):
            x = box[0] + (box[2] - box[0]) * share
            _fill(p, (box[0], box[1], x - gap / 2, box[3]), depth + 1)
            _fill(p, (x + gap / 2, box[1], box[2], box[3]), depth + 1)
        else:
            y = box[1] + (box[3] - box[1]) * share
            _fill(p, (box[0], box[1], box[2], y - gap / 2), depth + 1)
            _fill(p, (box[0], y + gap / 2, box[2], box[3]), depth + 1)
        return
    panels, weights = zip(*PANELS, strict=True)
    rng.choices(panels, weights)[0](p, box)
