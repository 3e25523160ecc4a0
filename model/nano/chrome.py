"""What stands around content: title bars, menu bars, tool bars, tabs, side bars, status bars, menus, dialogs."""

from model.nano import vocabulary
from model.nano.containers import any_concept
from model.nano.elements import Box
from model.nano.forms import search_field
from model.nano.paint import Painter
from model.nano.themes import fade, mix, readable
from model.nano.widgets import button_text, icon_button, label, line_height


def title_bar(p: Painter, box: Box, title: str, *, kind: str) -> float:
    """Draw a title bar for the window at ``box`` and make it the container; return where it ends."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    height = max(theme.text_size * 1.5, rng.uniform(22, 36)) * u
    bar = (box[0], box[1], box[2], box[1] + height)
    p.container, p.container_kind = title, kind
    fill, ink = theme.title_bar, theme.on_title_bar
    p.rect(bar, fill)
    look = theme.title_look
    names = ["close"] if kind == "dialog" and rng.random() < 0.7 else ["close", "maximize", "minimize"]
    if look == "mac":
        r, x = min(6 * u, height * 0.26), box[0] + 12 * u
        y = box[1] + height / 2
        for name, color in zip(("close", "minimize", "maximize"), (0xFFFF5F57, 0xFFFEBC2E, 0xFF28C840), strict=True):
            p.circle(x, y, r, color)
            if name in names:
                p.add("icon_button", (x - r * 1.2, y - r * 1.2, x + r * 1.2, y + r * 1.2), icon=name)
            x += r * 3.3
        inner, align = (x, bar[1], 2 * box[0] + (box[2] - box[0]) - (x - box[0]) - box[0], bar[3]), "center"
    else:
        x = box[2]
        width = height * (1.3 if look == "windows" else 1.0)
        for name in names:
            spot = (x - width, bar[1], x, bar[3])
            window_mark(p, spot, name, look, ink)
            p.add("icon_button", spot, icon=name)
            x -= width
        side = height * 0.55
        start = box[0] + theme.padding * u
        if look in ("windows", "classic") and rng.random() < 0.6:
            y = box[1] + (height - side) / 2
            p.icon(any_concept(p), (start, y, start + side, y + side), theme.accent if fill != theme.accent else ink)
            start += side + 6 * u
        inner, align = (start, bar[1], x - 4 * u, bar[3]), "center" if look == "gnome" else "left"
    if inner[2] - inner[0] > 3 * theme.text_size * u:
        run = p.text_in(title, inner, p.face(1.0, theme.bold if look in ("gnome", "classic") else 400), ink, align)
        p.add("heading", run.box, run)
        if not run.whole:
            p.container = ""
    else:
        p.container = ""
    if rng.random() < 0.5:
        p.line(bar[0], bar[3], bar[2], bar[3], mix(fill, ink, 0.2), max(u * 0.8, 1))
    return bar[3]


def window_mark(p: Painter, box: Box, name: str, look: str, ink: int) -> None:
    """Draw the cross, square or bar of a window button."""
    theme, u = p.theme, p.theme.unit_px
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    r = min(box[3] - box[1], 30 * u) * 0.17
    width = max(1.1 * u, 1)
    if look == "gnome":
        p.circle(x, y, r * 2, fade(ink, 0.12))
    elif look == "classic":
        inset = (box[0] + 2 * u, box[1] + 3 * u, box[2] - u, box[3] - 3 * u)
        p.rect(inset, theme.button)
        p.outline(inset, theme.border, 0, max(u, 1))
        ink = theme.on_button
    elif name == "close" and p.rng.random() < 0.12:
        p.rect(box, 0xFFE81123)
        ink = 0xFFFFFFFF
    if name == "close":
        p.polyline([(x - r, y - r), (x + r, y + r)], ink, width)
        p.polyline([(x - r, y + r), (x + r, y - r)], ink, width)
    elif name == "maximize":
        p.outline((x - r, y - r, x + r, y + r), ink, 0, width)
    else:
        drop = r * (0.8 if look != "windows" else 0.0)
        p.line(x - r, y + drop, x + r, y + drop, ink, width)


def menu_bar(p: Painter, box: Box) -> tuple[float, tuple[str, float] | None]:
    """Draw a menu bar at the top of a box; return where it ends and one menu's title and x, to be opened."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh = line_height(p)
    height = lh + rng.uniform(4, 10) * u
    p.rect((box[0], box[1], box[2], box[1] + height), theme.window if rng.random() < 0.6 else theme.panel)
    x, pad = box[0] + 4 * u, rng.uniform(5, 11) * u
    titles = list(vocabulary.MENUS[: rng.randint(2, 5)]) if rng.random() < 0.6 else []
    while len(titles) < 9 and rng.random() < 0.8:
        text = p.words.menu()
        if text not in titles:
            titles.append(text)
    spots: list[tuple[str, float]] = []
    mnemonics = rng.random() < 0.15
    group = p.group()
    face = p.face(1.0)
    for index, text in enumerate(titles):
        width = face.width(text) + 2 * pad
        if x + width > box[2]:
            break
        run = p.text_in(text, (x + pad, box[1], x + width, box[1] + height), face, theme.text)
        if mnemonics:
            under = x + pad + face.advance(text[0])
            p.line(x + pad, run.box[3] - face.descent_px * 0.4, under, run.box[3] - face.descent_px * 0.4, theme.text)
        p.add("menu", (x, box[1], x + width, box[1] + height), run, group=group, group_kind="menu", position=index + 1)
        spots.append((text, x))
        x += width
    return box[1] + height, rng.choice(spots) if spots else None


