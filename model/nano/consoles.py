"""Screens full of text: code editors, terminals, conversations."""

from model.nano import vocabulary
from model.nano.chrome import menu_bar, side_bar, status_bar, tab_bar, title_bar
from model.nano.elements import Box
from model.nano.fields import text_field
from model.nano.paint import Painter
from model.nano.themes import hls, mix, readable
from model.nano.widgets import icon_button


def editor(p: Painter) -> None:
    """Draw a code editor or terminal with monospaced text."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    box: Box = (0, 0, p.width, p.height)
    p.rect(box, theme.window)
    x0, y0, x1, y1 = box
    if rng.random() < 0.7:
        y0 = title_bar(p, box, rng.choice([p.words.file(), "Terminal", p.words.label(2)]), kind="window")
    if rng.random() < 0.5:
        y0, _ = menu_bar(p, (x0, y0, x1, y1))
    if rng.random() < 0.5:
        y1 = status_bar(p, (x0, y0, x1, y1))
    if rng.random() < 0.5:
        width = rng.choice([46, 150]) * u
        side_bar(p, (x0, y0, x0 + width, y1))
        x0 += width
    if rng.random() < 0.6:
        y0 = tab_bar(p, (x0, y0, x1, y1))
    back = hls(rng.random(), 0.1, 0.1) if theme.dark or rng.random() < 0.3 else theme.field
    ink = readable(back)
    p.push_clip((x0, y0, x1, y1))
    p.rect((x0, y0, x1, y1), back)
    face = p.face(1.0, 400, theme.mono_font)
    step = (face.ascent_px + face.descent_px) * rng.uniform(1.0, 1.25)
    colors = [mix(ink, hls(rng.random(), 0.5, 0.9), 0.6) for _ in range(4)]
    numbers = rng.random() < 0.7
    left = x0 + 6 * u + (face.width("0000") if numbers else 0)
    y, line, indent = y0 + 4 * u, rng.choice([1, 1, rng.randint(2, 900)]), 0
    while y + step < y1:
        baseline = round(y + face.ascent_px)
        if numbers:
            number = str(line)
            p.text(number, left - face.width(number) - 8 * u, baseline, face, mix(back, ink, 0.4))
        x = left + indent * 2 * face.advance("0")
        for token in _code_line(p):
            if x + face.width(token) > x1:
                break
            p.text(token, x, baseline, face, rng.choice(colors) if rng.random() < 0.5 else ink)
            x += face.width(token) + face.advance(" ")
        indent = max(0, min(indent + rng.choice([-1, 0, 0, 1]), 6))
        y += step
        line += 1
    p.pop_clip()
    p.container = p.container_kind = ""


def _code_line(p: Painter) -> list[str]:
    rng = p.rng
    if rng.random() < 0.12:
        return []
    if rng.random() < 0.12:
        return [rng.choice(["#", "//"]), *[p.words.word() for _ in range(rng.randint(2, 7))]]
    tokens: list[str] = []
    for _ in range(rng.randint(1, 7)):
        kind = rng.random()
        name = p.words.word()
        if kind < 0.3:
            tokens.append(rng.choice(vocabulary.CODE_WORDS))
        elif kind < 0.5:
            tokens.append(f"{name}({p.words.word()})")
        elif kind < 0.65:
            tokens.append(rng.choice(["=", "==", "+", "->", "=>", "{", "}", "&&", "|", "+=", "[0]", "();"]))
        elif kind < 0.75:
            tokens.append(f'"{name}"')
        elif kind < 0.85:
            tokens.append(f"{name}_{p.words.word()}")
        elif kind < 0.92:
            tokens.append(str(rng.randint(0, 9999)))
        else:
            tokens.append(f"{name}.{p.words.word()}")
    return tokens


def chat(p: Painter) -> None:
    """Draw a conversation: bubbles left and right, a field and a send button below."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    box: Box = (0, 0, p.width, p.height)
    p.rect(box, theme.window)
    x0, y0, x1, y1 = box
    if rng.random() < 0.6 and p.width > 300 * u:
        x0 = rng.uniform(130, 200) * u
        side_bar(p, (0, 0, x0, y1))
    y0 = title_bar(p, (x0, 0, x1, y1), p.words.person(), kind="window") if rng.random() < 0.7 else 0.0
    height = theme.control_height * u
    foot = y1 - height - 2 * theme.gap * u
    x = x0 + theme.gap * u
    if rng.random() < 0.6 and icon_button(
        p,
        (x, foot + theme.gap * u, x + height, foot + theme.gap * u + height),
        rng.choice(["attach", "add", "smile", "image"]),
    ):
        x += height
    search_end = x1 - theme.gap * u - height
    text_field(
        p,
        (x, foot + theme.gap * u, search_end, foot + theme.gap * u + height),
        placeholder=rng.choice(["Type a message", "Message", "Write a message…", p.words.label(3)]),
    )
    icon_button(
        p,
        (search_end, foot + theme.gap * u, search_end + height, foot + theme.gap * u + height),
        "send",
        color=theme.accent,
    )
    y = y0 + theme.gap * u
    face = p.face(1.0)
    lh = face.ascent_px + face.descent_px
    while True:
        mine = rng.random() < 0.5
        lines = [p.words.sentence(rng.randint(1, 7)) for _ in range(rng.randint(1, 2))]
        lines = [line for line in lines if face.width(line) < (x1 - x0) * 0.7] or ["OK"]
        width = max(face.width(line) for line in lines) + 2 * theme.padding * u
        tall = lh * 1.1 * len(lines) + theme.padding * u
        if y + tall > foot:
            return
        left = x1 - width - theme.gap * u if mine else x0 + theme.gap * u
        fill_color = theme.accent if mine else mix(theme.window, theme.text, 0.1)
        p.rect((left, y, left + width, y + tall), fill_color, min(theme.radius * 1.5 * u, tall / 2))
        for index, line in enumerate(lines):
            baseline = round(y + theme.padding * u * 0.5 + lh * 1.1 * index + face.ascent_px)
            run = p.text(line, left + theme.padding * u, baseline, face, readable(fill_color))
            p.add("label", run.box, run)
        y += tall + theme.gap * u * rng.uniform(0.6, 2)
