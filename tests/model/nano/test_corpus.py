"""A corpus read back is the corpus that was written."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.errors import InputError
from model.nano.corpus import (
    GLYPH_STEPS_PER_PX,
    element_from_dict,
    element_to_dict,
    main,
    pack,
    pack_glyphs,
    read_corpus,
    read_entries,
    read_index_length,
    unpack_glyphs,
    write_screen,
)
from model.nano.elements import Element, Screen

_TEXT = st.text(max_size=12)
_COORDINATE = st.integers(0, 40000).map(lambda v: v / 10)

elements = st.builds(
    Element,
    role=st.sampled_from(["button", "icon_button", "text_field", "list_item", "cell"]),
    box_px=st.tuples(_COORDINATE, _COORDINATE, _COORDINATE, _COORDINATE),
    text=_TEXT,
    icon=_TEXT,
    label=_TEXT,
    placeholder=_TEXT,
    group=_TEXT,
    group_kind=st.sampled_from(["", "list", "menu", "table"]),
    position=st.integers(0, 40),
    container=_TEXT,
    container_kind=st.sampled_from(["", "window", "dialog"]),
    enabled=st.booleans(),
)


def _screen(seed: int, elements: tuple[Element, ...] = ()) -> Screen:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 255, (40, 60, 3), dtype=np.uint8)
    glyphs = np.array([[ord("ß"), 10.25, 20.5], [0x1F600, 50, 3.125]], np.float32)
    return Screen(pixels, elements, glyphs, source="page:test", scale=1.25)


@given(elements)
def test_an_element_survives_the_index(element: Element) -> None:
    assert element_from_dict(element_to_dict(element)) == element


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 50), st.just(2)), elements=st.floats(0, 8191, width=32)),
    st.data(),
)
def test_glyphs_survive_to_an_eighth_of_a_pixel(centres: np.ndarray, data: st.DataObject) -> None:
    codes = data.draw(hnp.arrays(np.float32, (len(centres), 1), elements=st.integers(32, 0x10FFFF)))
    glyphs = np.hstack([codes, centres]).astype(np.float32)
    back = unpack_glyphs(pack_glyphs(glyphs))
    assert back.dtype == np.float32
    assert back.shape == glyphs.shape
    assert np.array_equal(back[:, 0], glyphs[:, 0])
    assert np.allclose(back[:, 1:], glyphs[:, 1:], atol=0.51 / GLYPH_STEPS_PER_PX)


def test_screens_are_read_back_exactly(tmp_path: Path) -> None:
    element = Element(role="button", box_px=(1.5, 2, 30, 20), text="a\u2028b\n“Save”", position=3)
    for number in range(3):
        write_screen(tmp_path, f"s{number}", _screen(number, (element,)), "train")
    assert read_index_length(tmp_path) == 3
    screens = list(read_corpus(tmp_path))
    assert len(screens) == 3
    for number, screen in enumerate(screens):
        wanted = _screen(number, (element,))
        assert np.array_equal(screen.pixels, wanted.pixels)
        assert screen.elements == wanted.elements
        assert np.array_equal(screen.glyphs, wanted.glyphs)
        assert (screen.source, screen.scale) == ("page:test", 1.25)


def test_an_archive_reads_like_its_folder_and_keeps_its_limit(tmp_path: Path) -> None:
    folder, archive = tmp_path / "all", tmp_path / "some.zip"
    for number in range(12):
        write_screen(folder, f"s{number}", _screen(number), "test")
    assert pack(folder, archive, max_bytes=10**7) == 12
    assert sum(1 for _ in read_corpus(archive)) == 12
    limit_bytes = archive.stat().st_size // 2
    count = pack(folder, archive, max_bytes=limit_bytes)
    assert archive.stat().st_size <= limit_bytes
    assert 3 <= count < 12
    assert [e.split for e in read_entries(archive)] == ["test"] * count


def test_a_folder_without_index_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"index\.jsonl"):
        read_entries(tmp_path)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    write_screen(tmp_path, "a", _screen(0), "train")
    with (tmp_path / "index.jsonl").open("a") as index:
        index.write("{}\n")
    with pytest.raises(InputError, match="line 2"):
        read_entries(tmp_path)


def test_the_commands_count_and_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_screen(tmp_path / "c", "a", _screen(0, (Element("button", (1, 1, 20, 20), "Go"),)), "train")
    assert main(["stats", str(tmp_path / "c")]) == 0
    assert "1 screens, 1 elements, 2 glyphs\nbutton 1" in capsys.readouterr().out
    assert main(["pack", str(tmp_path / "c"), str(tmp_path / "c.zip")]) == 0
    assert len(read_entries(tmp_path / "c.zip")) == 1
    assert main(["stats", str(tmp_path / "nothing")]) == 2
    assert "index.jsonl" in capsys.readouterr().err
