"""Recording on a real X server: what programs got is what was recorded, and what they say of themselves is used."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import accessible
from agent.hands.keymap import CORE_KEYBOARD, open_xkb
from agent.x11.connection import XConnection
from app.ui.record.taken import Taken
from app.ui.record.watch import HandWatch
from app.ui.record.writing import steps_text
from tests.app.ui.test_agent_desktop import Program
from tests.x11.conftest import bare_display, display, start, stop  # noqa: F401 - fixtures
from tests.x11.programs import Target, focus, target

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 20.0
PRESS, RELEASE, BUTTON_DOWN, BUTTON_UP, MOTION = 2, 3, 4, 5, 6
SHIFT, CTRL, ALT_GR, CAPS, NUM = 50, 37, 108, 66, 77
TAB, SPACE, BACK, LEFT, ENTER = 23, 65, 22, 113, 36
Q, E, A, S, D, TWO = 24, 26, 38, 39, 40, 11
ACUTE, CIRCUMFLEX = 21, 49
"""Keys of the German layout that wait for a letter."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the X server's programs a home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bus(home: Path) -> Iterator[str]:
    """Run a session's bus, on which the accessibility bus is started when somebody asks for it."""
    if shutil.which("dbus-daemon") is None or not list(Path("/usr/lib").glob("*/girepository-1.0/Atspi-2.0.typelib")):
        pytest.skip("AT-SPI is not installed (Debian: dbus at-spi2-core gir1.2-atspi-2.0 python3-gi)")
    daemon = start(["dbus-daemon", "--session", "--nofork", "--print-address=1"], None, home, stdout=subprocess.PIPE)
    try:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().decode().strip()
    finally:
        stop(daemon)


class Hands:
    """Plays a person at the X server, key by key and click by click."""

    def __init__(self, x: XConnection) -> None:
        self._x = x
        self._fake = x.extension("XTEST").FakeInput

    def press(self, *codes: int) -> None:
        """Press keys together."""
        for code in codes:
            self._fake(PRESS, code, 0, self._x.root, 0, 0, 0)
        for code in reversed(codes):
            self._fake(RELEASE, code, 0, self._x.root, 0, 0, 0)
        self._x.sync()

    def click(self, place: list[int], button: int = 1, *held: int) -> None:
        """Click a place."""
        self._fake(MOTION, 0, 0, self._x.root, *place, 0)
        for code in held:
            self._fake(PRESS, code, 0, self._x.root, 0, 0, 0)
        self._fake(BUTTON_DOWN, button, 0, self._x.root, 0, 0, 0)
        self._fake(BUTTON_UP, button, 0, self._x.root, 0, 0, 0)
        for code in held:
            self._fake(RELEASE, code, 0, self._x.root, 0, 0, 0)
        self._x.sync()


@pytest.fixture
def hands(display: str) -> Iterator[Hands]:  # noqa: F811 - a fixture
    with XConnection(display) as x:
        yield Hands(x)


@contextlib.contextmanager
def recording(server: str, patch: pytest.MonkeyPatch, address: str = "") -> Iterator[HandWatch]:
    """Record, with a bus on which programs tell their names, or with none."""
    patch.setenv("DISPLAY", server)
    patch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    if not address:
        patch.setattr(accessible, "SYSTEM_PYTHON", "/nonexistent")
    with HandWatch(lambda _at: False, pytest.fail) as watch:
        until(lambda: watch.programs_tell is bool(address), "word of whether programs can be asked")
        yield watch


