"""Hands for Windows and macOS, on a stand-in: NOT run on either system.

`Recorder` is no pyautogui. It records what would be called, with pyautogui's documented names; what the
systems make of the calls is not proved here.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import HandsError, NotPermittedError, PersonActingError, StoppedError
from agent.hands.gate import HandAction
from agent.hands.native import NativeHands, NativePace, release_everything_natively
from agent.hands.native_clipboard import SystemClipboard
from agent.types import Click, Drag, Hotkey, Move, Point, Press, Scroll, TypeText

QUICK = NativePace(0, 0, 0, 0, 4, 0, 0)
MISSING_ON_MAC = {"win", "apps", "altright"}


class Recorder:
    """A stand-in for pyautogui that records calls and keeps what is held."""

    def __init__(self) -> None:
        self.PAUSE, self.FAILSAFE = 0.1, True
        self.calls: list[tuple[Any, ...]] = []
        self.held: list[str] = []
        self.at = (0, 0)
        self.lost = False

    def moveTo(self, x: int, y: int) -> None:  # noqa: N802
        self.calls.append(("move", x, y))
        if not self.lost:
            self.at = (x, y)

    def position(self) -> tuple[int, int]:
        return self.at

    def mouseDown(self, button: str) -> None:  # noqa: N802
        self.calls.append(("down", button))
        self.held.append(button)

    def mouseUp(self, button: str) -> None:  # noqa: N802
        self.calls.append(("up", button))
        if button in self.held:
            self.held.remove(button)

    def keyDown(self, key: str) -> None:  # noqa: N802
        self.calls.append(("key", key))
        self.held.append(key)

    def keyUp(self, key: str) -> None:  # noqa: N802
        self.calls.append(("key up", key))
        if key in self.held:
            self.held.remove(key)

    def scroll(self, clicks: int) -> None:
        self.calls.append(("scroll", clicks))

    def hscroll(self, clicks: int) -> None:
        self.calls.append(("hscroll", clicks))

    def isValidKey(self, key: str) -> bool:  # noqa: N802
        return key.isascii()


class Lender:
    """A clipboard that only remembers what it was lent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @contextmanager
    def lent(self, text: str) -> Iterator[None]:
        self.texts.append(text)
        yield


class Gate:
    def __init__(self, limit: int | None = None) -> None:
        self.checks, self.limit = 0, limit

    def admit(self, action: HandAction) -> None:
        if self.limit == -1:
            raise NotPermittedError("not allowed")

    def check(self) -> None:
        self.checks += 1
        if self.limit is not None and self.checks > self.limit:
            raise StoppedError("the drill stops here")


def _hands(gui: Recorder, system: str = "win32", gate: Gate | None = None, **more: Any) -> NativeHands:
    more = {"clipboard": Lender(), "scale": 2.0 if system == "darwin" else 1.0, "pace": QUICK} | more
    return NativeHands(gate or Gate(), system=system, pyautogui=gui, **more)


@pytest.mark.parametrize(
    ("system", "action", "calls"),
    [
        ("win32", Move(Point(-7, 31)), [("move", -7, 31)]),
        ("darwin", Move(Point(41, 30)), [("move", 20, 15)]),
        ("win32", Click(Point(5, 6), "right"), [("move", 5, 6), ("down", "right"), ("up", "right")]),
        ("win32", Scroll(None, -2), [("scroll", -120), ("scroll", -120)]),
        ("darwin", Scroll(None, 0, 1), [("hscroll", 3)]),
        ("win32", Hotkey(("super", "r")), [("key", "win"), ("key", "r"), ("key up", "r"), ("key up", "win")]),
        ("darwin", Press("super"), [("key", "command"), ("key up", "command")]),
        ("win32", TypeText("a1\n"), [(way, key) for key in ("a", "1", "enter") for way in ("key", "key up")]),
        (
            "win32",
            Drag(Point(0, 0), Point(4, 8)),
            [("move", 0, 0), ("down", "left"), *(("move", n, 2 * n) for n in range(1, 5)), ("up", "left")],
        ),
        (
            "win32",
            Click(None, "left", 2, ("ctrl",)),
            [("key", "ctrl"), *[("down", "left"), ("up", "left")] * 2, ("key up", "ctrl")],
        ),
    ],
)
def test_actions_become_calls(system: str, action: HandAction, calls: list[tuple[Any, ...]]) -> None:
    gui = Recorder()
    with _hands(gui, system) as hands:
        hands.perform(action)
    assert gui.calls == calls
    assert gui.held == []
    assert (gui.PAUSE, gui.FAILSAFE) == (0, False)


