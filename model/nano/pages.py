"""Whole screens of one kind: desktop, keypad, code editor, chat; and the windows and pages of the rest."""

import string

from model.nano.chrome import menu_bar, side_bar, status_bar, tab_bar, title_bar, tool_bar
from model.nano.containers import any_concept
from model.nano.elements import Box
from model.nano.forms import form_panel, search_field
from model.nano.paint import Painter
from model.nano.panels import fill
from model.nano.popups import popup_menu
from model.nano.sites import breadcrumb
from model.nano.themes import fade, hls, mix, readable
from model.nano.widgets import button, icon_button, line_height


def wallpaper(p: Painter) -> None:
    """Cover the whole screen with a desktop picture: plain, gradient, or soft shapes."""
    rng = p.rng
    whole = (0.0, 0.0, float(p.width), float(p.height))
    kind = rng.random()
    p.rect(whole, p.theme.desktop)
    if kind < 0.3:
        return
    hue = rng.random()
    colors = [
        hls(hue + rng.uniform(0, 0.2), rng.uniform(0.1, 0.8), rng.uniform(0.2, 0.8)) for _ in range(rng.randint(2, 3))
    ]
    p.backdrop(colors, across=rng.random() < 0.4)
    if kind > 0.6:
        for _ in range(rng.randint(2, 9)):
            radius = rng.uniform(0.05, 0.5) * p.height
            p.circle(
                rng.uniform(0, p.width),
                rng.uniform(0, p.height),
                radius,
                fade(hls(hue + rng.uniform(-0.2, 0.2), rng.random(), 0.6), rng.uniform(0.1, 0.6)),
            )


def desktop(p: Painter) -> None:
    """Draw a desktop: icons with captions on a wallpaper, a task bar, by chance windows."""
    u, rng = p.theme.unit_px, p.rng
    wallpaper(p)
    bar = rng.uniform(30, 48) * u if rng.random() < 0.8 else 0.0
    side = rng.uniform(28, 48) * u
    width, caption = max(side * 1.7, 72 * u), line_height(p, 0.92)
    height = side + caption + 18 * u
    face = p.face(0.92)
    for column in range(rng.randint(1, max(1, int(p.width / width)))):
        for row in range(int((p.height - bar - 8 * u) / height)):
            if rng.random() < 0.35:
                continue
            x, y = column * width + 4 * u, row * height + 8 * u
            left = x + (width - side) / 2
            spot = (left, y, left + side, y + side)
            concept = any_concept(p)
            if rng.random() < 0.5:
                color = hls(rng.random(), rng.uniform(0.3, 0.6), 0.7)
                p.rect(spot, color, side * 0.2)
                p.icon(concept, (left + side * 0.2, y + side * 0.2, left + side * 0.8, y + side * 0.8), readable(color))
            else:
                p.icon(concept, spot, 0xFFFFFFFF)
            text = rng.choice([p.words.file(), p.words.label(2), p.words.label(1)])
            area = (x + 2 * u, y + side + 2 * u, x + width - 2 * u, y + side + caption + 6 * u)
            span = min(face.width(text), area[2] - area[0])
            middle = (area[0] + area[2]) / 2
            p.rect((middle - span / 2 - 2 * u, area[1], middle + span / 2 + 2 * u, area[3]), 0x90000000, 3 * u)
            run = p.text_in(text, area, face, 0xFFFFFFFF, "center")
            p.add("list_item", (min(left, run.box[0]), y, max(left + side, run.box[2]), area[3]), run)
    for _ in range(rng.choices([0, 1, 2], [0.35, 0.45, 0.2])[0]):
        floating_window(p, (0, 0, p.width, p.height - bar))
    if bar:
        task_bar(p, (0, p.height - bar, p.width, p.height))


def task_bar(p: Painter, box: Box) -> None:
    """Draw a task bar: pinned icons and a clock."""
    u, rng = p.theme.unit_px, p.rng
    fill_color = mix(p.theme.bar, 0xFF000000, 0.3) if p.theme.dark else p.theme.bar
    ink = readable(fill_color)
    p.cover(box)
    p.rect(box, fill_color)
    side = box[3] - box[1]
    concepts = rng.sample(list(p.theme.icons.rows), rng.randint(3, 9))
    x = box[0] + 4 * u if rng.random() < 0.6 else (box[2] - len(concepts) * side) / 2
    for concept in concepts:
        icon_button(p, (x, box[1], x + side, box[3]), concept, color=ink)
        x += side
        if x + side > box[2] - 90 * u:
            break
    text = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    run = p.text_in(text, (box[2] - 80 * u, box[1], box[2] - 8 * u, box[3]), p.face(), ink, "right")
    p.add("label", run.box, run)


