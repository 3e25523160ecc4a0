"""What opens over a screen: menus, dialogs, short messages."""

from model.nano.chrome import title_bar
from model.nano.containers import any_concept
from model.nano.fields import choice, text_field
from model.nano.forms import button_row
from model.nano.paint import Painter
from model.nano.themes import fade, mix, readable
from model.nano.widgets import icon_button, label, line_height, paragraph


def popup_menu(p: Painter, x: float, y: float, title: str = "") -> None:
    """Open a menu over what was drawn before, its top left at ``x``, ``y`` (kept inside the screen)."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh = line_height(p)
    row = lh + rng.uniform(4, 12) * u
    count = rng.randint(3, 11)
    texts = [p.words.label(4) for _ in range(count)]
    face = p.face(1.0)
    icons, keys = rng.random() < 0.35, rng.random() < 0.4
    side, pad = lh if icons else 0.0, theme.padding * u
    hints = [
        f"Ctrl+{rng.choice(['', 'Shift+'])}{rng.choice('ABCDEFGHJKLMNOPQSTUVWXYZ')}"
        if keys and rng.random() < 0.6
        else ""
        for _ in texts
    ]
    width = max(face.width(t) + (face.width(h) + 3 * pad if h else 0) for t, h in zip(texts, hints, strict=True))
    width += 2 * pad + side * 1.5
    height = row * count + 8 * u
    x = max(2.0, min(x, p.width - width - 2))
    y = y if y + height < p.height else max(2.0, p.height - height - 2)
    box = (x, y, x + width, y + height)
    p.cover(box)
    if theme.shadows or rng.random() < 0.3:
        p.shadow(box, theme.radius * u * 0.6, 6 * u, 3 * u, 0.35)
    radius = min(theme.radius, 8) * u
    p.rect(box, theme.panel, radius)
    p.outline(box, theme.border, radius, max(u, 1))
    group = p.group(title)
    y += 4 * u
    hot = rng.randint(-3, count - 1)
    ink = theme.text
    for index, text in enumerate(texts):
        item = (box[0] + 2 * u, y, box[2] - 2 * u, y + row)
        if y + row > box[3]:
            break
        color = ink
        if index == hot:
            p.rect(item, theme.selection, min(radius, 4 * u))
            color = theme.on_selection
        enabled = rng.random() > 0.1
        if not enabled:
            color = mix(theme.panel, ink, 0.45)
        start = item[0] + pad * 0.8
        if icons:
            if rng.random() < 0.8:
                p.icon(any_concept(p), (start, y + row / 2 - side / 2, start + side, y + row / 2 + side / 2), color)
            start += side * 1.5
        run = p.text_in(text, (start, y, item[2], y + row), face, color)
        if hints[index]:
            p.text_in(
                hints[index],
                (run.box[2], y, item[2] - pad * 0.7, y + row),
                face,
                mix(color, theme.panel, 0.35),
                "right",
            )
        p.add("menu_item", item, run, group=group, group_kind="menu", position=index + 1, enabled=enabled)
        y += row
        if rng.random() < 0.12:
            p.line(item[0] + 4 * u, y, item[2] - 4 * u, y, theme.border, max(u * 0.8, 1))


def dialog(p: Painter) -> None:
    """Draw a dialog over everything, the background dimmed by chance."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    if rng.random() < 0.55:
        p.rect((0, 0, p.width, p.height), fade(0xFF000000, rng.uniform(0.2, 0.6)))
    lh, height = line_height(p), theme.control_height * u
    width = min(rng.uniform(220, 420) * u, p.width * 0.85)
    fields = rng.randint(0, 2)
    lines = rng.randint(1, 3)
    tall = 34 * u + lines * lh * 1.4 + fields * (height + theme.gap * u) + height + theme.padding * u * 4
    tall = min(tall, p.height * 0.95)
    x = (p.width - width) / 2 + rng.uniform(-0.1, 0.1) * p.width
    y = max((p.height - tall) / 2 + rng.uniform(-0.15, 0.1) * p.height, 2)
    box = (x, y, x + width, y + tall)
    p.cover(box)
    p.shadow(box, theme.radius * u, 9 * u, 4 * u, 0.4)
    p.rect(box, theme.window, 0)
    title = p.words.label(3)
    pad = theme.padding * u * 1.3
    if rng.random() < 0.7:
        top = title_bar(p, box, title, kind="dialog") + pad * 0.7
    else:
        p.container, p.container_kind = title, "dialog"
        run = label(
            p,
            x + pad,
            y + pad,
            title,
            size=1.2,
            weight=theme.bold,
            family=theme.heading_font,
            room_px=width - 2 * pad - 30 * u,
            role="heading",
        )
        p.container = title if run.whole else ""
        if rng.random() < 0.6:
            icon_button(p, (box[2] - 34 * u, y + 6 * u, box[2] - 8 * u, y + 32 * u), "close")
        top = run.box[3] + pad * 0.5
    p.outline(box, theme.border, 0, max(u, 1))
    foot = box[3] - pad * 0.7 - height
    top = paragraph(p, (x + pad, top, box[2] - pad, foot), lines, links=0.1) + 4 * u
    for _ in range(fields):
        if top + height + theme.gap * u > foot:
            break
        if rng.random() < 0.6:
            text_field(p, (x + pad, top, box[2] - pad, top + height), placeholder=p.words.label(2))
        else:
            choice(p, x + pad, top, p.words.label(3), "checkbox", room_px=width - 2 * pad - 30 * u)
        top += height + theme.gap * u
    button_row(
        p, (x + pad, foot, box[2] - pad, foot + height), align=rng.choice(["right", "right", "left"]), answers=True
    )
    p.container = p.container_kind = ""


def toast(p: Painter) -> None:
    """Draw a short message over a corner."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    text = p.words.sentence(rng.randint(2, 6))
    face = p.face(1.0)
    width, height = face.width(text) + 70 * u, theme.control_height * u * 1.4
    if width > p.width * 0.9:
        return
    x = rng.choice([12 * u, (p.width - width) / 2, p.width - width - 12 * u])
    y = rng.choice([12 * u, p.height - height - 12 * u])
    box = (x, y, x + width, y + height)
    p.cover(box)
    fill = rng.choice([0xFF323232, theme.accent, theme.panel, theme.danger])
    p.shadow(box, theme.radius * u, 4 * u, 2 * u)
    p.rect(box, fill, theme.radius * u)
    run = p.text_in(text, (x + 12 * u, y, box[2] - 40 * u, box[3]), face, readable(fill))
    p.add("label", run.box, run)
    icon_button(p, (box[2] - height * 0.9, y, box[2], box[3]), "close", color=readable(fill))


def pointer(p: Painter) -> None:
    """Draw a mouse pointer somewhere over the screen; what lies under its middle counts as hidden."""
    u, rng = p.theme.unit_px, p.rng
    x, y, size = rng.uniform(0, p.width), rng.uniform(0, p.height), rng.uniform(14, 22) * u
    arrow = [(0.0, 0.0), (0.0, 0.8), (0.2, 0.62), (0.34, 0.93), (0.46, 0.88), (0.33, 0.58), (0.58, 0.56)]
    inside, edge = (0xFFFFFFFF, 0xFF000000) if rng.random() < 0.7 else (0xFF000000, 0xFFFFFFFF)
    p.polygon([(x + a * size, y + b * size) for a, b in arrow], inside, edge, max(u, 1))
    p.cover((x, y, x + 0.3 * size, y + 0.6 * size))
