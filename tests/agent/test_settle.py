"""Settling, over screens that are drawn as a function of time; the clock is the test's own."""

from collections.abc import Callable

import numpy as np
import pytest

from agent.changes import changed_rects
from agent.episode import Verdict
from agent.errors import StoppedError
from agent.guards import Guards
from agent.settle import Settled, SettleOptions, settle, stirring_apart
from agent.types import Frame, Press, Rect

SIZE = Rect(-320, 0, 320, 240)
OPTIONS = SettleOptions()
Paint = Callable[[np.ndarray, float], None]


def frame(*paints: Paint, at_s: float = 0.0, rect: Rect = SIZE) -> Frame:
    pixels = np.full((rect.height, rect.width, 4), 230, np.uint8)
    for paint in paints:
        paint(pixels, at_s)
    return Frame(pixels, rect, (), at_s, "test")


def run(*paints: Paint, before: Frame | None = None) -> Settled:
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    return settle(lambda: frame(*paints, at_s=now[0]), wait, before, OPTIONS, clock=lambda: now[0])


def box(left: int, top: int, right: int, bottom: int, since_s: float = 0.0, shade: int = 20) -> Paint:
    def paint(pixels: np.ndarray, at_s: float) -> None:
        if at_s >= since_s:
            pixels[top:bottom, left:right] = shade

    return paint


def caret(pixels: np.ndarray, at_s: float) -> None:
    if int(at_s / 0.53) % 2 == 0:
        pixels[50:66, 40:42] = 0


def spinner(pixels: np.ndarray, at_s: float) -> None:
    step = int(at_s * 25) % 8
    pixels[100:116, 200 + step * 4 : 204 + step * 4] = 0


def video(pixels: np.ndarray, at_s: float) -> None:
    pixels[:] = np.random.default_rng(int(at_s * 1000)).integers(0, 255, pixels.shape, dtype=np.uint8)


def test_a_still_screen_settles_at_once() -> None:
    after = run()
    assert after.settled
    assert after.settle_ms <= 400
    assert after.moving_px == ()


def test_a_dead_button_takes_the_patience_and_no_more() -> None:
    after = run(before=frame())
    assert after.settled
    assert OPTIONS.patience_s * 1000 <= after.settle_ms <= OPTIONS.limit_s * 1000


def test_a_quick_effect_is_not_waited_past() -> None:
    after = run(box(10, 10, 90, 40, since_s=0.1), before=frame())
    assert after.settled
    assert after.settle_ms < 800


def test_an_effect_after_two_seconds_is_seen() -> None:
    after = run(box(10, 10, 90, 40, since_s=2.0), before=frame())
    assert after.settled
    assert after.frame.bgrx[20, 20, 0] == 20


def test_a_blinking_caret_does_not_hold_it_up() -> None:
    assert run(caret).settle_ms < 1500


def test_a_blinking_caret_is_no_effect_to_stop_waiting_for() -> None:
    after = run(caret, box(10, 100, 90, 140, since_s=2.0), before=frame(caret))
    assert after.frame.bgrx[120, 20, 0] == 20


def test_a_spinner_is_named_and_does_not_hold_it_up() -> None:
    after = run(spinner)
    assert after.settled
    (moving,) = after.moving_px
    assert moving.intersection(Rect(200 - 320, 100, 232 - 320, 116)) == Rect(200 - 320, 100, 232 - 320, 116)
    assert moving.width < 100


def test_a_spinner_beside_a_dead_button_is_no_effect() -> None:
    after = run(spinner, before=frame(spinner))
    assert after.settle_ms >= OPTIONS.patience_s * 1000


def test_a_video_that_fills_the_screen_does_not_hold_it_up() -> None:
    after = run(video)
    assert after.settled
    assert after.moving.all()


def test_what_grows_for_ever_ends_at_the_limit() -> None:
    def bar(pixels: np.ndarray, at_s: float) -> None:
        pixels[200:220, : int(at_s * 100)] = 0

    after = run(bar)
    assert not after.settled
    assert after.settle_ms >= OPTIONS.limit_s * 1000


def sliding(pixels: np.ndarray, at_s: float) -> None:
    """Draw a bar that goes to and fro in three seconds."""
    left = round(abs((at_s % 3.0) - 1.5) / 1.5 * 240)
    pixels[200:212, left : left + 60] = 60


def effect(*paints: Paint, target: Rect = Rect(-300, 20, -260, 60)) -> tuple[tuple[Rect, ...], Settled]:
    """Return what an action changed that was done after 0.8 seconds of a screen, and how it settled."""
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    def grab() -> Frame:
        return frame(*paints, at_s=now[0])

    hover = SettleOptions(quiet_s=0.15, patience_s=0.15, limit_s=0.8)
    ahead = settle(grab, wait, None, hover, clock=lambda: now[0])
    now[0] += 0.02
    after = settle(grab, wait, ahead.frame, OPTIONS, stirring_apart(ahead, target), clock=lambda: now[0])
    return after.changed_px or changed_rects(ahead.frame, after.frame, after.moving), after


def test_what_slides_already_is_no_effect_wherever_it_gets_to() -> None:
    changed, after = effect(sliding, spinner)
    assert changed == ()
    assert after.settled


def test_a_dialog_over_what_slides_is_an_effect() -> None:
    changed, after = effect(sliding, box(40, 100, 280, 230, since_s=1.5))
    assert after.settled
    assert changed
    assert changed[0].height >= 90


def test_what_answers_the_pointer_at_the_target_still_shows_the_effect_of_the_click() -> None:
    def fading(pixels: np.ndarray, at_s: float) -> None:
        pixels[20:60, 20:60] = 200 - round(min(at_s, 1.1) * 100)

    changed, _ = effect(fading, sliding)
    assert changed
    assert changed[0].intersection(Rect(-300, 20, -260, 60)) is not None


def test_a_film_that_stops_is_an_effect() -> None:
    def film(pixels: np.ndarray, at_s: float) -> None:
        shade = round(at_s * 200) % 200 if at_s < 1.2 else 0
        pixels[100:180, 150:300] = shade

    changed, after = effect(film)
    assert after.settled
    assert changed
    assert changed[0].intersection(Rect(-170, 100, -20, 180)) is not None


def test_ever_new_pages_beside_a_spinner_are_no_circle() -> None:
    def page(number: int, until_s: float, then: int) -> Paint:
        def paint(pixels: np.ndarray, at_s: float) -> None:
            chance = np.random.default_rng(number if at_s < until_s else then)
            pixels[120:200, 180:300] = chance.integers(0, 255, (80, 120, 4), dtype=np.uint8)

        return paint

    guards = Guards()
    for number in range(8):
        changed, after = effect(spinner, page(number, 0.85, number + 1))
        assert changed
        shown = frame(spinner, page(number, 9.0, 0))
        verdict = Verdict("confirmed", changed, "", after.settled, after.settle_ms)
        assert guards.watch(Press("space"), shown, verdict, after.moving_px) is None


def test_a_monitor_that_is_plugged_in_starts_the_wait_again() -> None:
    now = [0.0]

    def grab() -> Frame:
        return frame(at_s=now[0], rect=SIZE if now[0] < 0.1 else Rect(0, 0, 800, 600))

    def wait(seconds: float) -> None:
        now[0] += seconds

    after = settle(grab, wait, frame(), OPTIONS, clock=lambda: now[0])
    assert after.settled
    assert after.frame.size_px == (800, 600)


def test_a_stop_passes_through() -> None:
    def wait(_seconds: float) -> None:
        raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        settle(frame, wait)
