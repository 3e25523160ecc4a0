"""Hands on a real X server, judged by what a real program received."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.errors import HandsError, NotPermittedError, PersonActingError, StoppedError
from agent.hands.gate import HandAction
from agent.hands.release import release_everything
from agent.hands.x11 import X11Hands
from agent.types import Click, Drag, Hotkey, Move, Point, Press, Scroll, TypeText
from agent.x11.connection import XConnection
from tests.x11.programs import Target, target


class OpenGate:
    """Lets everything through and counts; closes after ``limit`` events when there is one."""

    def __init__(self, limit: int | None = None) -> None:
        self.admitted: list[HandAction] = []
        self.checks = 0
        self.limit = limit

    def admit(self, action: HandAction) -> None:
        self.admitted.append(action)

    def check(self) -> None:
        self.checks += 1
        if self.limit is not None and self.checks > self.limit:
            raise StoppedError("the drill stops here")


@pytest.fixture(scope="module")
def hands(display: str) -> Iterator[X11Hands]:
    with X11Hands(OpenGate(), display) as hands:
        yield hands


@pytest.fixture(scope="module")
def pad(display: str, home: Path) -> Iterator[Target]:
    with target("pad", display, home) as running:
        yield running


def _inside(pad: Target, x: int, y: int) -> Point:
    return Point(pad.rect[0] + x, pad.rect[1] + y)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (599, 399), (300, 200), (17, 383)])
def test_a_click_lands_on_the_very_pixel(pad: Target, hands: X11Hands, x: int, y: int) -> None:
    point = _inside(pad, x, y)
    hands.perform(Click(point))
    pressed, released = pad.wait_for("MouseButtonPress"), pad.wait_for("MouseButtonRelease")
    assert pressed["at"] == released["at"] == [point.x_px, point.y_px]
    assert pressed["button"] == "left"
    assert not hands.holds_something


@pytest.mark.parametrize("button", ["left", "middle", "right"])
def test_buttons_and_modifiers_arrive(pad: Target, hands: X11Hands, button: str) -> None:
    hands.perform(Click(_inside(pad, 50, 60), button, 1, ("ctrl", "shift")))  # pyright: ignore[reportArgumentType]
    pressed = pad.wait_for("MouseButtonPress")
    assert pressed["button"] == button
    assert pressed["mods"] == ["ctrl", "shift"]
    hands.perform(Move(_inside(pad, 51, 60)))
    assert pad.wait_for(lambda e: e["event"] == "MouseMove" and not e["mods"])["buttons"] in ([], ["no"])


def test_swapped_buttons_and_wheels_still_do_what_was_asked(pad: Target, hands: X11Hands, display: str) -> None:
    with XConnection(display) as x:
        before = list(x.core.GetPointerMapping().reply().map)
        swapped = [3, 2, 1, 5, 4, *before[5:]]
        x.core.SetPointerMapping(len(swapped), swapped).reply()
        try:
            hands.perform(Click(_inside(pad, 70, 70), "right"))
            assert pad.wait_for("MouseButtonPress")["button"] == "right"
            hands.perform(Scroll(_inside(pad, 70, 70), -1))
            assert pad.wait_for("Wheel")["up"] == -1
        finally:
            x.core.SetPointerMapping(len(before), before).reply()


def test_two_clicks_are_a_double_click(pad: Target, hands: X11Hands) -> None:
    hands.perform(Click(_inside(pad, 200, 100), count=2))
    assert pad.wait_for("MouseButtonDblClick")["at"] == [*map(float, (_inside(pad, 200, 100).x_px, pad.rect[1] + 100))]
    pad.wait_for("MouseButtonRelease")


def test_a_drag_presses_moves_and_lets_go(pad: Target, hands: X11Hands) -> None:
    start, end = _inside(pad, 100, 300), _inside(pad, 421, 37)
    hands.perform(Drag(start, end))
    assert pad.wait_for("MouseButtonPress")["at"] == [start.x_px, start.y_px]
    moved = pad.wait_for("MouseMove")
    assert moved["buttons"] == ["left"]
    assert moved["at"] != [end.x_px, end.y_px]
    assert pad.wait_for("MouseButtonRelease")["at"] == [end.x_px, end.y_px]


@pytest.mark.parametrize(("up", "right"), [(-5, 0), (3, 0), (0, 2), (0, -1)])
def test_each_notch_of_the_wheel_arrives(pad: Target, hands: X11Hands, up: int, right: int) -> None:
    hands.perform(Scroll(_inside(pad, 40, 40), up, right, ("ctrl",)))
    notches = [pad.wait_for("Wheel") for _ in range(abs(up) + abs(right))]
    turned = (sum(n["up"] for n in notches), sum(n["right"] for n in notches))
    # With a modifier Qt may turn the axes; without one of Alt it does not.
    assert turned == (up, right)
    assert all(n["mods"] == ["ctrl"] for n in notches)


@pytest.mark.parametrize(
    ("action", "key", "mods"),
    [
        (Press("enter"), "Key_Return", []),
        (Press("f5"), "Key_F5", []),
        (Press("A"), "Key_A", ["shift"]),
        (Hotkey(("ctrl", "s")), "Key_S", ["ctrl"]),
        (Hotkey(("ctrl", "shift", "escape")), "Key_Escape", ["ctrl", "shift"]),
        (Hotkey(("ctrl", "+")), "Key_Plus", ["ctrl", "shift"]),
    ],
)
def test_keys_and_hotkeys_arrive(pad: Target, hands: X11Hands, action: HandAction, key: str, mods: list[str]) -> None:
    hands.perform(action)
    pressed = pad.wait_for(lambda event: event["event"] == "KeyPress" and event["key"] == key)
    assert pressed["mods"] == mods
    pad.wait_for(lambda event: event["event"] == "KeyRelease" and event["key"] == key)
    assert not hands.holds_something


def test_a_key_that_the_layout_lacks_is_named(hands: X11Hands) -> None:
    with pytest.raises(HandsError, match="no key 'ж'"):
        hands.perform(Press("ж"))


def test_nothing_happens_without_the_gate(pad: Target, display: str) -> None:
    class ClosedGate(OpenGate):
        def admit(self, action: HandAction) -> None:
            raise NotPermittedError(f"{action} is not allowed")

    with X11Hands(ClosedGate(), display) as hands, XConnection(display) as x:
        before = x.core.QueryPointer(x.root).reply()
        for action in (Click(_inside(pad, 9, 9)), Move(_inside(pad, 9, 9)), Press("a"), TypeText("a")):
            with pytest.raises(NotPermittedError):
                hands.perform(action)
        after = x.core.QueryPointer(x.root).reply()
        assert (before.root_x, before.root_y) == (after.root_x, after.root_y)


def _held(x: XConnection) -> tuple[bytes, int]:
    return bytes(x.core.QueryKeymap().reply().keys), x.core.QueryPointer(x.root).reply().mask


@pytest.mark.parametrize(
    "action_at",
    [
        lambda pad: Drag(_inside(pad, 10, 10), _inside(pad, 500, 300), modifiers=("shift",)),
        lambda pad: Click(_inside(pad, 10, 10), count=3, modifiers=("ctrl", "alt")),
        lambda pad: Hotkey(("ctrl", "shift", "k")),
        lambda pad: TypeText("Hallo <Welt>"),
        lambda pad: Scroll(_inside(pad, 10, 10), 9),
    ],
)
def test_a_stop_at_any_event_leaves_nothing_held(pad: Target, display: str, action_at) -> None:  # noqa: ANN001
    action = action_at(pad)
    counting = OpenGate()
    with X11Hands(counting, display) as hands:
        hands.perform(action)
    with XConnection(display) as x:
        for limit in range(0, counting.checks, max(1, counting.checks // 6)):
            gate = OpenGate(limit)
            with X11Hands(gate, display) as hands:
                with pytest.raises(StoppedError):
                    hands.perform(action)
                assert not hands.holds_something
                assert _held(x) == (bytes(32), 0)
                asked = gate.checks
            assert gate.checks == asked


def test_closed_hands_do_nothing_more(pad: Target, display: str) -> None:
    with X11Hands(OpenGate(), display) as hands:
        hands.close()
        with pytest.raises(StoppedError, match="closed"):
            hands.perform(Move(_inside(pad, 5, 5)))


def test_a_person_holding_a_key_is_not_typed_over(pad: Target, display: str, hands: X11Hands) -> None:
    with XConnection(display) as x:
        xtest = x.extension("XTEST")
        xtest.FakeInput(2, 37, 0, x.root, 0, 0, 0)
        x.sync()
        try:
            with pytest.raises(PersonActingError, match="modifier key is held"):
                hands.perform(TypeText("w"))
        finally:
            xtest.FakeInput(3, 37, 0, x.root, 0, 0, 0)
            x.sync()


def test_what_a_killed_process_left_held_is_released(display: str) -> None:
    with XConnection(display) as x:
        xtest = x.extension("XTEST")
        for kind, detail in ((2, 50), (2, 38), (4, 1)):
            xtest.FakeInput(kind, detail, 0, x.root, 0, 0, 0)
        x.sync()
        assert set(release_everything(display)) == {"key 50 (shift)", "key 38 (a)", "button 1 (left)"}
        assert _held(x) == (bytes(32), 0)
        assert release_everything(display) == ()


def test_hands_need_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(HandsError, match="DISPLAY is not set"):
        release_everything()
