"""Nothing that is held out occurs in training."""

import pytest

from model.nano import split
from model.nano.bank import DEFAULT_BANK, Bank
from model.nano.fonts import font_sources
from model.nano.screens import render_screen


@pytest.fixture(scope="module")
def bank() -> Bank:
    if not (DEFAULT_BANK / "bank.json").is_file():
        pytest.skip(f"no bank of fonts and icons in {DEFAULT_BANK}: python -m model.nano.bank build (needs a network)")
    return Bank(DEFAULT_BANK)


def _parts(source: str) -> tuple[str, set[str], str]:
    _, theme, _, fonts, icon_set = source.split(":")
    return theme, set(fonts.split("+")), icon_set


def test_training_screens_use_nothing_held_out(bank: Bank) -> None:
    themes: set[str] = set()
    for seed in range(300):
        theme, fonts, icon_set = _parts(render_screen(seed, (320, 240), split="train", bank=bank).source)
        themes.add(theme)
        assert theme not in split.TEST_THEMES
        assert not fonts & split.TEST_FONTS
        assert icon_set not in split.TEST_ICON_SETS
    assert themes == set(split.TRAIN_THEMES)


def test_evaluation_screens_use_only_held_out_looks(bank: Bank) -> None:
    for seed in range(60):
        theme, fonts, icon_set = _parts(render_screen(seed, (320, 240), split="test", bank=bank).source)
        assert theme in split.TEST_THEMES
        assert fonts <= split.TEST_FONTS
        assert icon_set in split.TEST_ICON_SETS


def test_the_sides_are_disjoint_and_named_after_real_things() -> None:
    pairs = [
        (split.TRAIN_THEMES, split.TEST_THEMES),
        (split.TRAIN_FRAMEWORKS, split.TEST_FRAMEWORKS),
        (split.TRAIN_QT_STYLES, split.TEST_QT_STYLES),
        (split.TRAIN_APPLICATIONS, split.TEST_APPLICATIONS),
    ]
    for train, test in pairs:
        assert train
        assert test
        assert not set(train) & set(test)
    families = {source.family for source in font_sources()}
    assert families >= split.TEST_FONTS
    assert len(split.TEST_FONTS) >= 4
    kinds = {source.kind for source in font_sources() if source.family in split.TEST_FONTS}
    assert kinds == {"sans", "serif", "mono"}
