"""Hands on Windows and macOS: actions become calls of pyautogui, each through the gate.

NOT RUN on either system: written from pyautogui's source and documentation, and tested on a stand-in that
only records the calls. What pyautogui gets wrong by itself is switched off or gone around: its pauses, its
fail-safe corner that raises in the middle of a drag, its silence about keys and characters that it lacks.
"""

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from agent.errors import HandsError, PersonActingError, StoppedError
from agent.hands.gate import Gate, HandAction
from agent.hands.native_clipboard import Clipboard, SystemClipboard
from agent.hands.native_keys import PASTE, native_key, typed_by_keys
from agent.types import Button, Click, Drag, Hotkey, Move, Point, Press, Scroll, TypeText

SYSTEMS = ("win32", "darwin")
_UNITS_A_NOTCH = {"win32": 120, "darwin": 3}
"""What pyautogui passes on as it is: Windows counts 120 for a notch, macOS counts lines."""

_CHECK_EVERY_S = 0.02
_PER_MONITOR_AWARE_V2 = -4


@dataclass(frozen=True, slots=True)
class NativePace:
    """How fast hands move; see `agent.hands.x11.Pace`. ``paste_s`` is how long a program may take to paste."""

    hold_s: float = 0.02
    between_clicks_s: float = 0.05
    between_notches_s: float = 0.01
    between_keys_s: float = 0.005
    drag_steps: int = 20
    drag_step_s: float = 0.01
    paste_s: float = 0.4


class NativeHands:
    """Mouse and keyboard of Windows or macOS. Close them, or use them in a ``with`` block.

    ``scale`` is how many pixels the system makes of one of its own units: 1 on Windows, 2 on a Retina
    screen; without it, the monitors are asked. Raises HandsError where pyautogui cannot be used.
    """

    name = "native"

    def __init__(
        self,
        gate: Gate,
        *,
        system: str = sys.platform,
        pyautogui: Any = None,
        clipboard: Clipboard | None = None,
        scale: float | None = None,
        pace: NativePace = NativePace(),
    ) -> None:
        if system not in SYSTEMS:
            raise HandsError("these hands are for Windows and macOS", why=f"this system is {system}")
        self._gate = gate
        self._system = system
        self._gui = load_pyautogui(system) if pyautogui is None else pyautogui
        self._gui.PAUSE = 0
        self._gui.FAILSAFE = False  # the policy's own stop takes its place, and lets go of what is held
        self._clipboard = SystemClipboard(system) if clipboard is None else clipboard
        self._scale = _read_scale(system) if scale is None else scale
        self._pace = pace
        self._lock = threading.RLock()
        self._held: list[tuple[Callable[..., object], str]] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def holds_something(self) -> bool:
        """Say whether a key or button is held."""
        return bool(self._held)

    def perform(self, action: HandAction) -> None:
        """Carry one action out. Whatever happens, nothing is held afterwards.

        Raises NotPermittedError or StoppedError from the gate, PersonActingError when somebody else moves
        the pointer, HandsError when the action cannot be done.
        """
        self._gate.admit(action)
        try:
            self._do(action)
        finally:
            self.release_all()

    def release_all(self) -> None:
        """Let everything go that is held, the last first."""
        with self._lock:
            while self._held:
                up, name = self._held.pop()
                _call(up, name)

    def close(self) -> None:
        """Release what is held and refuse every further action; from any thread or signal handler."""
        self._closed = True
        self.release_all()

    def _do(self, action: HandAction) -> None:
        match action:
            case Click(at, button, count, modifiers):
                with self._holding(modifiers):
                    self._go(at)
                    for n in range(count):
                        if n:
                            self._pause(self._pace.between_clicks_s)
                        with self._button(button):
                            self._pause(self._pace.hold_s)
            case Move(to):
                self._go(to)
            case Drag(start, end, button, modifiers):
                with self._holding(modifiers):
                    self._go(start)
                    self._drag(end, button)
            case Scroll(at, up, right, modifiers):
                with self._holding(modifiers):
                    self._go(at)
                    self._turn(up, right)
            case TypeText(text, secret):
                self._type(text, secret=secret)
            case Press(key, count):
                for _ in range(count):
                    with self._holding((key,)):
                        self._pause(self._pace.hold_s)
            case Hotkey(keys):
                with self._holding(keys):
                    self._pause(self._pace.hold_s)

    def _go(self, point: Point | None) -> None:
        if point is None:
            return
        there = math.floor(point.x_px / self._scale), math.floor(point.y_px / self._scale)
        self._check()
        self._gui.moveTo(*there)
        arrived = tuple(self._gui.position())
        if max(abs(arrived[0] - there[0]), abs(arrived[1] - there[1])) > 1:
            raise PersonActingError(
                f"the pointer is at {arrived[0]}, {arrived[1]} instead of {there[0]}, {there[1]}",
                why="somebody is moving it, or a program holds it",
            )

    def _drag(self, end: Point, button: Button) -> None:
        x, y = (value * self._scale for value in self._gui.position())
        with self._button(button):
            self._pause(self._pace.hold_s)
            for n in range(1, self._pace.drag_steps + 1):
                share = n / self._pace.drag_steps
                self._go(Point(round(x + (end.x_px - x) * share), round(y + (end.y_px - y) * share)))
                self._pause(self._pace.drag_step_s)
            self._pause(self._pace.hold_s)

    def _turn(self, up: int, right: int) -> None:
        unit = _UNITS_A_NOTCH[self._system]
        turn, notches = (self._gui.scroll, up) if up else (self._gui.hscroll, right)
        for _ in range(abs(notches)):
            self._check()
            turn(unit if notches > 0 else -unit)
            self._pause(self._pace.between_notches_s)

    def _type(self, text: str, *, secret: bool) -> None:
        rest = ""
        for char in text:
            if char in "\n\t":
                self._enter(rest, secret=secret)
                rest = ""
                with self._holding(("enter" if char == "\n" else "tab",)):
                    self._pause(self._pace.between_keys_s)
            else:
                rest += char
        self._enter(rest, secret=secret)

    def _enter(self, line: str, *, secret: bool) -> None:
        if not line:
            return
        if typed_by_keys(line, self._system, secret=secret):
            for char in line:
                if not self._gui.isValidKey(char):
                    what = "a character of the secret" if secret else repr(char)
                    raise HandsError(f"{what} cannot be typed by a key of this layout")
                with self._key(char):
                    pass
                self._pause(self._pace.between_keys_s)
        else:
            with self._clipboard.lent(line):
                with self._holding(PASTE[self._system]):
                    self._pause(self._pace.hold_s)
                self._pause(self._pace.paste_s)

    @contextmanager
    def _holding(self, keys: Sequence[str]) -> Iterator[None]:
        if not keys:
            yield
            return
        name = native_key(keys[0], self._system)
        if name is None or not self._gui.isValidKey(name):
            raise HandsError(f"this system has no key {keys[0]!r}", remedy="use another key")
        with self._key(name), self._holding(keys[1:]):
            yield

    @contextmanager
    def _key(self, name: str) -> Iterator[None]:
        with self._down(self._gui.keyDown, self._gui.keyUp, name):
            yield

    @contextmanager
    def _button(self, button: Button) -> Iterator[None]:
        with self._down(self._gui.mouseDown, self._gui.mouseUp, button):
            yield

    @contextmanager
    def _down(self, down: Callable[..., object], up: Callable[..., object], name: str) -> Iterator[None]:
        self._check()
        with self._lock:
            self._open()
            # Remember first: an interrupt in between must not leave it held.
            self._held.append((up, name))
            _call(down, name)
        try:
            yield
        finally:
            with self._lock:
                if (up, name) in self._held:
                    self._held.remove((up, name))
                    _call(up, name)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, _CHECK_EVERY_S))

    def _check(self) -> None:
        self._open()
        self._gate.check()

    def _open(self) -> None:
        if self._closed:
            raise StoppedError("the hands have been closed")


