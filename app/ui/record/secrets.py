"""What was typed into a field for passwords leaves no text: its step names a secret. Knows no Qt."""

from dataclasses import replace

from agent.accessible import Told
from agent.types import Point, Rect
from app.ui.record.hand import stays_in_field
from app.ui.record.same_place import field_around
from app.ui.record.taken import Taken, is_secret_name, secret_name

_COVER_PX = (300, 24)
"""How far around a click a field is painted over when nothing tells where it ends."""


def hidden(taken: list[Taken]) -> list[Taken]:
    """Return the same things, one for one, with each text as a secret that goes into a field called like one."""
    field: Taken | None = None
    into: Told | None = None
    found: list[Taken] = []
    for each in taken:
        if each.kind == "type":
            if _went_on(into, each.told):
                field = None
            into = each.told or into
            if not each.secret and (is_secret_name(each.words) or (field is not None and _is_secret(field))):
                each = replace(each, secret=True, text="")
            if each.secret and field is not None and not each.words.strip() and field.words.strip():
                each = replace(each, words=field.words)
        elif each.kind in ("click", "drag"):
            field, into = each if is_plain_click(each) else None, None
        elif each.kind == "press" and not stays_in_field(each):
            field = into = None
        found.append(each)
    return found


def settle(taken: list[Taken]) -> list[Taken]:
    """Forget the texts that are secrets, in later pictures too, and join each with the click into its field."""
    found: list[Taken] = []
    into: Told | None = None
    for before, each in zip(taken, hidden(taken), strict=True):
        last = found[-1] if found else None
        if last is not None and last.secret and stays_in_field(each) and not _went_on(into or last.told, each.told):
            continue
        if each.kind == "type":
            into = each.told
        if not each.secret or last is None or not is_plain_click(last):
            found.append(each)
        elif before.secret and before.told is not None and not _is_at(before.told, last):
            found.append(each)  # the focus went elsewhere after the click
        else:
            words = last.words if last.words.strip() else each.words
            # What is told of a click is in pixels; what is told of the focus may not be.
            told = last.told if last.told is not None and last.told.is_field else each.told or last.told
            found[-1] = replace(last, kind="type", secret=True, words=words, told=told)
    return _covered(found)


def numbered(taken: list[Taken]) -> list[Taken]:
    """Return the same things with a name for each secret: one for each field, so that none is typed into another."""
    names: dict[object, str] = {}
    found: list[Taken] = []
    for place, each in enumerate(taken):
        if each.secret:
            field = _field(each) or place
            if field not in names:
                names[field] = _unused(secret_name(each.words), set(names.values()))
            each = replace(each, secret_as=names[field])
        found.append(each)
    return found


def _field(taken: Taken) -> object:
    """Return what tells a field from others; None where nothing says that it is not one of its own."""
    told, words = taken.told, taken.words.strip()
    if told is None or words != told.words:
        return words.casefold() or None
    return told if told.box_px is not None else None


def _unused(name: str, used: set[str]) -> str:
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name}_{number}"
    return found


def is_plain_click(taken: Taken) -> bool:
    """Say whether it is what puts the focus into a field."""
    return taken.kind == "click" and taken.button == "left" and not taken.modifiers


def _went_on(before: Told | None, told: Told | None) -> bool:
    """Say whether the focus has gone on by itself, as from a code to the field after it.

    Where that is in doubt it has not: a field's box and its window's title may change while it is typed into.
    """
    if before is None or told is None:
        return False
    if before.box_px is None or told.box_px is None:
        return before.name != told.name
    apart = before.box_px.intersection(told.box_px) is None
    return apart and (before.name != told.name or not told.name)


def _is_secret(field: Taken) -> bool:
    return is_secret_name(field.words) or (field.told is not None and field.told.is_secret)


def _is_at(told: Told, click: Taken) -> bool:
    """Say whether the focus may be in the field that was clicked."""
    if click.told is not None and click.told.is_field and told.name and click.told.name == told.name:
        return True
    return told.box_px is None or click.point is None or told.box_px.contains(click.point)


def _covered(taken: list[Taken]) -> list[Taken]:
    """Paint over the fields that show a secret in clear, in all pictures after it; without a place, drop those."""
    shown: list[Rect] = []
    unknown = False
    found: list[Taken] = []
    for each in taken:
        if unknown and each.shot is not None:
            each = replace(each, shot=None)
        if each.shot is not None:
            for rect_px in shown:
                each.shot.cover(rect_px)
        if each.secret and (each.told is None or not each.told.is_secret):
            places = _place(each)
            shown += places
            unknown = unknown or not places
        found.append(each)
    return found


def _place(taken: Taken) -> list[Rect]:
    """Return where a secret shows: none without a click, since what is told of the focus may be in no pixels."""
    if taken.point is None:
        return []
    box_px = taken.told.box_px if taken.told is not None else None
    if box_px is not None and box_px.contains(taken.point):
        return [box_px]
    if taken.shot is None:
        return []
    at, origin = taken.point, taken.shot.rect_px
    field = field_around(taken.shot.image(), Point(at.x_px - origin.left, at.y_px - origin.top))
    if field is not None:
        left, top = origin.left, origin.top
        return [Rect(field.left + left, field.top + top, field.right + left, field.bottom + top)]
    x_px, y_px = _COVER_PX
    return [Rect(at.x_px - x_px, at.y_px - y_px, at.x_px + x_px, at.y_px + y_px)]
