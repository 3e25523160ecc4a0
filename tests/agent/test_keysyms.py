"""Keysyms: our table agrees with libxkbcommon's, and every key of the grammar has a number."""

import ctypes
import ctypes.util

import pytest

from agent.hands.keysyms import LEGACY, NAMED, char_of, keysym_of
from agent.keys import NAMED_KEYS


def test_every_named_key_has_a_keysym() -> None:
    assert set(NAMED) == NAMED_KEYS


@pytest.mark.parametrize("char", ["<", "é", "ß", "€", "ы", "λ", "漢", "😀", "—"])
def test_the_keysym_of_a_character_types_it(char: str) -> None:
    assert char_of(keysym_of(char)) == char


def test_the_table_agrees_with_libxkbcommon() -> None:
    name = ctypes.util.find_library("xkbcommon")
    if name is None:
        pytest.skip("libxkbcommon is not installed")
    to_utf32 = ctypes.CDLL(name).xkb_keysym_to_utf32
    to_utf32.restype = ctypes.c_uint32
    theirs = {keysym: chr(to_utf32(keysym)) for keysym in (*LEGACY, *range(0x20, 0x7F), *range(0xA0, 0x100))}
    assert {keysym: char_of(keysym) for keysym in theirs} == theirs
    assert theirs == {keysym: char for keysym, char in theirs.items() if char != "\0"}
