"""Let go: on every way out of the process, and after a process that had none."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from agent.errors import AgentError, HandsError
from agent.hands.keysyms import NAMED, char_of

if TYPE_CHECKING:
    from agent.x11.connection import XConnection

_KEY_RELEASE, _BUTTON_RELEASE = 3, 5
_BUTTON_MASKS = {1: 1 << 8, 2: 1 << 9, 3: 1 << 10}
_NOW = 0
_BUTTON_NAMES = {1: "left", 2: "middle", 3: "right"}
_RIGHT_HAND = {0xFFE2: "shift", 0xFFE4: "ctrl", 0xFFEA: "alt", 0xFFEC: "super"}
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
    because it only lets go. On Windows and macOS, which are not asked what is held, it is whatever we could
    hold. Raises HandsError where there is no X server that we could have worked.
    """
    if sys.platform in ("win32", "darwin"):
        from agent.hands.native import release_everything_natively

        return release_everything_natively()
    from agent.x11.connection import XConnection, x_errors_as
    from agent.x11.monitors import is_xwayland

    try:
        with XConnection(display) as x, x_errors_as(HandsError, "held keys cannot be released"):
            if is_xwayland(x):
                raise HandsError(
                    "held keys cannot be released here",
                    why="this X server is XWayland, which is told of no keys but those of its own windows",
                    remedy="Deskhand presses nothing in a Wayland session, so nothing of it can be held",
                )
            xtest = x.extension("XTEST")
            released: list[str] = []
            pressed = bytes(x.core.QueryKeymap().reply().keys)
            for keycode in (code for code in range(8, 256) if pressed[code // 8] & (1 << code % 8)):
                xtest.FakeInput(_KEY_RELEASE, keycode, _NOW, x.root, 0, 0, 0)
                released.append(f"key {keycode}{_key_name(x, keycode)}")
            mask, mapping = x.core.QueryPointer(x.root).reply().mask, list(x.core.GetPointerMapping().reply().map)
            for logical in (button for button, bit in _BUTTON_MASKS.items() if mask & bit):
                physical = mapping.index(logical) + 1 if logical in mapping else logical
                xtest.FakeInput(_BUTTON_RELEASE, physical, _NOW, x.root, 0, 0, 0)
                released.append(f"button {logical} ({_BUTTON_NAMES[logical]})")
            x.sync()
            return tuple(released)
    except AgentError as error:
        raise HandsError(error.what, why=error.why, remedy=error.remedy) from error


def _key_name(x: "XConnection", keycode: int) -> str:
    """Return what a key is called, in brackets; empty for a key that means nothing."""
    keysyms = x.core.GetKeyboardMapping(keycode, 1).reply().keysyms
    keysym = keysyms[0] if len(keysyms) else 0
    names = {number: name for name, number in NAMED.items()} | _RIGHT_HAND
    name = names.get(keysym) or char_of(keysym)
    return f" ({name})" if name else ""
