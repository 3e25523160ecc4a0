"""Boxes and glyphs read from the DOM agree with what Chromium has drawn."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.nano.browser import Browser, find_chromium
from model.nano.elements import Element, Screen
from model.nano.page_kits import Kit, kits
from model.nano.page_style import families
from model.nano.split import TEST_FRAMEWORKS, TRAIN_FRAMEWORKS, font_split
from model.nano.visible import cuts_text, keep_visible, visible_glyphs
from model.nano.web_pages import PagePlan, render_page

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")

_PAGE = """<!doctype html><meta charset="utf-8"><style>body{margin:0;font:16px 'DejaVu Sans'}
.b{position:absolute;left:100px;top:50px;width:120px;height:40px;background:#f00;color:#000;border:0}
.under{position:absolute;left:300px;top:50px;width:80px;height:30px}
.over{position:absolute;left:290px;top:40px;width:200px;height:60px;background:#888}
.clip{position:absolute;left:20px;top:160px;width:60px;overflow:hidden;white-space:nowrap}
.up{text-transform:uppercase;position:absolute;left:20px;top:200px}
.same{position:absolute;left:200px;top:200px;color:#fff}
input{position:absolute;left:20px;top:240px;width:150px}</style>
<button class="b">Send it</button><button class="under">Hidden</button><div class="over"></div>
<div class="clip">abcdefghijklmnopqrstuvwxyz</div><a href="#" class="up">loud</a><a href="#" class="same">ghost</a>
<label for="f">Town *</label><input id="f" placeholder="Where?">
<div data-g="fruit" data-k="list" style="position:absolute;left:20px;top:280px"><div data-r="list_item">Apple</div>
<div data-r="list_item">Pear</div></div>
<button style="position:absolute;left:20px;top:2000px">Far below</button>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


def _render(browser: Browser, folder: Path, html: str, scale: float) -> Screen:
    size_px = (round(640 * scale), round(400 * scale))
    plan = PagePlan(Kit("bare"), "none", size_px, scale, html, False, 0.0, 1.0, "page:test")
    return render_page(browser, plan, folder)


def _one(screen: Screen, **wanted: str) -> Element:
    (found,) = [e for e in screen.elements if all(getattr(e, k) == v for k, v in wanted.items())]
    return found


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_a_box_covers_exactly_the_pixels_of_its_button(browser: Browser, tmp_path: Path, scale: float) -> None:
    screen = _render(browser, tmp_path, _PAGE, scale)
    reddish = (screen.pixels[..., 0] > 150) & (screen.pixels[..., 1] < 100) & (screen.pixels[..., 2] < 100)
    rows, columns = np.nonzero(reddish)
    drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.allclose(_one(screen, text="Send it").box_px, drawn, atol=1)


def test_only_what_can_be_seen_is_claimed(browser: Browser, tmp_path: Path) -> None:
    screen = _render(browser, tmp_path, _PAGE, 1.0)
    texts = {e.text for e in screen.elements}
    assert {"Send it", "LOUD", "Apple", "Pear"} <= texts
    assert not texts & {"Hidden", "ghost", "Far below", "loud"}
    drawn = "".join(chr(int(c)) for c in screen.glyphs[:, 0])
    assert "Sendit" in drawn
    assert "LOUD" in drawn
    assert "abc" in drawn
    assert "xyz" not in drawn
    assert "Hidden" not in drawn
    assert "ghost" not in drawn


def test_glyph_centres_lie_on_ink(browser: Browser, tmp_path: Path) -> None:
    screen = _render(browser, tmp_path, _PAGE, 2.0)
    grey = screen.pixels.mean(axis=2)
    for code, x, y in screen.glyphs[:6]:
        around = grey[int(y) - 12 : int(y) + 12, int(x) - 8 : int(x) + 8]
        assert around.max() - around.min() > 60, chr(int(code))


def test_labels_placeholders_and_positions_are_found(browser: Browser, tmp_path: Path) -> None:
    screen = _render(browser, tmp_path, _PAGE, 1.0)
    town = _one(screen, role="text_field")
    assert (town.label, town.placeholder, town.text) == ("Town", "Where?", "")
    pear = _one(screen, text="Pear")
    assert (pear.group, pear.group_kind, pear.position) == ("fruit", "list", 2)


def test_frameworks_and_fonts_of_the_two_splits_do_not_meet() -> None:
    assert {k.name for k in kits("train")} == set(TRAIN_FRAMEWORKS)
    assert {k.name for k in kits("test")} == set(TEST_FRAMEWORKS)
    assert {font_split(f) for f in families("train")} == {"train"}
    assert {font_split(f) for f in families("test")} == {"test"}


def test_flat_boxes_and_glyphs_without_ink_are_dropped() -> None:
    pixels = np.full((40, 80, 3), 200, np.uint8)
    pixels[10:20, 10:30] = 0
    seen, unseen = Element("button", (5, 5, 35, 25)), Element("button", (45, 5, 75, 25))
    assert keep_visible(pixels, [seen, unseen]) == (seen,)
    glyphs = np.array([[65, 12, 12], [66, 60, 15]], np.float32)
    assert visible_glyphs(pixels, glyphs)[:, 0].tolist() == [65]


def test_text_that_starts_left_of_its_box_is_noticed() -> None:
    luminance = np.full((40, 100), 255, np.uint8)
    luminance[14:16, 20:60] = 0
    luminance[22:24, 20:60] = 0
    assert cuts_text(luminance, (30, 10, 90, 30))
    assert not cuts_text(luminance, (18, 10, 90, 30))
    luminance[:, 28:34] = 0
    assert not cuts_text(luminance, (30, 10, 90, 30))
