import os
import signal
import threading
import time
from types import FrameType

import pytest

from agent.errors import PersonActingError, StoppedError
from agent.stop import PERSON, StopSwitch, stopping_on_signals


def test_a_fresh_switch_lets_everything_go_on() -> None:
    switch = StopSwitch()
    switch.check()
    switch.wait(0)
    assert not switch.stopped
    assert not switch.paused
    assert switch.reason == ""
    assert switch.wait_for_quiet(1.0, 0.0)
    assert switch.wait_for_resume()


def test_a_stop_is_for_good_and_keeps_its_first_reason() -> None:
    switch = StopSwitch()
    switch.stop("the hotkey")
    switch.stop("something else")
    switch.resume()
    for call in (switch.check, lambda: switch.wait(60), switch.wait_for_resume):
        with pytest.raises(StoppedError, match="the hotkey"):
            call()
    assert switch.cancel.is_set()
    with pytest.raises(RuntimeError):
        switch.cancel.clear()


def test_a_stop_outranks_a_pause() -> None:
    switch = StopSwitch()
    switch.pause("coffee")
    switch.stop("enough")
    with pytest.raises(StoppedError):
        switch.check()


def test_a_pause_raises_until_it_is_resumed() -> None:
    switch = StopSwitch()
    switch.pause("coffee")
    with pytest.raises(PersonActingError, match="coffee"):
        switch.check()
    with pytest.raises(PersonActingError):
        switch.wait(60)
    assert not switch.wait_for_resume(0.0)
    switch.resume()
    switch.check()
    assert switch.wait_for_resume()
    assert switch.paused_s > 0


def test_nobody_takes_back_another_ones_pause() -> None:
    switch = StopSwitch()
    switch.pause("the pause button")
    switch.person_acts("the mouse moved")
    switch.resume(PERSON)
    with pytest.raises(PersonActingError, match="pause button"):
        switch.check()
    switch.resume("user")
    switch.check()


def test_a_person_who_is_asked_may_use_the_mouse() -> None:
    switch = StopSwitch()
    with switch.asking():
        switch.person_acts("the mouse moved")
        switch.check()
        assert not switch.wait_for_quiet(60, 0.0)
    switch.check()
    switch.person_acts("the mouse moved")
    with pytest.raises(PersonActingError):
        switch.check()


@pytest.mark.parametrize("paused", [False, True])
def test_a_stop_ends_every_wait_of_other_threads(paused: bool) -> None:
    switch = StopSwitch()
    if paused:
        switch.pause("coffee")
    ended: list[str] = []

    def wait() -> None:
        try:
            if paused:
                switch.wait_for_resume()
            else:
                switch.wait(3600)
        except StoppedError as error:
            ended.append(error.why)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    threads.append(threading.Thread(target=lambda: ended.append("cancelled") if switch.cancel.wait(3600) else None))
    for thread in threads:
        thread.start()
    switch.stop("enough")
    for thread in threads:
        thread.join(30)
    assert sorted(ended) == ["cancelled", *["enough"] * 4]


def test_a_resume_ends_the_wait() -> None:
    switch = StopSwitch()
    switch.pause("coffee")
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(switch.wait_for_resume(3600)))
    waiter.start()
    switch.resume()
    waiter.join(30)
    assert answers == [True]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_a_signal_handler_may_stop_what_it_interrupts() -> None:
    """A thousand interrupts in the middle of every lock that the switch has; none may lock up."""
    switch = StopSwitch()
    calls = 0

    def on_alarm(number: int, frame: FrameType | None) -> None:
        nonlocal calls
        calls += 1
        switch.pause("alarm")
        switch.resume()
        if calls == 1000:
            switch.stop("alarm")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        end = time.monotonic() + 60
        while not switch.cancel.wait(0.0001) and time.monotonic() < end:
            switch.pause("main")
            switch.resume()
            _ = switch.reason, switch.paused_s
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(StoppedError, match="alarm"):
        switch.check()


@pytest.mark.skipif(os.name != "posix", reason="processes cannot be sent signals here")
def test_a_signal_stops_the_run_and_the_next_one_takes_its_usual_way() -> None:
    switch, before = StopSwitch(), signal.getsignal(signal.SIGINT)
    with stopping_on_signals(switch):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StoppedError, match="SIGINT"):
            switch.wait(60)
        assert signal.getsignal(signal.SIGINT) is before
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_no_signal_is_touched_from_another_thread() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def run() -> None:
        with stopping_on_signals(StopSwitch()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert seen == [before]
