"""Text entry on a real X server: every character arrives, and the clipboard is afterwards as it was."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.errors import HandsError, PersonActingError, StoppedError
from agent.hands.keymap import LOCK, open_xkb, read_keymap
from agent.hands.selection import Item, Selection, text_content
from agent.hands.text import paste_key
from agent.hands.x11 import X11Hands
from agent.types import Hotkey, Press, TypeText
from agent.x11.connection import XConnection
from tests.x11.programs import Target, focus, target
from tests.x11.test_hands import OpenGate

LINES = [
    "Hello, World!",
    "<html> & </html>",
    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~",
    "naïve café, façade, Ångström, ½ ÷ ×",
    "Grüße, Straße – „Zitat“ … €",
    "Příliš žluťoučký kůň",
    "Съешь ещё этих мягких булок",
    "Ζαφείρι δέξου πάγκαλο",
    "中文字符 日本語テスト 한국어",
    "السلام عليكم",
    "שלום",
    "👍🏽 😀 👨‍👩‍👧 🇩🇪",
    "mixed: aé漢😀z < > |",
    "  leading and trailing  ",
]
PAGES = ["first\nsecond line\n\nfourth", "naïve\n漢字\n<end>", "a\tb\tç\n"]


@pytest.fixture(scope="module")
def hands(display: str) -> Iterator[X11Hands]:
    with X11Hands(OpenGate(), display) as hands:
        yield hands


@pytest.fixture(scope="module")
def edit(display: str, home: Path) -> Iterator[Target]:
    with target("edit", display, home) as running:
        yield running


@pytest.fixture(scope="module")
def other(display: str, home: Path, edit: Target) -> Iterator[Target]:
    """Run another program, which copies; the field has the focus again afterwards."""
    with target("line", display, home) as running:
        focus(display, "target edit")
        yield running


@pytest.fixture
def field(edit: Target, other: Target, display: str) -> Target:
    focus(display, "target edit")
    edit.ask("clear")
    return edit


@contextmanager
def _layout(display: str, name: str, group: int = 0) -> Iterator[None]:
    def switch(to: str, group: int) -> None:
        if shutil.which("setxkbmap") is None:
            pytest.skip("setxkbmap is not installed (Debian: x11-xkb-utils)")
        subprocess.run(["setxkbmap", "-display", display, *to.split()], check=True, timeout=30)
        with XConnection(display) as x:
            open_xkb(x).LatchLockState(0x100, 0, 0, True, group, 0, False, 0)
            x.sync()

    switch(name, group)
    try:
        yield
    finally:
        switch("us", 0)


@pytest.mark.parametrize("text", LINES)
def test_a_line_arrives_exactly(field: Target, hands: X11Hands, text: str) -> None:
    hands.perform(TypeText(text))
    assert field.wait_for_text(text) == text


@pytest.mark.parametrize("text", PAGES)
def test_newlines_and_tabs_arrive_exactly(field: Target, hands: X11Hands, text: str) -> None:
    hands.perform(TypeText(text))
    assert field.wait_for_text(text) == text


@pytest.mark.parametrize("text", ["naïve 漢字 😀 <>", "ЫЫЫ žž", "Ἀχιλλεύς ΐ 中文字符 日本語 한국어 العربية עברית"])
def test_a_secret_arrives_exactly_and_never_meets_the_clipboard(
    field: Target, other: Target, hands: X11Hands, text: str
) -> None:
    other.ask("copy", text="kept")
    with XConnection(hands._x.display) as x:
        owner = x.core.GetSelectionOwner(x.atom("CLIPBOARD")).reply().owner
        hands.perform(TypeText(text, secret=True))
        assert field.wait_for_text(text) == text
        assert x.core.GetSelectionOwner(x.atom("CLIPBOARD")).reply().owner == owner


TEXT = "Zy<>|@{[]}\\~ q€ àéß 123 ёж λ"


@pytest.mark.parametrize("layout", ["de", "fr", "us -variant dvorak", "us -variant intl", "ru", "gr"])
def test_every_layout_types_the_same(field: Target, hands: X11Hands, display: str, layout: str) -> None:
    with _layout(display, layout):
        hands.perform(TypeText(TEXT))
        assert field.wait_for_text(TEXT) == TEXT


@pytest.mark.parametrize("layout", ["us,ru", "fr,gr"])
def test_the_second_of_two_layouts_types_the_same_and_has_hotkeys(
    field: Target, hands: X11Hands, display: str, layout: str
) -> None:
    with _layout(display, layout, group=1):
        hands.perform(TypeText(TEXT))
        assert field.wait_for_text(TEXT) == TEXT
        hands.perform(Hotkey(("ctrl", "a")))
        hands.perform(Press("delete"))
        assert field.wait_for_text("") == ""


def test_the_layouts_own_keys_are_used_where_they_exist(display: str) -> None:
    with XConnection(display) as x:
        with _layout(display, "de"):
            german = read_keymap(x)
            assert set("äöüß€@\\|<>{}~µ") <= set(german.characters)
            assert len(german.characters["@"].held) == 1
        with _layout(display, "ru"):
            russian = read_keymap(x)
            assert set("ёЖы") <= set(russian.characters)
            assert "v" not in russian.characters
        american = read_keymap(x)
        assert german.characters["y"].keycode == american.characters["z"].keycode
        assert russian.key("ctrl") == american.key("ctrl")


def test_caps_lock_does_not_turn_the_text_around(field: Target, hands: X11Hands, display: str) -> None:
    with XConnection(display) as x:
        xkb = open_xkb(x)
        xkb.LatchLockState(0x100, LOCK, LOCK, False, 0, 0, False, 0)
        x.sync()
        try:
            hands.perform(TypeText("aBc é漢"))
            assert field.wait_for_text("aBc é漢") == "aBc é漢"
            assert xkb.GetState(0x100).reply().lockedMods & LOCK
        finally:
            xkb.LatchLockState(0x100, LOCK, 0, False, 0, 0, False, 0)
            x.sync()


def test_the_keyboard_map_is_afterwards_as_it_was(field: Target, hands: X11Hands, display: str) -> None:
    with XConnection(display) as x:
        before = read_keymap(x)
        hands.perform(TypeText("漢字 😀 ж", secret=True))
        field.wait_for_text("漢字 😀 ж")
        assert read_keymap(x) == before


def test_the_clipboard_is_afterwards_as_it_was(field: Target, other: Target, hands: X11Hands) -> None:
    kept = "what the person had copied, with é and 漢 \n twice"
    other.ask("copy", text=kept)
    for text in ("Ünïcödé", "noch einmal: 漢"):
        hands.perform(TypeText(text))
    assert field.wait_for_text("Ünïcödénoch einmal: 漢") == "Ünïcödénoch einmal: 漢"
    assert other.ask("clipboard")["text"] == kept
    assert field.ask("clipboard")["text"] == kept


def test_an_empty_clipboard_stays_empty(field: Target, hands: X11Hands, display: str) -> None:
    with XConnection(display) as x:
        x.core.SetSelectionOwner(0, x.atom("CLIPBOARD"), 0)
        x.sync()
        hands.perform(TypeText("漢字"))
        assert field.wait_for_text("漢字") == "漢字"
        assert x.core.GetSelectionOwner(x.atom("CLIPBOARD")).reply().owner == 0


def test_every_form_of_a_large_clipboard_is_put_back(field: Target, hands: X11Hands, display: str) -> None:
    picture = bytes(range(256)) * 4096
    content = {"image/png": Item("image/png", 8, picture), **text_content("a picture")}
    owner, reader = Selection(display, piece_bytes=50_000), Selection(display)
    try:
        owner.offer(content)
        with _serving(owner):
            assert reader.read(20.0) == content
            hands.perform(TypeText("漢字"))
        assert field.wait_for_text("漢字") == "漢字"
        assert reader.read(20.0) == content
    finally:
        owner.close()
        reader.close()


@contextmanager
def _serving(owner: Selection) -> Iterator[None]:
    """Answer for the owner in a thread, as a program's own loop would."""
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            owner.serve(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_clipboard_that_cannot_be_saved_is_left_alone(field: Target, hands: X11Hands, display: str) -> None:
    """An owner that never answers: the text arrives by lent keys instead."""
    silent = Selection(display)
    try:
        silent.offer(text_content("mute"))
        hands.perform(TypeText("漢字"))
        assert field.wait_for_text("漢字") == "漢字"
        with XConnection(display) as x:
            silent.serve(0.05)
            assert x.core.GetSelectionOwner(x.atom("CLIPBOARD")).reply().owner != 0
            assert silent.owned
    finally:
        silent.close()


def test_a_program_that_does_not_paste_gets_its_text_by_keys(display: str, home: Path, hands: X11Hands) -> None:
    with target("pad", display, home) as pad:
        focus(display, "target pad")
        hands.perform(TypeText("é"))
        assert pad.wait_for(lambda event: event["event"] == "KeyPress" and event["text"] == "é")


def test_a_stop_in_the_middle_of_a_paste_leaves_the_clipboard(field: Target, other: Target, display: str) -> None:
    other.ask("copy", text="kept")
    counting = OpenGate()
    with X11Hands(counting, display) as hands:
        hands.perform(TypeText("漢"))
    for limit in range(0, counting.checks, max(1, counting.checks // 5)):
        with X11Hands(OpenGate(limit), display) as hands, pytest.raises(StoppedError):
            hands.perform(TypeText("漢"))
        assert other.ask("clipboard")["text"] == "kept"


def test_the_rest_is_not_typed_into_another_program(field: Target, other: Target, display: str) -> None:
    class FocusThief(OpenGate):
        def check(self) -> None:
            super().check()
            if self.checks == 12:
                focus(display, "target line")

    other.ask("clear")
    with X11Hands(FocusThief(), display) as hands, pytest.raises(PersonActingError, match="focus went"):
        hands.perform(TypeText("abcdefghijklmnop"))
    assert len(other.ask("get")["text"]) <= 1


def test_terminals_are_pasted_into_with_their_own_key() -> None:
    assert paste_key("Xfce4-terminal") == ("ctrl", "shift", "v")
    assert paste_key("mousepad") == ("ctrl", "v")
    assert paste_key("XTerm") is None


def test_a_key_that_no_spare_key_can_be_lent_for_is_named(
    field: Target, hands: X11Hands, display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import agent.hands.text as module

    real = module.read_keymap
    monkeypatch.setattr(module, "read_keymap", lambda x: type(real(x))(real(x).strokes, real(x).characters, ()))
    with pytest.raises(HandsError, match="no spare key"):
        hands.perform(TypeText("漢", secret=True))
