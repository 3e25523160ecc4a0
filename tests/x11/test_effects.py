"""Effect drills on a real screen: dead, late and quick buttons, beside a blinking caret and a spinner."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.capture.screen import Screen, open_screen
from agent.capture.x11 import X11Capture
from agent.episode import Verdict
from agent.guards import Guards
from agent.hands.x11 import X11Hands
from agent.settle import SettleOptions, settle
from agent.types import Click, Point, Rect
from agent.verify import verify
from tests.x11.conftest import start, stop
from tests.x11.programs import Target
from tests.x11.test_hands import OpenGate

PATIENT = SettleOptions(patience_s=4.0, limit_s=10.0)
"""For the button that answers after two seconds, on a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def screen(display: str) -> Iterator[Screen]:
    with open_screen(handlers=[X11Capture(display)]) as screen:
        yield screen


@pytest.fixture(params=["caret", "spinner"], scope="module")
def buttons(request: pytest.FixtureRequest, display: str, home: Path) -> Iterator[dict[str, Rect]]:
    program = str(Path(__file__).with_name("effects_target.py"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = start([sys.executable, program, request.param], display, home, **pipes)
    try:
        ready = Target(process).next_event(60)
        yield {name: Rect(*edges) for name, edges in ready["rects"].items()}
    finally:
        stop(process)


@pytest.fixture(scope="module")
def hands(display: str) -> Iterator[X11Hands]:
    with X11Hands(OpenGate(), display) as hands:
        yield hands


def press(
    screen: Screen, hands: X11Hands, button: Rect, guards: Guards, options: SettleOptions = SettleOptions()
) -> tuple[Verdict, str | None]:
    before = settle(screen.grab, time.sleep).frame
    action = Click(Point((button.left + button.right) // 2, (button.top + button.bottom) // 2))
    hands.perform(action)
    after = settle(screen.grab, time.sleep, before, options)
    verdict = verify(before, after, action, button)
    alarm = guards.watch(action, before, verdict, after.moving_px)
    return verdict, alarm and alarm.response


def test_a_dead_button_has_no_visible_effect_and_is_not_pressed_for_ever(
    screen: Screen, hands: X11Hands, buttons: dict[str, Rect]
) -> None:
    guards = Guards()
    pressed = [press(screen, hands, buttons["dead"], guards) for _ in range(3)]
    assert [verdict.kind for verdict, _ in pressed] == ["no visible effect"] * 3, pressed
    assert [response for _, response in pressed] == [None, "tell", "ask"]


@pytest.mark.parametrize("name", ["late", "quick"])
def test_a_button_that_answers_is_seen_to_answer(
    screen: Screen, hands: X11Hands, buttons: dict[str, Rect], name: str
) -> None:
    verdict, response = press(screen, hands, buttons[name], Guards(), PATIENT)
    assert verdict.kind in ("confirmed", "changed elsewhere"), verdict
    assert verdict.settled
    assert response is None
