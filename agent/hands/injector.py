"""Fake events for an X server, each through the gate; and what is held, so that it is always let go."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import xcffib
import xcffib.xproto as xp

from agent.errors import HandsError, PersonActingError, StoppedError
from agent.hands.gate import Gate
from agent.hands.keymap import CORE_KEYBOARD, LOCK, open_xkb
from agent.types import Point
from agent.x11.connection import XConnection

_KEY_PRESS, _KEY_RELEASE, _BUTTON_PRESS, _BUTTON_RELEASE, _MOTION = 2, 3, 4, 5, 6
_CHECK_EVERY_S = 0.02
_HANDS_OFF_LIMIT_S = 2.0
_ANY_BUTTON = 0x1F00


class Injector:
    """Presses, releases and moves by XTEST. Safe to release and close from any thread or signal handler."""

    def __init__(self, x: XConnection, gate: Gate) -> None:
        self._x = x
        self._xtest = x.extension("XTEST")
        self._gate = gate
        self._lock = threading.RLock()
        self._held: list[tuple[int, int]] = []
        self._closed = False

    @property
    def held(self) -> tuple[tuple[int, int], ...]:
        """What is held now: pairs of the release's event type and the keycode or physical button."""
        return tuple(self._held)

    def key_down(self, keycode: int) -> None:
        """Press a key, if the gate lets us."""
        self._down(_KEY_PRESS, _KEY_RELEASE, keycode)

    def key_up(self, keycode: int) -> None:
        """Let a key go."""
        self._up(_KEY_RELEASE, keycode)

    def button_down(self, button: int) -> None:
        """Press a physical button, if the gate lets us."""
        self._down(_BUTTON_PRESS, _BUTTON_RELEASE, button)

    def button_up(self, button: int) -> None:
        """Let a button go."""
        self._up(_BUTTON_RELEASE, button)

    def move(self, point: Point) -> None:
        """Move the pointer, if the gate lets us, and make sure that it arrived.

        Raises PersonActingError when it is somewhere else: a person moves it, or something confines it.
        """
        self.check()
        with self._lock:
            self._open()
            self._fake(_MOTION, 0, point)
        arrived = self.pointer()
        if arrived != point:
            raise PersonActingError(
                f"the pointer is at {arrived.x_px}, {arrived.y_px} instead of {point.x_px}, {point.y_px}",
                why="somebody is moving it, or a program holds it",
            )

    def pointer(self) -> Point:
        """Return where the pointer is."""
        answer = self._x.core.QueryPointer(self._x.root).reply()
        return Point(answer.root_x, answer.root_y)

    def pause(self, seconds: float) -> None:
        """Let time pass while the gate stays open."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, _CHECK_EVERY_S))

    def check(self) -> None:
        """Raise if the gate has closed, or we have been."""
        self._open()
        self._gate.check()

    @contextmanager
    def holding(self, keycodes: Sequence[int]) -> Iterator[None]:
        """Hold keys during a block and let them go in reverse, whatever happens."""
        pressed: list[int] = []
        try:
            for keycode in keycodes:
                self.key_down(keycode)
                pressed.append(keycode)
            yield
        finally:
            for keycode in reversed(pressed):
                self.key_up(keycode)

    @contextmanager
    def without_caps_lock(self) -> Iterator[None]:
        """Switch Caps Lock off during a block, as typed text has its own capitals."""
        xkb = open_xkb(self._x)
        locked = bool(xkb.GetState(CORE_KEYBOARD).reply().lockedMods & LOCK)
        if locked:
            self.check()
            xkb.LatchLockState(CORE_KEYBOARD, LOCK, 0, False, 0, 0, False, 0)
        try:
            yield
        finally:
            if locked:
                xkb.LatchLockState(CORE_KEYBOARD, LOCK, LOCK, False, 0, 0, False, 0)
                self._x.sync()

    @contextmanager
    def in_group(self, group: int | None) -> Iterator[None]:
        """Make another of the keyboard's layouts the active one during a block; None changes nothing."""
        if group is None:
            yield
            return
        xkb = open_xkb(self._x)
        locked = xkb.GetState(CORE_KEYBOARD).reply().lockedGroup
        self.check()
        xkb.LatchLockState(CORE_KEYBOARD, 0, 0, True, group, 0, False, 0)
        try:
            yield
        finally:
            xkb.LatchLockState(CORE_KEYBOARD, 0, 0, True, locked, 0, False, 0)
            self._x.sync()

    def wait_for_hands_off(self) -> None:
        """Return when a person holds no modifier and no button, which would change what our events mean.

        Raises PersonActingError after two seconds.
        """
        end = time.monotonic() + _HANDS_OFF_LIMIT_S
        while held := self._held_by_others():
            if time.monotonic() > end:
                raise PersonActingError(f"a {held} is held down", remedy="let it go")
            self.pause(_CHECK_EVERY_S)

    def _held_by_others(self) -> str:
        if open_xkb(self._x).GetState(CORE_KEYBOARD).reply().baseMods:
            return "modifier key"
        return "mouse button" if self._x.core.QueryPointer(self._x.root).reply().mask & _ANY_BUTTON else ""

    def release_all(self) -> None:
        """Let everything go that is held, the last first."""
        with self._lock:
            try:
                for kind, detail in reversed(self._held):
                    self._fake(kind, detail)
                self._x.sync()
            except xcffib.ConnectionException:
                pass  # a server that is gone holds nothing
            self._held.clear()

    def close(self) -> None:
        """Let everything go and refuse what comes after."""
        with self._lock:
            self._closed = True
            if self._held:
                self.release_all()

    def _down(self, press: int, release: int, detail: int) -> None:
        self.check()
        with self._lock:
            self._open()
            if (release, detail) in self._held:
                raise HandsError(f"key or button {detail} is held already")
            # Remember first: an interrupt in between must not leave it held.
            self._held.append((release, detail))
            self._fake(press, detail)
            if (release, detail) not in self._held:
                # A signal's handler, which the lock lets in on this thread, let go between the two lines above.
                self._fake(release, detail)

    def _up(self, release: int, detail: int) -> None:
        with self._lock:
            if (release, detail) in self._held:
                self._fake(release, detail)
                with suppress(ValueError):  # a signal's handler on this thread has let go of it meanwhile
                    self._held.remove((release, detail))

    def _open(self) -> None:
        if self._closed:
            raise StoppedError("the hands have been closed")

    def _fake(self, kind: int, detail: int, point: Point = Point(0, 0)) -> None:
        self._xtest.FakeInput(kind, detail, xp.Time.CurrentTime, self._x.root, point.x_px, point.y_px, 0)
        self._x.connection.flush()