def tool_bar(p: Painter, box: Box) -> float:
    """Draw a tool bar with icons, with or without captions, at the top of a box; return where it ends."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh = line_height(p, 0.85)
    captions = rng.choices(["", "below", "beside"], [0.7, 0.15, 0.15])[0]
    side = rng.uniform(22, 38) * u
    height = side + (lh if captions == "below" else 0) + 6 * u
    fill = rng.choice([theme.window, theme.bar, theme.panel])
    ink = theme.on_bar if fill == theme.bar else theme.text
    p.rect((box[0], box[1], box[2], box[1] + height), fill)
    x, y = box[0] + 4 * u, box[1] + 3 * u
    group = p.group()
    framed = rng.random() < 0.15
    place = 0
    for concept in rng.sample(list(theme.icons.rows), rng.randint(3, 18)):
        text = ""
        width = side
        face = p.face(0.85)
        if captions:
            text = concept.capitalize() if rng.random() < 0.5 else p.words.label(1)
            width = max(side, face.width(text) + 8 * u) if captions == "below" else side + face.width(text) + 6 * u
        if x + width > box[2] - 4 * u:
            break
        spot = (x, y, x + width, box[1] + height - 3 * u)
        if captions:
            mark = side * 0.66
            left = x + (width - mark) / 2 if captions == "below" else x + 3 * u
            p.icon(concept, (left, y + (side - mark) / 2, left + mark, y + (side + mark) / 2), ink)
            area = (
                (x, y + side - 2 * u, x + width, spot[3])
                if captions == "below"
                else (left + mark + 3 * u, y, x + width, spot[3])
            )
            run = p.text_in(text, area, face, ink, "center" if captions == "below" else "left")
            place += 1
            p.add("button", spot, run, group=group, group_kind="toolbar", position=place)
        else:
            place += 1
            icon_button(p, spot, concept, color=ink, framed=framed, group=group, group_kind="toolbar", position=place)
        x += width + rng.choice([0, 0, 2, 4]) * u
        if rng.random() < 0.12:
            p.line(x + 2 * u, y + 3 * u, x + 2 * u, spot[3] - 3 * u, fade(ink, 0.3), max(u, 1))
            x += 5 * u
    if box[2] - x > 120 * u and rng.random() < 0.35:
        width = rng.uniform(100, 180) * u
        search_field(p, (box[2] - width - 4 * u, y, box[2] - 4 * u, y + min(theme.control_height * u, side)))
    if rng.random() < 0.6:
        p.line(box[0], box[1] + height, box[2], box[1] + height, theme.border, max(u * 0.8, 1))
    return box[1] + height


def tab_bar(p: Painter, box: Box) -> float:
    """Draw a row of tabs, by chance with little crosses; return where it ends."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    height = theme.control_height * u * rng.uniform(0.95, 1.2)
    look = rng.choice(["underline", "box", "pill"])
    closing = look == "box" and rng.random() < 0.35
    pad = theme.padding * u * 1.1
    x = box[0]
    group = p.group()
    active = rng.randint(0, 3)
    face = p.face(1.0, theme.button_weight)
    p.line(box[0], box[1] + height, box[2], box[1] + height, theme.border, max(u, 1))
    for index in range(rng.randint(2, 7)):
        text = button_text(p)
        width = face.width(text) + 2 * pad + (height * 0.5 if closing else 0)
        if x + width > box[2]:
            break
        spot = (x, box[1], x + width, box[1] + height)
        on = index == active
        ink = theme.text if on else theme.muted
        if look == "underline" and on:
            p.rect((x, spot[3] - 2.5 * u, spot[2], spot[3]), theme.accent)
        elif look == "box":
            fill = theme.window if on else mix(theme.window, theme.text, 0.08)
            p.rect(spot, fill, min(theme.radius, 6) * u)
            p.outline(spot, theme.border, min(theme.radius, 6) * u, max(u, 1))
        elif look == "pill" and on:
            p.rect((x, box[1] + 2 * u, spot[2], spot[3] - 2 * u), theme.selection, min(theme.radius * u, height / 2))
            ink = theme.on_selection
        inner = (x + pad, box[1], spot[2] - pad + u - (height * 0.5 if closing else 0), spot[3])
        run = p.text_in(text, inner, face, ink, "left")
        p.add("tab", spot, run, group=group, group_kind="tabs", position=index + 1)
        if closing:
            mx, my, r = spot[2] - height * 0.42, (spot[1] + spot[3]) / 2, height * 0.11
            p.polyline([(mx - r, my - r), (mx + r, my + r)], ink, max(u, 1))
            p.polyline([(mx - r, my + r), (mx + r, my - r)], ink, max(u, 1))
            cross = (mx - r * 2.2, my - r * 2.2, mx + r * 2.2, my + r * 2.2)
            p.add("icon_button", cross, icon="close", caption=run)
        x += width + (0 if look == "box" else 3 * u)
    return box[1] + height + theme.gap * u


