"""Every instruction means exactly one thing, checked by a second, naive reading of the words."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.nano.elements import Box, Element, ElementRole, Query, Screen
from model.nano.icons import concepts
from model.nano.queries import make_queries
from model.nano.screen_index import normal

_SYLLABLES = ["ka", "bo", "ri", "zu", "mel", "tan", "vex", "pol", "gim", "dra"]
_ROLES: list[ElementRole] = [
    "button",
    "link",
    "tab",
    "menu_item",
    "label",
    "cell",
    "checkbox",
    "radio",
    "switch",
    "text_field",
    "combo",
]


def _word(rng: Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 3))).capitalize()


def _screen(seed: int) -> Screen:
    """Lay random elements on a grid, with repeated names, icons, a list, a table and two windows."""
    rng = Random(seed)
    pool = [_word(rng) for _ in range(rng.randint(3, 14))]
    elements: list[Element] = []
    for row in range(rng.randint(2, 6)):
        for column in range(rng.randint(1, 4)):
            x, y = 10 + column * 150, 10 + row * 40
            box = (float(x), float(y), x + 100.0, y + 24.0)
            role = rng.choice(_ROLES)
            name = rng.choice(pool)
            window = rng.choice(["", "", "First", "Second"])
            known: dict[str, Any] = {"container": window, "container_kind": "window" if window else ""}
            if role in ("checkbox", "radio", "switch", "combo"):
                elements.append(Element(role, box, label=name, **known))
            elif role == "text_field":
                which = rng.choice(["label", "placeholder", "text"])
                elements.append(Element(role, box, **{which: name}, **known))
            else:
                elements.append(Element(role, box, text=name, **known))
    for index in range(rng.randint(0, 5)):
        box = (10.0, 300.0 + 20 * index, 200.0, 318.0 + 20 * index)
        elements.append(Element("list_item", box, text=_word(rng), group="#1", group_kind="list", position=index + 1))
    for index, concept in enumerate(rng.sample(list(concepts()), rng.randint(0, 6))):
        box = (300.0 + 30 * index, 300.0, 326.0 + 30 * index, 326.0)
        elements.append(Element("icon_button", box, icon=concept))
    for row in range(rng.randint(0, 3)):
        y = 340.0 + 24 * row
        row_of: dict[str, Any] = {"group": "#2", "group_kind": "table", "position": row + 1}
        elements.append(Element("cell", (300.0, y, 400.0, y + 24), text=_word(rng), **row_of))
        elements.append(Element("button", (400.0, y, 440.0, y + 20), text="Edit", **row_of))
    return Screen(np.zeros((448, 672, 3), np.uint8), tuple(elements), np.zeros((0, 3), np.float32))


def _owners(screen: Screen, name: str) -> list[Element]:
    return [e for e in screen.elements if name in (normal(t) for t in (e.text, e.label, e.placeholder) if t)]


def _said(instruction: str, screen: Screen) -> set[str]:
    """Find every name of the screen that the instruction contains as whole words."""
    plain = "".join(c if c.isalnum() else " " for c in instruction.casefold())
    names = {normal(t) for e in screen.elements for t in (e.text, e.label, e.placeholder) if t}
    return {name for name in names if f" {name} " in f" {' '.join(plain.split())} "}


def _inside(inner: Box, outer: Box) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _check_present(query: Query, screen: Screen) -> None:
    box = query.box_px
    assert box is not None
    named = _said(query.instruction, screen)
    if query.kind in ("text", "role", "field") and "search" not in query.tags:
        assert len(named) == 1, query
        (name,) = named
        owners = _owners(screen, name)
        assert any(_inside(e.box_px, box) for e in owners), query
    if query.kind == "text":
        (name,) = named
        outside = [e for e in _owners(screen, name) if not _inside(e.box_px, box)]
        assert not outside, query
    if query.kind == "role":
        (name,) = named
        rivals = [e for e in _owners(screen, name) if e.role == query.tags[0]]
        assert [e.box_px for e in rivals] == [box], query
    if query.kind == "icon" and len(query.tags) == 1:
        assert [e.box_px for e in screen.elements if e.icon == query.tags[0]] == [box], query
    if query.kind == "ordinal":
        assert box in [e.box_px for e in screen.elements if e.position], query
    if query.kind == "spatial":
        assert box in [e.box_px for e in screen.elements], query


def _check_absent(query: Query, screen: Screen) -> None:
    if query.tags[0] == "icon":
        shown = {word.casefold() for e in screen.elements if e.icon for word in concepts()[e.icon].words}
        asked = query.instruction.casefold().rstrip(".").removesuffix(" icon").removesuffix(" button")
        named = {word.casefold() for concept in concepts().values() for word in concept.words}
        # "new note" asks for another icon than "note" does: the longest name is the one that is meant.
        meant = max((word for word in named if asked == word or asked.endswith(f" {word}")), key=len)
        assert meant not in shown, query
    elif query.tags[0] == "text":
        # a whole name of the screen may only be part of what is asked for, never all of it
        core = query.instruction.casefold().strip(".").split()
        for name in _said(query.instruction, screen):
            assert set(core) - set(name.split()) - _GLUE, query


_GLUE = {
    "click",
    "on",
    "press",
    "select",
    "tap",
    "choose",
    "hit",
    "find",
    "go",
    "to",
    "the",
    "a",
    "open",
    "menu",
    "button",
    "link",
    "tab",
    "checkbox",
    "check",
    "box",
    "tick",
    "switch",
    "toggle",
    "radio",
    "option",
    "list",
    "item",
    "entry",
    "field",
    "text",
    "input",
    "dropdown",
    "combo",
    "drop-down",
    "slider",
    "for",
    "next",
    "labelled",
    "type",
    "in",
    "into",
    "enter",
    "focus",
    "drag",
    "follow",
    "node",
}


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6))
def test_each_question_has_one_answer_or_none(seed: int) -> None:
    screen = _screen(seed)
    for query in make_queries(screen, Random(seed), 14, 0.25):
        if query.box_px is None:
            assert query.kind == "absent"
            _check_absent(query, screen)
        else:
            _check_present(query, screen)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_spatial_questions_read_geometrically(seed: int) -> None:
    screen = _screen(seed)
    for query in make_queries(screen, Random(seed), 30, 0.0):
        if query.tags[1:] != ("beside",) or query.box_px is None:
            continue
        words = query.instruction.casefold()
        names = _said(words, screen)
        anchors = [e.box_px for name in names if len(_owners(screen, name)) == 1 for e in _owners(screen, name)]
        x, y = (query.box_px[0] + query.box_px[2]) / 2, (query.box_px[1] + query.box_px[3]) / 2
        right = [x > a[2] for a in anchors]
        left = [x < a[0] for a in anchors]
        below = [y > a[3] for a in anchors]
        above = [y < a[1] for a in anchors]
        wanted = (
            right if "right of" in words else left if "left of" in words else above if " above " in words else below
        )
        assert any(wanted), query


def _one(*elements: Element) -> Screen:
    return Screen(np.zeros((448, 672, 3), np.uint8), elements, np.zeros((0, 3), np.float32))


def _asked(screen: Screen, absent: float = 0.0) -> list[Query]:
    return [q for seed in range(60) for q in make_queries(screen, Random(seed), 8, absent)]


def test_two_equal_buttons_are_never_asked_for_by_name_alone() -> None:
    screen = _one(
        Element("button", (10, 10, 60, 30), text="Edit"),
        Element("button", (10, 50, 60, 70), text="Edit"),
    )
    queries = _asked(screen)
    assert queries
    assert {q.kind for q in queries} == {"spatial"}
    for query in queries:
        first = any(word in query.instruction for word in ("top", "first", "1st"))
        last = any(word in query.instruction for word in ("bottom", "lowest", "second", "2nd"))
        if first and not last:
            assert query.box_px == (10, 10, 60, 30), query
        if last:
            assert query.box_px == (10, 50, 60, 70), query


def test_a_caption_and_its_field_are_one_thing() -> None:
    screen = _one(
        Element("label", (10, 10, 60, 30), text="Email:"),
        Element("text_field", (70, 8, 200, 32), label="Email"),
    )
    kinds: dict[str, set[Box | None]] = {}
    for query in _asked(screen):
        kinds.setdefault(query.kind, set()).add(query.box_px)
    assert kinds["text"] == {(10, 8, 200, 32)}
    assert kinds["field"] == {(70, 8, 200, 32)}


@pytest.mark.parametrize("absent", ["Save", "the Save button"])
def test_what_is_written_is_never_called_absent(absent: str) -> None:
    glyphs = np.array([[ord(c), 10.0 * i, 20.0] for i, c in enumerate("PleaseSavethis")], np.float32)
    screen = Screen(np.zeros((448, 672, 3), np.uint8), (), glyphs)
    asked = [q for seed in range(400) for q in make_queries(screen, Random(seed), 4, 1.0)]
    assert asked
    assert all(q.box_px is None for q in asked)
    assert absent not in {q.instruction for q in asked}


def test_the_same_seed_asks_the_same() -> None:
    screen = _screen(7)
    assert make_queries(screen, Random(3), 12) == make_queries(screen, Random(3), 12)
    ours = make_queries(screen, np.random.default_rng(3), 12)
    assert ours == make_queries(screen, np.random.default_rng(3), 12)


def test_confusable_icons_are_not_asked_for_beside_each_other() -> None:
    screen = _one(
        Element("icon_button", (10, 10, 30, 30), icon="user"),
        Element("icon_button", (40, 10, 60, 30), icon="users"),
        Element("icon_button", (70, 10, 90, 30), icon="trash"),
    )
    assert {q.box_px for q in _asked(screen)} == {(70, 10, 90, 30)}
