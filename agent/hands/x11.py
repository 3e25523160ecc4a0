"""Hands on an X server: actions become XTEST events, each through the gate."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from agent.errors import AgentError, HandsError
from agent.hands.gate import Gate, HandAction
from agent.hands.injector import Injector
from agent.hands.keymap import read_keymap
from agent.hands.text import TextEntry, TextPace
from agent.types import Button, Click, Drag, Hotkey, Move, Point, Press, Scroll, TypeText
from agent.x11.connection import XConnection, x_errors_as
from agent.x11.monitors import is_xwayland

_SPOT_PX = 16
_LOGICAL: dict[Button, int] = {"left": 1, "middle": 2, "right": 3}
_WHEEL_UP, _WHEEL_DOWN, _WHEEL_LEFT, _WHEEL_RIGHT = 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast hands move. Programs have to tell clicks from drags and drags from jumps.

    ``apart_s`` keeps two actions' clicks on one spot from being taken for a double click.
    """

    hold_s: float = 0.02
    between_clicks_s: float = 0.05
    apart_s: float = 0.6
    between_notches_s: float = 0.01
    drag_steps: int = 20
    drag_step_s: float = 0.01
    text: TextPace = field(default_factory=TextPace)


class X11Hands:
    """Mouse and keyboard of an X server. Close them, or use them in a ``with`` block.

    Raises AgentError where there is no X server, and HandsError where events cannot reach all programs.
    """

    name = "x11"

    def __init__(self, gate: Gate, display: str | None = None, pace: Pace = Pace()) -> None:
        self._gate = gate
        self._pace = pace
        self._clicked_at: tuple[float, Point] | None = None
        self._x = XConnection(display)
        try:
            with x_errors_as(HandsError, "the X server cannot be used"):
                if is_xwayland(self._x):
                    raise HandsError(
                        "mouse and keyboard cannot be worked here",
                        why="this X server is XWayland, and only X11 programs would get the events",
                        remedy="log into an X11 (Xorg) session",
                    )
                self._injector = Injector(self._x, gate)
        except AgentError:
            self._x.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._x.close()

    @property
    def holds_something(self) -> bool:
        """Say whether a key or button is held."""
        return bool(self._injector.held)

    def perform(self, action: HandAction) -> None:
        """Carry one action out. Whatever happens, nothing is held afterwards.

        Raises NotPermittedError or StoppedError from the gate, PersonActingError when somebody else
        moves the pointer or takes the focus, HandsError when the action cannot be done.
        """
        self._gate.admit(action)
        try:
            with x_errors_as(HandsError, "the action was broken off"):
                self._injector.wait_for_hands_off()
                self._do(action)
                self._x.sync()
        finally:
            self._injector.release_all()

    def close(self) -> None:
        """Release what is held and refuse every further action; from any thread or signal handler.

        The connection stays open until the ``with`` block ends, as another thread may be using it.
        """
        self._injector.close()

    def _do(self, action: HandAction) -> None:
        match action:
            case Click(at, button, count, modifiers):
                with self._modified(modifiers):
                    self._go(at)
                    self._click(self._physical(_LOGICAL[button]), count)
            case Move(to):
                self._injector.move(to)
            case Drag(start, end, button, modifiers):
                with self._modified(modifiers):
                    self._go(start)
                    self._drag(end, self._physical(_LOGICAL[button]))
            case Scroll(at, up, right, modifiers):
                with self._modified(modifiers):
                    self._go(at)
                    self._turn(up, right)
            case TypeText(text, secret):
                TextEntry(self._x, self._injector, self._pace.text).enter(text, secret=secret)
            case Press(key, count):
                for _ in range(count):
                    self._strike([key])
            case Hotkey(keys):
                self._strike(keys)

    def _go(self, point: Point | None) -> None:
        if point is not None:
            self._injector.move(point)

    def _click(self, button: int, count: int) -> None:
        here = self._injector.pointer()
        if self._clicked_at is not None:
            then, there = self._clicked_at
            if max(abs(here.x_px - there.x_px), abs(here.y_px - there.y_px)) <= _SPOT_PX:
                self._injector.pause(then + self._pace.apart_s - time.monotonic())
        for n in range(count):
            if n:
                self._injector.pause(self._pace.between_clicks_s)
            self._injector.button_down(button)
            self._injector.pause(self._pace.hold_s)
            self._injector.button_up(button)
        self._clicked_at = time.monotonic(), here

    def _drag(self, end: Point, button: int) -> None:
        start, steps = self._injector.pointer(), self._pace.drag_steps
        self._injector.button_down(button)
        self._injector.pause(self._pace.hold_s)
        for n in range(1, steps + 1):
            x = start.x_px + round((end.x_px - start.x_px) * n / steps)
            y = start.y_px + round((end.y_px - start.y_px) * n / steps)
            self._injector.move(Point(x, y))
            self._injector.pause(self._pace.drag_step_s)
        self._injector.pause(self._pace.hold_s)
        self._injector.button_up(button)

    def _turn(self, up: int, right: int) -> None:
        wheels = [_WHEEL_UP if up > 0 else _WHEEL_DOWN] * abs(up)
        wheels += [_WHEEL_RIGHT if right > 0 else _WHEEL_LEFT] * abs(right)
        for wheel in map(self._physical, wheels):
            self._injector.button_down(wheel)
            self._injector.button_up(wheel)
            self._injector.pause(self._pace.between_notches_s)

    def _strike(self, keys: Sequence[str]) -> None:
        keymap = read_keymap(self._x)
        strokes = [keymap.key(key) for key in keys]
        codes: list[int] = []
        for stroke in strokes:
            codes += [code for code in (*stroke.held, stroke.keycode) if code not in codes]
        groups = {stroke.group for stroke in strokes if stroke.group is not None}
        if len(groups) > 1:
            raise HandsError(f"no keyboard layout has all of {'+'.join(keys)}")
        with ExitStack() as stack:
            if any(len(key) == 1 for key in keys):
                stack.enter_context(self._injector.without_caps_lock())
            stack.enter_context(self._injector.in_group(groups.pop() if groups else None))
            stack.enter_context(self._injector.holding(codes))
            self._injector.pause(self._pace.hold_s)

    @contextmanager
    def _modified(self, modifiers: Sequence[str]) -> Iterator[None]:
        if not modifiers:
            yield
            return
        keymap = read_keymap(self._x)
        with self._injector.holding([keymap.key(modifier).keycode for modifier in modifiers]):
            yield

    def _physical(self, logical: int) -> int:
        """Return the button to press for a logical one; left-handed people and natural scrolling swap them."""
        mapping = list(self._x.core.GetPointerMapping().reply().map)
        return mapping.index(logical) + 1 if logical in mapping else logical
