"""Drawn screens: the same from the same seed, boxes inside, characters where the ink is."""

import pickle
from pathlib import Path
from random import Random

import numpy as np
import pytest

from model.errors import InputError
from model.nano.bank import DEFAULT_BANK, Bank
from model.nano.elements import Screen
from model.nano.queries import make_queries
from model.nano.screens import render_screen

SIZE = (672, 448)


@pytest.fixture(scope="module")
def bank() -> Bank:
    if not (DEFAULT_BANK / "bank.json").is_file():
        pytest.skip(f"no bank of fonts and icons in {DEFAULT_BANK}: python -m model.nano.bank build (needs a network)")
    return Bank(DEFAULT_BANK)


@pytest.fixture(scope="module")
def screens(bank: Bank) -> list[Screen]:
    return [render_screen(seed, SIZE, split="train", bank=bank) for seed in range(120)]


def test_one_seed_draws_one_screen(bank: Bank) -> None:
    again = pickle.loads(pickle.dumps(bank))
    for seed in (3, 10**15, 77):
        first = render_screen(seed, (500, 300), split="test", bank=bank)
        render_screen(seed + 1, (640, 400), split="train", bank=again)
        second = render_screen(seed, (500, 300), split="test", bank=again)
        assert first.elements == second.elements
        assert np.array_equal(first.pixels, second.pixels)
        assert np.array_equal(first.glyphs, second.glyphs)


@pytest.mark.parametrize("size", [(320, 240), (448, 672), (1140, 720)])
def test_any_size_is_drawn(bank: Bank, size: tuple[int, int]) -> None:
    for seed in range(12):
        screen = render_screen(seed, size, split="train", bank=bank)
        assert screen.pixels.shape == (size[1], size[0], 3)
        assert screen.pixels.dtype == np.uint8
        assert screen.elements


def test_boxes_and_glyphs_lie_on_the_screen(screens: list[Screen]) -> None:
    for screen in screens:
        for element in screen.elements:
            x0, y0, x1, y1 = element.box_px
            assert 0 <= x0 < x1 <= SIZE[0] + 1e-3, element
            assert 0 <= y0 < y1 <= SIZE[1] + 1e-3, element
            assert "…" not in element.text or not element.text.endswith(" …"), element
        assert screen.glyphs.dtype == np.float32
        codes, xs, ys = screen.glyphs.T
        assert ((xs >= 0) & (xs <= SIZE[0]) & (ys >= 0) & (ys <= SIZE[1])).all()
        assert not any(chr(int(code)).isspace() for code in codes)


def test_element_texts_are_written_inside_their_boxes(screens: list[Screen]) -> None:
    """Read back by an independent route: collect the glyphs in each box, in drawing order."""
    for screen in screens:
        codes, xs, ys = screen.glyphs.T
        for element in screen.elements:
            text = element.text or element.placeholder
            if not text or element.role == "cell":
                continue
            x0, y0, x1, y1 = element.box_px
            inside = (xs > x0 - 1) & (xs < x1 + 1) & (ys > y0 - 2) & (ys < y1 + 2)
            read = "".join(chr(int(code)) for code in codes[inside])
            assert "".join(text.split()) in read, (element, read)


def test_characters_stand_where_there_is_ink(screens: list[Screen]) -> None:
    flat = total = 0
    for screen in screens:
        grey = screen.pixels.astype(np.float32).mean(2)
        for code, x, y in screen.glyphs[:: 1 + len(screen.glyphs) // 60]:
            if not chr(int(code)).isalnum():
                continue
            rows, columns = slice(max(int(y) - 4, 0), int(y) + 5), slice(max(int(x) - 4, 0), int(x) + 5)
            total += 1
            flat += float(np.ptp(grey[rows, columns])) < 8
    assert total > 2000
    assert flat / total < 0.02


def test_questions_on_drawn_screens(screens: list[Screen]) -> None:
    kinds: dict[str, int] = {}
    for seed, screen in enumerate(screens):
        for query in make_queries(screen, Random(seed), 12):
            kinds[query.kind] = kinds.get(query.kind, 0) + 1
            if query.box_px is None:
                assert query.kind == "absent"
                continue
            x0, y0, x1, y1 = query.box_px
            assert 0 <= x0 < x1 <= SIZE[0] + 1e-3
            assert 0 <= y0 < y1 <= SIZE[1] + 1e-3
    assert {"text", "role", "field", "icon", "ordinal", "spatial", "absent"} <= set(kinds)
    assert 0.06 < kinds["absent"] / sum(kinds.values()) < 0.2


def test_a_folder_without_a_bank_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.nano\.bank build"):
        Bank(tmp_path)
