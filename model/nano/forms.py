"""Forms: labelled fields one under another, and rows of buttons."""

from model.nano.containers import any_concept, heading
from model.nano.elements import Box
from model.nano.fields import choice, combo, slider, spin, text_field
from model.nano.paint import Painter, Run
from model.nano.widgets import button, button_text, button_width, label, line_height


def form_panel(p: Painter, box: Box) -> None:
    """Fill a box with labelled fields and, at the end, buttons."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    y = box[1]
    if rng.random() < 0.5:
        _, y = heading(p, box)
    lh, height, gap = line_height(p), theme.control_height * u, theme.gap * u
    style = rng.choice(["left", "left", "above", "above", "placeholder"])
    width = box[2] - box[0]
    if width < 16 * lh and style == "left":
        style = "above"
    column = min(width * rng.uniform(0.25, 0.4), 12 * lh)
    field_width = min(width, rng.uniform(12, 30) * lh)
    columns = 2 if width > 40 * lh and style != "left" and rng.random() < 0.6 else 1
    left = box[0]
    top = y
    end = y
    colon = rng.random() < 0.4 and style == "left"
    right_aligned = style == "left" and rng.random() < 0.4
    required = rng.random() < 0.15
    index = 0
    while True:
        need = height + gap + (lh * 1.15 if style == "above" else 0)
        if y + need > box[3]:
            if columns > 1 and left == box[0]:
                left, y = box[0] + width / 2 + gap, top
                continue
            break
        text = p.words.label(2)
        index += 1
        if index > rng.randint(3, 14):
            break
        kind = rng.choices(
            ["text", "combo", "spin", "checkbox", "radio", "slider", "switch", "password"], [6, 2, 1, 2, 1.2, 1, 1, 1]
        )[0]
        span = (width / columns - gap) if columns > 1 else width
        x0, x1 = left, min(left + field_width, left + span)
        if kind in ("checkbox", "switch"):
            choice(
                p,
                left + (column + gap if style == "left" and rng.random() < 0.5 else 0),
                y,
                text,
                kind,
                room_px=span - 30 * u,
            )
            y += lh * 1.3 + gap
        elif kind == "radio":
            y = _radios(p, (left, y, left + span, box[3]), text) + gap
        else:
            caption = None
            written = text + (":" if colon else " *" if required and rng.random() < 0.4 else "")
            if style == "left":
                face = p.face(1.0)
                cell = (left, y, left + column, y + height)
                run = p.text_in(written, cell, face, theme.text, "right" if right_aligned else "left")
                p.add("label", run.box, run)
                caption = run
                x0 = left + column + gap
                x1 = min(x0 + field_width, left + span)
            elif style == "above":
                run = label(p, left, y, written, weight=rng.choice([400, 400, theme.bold]), room_px=span)
                caption = run
                y += lh * 1.1
            _field(p, (x0, y, max(x1, x0 + 3 * height), y + height), kind, text, caption)
            y += height + gap
        end = max(end, y)
    if end + height < box[3] and rng.random() < 0.8:
        button_row(p, (box[0], end + gap * 0.5, box[2], end + gap * 0.5 + height))


def _field(p: Painter, box: Box, kind: str, name: str, caption: Run | None) -> None:
    """Draw a field called ``name``: by its caption, or without one by its placeholder."""
    rng, words = p.rng, p.words
    label = name if caption is not None else ""
    hint = "" if caption is not None else name
    if kind == "combo":
        combo(p, box, words.label(3) if label else name, label=label, caption=caption)
    elif kind == "spin":
        narrow = (box[0], box[1], min(box[2], box[0] + 5 * (box[3] - box[1])), box[3])
        spin(p, narrow, str(rng.randint(0, 999)), label=label, caption=caption)
    elif kind == "slider":
        slider(p, box, label=label, caption=caption)
    elif kind == "password" and rng.random() < 0.7:
        value = "•" * rng.randint(4, 12) if rng.random() < 0.6 else ""
        text_field(p, box, label=label, placeholder=hint, value=value, caption=caption)
    elif hint:
        text_field(p, box, placeholder=hint)
    elif rng.random() < 0.55:
        text_field(p, box, label=label, value=words.value(), caption=caption)
    else:
        hint = words.label(3) if rng.random() < 0.5 else ""
        text_field(p, box, label=label, placeholder=hint, caption=caption)


def _radios(p: Painter, box: Box, text: str) -> float:
    lh, gap = line_height(p), p.theme.gap * p.theme.unit_px
    y = label(p, box[0], box[1], text, room_px=box[2] - box[0]).box[3] + gap * 0.4
    count = p.rng.randint(2, 4)
    picked = p.rng.randint(0, count - 1)
    x, across = box[0], p.rng.random() < 0.5
    for index in range(count):
        if y + lh > box[3]:
            break
        drawn = choice(p, x, y, p.words.label(2), "radio", on=index == picked, room_px=box[2] - x - 30)
        if across and drawn[2] + 8 * lh < box[2]:
            x = drawn[2] + gap * 1.5
        else:
            x, y = box[0], y + lh * 1.3 + gap * 0.5
    return y + (lh * 1.3 if x > box[0] else 0)


def button_row(p: Painter, box: Box, *, align: str = "", answers: bool = False, texts: list[str] | None = None) -> None:
    """Draw one to four buttons in a row: ``texts``, or a dialog's ``answers``, or any."""
    theme, u, rng = p.theme, p.theme.unit_px, p.rng
    texts = texts or [button_text(p) for _ in range(rng.randint(1, 4))]
    if answers and rng.random() < 0.6:
        pairs = [
            ("OK", "Cancel"),
            ("Yes", "No"),
            ("Save", "Cancel"),
            ("Delete", "Cancel"),
            ("Allow", "Deny"),
            ("Apply", "Close"),
        ]
        texts = list(rng.choice(pairs))
        rng.shuffle(texts)
        if theme.upper_buttons:
            texts = [text.upper() for text in texts]
    align = align or rng.choice(["left", "right", "left"])
    primary = rng.randint(-1, len(texts) - 1)
    gap = theme.gap * u
    x = box[0] if align == "left" else box[2]
    for index, text in enumerate(texts):
        icon = any_concept(p) if rng.random() < theme.caption_icons else ""
        width = button_width(p, text, icon=icon)
        span = (x, box[1], x + width, box[3]) if align == "left" else (x - width, box[1], x, box[3])
        if span[0] < box[0] or span[2] > box[2]:
            return
        kind = (
            ("danger" if rng.random() < 0.15 else "primary")
            if index == primary
            else "ghost"
            if rng.random() < 0.1
            else ""
        )
        button(p, span, text, kind, icon)
        x = span[2] + gap if align == "left" else span[0] - gap


def search_field(p: Painter, box: Box) -> None:
    """Draw a search box."""
    rng = p.rng
    hint = rng.choice(["Search", "Search…", "Search", "Find", f"Search {p.words.word()}", "Type to search", "Filter"])
    text_field(p, box, placeholder=hint, icon="search" if rng.random() < 0.7 else "")