def floating_window(p: Painter, area: Box) -> None:
    """Draw a window somewhere in ``area`` over what is there."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    width = (area[2] - area[0]) * rng.uniform(0.4, 0.85)
    height = (area[3] - area[1]) * rng.uniform(0.4, 0.85)
    x = area[0] + (area[2] - area[0] - width) * rng.random()
    y = area[1] + (area[3] - area[1] - height) * rng.random()
    box = (x, y, x + width, y + height)
    p.cover(box)
    p.shadow(box, theme.radius * u, 8 * u, 4 * u, 0.4)
    p.rect(box, theme.window)
    p.push_clip(box)
    window(p, box)
    p.pop_clip()
    p.outline(box, theme.border, 0, max(u, 1))
    p.container = p.container_kind = ""


def window(p: Painter, box: Box) -> None:
    """Fill a box with an application's window: title bar, bars around, panels inside."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    x0, y0, x1, y1 = box
    opened: tuple[str, float] | None = None
    if rng.random() < 0.75:
        y0 = title_bar(p, box, p.words.label(3), kind="window")
    menu_end = 0.0
    if rng.random() < 0.45:
        y0, opened = menu_bar(p, (x0, y0, x1, y1))
        menu_end = y0
    if rng.random() < 0.5:
        y0 = tool_bar(p, (x0, y0, x1, y1))
    if rng.random() < 0.35:
        y1 = status_bar(p, (x0, y0, x1, y1))
    if rng.random() < 0.4 and x1 - x0 > 260 * u:
        width = rng.choice([rng.uniform(40, 60), rng.uniform(110, 200)]) * u
        if width < (x1 - x0) * 0.45:
            side_bar(p, (x0, y0, x0 + width, y1))
            x0 += width
    pad = theme.padding * u
    inner = (x0 + pad, y0 + pad, x1 - pad, y1 - pad)
    if rng.random() < 0.3:
        inner = (inner[0], tab_bar(p, inner), inner[2], inner[3])
    if rng.random() < 0.12:
        inner = (inner[0], breadcrumb(p, inner), inner[2], inner[3])
    fill(p, inner)
    if opened and rng.random() < 0.3:
        popup_menu(p, opened[1], menu_end, opened[0])


def application(p: Painter) -> None:
    """Draw one window over the whole screen, or one window on a desktop."""
    if p.rng.random() < 0.25:
        wallpaper(p)
        if p.rng.random() < 0.3:
            floating_window(p, (0, 0, p.width, p.height))
        floating_window(p, (0, 0, p.width, p.height))
        return
    p.rect((0, 0, p.width, p.height), p.theme.window)
    window(p, (0, 0, p.width, p.height))


def keypad(p: Painter) -> None:
    """Draw a calculator or a grid of keys."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    p.rect((0, 0, p.width, p.height), theme.window)
    top = title_bar(p, (0, 0, p.width, p.height), rng.choice(["Calculator", p.words.label(2)]), kind="window")
    pad = theme.padding * u
    face = p.face(2.0)
    shown = p.words.number()
    run = p.text_in(
        shown, (pad, top + pad, p.width - pad, top + pad + 2.4 * theme.text_size * u), face, theme.text, "right"
    )
    p.add("label", run.box, run)
    top = run.box[3] + pad
    kind = rng.random()
    if kind < 0.5:
        keys = [*"789/", *"456×", *"123-", *"0.=+"]
        extra = [
            "C",
            "CE",
            "(",
            ")",
            "%",
            "√",
            "sin",
            "cos",
            "tan",
            "ln",
            "log",
            "MC",
            "MR",
            "M+",
            "±",
            "π",
            "x²",
            "1/x",
            "Del",
            "Mod",
        ]
        columns = rng.choice([4, 4, 5, 6])
        keys = rng.sample(extra, columns * rng.randint(1, 2)) + keys
    elif kind < 0.75:
        columns = 10
        keys = list("1234567890qwertyuiopasdfghjkl;zxcvbnm,./")
        keys = [key.upper() for key in keys] if rng.random() < 0.5 else keys
    else:
        columns = rng.randint(3, 8)
        keys = [
            rng.choice([p.words.code()[:4], str(rng.randint(0, 99)), rng.choice(string.ascii_uppercase)])
            for _ in range(columns * rng.randint(3, 6))
        ]
    rows = -(-len(keys) // columns)
    gap = rng.choice([0, 2, 4, 6]) * u
    width = (p.width - 2 * pad + gap) / columns
    height = min((p.height - top - pad) / rows, 60 * u)
    for index, key in enumerate(keys):
        x, y = pad + index % columns * width, top + index // columns * height
        accent = key in "/×-+=" and rng.random() < 0.5
        button(p, (x, y, x + width - gap, y + height - gap), key, "primary" if accent else "")
    p.container = p.container_kind = ""


def login_page(p: Painter) -> None:
    """Draw a centred card with a few fields on a plain or pictured background."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    wallpaper(p) if rng.random() < 0.5 else p.rect((0, 0, p.width, p.height), theme.window)
    width, height = min(rng.uniform(220, 380) * u, p.width * 0.9), min(rng.uniform(200, 420) * u, p.height * 0.95)
    x, y = (p.width - width) / 2, (p.height - height) / 2
    box = (x, y, x + width, y + height)
    p.shadow(box, theme.radius * u, 6 * u, 2 * u, 0.25)
    p.rect(box, theme.window, theme.radius * u)
    pad = theme.padding * 1.6 * u
    form_panel(p, (x + pad, y + pad, x + width - pad, y + height - pad))
    if rng.random() < 0.3 and y > theme.control_height * u:
        search_field(p, (x, 4 * u, x + width, 4 * u + theme.control_height * u * 0.9))
