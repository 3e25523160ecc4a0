"""Guards: what goes in circles is noticed and said louder each time; honest repetition is left alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.episode import Verdict, VerdictKind
from agent.guards import Guards
from agent.hands.gate import HandAction
from agent.sameness import same, sign
from agent.types import Click, Drag, Frame, Hotkey, Move, Point, Press, Rect, Scroll, TypeText
from tests.agent.runs import frame

NEXT = Click(Point(10, 10))
BACK = Click(Point(200, 10))
OTHER = Press("tab")


def verdict(kind: VerdictKind) -> Verdict:
    return Verdict(kind, (), "", True, 300.0)


def watch(guards: Guards, action: HandAction, screen: int, kind: VerdictKind = "confirmed") -> tuple[str, str] | None:
    alarm = guards.watch(action, frame(seed=screen), verdict(kind))
    return alarm and (alarm.guard, alarm.response)


def test_a_dead_button_is_told_asked_and_stopped() -> None:
    guards = Guards()
    said = [watch(guards, NEXT, 1, "no visible effect") for _ in range(4)]
    assert said == [None, ("repeat", "tell"), ("repeat", "ask"), ("repeat", "stop")]


def test_a_click_a_few_pixels_off_is_the_same_click() -> None:
    guards = Guards()
    assert watch(guards, NEXT, 1, "no visible effect") is None
    assert watch(guards, Click(Point(14, 7)), 1, "no visible effect") == ("repeat", "tell")


def test_another_button_is_another_action() -> None:
    guards = Guards()
    assert watch(guards, NEXT, 1, "no visible effect") is None
    assert watch(guards, Click(Point(10, 10), "right"), 1, "no visible effect") is None


def test_going_to_and_fro_is_told_asked_and_stopped() -> None:
    guards = Guards()
    said = [watch(guards, (NEXT, BACK)[n % 2], n % 2) for n in range(6)]
    assert said[:3] == [None] * 3
    assert said[3:] == [("ping-pong", "tell"), ("ping-pong", "ask"), ("ping-pong", "stop")]


def test_turning_one_thing_on_and_off_is_noticed() -> None:
    guards = Guards()
    said = [watch(guards, NEXT, n % 2) for n in range(12)]
    assert ("repeat", "stop") in said or ("ping-pong", "stop") in said


def test_different_actions_that_do_nothing_are_noticed() -> None:
    guards = Guards()
    said = [watch(guards, action, 1, "no visible effect") for action in (NEXT, BACK, OTHER)]
    assert said == [None, None, ("no-op", "tell")]


@given(st.sampled_from([NEXT, OTHER, Scroll(None, -3), TypeText("a")]), st.integers(5, 30))
def test_the_same_action_on_ever_new_screens_is_honest_work(action: HandAction, steps: int) -> None:
    guards = Guards()
    assert all(watch(guards, action, number) is None for number in range(steps))


def test_two_actions_in_turn_on_ever_new_screens_are_honest_work() -> None:
    guards = Guards()
    assert all(watch(guards, (NEXT, OTHER)[n % 2], n) is None for n in range(20))


def test_steps_that_lead_on_make_it_quiet_again() -> None:
    guards = Guards()
    watch(guards, NEXT, 1, "no visible effect")
    assert watch(guards, NEXT, 1, "no visible effect") == ("repeat", "tell")
    assert [watch(guards, BACK, n) for n in range(10, 14)] == [None] * 4
    watch(guards, BACK, 20, "no visible effect")
    assert watch(guards, BACK, 20, "no visible effect") == ("repeat", "tell")


def test_the_person_may_forgive() -> None:
    guards = Guards()
    for _ in range(3):
        watch(guards, NEXT, 1, "no visible effect")
    guards.forgive()
    assert watch(guards, NEXT, 1, "no visible effect") is None
    assert watch(guards, NEXT, 1, "no visible effect") == ("repeat", "tell")


def test_every_run_in_circles_ends_in_bounded_steps() -> None:
    actions: list[HandAction] = [NEXT, BACK, OTHER, Move(Point(1, 1)), Drag(None, Point(5, 5)), Hotkey(("ctrl", "z"))]
    for length in range(1, 5):
        guards = Guards()
        said = [watch(guards, actions[n % length], n % length) for n in range(30)]
        assert any(word and word[1] == "stop" for word in said), length


def test_what_moves_by_itself_makes_no_new_screen() -> None:
    spinner = Rect(50, 50, 83, 81)
    one, other = frame(seed=1), frame(spinner, seed=1)
    assert not same(sign(one), sign(other))
    assert same(sign(one), sign(other), (spinner,))


def test_the_fourth_byte_makes_no_new_screen() -> None:
    one = frame(seed=1)
    pixels = one.bgrx.copy()
    pixels[..., 3] = np.uint8(9)
    assert same(sign(one), sign(Frame(pixels, one.rect_px, (), 0.0, "test")))


@given(st.integers(0, 319), st.integers(0, 59))
def test_one_pixel_of_a_sampled_row_makes_a_new_screen(x: int, row: int) -> None:
    one = frame(seed=1)
    height, width = one.bgrx.shape[:2]
    pixels = one.bgrx.copy()
    pixels[row * 4 % height // 4 * 4, x % width, 0] ^= 1
    assert not same(sign(one), sign(Frame(pixels, one.rect_px, (), 0.0, "test")))


def test_what_moves_on_from_step_to_step_hides_no_circle() -> None:
    guards = Guards()
    bars = [Rect(20 + 20 * n, 50, 50 + 20 * n, 60) for n in range(6)]
    said = []
    for n, bar in enumerate(bars):
        verdict_ = verdict("confirmed")
        alarm = guards.watch((NEXT, BACK)[n % 2], frame(bar, seed=n % 2), verdict_, (bar,))
        said.append(alarm and alarm.guard)
    assert said[3] == "ping-pong"
