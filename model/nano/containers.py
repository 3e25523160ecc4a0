"""Lists, trees, tables, tiles: boxes full of things of one kind."""

from model.nano.elements import Box
from model.nano.icons import concepts
from model.nano.paint import Painter
from model.nano.themes import fade, hls, mix, readable
from model.nano.widgets import button, button_width, icon_button, image, label, line_height

_FILE_ICONS = (
    "file",
    "folder",
    "image",
    "music",
    "video",
    "code",
    "archive",
    "user",
    "mail",
    "bookmark",
    "star",
    "tag",
)
_ROW_BUTTONS: tuple[str, ...] = ("Edit", "Delete", "View", "Open", "Remove", "Details", "Download", "Reply")
_ROW_ICONS: tuple[str, ...] = ("edit", "trash", "eye", "more", "more vertical", "download", "share", "copy", "star")


def any_concept(p: Painter) -> str:
    """Choose an icon that the theme's set has."""
    rows = p.theme.icons.rows
    return p.rng.choice(list(rows)) if rows else next(iter(concepts()))


def _bright(p: Painter) -> int:
    return hls(p.rng.random(), 0.5, 0.75)


def heading(p: Painter, box: Box, *, size: float = 1.2) -> tuple[str, float]:
    """Draw a heading at the top of a box; return its text ("" when it did not fit) and where it ends."""
    theme, u = p.theme, p.theme.unit_px
    text = p.words.label(3)
    run = label(
        p,
        box[0],
        box[1],
        text,
        size=size,
        weight=theme.bold,
        family=theme.heading_font,
        room_px=box[2] - box[0],
        role="heading",
    )
    return run.text if run.whole else "", run.box[3] + theme.gap * 0.5 * u


def list_panel(p: Painter, box: Box) -> None:
    """Fill a box with a list: icons, second lines, trailing texts and a selected row by chance."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    title, top = "", box[1]
    if rng.random() < 0.4:
        title, top = heading(p, box)
    frame = (box[0], top, box[2], box[3])
    framed = rng.random() < 0.6
    if framed:
        p.rect(frame, theme.field, theme.radius * u * 0.5)
    p.push_clip(frame)
    icons, double, trailing = rng.random() < 0.45, rng.random() < 0.25, rng.random() < 0.25
    lh = line_height(p)
    row = lh * (2.1 if double else 1.0) + theme.gap * u * rng.uniform(0.6, 1.6)
    scrolled = rng.random() < 0.2
    y = frame[1] + 2 * u - (row * rng.uniform(0.2, 0.8) if scrolled else 0)
    group = p.group(title)
    count = rng.randint(3, 40)
    selected = rng.randint(-3, count)
    icon_color = theme.accent if rng.random() < 0.4 else theme.muted
    colorful = rng.random() < 0.25
    background = theme.field if framed else theme.window
    for index in range(count):
        if y >= frame[3]:
            break
        item = (frame[0] + 2 * u, y, frame[2] - 2 * u, y + row)
        ink = readable(background) if framed else theme.text
        if index == selected:
            p.rect(item, theme.selection, min(theme.radius * u * 0.6, row / 2))
            ink = theme.on_selection
        elif theme.zebra and index % 2:
            p.rect(item, mix(background, ink, 0.05))
        x = item[0] + theme.padding * u * 0.7
        if icons:
            side = min(lh * (1.6 if double else 1.0), row * 0.8)
            middle = (item[1] + item[3]) / 2
            p.icon(
                rng.choice(_FILE_ICONS),
                (x, middle - side / 2, x + side, middle + side / 2),
                _bright(p) if colorful else icon_color if index != selected else ink,
            )
            x += side + theme.gap * u * 0.8
        end = item[2] - theme.padding * u * 0.7
        if trailing and end - x > 14 * lh:
            face = p.face(0.9)
            text = p.words.date() if rng.random() < 0.5 else p.words.number()
            width = face.width(text)
            run = p.text_in(text, (end - width - 1, item[1], end, item[3]), face, mix(ink, background, 0.3))
            p.add("label", run.box, run)
            end -= width + theme.gap * u
        if double:
            upper = (x, item[1] + row * 0.08, end, item[1] + row * 0.52)
            lower = (x, item[1] + row * 0.5, end, item[1] + row * 0.92)
            second = p.text_in(p.words.phrase(rng.randint(2, 6)), lower, p.face(0.86), mix(ink, background, 0.35))
            run = p.text_in(p.words.item(), upper, p.face(1.0, theme.bold if rng.random() < 0.4 else 400), ink)
            p.add("label", second.box, second)
        else:
            run = p.text_in(p.words.item(), (x, item[1], end, item[3]), p.face(1.0), ink)
        p.add("list_item", item, run, group=group, group_kind="list", position=index + 1)
        if theme.grid_lines:
            p.line(item[0], item[3], item[2], item[3], fade(theme.border, 0.6), max(u * 0.7, 1))
        y += row
    p.pop_clip()
    if framed:
        p.outline(frame, theme.border, theme.radius * u * 0.5, max(u, 1))
        if scrolled or rng.random() < 0.2:
            scroll_bar(p, frame)


def scroll_bar(p: Painter, box: Box) -> None:
    """Draw a vertical scroll bar at the right edge of a box, over its content."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    width = rng.choice([4, 8, 12]) * u
    track = (box[2] - width, box[1], box[2], box[3])
    if rng.random() < 0.5:
        p.rect(track, mix(theme.window, theme.text, 0.06))
    length = (box[3] - box[1]) * rng.uniform(0.15, 0.6)
    top = box[1] + (box[3] - box[1] - length) * rng.random()
    p.rect(
        (track[0] + u, top, track[2] - u, top + length),
        mix(theme.window, theme.text, 0.35),
        width / 2 if rng.random() < 0.6 else 0,
    )
    p.cover(track)