@pytest.mark.parametrize("system", ["win32", "darwin"])
@pytest.mark.parametrize("text", ["naïve <b>", "Привет", "日本語 ok", "🙂", "a/b"])
def test_what_keys_may_get_wrong_is_pasted(system: str, text: str) -> None:
    gui, lender = Recorder(), Lender()
    _hands(gui, system, clipboard=lender).perform(TypeText(f"{text}\n{text}"))
    assert lender.texts == [text, text]
    modifier = "ctrl" if system == "win32" else "command"
    paste = [("key", modifier), ("key", "v"), ("key up", "v"), ("key up", modifier)]
    assert gui.calls == [*paste, ("key", "enter"), ("key up", "enter"), *paste]


def test_a_secret_never_meets_the_clipboard() -> None:
    gui, lender = Recorder(), Lender()
    hands = _hands(gui, clipboard=lender)
    hands.perform(TypeText("p<1", secret=True))
    assert [call[1] for call in gui.calls if call[0] == "key"] == ["p", "<", "1"]
    with pytest.raises(HandsError, match="a character of the secret cannot be typed") as refused:
        hands.perform(TypeText("pä", secret=True))
    assert "ä" not in str(refused.value)
    assert lender.texts == []


def test_a_key_that_the_system_lacks_is_named() -> None:
    with pytest.raises(HandsError, match="no key 'menu'"):
        _hands(Recorder(), "darwin").perform(Press("menu"))


ACTIONS = [
    Drag(Point(1, 1), Point(50, 50), modifiers=("shift",)),
    Click(Point(3, 3), "left", 3, ("ctrl", "alt")),
    Hotkey(("ctrl", "shift", "k")),
    TypeText("abc äöü\n"),
    Scroll(Point(3, 3), 5, 0, ("ctrl",)),
]


@given(st.sampled_from(ACTIONS), st.integers(0, 40), st.sampled_from(["win32", "darwin"]))
def test_a_stop_anywhere_leaves_nothing_held(action: HandAction, limit: int, system: str) -> None:
    gui = Recorder()
    hands = _hands(gui, system, Gate(limit))
    try:
        hands.perform(action)
    except StoppedError:
        assert not hands.holds_something
    assert gui.held == []


def test_nothing_happens_without_the_gate() -> None:
    gui = Recorder()
    with pytest.raises(NotPermittedError):
        _hands(gui, gate=Gate(-1)).perform(Click(Point(1, 1)))
    assert gui.calls == []


def test_closed_hands_do_nothing_more() -> None:
    gui = Recorder()
    hands = _hands(gui)
    hands.close()
    with pytest.raises(StoppedError, match="closed"):
        hands.perform(Move(Point(1, 1)))
    assert gui.calls == []


def test_a_pointer_that_does_not_arrive_is_a_persons() -> None:
    gui = Recorder()
    gui.lost = True
    with pytest.raises(PersonActingError, match="instead of 70, 70"):
        _hands(gui).perform(Click(Point(70, 70)))
    assert gui.calls == [("move", 70, 70)]


def test_other_systems_are_refused() -> None:
    with pytest.raises(HandsError, match="for Windows and macOS"):
        _hands(Recorder(), "linux")


def test_everything_is_released_after_a_killed_run() -> None:
    gui = Recorder()
    assert "button left" in release_everything_natively("darwin", gui)
    assert ("key up", "command") in gui.calls
    assert {call[0] for call in gui.calls} == {"up", "key up"}


def _programs(content: list[str], *, other: bool = False) -> Callable[[tuple[str, ...], bytes], bytes]:
    """Stand in for the systems' clipboard programs, over one text in a list."""

    def run(command: tuple[str, ...], data: bytes) -> bytes:
        if command[0] == "pbpaste":
            return b"" if other else content[0].encode()
        if command[0] == "osascript":
            return "«class PNGf», 1234".encode() if other else b""
        if command[0] == "pbcopy":
            content[0] = data.decode()
        elif "ReadToEnd" in command[-1]:
            content[0] = base64.b64decode(data).decode()
        else:
            return b"other\r\n" if other else b"text:" + base64.b64encode(content[0].encode()) + b"\r\n"
        return b""

    return run


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_the_clipboard_is_put_back(system: str) -> None:
    content = ["before: ü"]
    clipboard = SystemClipboard(system, _programs(content))
    with clipboard.lent("日本"):
        assert content == ["日本"]
    assert content == ["before: ü"]
    with clipboard.lent("x"):
        content[0] = "a person's"
    assert content == ["a person's"]
    with (
        pytest.raises(HandsError, match="no text and could not be put back"),
        SystemClipboard(system, _programs(content, other=True)).lent("x"),
    ):
        pass
    assert content == ["a person's"]
