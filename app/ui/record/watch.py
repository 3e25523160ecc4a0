"""Watches an X server for what a person does, with the picture of the screen right before each click. Knows no Qt."""

import os
import select
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import xcffib

from agent.capture.screen import open_screen
from agent.errors import AgentError
from agent.hands.keymap import Keymap, read_keymap
from agent.hands.keysyms import NAMED
from agent.types import Frame, Point
from agent.x11.connection import XConnection, x_errors_as
from agent.x11.raw_input import RawEvent, RawInput
from app.ui.record.taken import MAX_TAKEN, Hand, Shot, Taken

_LOOK_S = 0.12
_MODIFIERS = {
    "shift": (0xFFE1, 0xFFE2),
    "ctrl": (0xFFE3, 0xFFE4),
    "alt": (0xFFE9, 0xFFEA, 0xFFE7, 0xFFE8),
    "super": (0xFFEB, 0xFFEC),
    "altgr": (0xFE03, 0xFF7E, 0xFE11),
}
_LOCKS = ("capslock", "numlock", "scrolllock")


class HandWatch:
    """Watches from the start until it is closed; ``taken`` is what was done so far.

    ``ours`` says whether a click lands on a window of ours, which is no part of the task. ``ended`` is called
    from the watching thread when the recording is full or breaks off, with the reason. Raises AgentError when
    it cannot begin.
    """

    def __init__(self, ours: Callable[[Point], bool], ended: Callable[[str], None]) -> None:
        self._ours = ours
        self._ended = ended
        self._x = XConnection()
        self._hand = Hand()
        self._closing = False
        try:
            with x_errors_as(AgentError, "what you do cannot be watched"):
                self._raw = RawInput(self._x)
                self._read_map()
                self._held = self._raw.pressed_keys()
            # Here, so that there is a picture for the very first click.
            with open_screen() as screen:
                self._frame: Frame = screen.grab(allow_black=True)
        except AgentError:
            self._x.close()
            raise
        self._woken, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What was done so far."""
        return tuple(self._hand.taken)

    def close(self) -> None:
        """Stop watching; calling it again does nothing."""
        if self._closing:
            return
        self._closing = True
        os.write(self._waker, b"x")
        self._thread.join()
        os.close(self._waker)
        os.close(self._woken)
        self._x.close()

    def _run(self) -> None:
        why = ""
        try:
            with open_screen() as screen:
                while not self._closing and not why:
                    frame = screen.grab(allow_black=True)
                    self._x.sync()  # what happened before the picture was complete is in the queue now
                    events = [event for event in self._raw.events() if event.kind != "motion"]
                    if not events:
                        self._frame = frame
                    for event in events:
                        self._handle(event)
                    if self._raw.keymap_changed:
                        self._raw.keymap_changed = False
                        self._read_map()
                    if self._hand.taken and (shot := self._hand.taken[-1].shot) is not None:
                        _ = (
                            shot.packed
                        )  # now, as nothing else is waiting: a frame of its own is a hundred times as large
                    if len(self._hand.taken) >= MAX_TAKEN:
                        why = f"{MAX_TAKEN} steps are recorded"
                    select.select([self._x.connection.get_file_descriptor(), self._woken], [], [], _LOOK_S)
        except (xcffib.XcffibException, AgentError) as error:
            why = str(error) or type(error).__name__
        if why and not self._closing:
            self._ended(why)

    def _handle(self, event: RawEvent) -> None:
        if event.kind in ("button down", "button up"):
            answer = self._x.core.QueryPointer(self._x.root).reply()
            at = Point(answer.root_x, answer.root_y)
            if self._ours(at):
                return
            if event.kind == "button down":
                self._hand.button_down(event.detail, at, Shot(self._frame))
            else:
                self._hand.button_up(event.detail, at, event.time_ms)
        elif event.kind == "key up":
            self._held.discard(event.detail)
        elif event.kind == "key down":
            self._key(event.detail)
            self._held.add(event.detail)

    def _key(self, code: int) -> None:
        if code in self._modifier_codes or code in self._lock_codes:
            return
        held = {name for name, codes in self._codes.items() if codes & self._held}
        levels = frozenset(held & {"shift", "altgr"})
        char = self._chars.get((code, levels))
        if char is not None and not held & {"ctrl", "alt", "super"}:
            self._hand.letter(char)
            return
        name = self._names.get(code) or self._chars.get((code, frozenset()))
        if name is not None:
            # In the order in which they are said: Ctrl+Alt+Shift+S.
            self._hand.key((*(each for each in ("ctrl", "alt", "shift", "super") if each in held), name))

    def _read_map(self) -> None:
        map_: Keymap = read_keymap(self._x)
        strokes = map_.strokes
        self._codes = {
            name: {strokes[keysym].keycode for keysym in keysyms if keysym in strokes}
            for name, keysyms in _MODIFIERS.items()
        }
        self._modifier_codes = set().union(*self._codes.values())
        self._lock_codes = {strokes[NAMED[name]].keycode for name in _LOCKS if NAMED[name] in strokes}
        self._names = {
            strokes[keysym].keycode: name
            for name, keysym in NAMED.items()
            if name != "space" and keysym in strokes and not strokes[keysym].held
        }
        self._chars = {(stroke.keycode, self._levels(stroke.held)): char for char, stroke in map_.characters.items()}

    def _levels(self, held: tuple[int, ...]) -> frozenset[str]:
        return frozenset(name for name in ("shift", "altgr") if self._codes[name] & set(held))
