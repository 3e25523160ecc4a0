"""Let go: on every way out of the process, and after a process that had none."""

import atexit
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Protocol

import xcffib.xproto as xp

from agent.errors import AgentError, HandsError
from agent.x11.connection import XConnection, x_errors_as

_KEY_RELEASE, _BUTTON_RELEASE = 3, 5
_BUTTON_MASKS = {1: xp.KeyButMask.Button1, 2: xp.KeyButMask.Button2, 3: xp.KeyButMask.Button3}
_SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")


class Closable(Protocol):
    """What holds something until it is closed."""

    def close(self) -> None:
        """Let go."""
        ...


def close_on_exit(hands: Closable) -> Callable[[], None]:
    """Close hands when the process ends or is told to end; return a function that undoes this.

    A signal then takes the way that it would have taken. Signals can only be handled from the main
    thread; elsewhere only the end of the interpreter is.
    """
    atexit.register(hands.close)
    handled: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def on_signal(number: int, frame: FrameType | None) -> None:
        hands.close()
        previous = handled.get(number)
        if callable(previous):
            previous(number, frame)
        elif previous != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def undo() -> None:
        atexit.unregister(hands.close)
        for number, previous in handled.items():
            if signal.getsignal(number) is on_signal:
                signal.signal(number, signal.SIG_DFL if previous is None else previous)

    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            handled[number] = signal.signal(number, on_signal)
    return undo


def release_everything(display: str | None = None) -> tuple[str, ...]:
    """Release every key and button that the server believes to be held; return what it was.

    For the time after a process that was killed in the middle of an action. It needs no gate,
    because it only lets go.
    """
    try:
        with XConnection(display) as x, x_errors_as(HandsError, "held keys cannot be released"):
            xtest = x.extension("XTEST")
            released: list[str] = []
            pressed = bytes(x.core.QueryKeymap().reply().keys)
            for keycode in (code for code in range(8, 256) if pressed[code // 8] & (1 << code % 8)):
                xtest.FakeInput(_KEY_RELEASE, keycode, xp.Time.CurrentTime, x.root, 0, 0, 0)
                released.append(f"key {keycode}")
            mask, mapping = x.core.QueryPointer(x.root).reply().mask, list(x.core.GetPointerMapping().reply().map)
            for logical in (button for button, bit in _BUTTON_MASKS.items() if mask & bit):
                physical = mapping.index(logical) + 1 if logical in mapping else logical
                xtest.FakeInput(_BUTTON_RELEASE, physical, xp.Time.CurrentTime, x.root, 0, 0, 0)
                released.append(f"button {logical}")
            x.sync()
            return tuple(released)
    except AgentError as error:
        raise HandsError(error.what, why=error.why, remedy=error.remedy) from error