def release_everything_natively(system: str = sys.platform, pyautogui: Any = None) -> tuple[str, ...]:
    """Release the buttons and the modifier keys, held or not: these systems are not asked which are."""
    gui = load_pyautogui(system) if pyautogui is None else pyautogui
    gui.PAUSE, gui.FAILSAFE = 0, False
    buttons, keys = ("left", "middle", "right"), ("ctrl", "shift", "alt", "altgr", "super")
    for button in buttons:
        gui.mouseUp(button=button)
    names = [name for key in keys if (name := native_key(key, system)) and gui.isValidKey(name)]
    for name in names:
        gui.keyUp(name)
    return (*(f"button {button}" for button in buttons), *(f"key {name}" for name in names))


def load_pyautogui(system: str) -> Any:
    """Import pyautogui with physical pixels. Raises HandsError when it cannot be used."""
    if system == "win32":
        import ctypes

        # Before pyautogui, which would ask for less; a process that is aware already refuses, and stays so.
        windll: Any = getattr(ctypes, "windll", None)
        if windll is not None:
            windll.user32.SetProcessDpiAwarenessContext(ctypes.c_void_p(_PER_MONITOR_AWARE_V2))
    try:
        import pyautogui  # pyright: ignore[reportMissingModuleSource, reportMissingImports]  # not on Linux
    except ImportError as error:
        raise HandsError(
            "mouse and keyboard cannot be worked", why="pyautogui is not installed", remedy="pip install pyautogui"
        ) from error
    return pyautogui


def _call(call: Callable[..., object], name: str) -> None:
    if call.__name__.startswith("mouse"):
        call(button=name)
    else:
        call(name)


def _read_scale(system: str) -> float:
    if system != "darwin":
        return 1.0
    from agent.capture.native import NativeCapture

    return NativeCapture(system).monitors()[0].scale