def tree_panel(p: Painter, box: Box) -> None:
    """Fill a box with a tree of indented items."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    p.push_clip(box)
    row = line_height(p) + theme.gap * u * rng.uniform(0.3, 0.9)
    y, depth = box[1], 0
    group = p.group()
    icons = rng.random() < 0.7
    selected = rng.randint(-2, 12)
    for index in range(40):
        if y > box[3]:
            break
        ink = theme.text
        if index == selected:
            p.rect((box[0], y, box[2], y + row), theme.selection)
            ink = theme.on_selection
        x = box[0] + (4 + depth * 16) * u
        middle, arm = y + row / 2, 3.2 * u
        parent = rng.random() < 0.4
        opened = parent and rng.random() < 0.6
        if parent and opened:
            p.polyline(
                [(x, middle - arm / 2), (x + arm, middle + arm / 2), (x + 2 * arm, middle - arm / 2)],
                ink,
                max(1.2 * u, 1),
            )
        elif parent:
            p.polyline(
                [(x + arm / 2, middle - arm), (x + arm * 1.5, middle), (x + arm / 2, middle + arm)],
                ink,
                max(1.2 * u, 1),
            )
        x += 12 * u
        if icons:
            side = row * 0.68
            p.icon(
                "folder" if parent else rng.choice(_FILE_ICONS),
                (x, middle - side / 2, x + side, middle + side / 2),
                mix(ink, theme.accent, 0.4),
            )
            x += side + 4 * u
        run = p.text_in(p.words.item(), (x, y, box[2] - 2 * u, y + row), p.face(1.0), ink)
        p.add(
            "tree_item",
            (x - (row * 0.68 + 4 * u if icons else 0), y, max(run.box[2], x + u), y + row),
            run,
            group=group,
            group_kind="tree",
            position=index + 1,
        )
        depth = min(depth + 1, 4) if opened else max(0, depth - (rng.random() < 0.35) - (rng.random() < 0.1))
        y += row
    p.pop_clip()


def table_panel(p: Painter, box: Box) -> None:
    """Fill a box with a table: a header, cells, and by chance buttons or icons in each row."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    top = box[1]
    if rng.random() < 0.35:
        _, top = heading(p, box)
    frame = (box[0], top, box[2], box[3])
    p.push_clip(frame)
    lh = line_height(p)
    row = lh + theme.gap * u * rng.uniform(0.8, 2.2)
    width = frame[2] - frame[0]
    columns = max(1, min(rng.randint(2, 7), int(width / (lh * 5))))
    kinds = [rng.choice(["text", "text", "number", "date", "person", "file"]) for _ in range(columns)]
    if kinds[0] in ("number", "date"):
        kinds[0] = rng.choice(["person", "file", "text"])
    ending = rng.random()
    actions = "" if columns < 2 or ending > 0.6 else "buttons" if ending < 0.32 else "icons"
    shares = [rng.uniform(0.7, 1.5) for _ in range(columns)]
    shares[0] *= 1.4
    edges = [frame[0]]
    for share in shares:
        edges.append(edges[-1] + width * share / sum(shares))
    y = frame[1]
    group = p.group()
    pad = theme.padding * u * 0.6
    body = theme.field if rng.random() < 0.5 else theme.window
    p.rect(frame, body)
    text_ink = readable(body) if body == theme.field else theme.text
    header = (frame[0], y, frame[2], y + row)
    fill = rng.choice([body, mix(body, text_ink, 0.08), theme.bar])
    p.rect(header, fill)
    ink = theme.on_bar if fill == theme.bar else text_ink
    face = p.face(1.0, theme.bold if rng.random() < 0.6 else 400)
    for column in range(columns):
        if actions and column == columns - 1:
            continue
        cell = (edges[column], y, edges[column + 1], y + row)
        run = p.text_in(p.words.label(2), (cell[0] + pad, y, cell[2] - pad, y + row), face, ink)
        p.add("label", cell, run, group="", label="")
    y += row
    p.line(frame[0], y, frame[2], y, theme.border, max(theme.border_width * u, 1))
    labels = rng.sample(_ROW_BUTTONS, 1 + int(rng.random() * 1.5))
    icons = rng.sample(_ROW_ICONS, rng.randint(1, 3))
    selected = rng.randint(-6, 10)
    face = p.face(1.0)
    for index in range(rng.randint(3, 40)):
        if y > frame[3]:
            break
        ink = text_ink
        if index == selected:
            p.rect((frame[0], y, frame[2], y + row), theme.selection)
            ink = theme.on_selection
        elif theme.zebra and index % 2:
            p.rect((frame[0], y, frame[2], y + row), mix(body, text_ink, 0.05))
        for column, kind in enumerate(kinds):
            cell = (edges[column], y, edges[column + 1], y + row)
            inner = (cell[0] + pad, y, cell[2] - pad, y + row)
            if actions and column == columns - 1:
                _row_actions(p, inner, actions, labels, icons, ink, group, index + 1)
                continue
            text, align = _cell_text(p, kind), "right" if kind == "number" else "left"
            run = p.text_in(text, inner, face, ink, align)
            p.add("cell", cell, run, group=group, group_kind="table", position=index + 1)
        y += row
        if theme.grid_lines:
            p.line(frame[0], y, frame[2], y, fade(theme.border, 0.7), max(u * 0.7, 1))
    if theme.grid_lines and rng.random() < 0.5:
        for edge in edges[1:-1]:
            p.line(edge, frame[1], edge, min(y, frame[3]), fade(theme.border, 0.7), max(u * 0.7, 1))
    p.pop_clip()
    if rng.random() < 0.6:
        p.outline(frame, theme.border, 0, max(theme.border_width * u, 1))


