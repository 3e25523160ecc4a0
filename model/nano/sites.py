"""Web pages: navigation bars, paths, page numbers, and the browser around them."""

from model.nano.chrome import side_bar
from model.nano.elements import Box
from model.nano.forms import search_field
from model.nano.paint import Painter
from model.nano.panels import fill, icon_row
from model.nano.themes import fade, readable
from model.nano.widgets import button, button_text, button_width, icon_button, label, line_height, link


def nav_bar(p: Painter, box: Box) -> float:
    """Draw a web page's navigation bar: a name, links, a search box, buttons; return where it ends."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    height = rng.uniform(38, 64) * u
    p.rect((box[0], box[1], box[2], box[1] + height), theme.bar)
    middle = box[1] + height / 2
    x = box[0] + theme.padding * 1.5 * u
    lh = line_height(p)
    if rng.random() < 0.25:
        icon_button(p, (x, middle - 15 * u, x + 30 * u, middle + 15 * u), "menu", color=theme.on_bar)
        x += 36 * u
    run = label(
        p,
        x,
        middle - lh * 0.62,
        p.words.label(1),
        size=1.25,
        weight=theme.bold,
        color=theme.on_bar,
        role="link",
        room_px=140 * u,
    )
    x = run.box[2] + 20 * u
    right = box[2] - theme.padding * u
    control = min(theme.control_height * u, height - 8 * u)
    ending = rng.random()
    if ending < 0.4:
        for kind in ("primary", "ghost")[: rng.randint(1, 2)]:
            text = button_text(p)
            width = button_width(p, text)
            if right - width > x:
                button(
                    p,
                    (right - width, middle - control / 2, right, middle + control / 2),
                    text,
                    "primary" if kind == "primary" else "",
                )
                right -= width + theme.gap * u
    elif ending < 0.75:
        count = rng.randint(1, 4)
        width = count * control * 1.2
        if right - width > x:
            icon_row(
                p, (right - width, middle - control / 2, right, middle + control / 2)
            ) if theme.on_bar == theme.text else None
            right -= width
    if right - x > 280 * u and rng.random() < 0.4:
        width = rng.uniform(120, 200) * u
        search_field(p, (right - width, middle - control / 2, right, middle + control / 2))
        right -= width + theme.gap * u
    face = p.face(1.0)
    for _ in range(rng.randint(2, 7)):
        text = p.words.label(2)
        width = face.width(text)
        if x + width > right - 8 * u:
            break
        run = p.text_in(text, (x, box[1], x + width + 1, box[1] + height), face, theme.on_bar)
        p.add("link", run.box, run)
        x += width + 20 * u
    if theme.shadows:
        p.line(box[0], box[1] + height, box[2], box[1] + height, fade(0xFF000000, 0.2), 2 * u)
    return box[1] + height


def breadcrumb(p: Painter, box: Box) -> float:
    """Draw a path of links at the top of a box; return where it ends."""
    u, rng = p.theme.unit_px, p.rng
    lh = line_height(p)
    face = p.face(1.0)
    x = box[0]
    mark = rng.choice(["/", ">", "›", "»"])
    count = rng.randint(2, 5)
    for index in range(count):
        text = p.words.label(1)
        width = face.width(text)
        if x + width > box[2] - 20 * u:
            break
        if index == count - 1:
            label(p, x, box[1], text)
        else:
            link(p, x, round(box[1] + face.ascent_px), text)
        x += width + 6 * u
        if index < count - 1:
            p.text(mark, x, round(box[1] + face.ascent_px), face, p.theme.muted)
            x += face.width(mark) + 6 * u
    return box[1] + lh + p.theme.gap * u


def pagination(p: Painter, box: Box) -> None:
    """Draw page numbers with arrows at the top left of a box."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    side = theme.control_height * u
    x = box[0]
    first = rng.choice([1, 1, rng.randint(2, 90)])
    texts = ["Previous", *[str(first + n) for n in range(rng.randint(3, 6))], "Next"]
    for index, text in enumerate(texts):
        width = max(side, p.face().width(text) + theme.padding * u * 1.4)
        if x + width > box[2]:
            return
        button(p, (x, box[1], x + width, box[1] + side), text, "primary" if index == 1 else "")
        x += width + rng.choice([0.0, 3 * u])


def web_page(p: Painter) -> None:
    """Draw a web page, by chance in a browser with an address bar."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    box: Box = (0, 0, p.width, p.height)
    p.rect(box, theme.window)
    top = 0.0
    if rng.random() < 0.4:
        top = browser_bar(p, box)
    if rng.random() < 0.8:
        top = nav_bar(p, (0, top, p.width, p.height))
    margin = p.width * rng.choice([0.02, 0.02, 0.06, 0.12])
    inner = (margin, top + theme.padding * 1.4 * u, p.width - margin, p.height - theme.padding * u)
    if rng.random() < 0.3:
        inner = (inner[0], breadcrumb(p, inner), inner[2], inner[3])
    if rng.random() < 0.15 and inner[3] - inner[1] > 4 * theme.control_height * u:
        pagination(p, (inner[0], inner[3] - theme.control_height * u, inner[2], inner[3]))
        inner = (inner[0], inner[1], inner[2], inner[3] - theme.control_height * u - theme.gap * u)
    if rng.random() < 0.25 and inner[2] - inner[0] > 300 * u:
        side_bar(p, (inner[0], inner[1], inner[0] + 140 * u, inner[3]))
        inner = (inner[0] + 150 * u, inner[1], inner[2], inner[3])
    fill(p, inner)


def browser_bar(p: Painter, box: Box) -> float:
    """Draw a browser's navigation buttons and address field; return where they end."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    height = 34 * u
    p.rect((box[0], box[1], box[2], box[1] + height), theme.panel)
    x = box[0] + 4 * u
    for concept in ("back", "forward", "refresh"):
        if icon_button(p, (x, box[1] + 3 * u, x + 28 * u, box[1] + 31 * u), concept):
            x += 30 * u
    field = (x + 4 * u, box[1] + 4 * u, box[2] - 70 * u, box[1] + 30 * u)
    p.rect(field, theme.field, 13 * u if rng.random() < 0.6 else 3 * u)
    run = p.text_in(
        p.words.url(), (field[0] + 12 * u, field[1], field[2] - 10 * u, field[3]), p.face(), readable(theme.field)
    )
    p.add("text_field", field, text=run.text if run.whole else "")
    x = box[2] - 64 * u
    for concept in rng.sample(["star", "download", "menu", "more vertical", "user", "bookmark"], 2):
        icon_button(p, (x, box[1] + 3 * u, x + 28 * u, box[1] + 31 * u), concept)
        x += 30 * u
    return box[1] + height