def until(ready: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not ready():
        if time.monotonic() > end_s:
            pytest.fail(f"{what} did not come")
        time.sleep(0.02)


def taken(watch: HandWatch, wanted: Callable[[tuple[Taken, ...]], bool]) -> tuple[Taken, ...]:
    """Return what was recorded as soon as it is so, or fail saying what it is."""
    end_s = time.monotonic() + LIMIT_S
    while not wanted(watch.taken):
        if time.monotonic() > end_s:
            pytest.fail(f"this was recorded: {watch.taken}")
        time.sleep(0.02)
    return watch.taken


@pytest.fixture(scope="module")
def line(display: str, home: Path) -> Iterator[Target]:  # noqa: F811 - a fixture
    with target("line", display, home) as running:
        focus(display, "target line")
        yield running


@pytest.fixture
def layout(display: str) -> Iterator[Callable[..., None]]:  # noqa: F811 - a fixture
    if shutil.which("setxkbmap") is None:
        pytest.skip("setxkbmap is not installed (Debian: x11-xkb-utils)")

    def choose(to: str, group: int = 0) -> None:
        subprocess.run(["setxkbmap", "-display", display, *to.split()], check=True, timeout=30)
        with XConnection(display) as x:
            open_xkb(x).LatchLockState(CORE_KEYBOARD, 0, 0, True, group, 0, False, 0)
            x.sync()

    yield choose
    choose("us")


TYPED = {
    "de": ([(ACUTE,), (E,), (CIRCUMFLEX,), (SHIFT, A), (SHIFT, TWO), (ALT_GR, Q), (Q,), (BACK,)], 'éÂ"@'),
    "us": ([(CAPS,), (A,), (SHIFT, S), (TWO,), (CAPS,), (D,), (NUM,), (79,), (NUM,)], "As2d7"),
    "us altgr-intl": ([(ALT_GR, E), (SPACE,), (SHIFT, A)], "é A"),
    "ru": ([(Q,), (SHIFT, A)], "йФ"),
}


@pytest.mark.parametrize("keyboard", TYPED)
def test_the_text_that_a_program_gets_is_the_text_that_is_recorded(
    display: str,  # noqa: F811 - a fixture
    line: Target,
    layout: Callable[..., None],
    hands: Hands,
    keyboard: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strokes, text = TYPED[keyboard]
    layout(keyboard)
    line.ask("clear")
    # A program learns of another layout in its own time.
    hands.press(A)
    until(lambda: line.ask("get")["text"] != "", "the first letter")
    line.ask("clear")
    with recording(display, monkeypatch) as watch:
        for codes in strokes:
            hands.press(*codes)
        assert line.wait_for_text(text) == text
        assert [each.step() for each in taken(watch, lambda all_: all_[-1:] != () and all_[-1].text == text)]
        assert [(each.kind, each.text) for each in watch.taken] == [("type", text)]


def test_keys_pressed_together_are_said_by_their_names(
    display: str,  # noqa: F811 - a fixture
    line: Target,
    layout: Callable[..., None],
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layout("us,ru", 1)
    with recording(display, monkeypatch) as watch:
        hands.press(CTRL, S)
        hands.press(CTRL, SPACE)
        hands.press(SHIFT, TAB)
        hands.press(CTRL, SHIFT, LEFT)
        hands.press(133)  # Super, alone
        taken(watch, lambda all_: len(all_) == 5)
    said = ["press Ctrl+S", "press Ctrl+Space", "press Shift+Tab", "press Ctrl+Shift+Left", "press Super"]
    assert steps_text(watch.taken).splitlines() == said
    assert line.ask("get")["event"] == "text"


def _program(arguments: list[str], server: str, home: Path, address: str) -> subprocess.Popen[bytes]:
    told = ["-u", "NO_AT_BRIDGE", f"DBUS_SESSION_BUS_ADDRESS={address}", f"PYTHONPATH={ROOT}"]
    return start(["env", *told, *arguments], server, home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_form_is_recorded_with_its_own_names_and_without_its_password(
    display: str,  # noqa: F811 - a fixture
    home: Path,
    bus: str,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = _program([sys.executable, str(Path(__file__).with_name("record_target.py"))], display, home, bus)
    try:
        form = Program(process)
        form.wait_for("ready")
        place = form.ask("where")
        with recording(display, monkeypatch, bus) as watch:
            hands.click(place["name"])
            until(lambda: form.ask("where")["focus"] == "name", "the focus")
            hands.press(SHIFT, A)
            hands.press(D)
            hands.press(A)
            taken(watch, lambda all_: len(all_) == 2 and [each.words for each in all_] == ["the Name field"] * 2)
            hands.click(place["password"])
            until(lambda: form.ask("where")["focus"] == "password", "the focus")
            hands.press(S)
            hands.press(Q)
            taken(watch, lambda all_: len(all_) == 4 and all_[-1].secret)
            hands.press(E)
            until(lambda: form.ask("where")["typed"] == [3, 3], "the last letter")
            for number, (name, button, *held) in enumerate((("Grace", 1, CTRL), ("Edsger", 3), ("enter", 1)), 5):
                # Nobody is somewhere else as soon as the button is up.
                hands.click(place[name], button, *held)
                taken(watch, lambda all_, number=number: len(all_) == number and bool(all_[-1].words))
            hands.click(place["enter"])
            assert form.wait_for("entered")["password"] == "sqe"
            taken(watch, lambda all_: all_[-1].count == 2 and bool(all_[-1].words))
        box = watch.taken[0].told
        assert box is not None
        assert box.box_px is not None
        left, top = place["name"]
        assert (box.box_px.left + box.box_px.right) // 2 == pytest.approx(left, abs=2)
        assert (box.box_px.top + box.box_px.bottom) // 2 == pytest.approx(top, abs=2)
    finally:
        stop(process)
    assert "sqe" not in repr(watch.taken)
    assert steps_text(watch.taken).splitlines()[1:] == [
        "secrets:",
        "  password: {env: DESKHAND_PASSWORD}",
        "steps:",
        "  - 'click the Name field'",
        "  - 'type \"Ada\"'",
        "  - 'type secret password into the Password field'",
        "# Ctrl+click the Grace item (no step says this; write it by hand)",
        "  - 'right-click the Edsger item'",
        "  - 'double-click the Log in button'",
    ]


def test_a_gtk_dialog_says_which_field_is_for_a_password(
    display: str,  # noqa: F811 - a fixture
    home: Path,
    bus: str,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if shutil.which("zenity") is None:
        pytest.skip("zenity is not installed")
    fields = ["--add-entry=Name", "--add-password=Password"]
    process = _program(["zenity", "--forms", "--title=Guests", *fields], display, home, bus)
    try:
        focus(display, "Guests")
        with recording(display, monkeypatch, bus) as watch:
            hands.press(A)
            hands.press(D)
            taken(watch, lambda all_: bool(all_) and all_[0].words == "the Name field")
            hands.press(TAB)
            hands.press(S)
            hands.press(E)
            taken(watch, lambda all_: all_[-1].secret)
            hands.press(Q)
            for code in (TAB, TAB, ENTER):
                hands.press(code)
            taken(watch, lambda all_: len(all_) == 5)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ad|seq\n"
    finally:
        stop(process)
    assert steps_text(watch.taken).splitlines()[4:] == [
        "  - 'type \"ad\"'",
        "  - 'press Tab'",
        "  - 'type secret password into the Password field'",
        "  - 'press Tab 2 times'",
        "  - 'press Enter'",
    ]


def test_without_names_from_programs_everything_is_recorded_all_the_same(
    display: str,  # noqa: F811 - a fixture
    line: Target,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with recording(display, monkeypatch) as watch:
        left, top, *_ = line.rect
        hands.click([left + 20, top + 20])
        hands.press(A)
        (click, typed) = taken(watch, lambda all_: [each.kind for each in all_] == ["click", "type"])
        assert (click.words, click.needs_words, typed.text) == ("", True, "a")
        assert json.dumps(steps_text([typed]))