def side_bar(p: Painter, box: Box) -> None:
    """Fill a narrow box with navigation: entries with icons, or a rail of icons alone."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    fill = rng.choice([theme.panel, theme.bar, theme.window])
    ink = theme.on_bar if fill == theme.bar else theme.text
    p.rect(box, fill)
    p.line(box[2], box[1], box[2], box[3], theme.border, max(u * 0.8, 1))
    lh = line_height(p)
    y = box[1] + theme.gap * u
    if box[2] - box[0] < 70 * u:
        side = min(box[2] - box[0], 44 * u)
        for concept in rng.sample(list(theme.icons.rows), rng.randint(3, 10)):
            if y + side > box[3]:
                break
            left = (box[0] + box[2] - side) / 2
            icon_button(p, (left, y, left + side, y + side), concept, color=ink)
            y += side
        return
    row = lh + theme.gap * u * rng.uniform(0.8, 2.0)
    icons = rng.random() < 0.65
    group = p.group("side bar")
    selected = rng.randint(-1, 6)
    place = 0
    for _ in range(rng.randint(4, 16)):
        if y + row > box[3]:
            break
        if rng.random() < 0.1:
            label(
                p,
                box[0] + theme.padding * u,
                y,
                p.words.label(1).upper(),
                size=0.78,
                weight=theme.bold,
                color=mix(fill, ink, 0.6),
                room_px=box[2] - box[0] - 2 * theme.padding * u,
            )
            y += lh * 1.4
            continue
        item = (box[0] + 4 * u, y, box[2] - 4 * u, y + row)
        color = ink
        if place == selected:
            p.rect(item, theme.selection, min(theme.radius * u, row / 2))
            color = theme.on_selection
        x = item[0] + theme.padding * u * 0.8
        if icons:
            p.icon(any_concept(p), (x, y + row / 2 - lh * 0.52, x + lh * 1.04, y + row / 2 + lh * 0.52), color)
            x += lh * 1.5
        run = p.text_in(p.words.label(2), (x, y, item[2] - 2 * u, y + row), p.face(1.0, theme.button_weight), color)
        place += 1
        p.add("list_item", item, run, group=group, group_kind="list", position=place)
        y += row


def status_bar(p: Painter, box: Box) -> float:
    """Draw a status bar at the bottom of a box; return where it begins."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    lh = line_height(p, 0.88)
    top = box[3] - lh - 6 * u
    fill = rng.choice([theme.panel, theme.window, theme.accent])
    ink = readable(fill) if fill == theme.accent else theme.text
    p.rect((box[0], top, box[2], box[3]), fill)
    p.line(box[0], top, box[2], top, theme.border, max(u * 0.8, 1))
    x = box[0] + 6 * u
    for _ in range(rng.randint(1, 4)):
        text = rng.choice([p.words.label(2), p.words.number(), p.words.phrase(3), p.words.date()])
        run = label(p, x, top + 3 * u, text, size=0.88, color=ink, room_px=box[2] - x - 4 * u)
        x = run.box[2] + rng.uniform(14, 50) * u
        if x > box[2] - 60 * u:
            break
    return top