def _cell_text(p: Painter, kind: str) -> str:
    words = p.words
    if kind == "number":
        return words.number()
    if kind == "date":
        return words.date()
    if kind == "person":
        return words.person()
    if kind == "file":
        return words.file()
    return words.label(3)


def _row_actions(
    p: Painter, box: Box, actions: str, labels: list[str], icons: list[str], ink: int, group: str, position: int
) -> None:
    theme, u = p.theme, p.theme.unit_px
    x, height = box[0], (box[3] - box[1]) * 0.84
    y = (box[1] + box[3] - height) / 2
    if actions == "buttons":
        for text in labels:
            shown = text.upper() if theme.upper_buttons else text
            width = button_width(p, shown, wide=0.8)
            if x + width > box[2]:
                return
            button(p, (x, y, x + width, y + height), shown, group=group, group_kind="table", position=position)
            x += width + 4 * u
    else:
        for concept in icons:
            if x + height > box[2]:
                return
            icon_button(
                p,
                (x, y, x + height, y + height),
                concept,
                color=ink,
                group=group,
                group_kind="table",
                position=position,
            )
            x += height + 2 * u


def tile_panel(p: Painter, box: Box) -> None:
    """Fill a box with tiles: pictures or icons with captions underneath."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    pictures = rng.random() < 0.5
    side = rng.uniform(44, 110) * u if pictures else rng.uniform(24, 44) * u
    caption = line_height(p, 0.9)
    width, height = max(side, 64 * u) + theme.gap * u, side + caption * 1.4 + theme.gap * u
    columns = max(1, int((box[2] - box[0]) // width))
    rows = int((box[3] - box[1]) // height)
    face = p.face(0.9)
    last = rng.randint(1, max(columns * rows, 1))
    for index in range(min(last, columns * rows)):
        x, y = box[0] + index % columns * width, box[1] + index // columns * height
        left = x + (width - side) / 2
        picture = (left, y, left + side, y + side)
        if pictures:
            image(p, picture, min(theme.radius * u, side / 4))
        else:
            p.icon(
                any_concept(p) if rng.random() < 0.4 else rng.choice(_FILE_ICONS),
                picture,
                theme.accent if rng.random() < 0.5 else theme.text,
            )
        text = p.words.file() if rng.random() < 0.5 else p.words.label(2)
        run = p.text_in(
            text, (x + 2 * u, y + side + 2 * u, x + width - 2 * u, y + side + caption * 1.2), face, theme.text, "center"
        )
        p.add(
            "image" if pictures else "list_item",
            (min(left, run.box[0]), y, max(left + side, run.box[2]), y + side + caption * 1.2),
            run,
        )
