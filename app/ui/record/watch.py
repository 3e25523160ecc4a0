"""Watches an X server for what a person does, with the picture of the screen right before each click. Knows no Qt."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import xcffib
import xcffib.xkb

from agent.accessible import Answer
from agent.capture.screen import open_screen
from agent.errors import AgentError
from agent.hands.keymap import CORE_KEYBOARD, open_xkb
from agent.types import Frame, Modifier, Point
from agent.x11.background import Background
from agent.x11.connection import XConnection, x_errors_as
from agent.x11.raw_input import RawEvent, RawInput
from agent.x11.typed import KeyReader, Typed
from app.ui.record.asking import Asking
from app.ui.record.hand import Hand
from app.ui.record.taken import MAX_TAKEN, Shot, Taken

_LOOK_S = 0.12
_LAST_S = 0.3
"""How long the answers to the last questions are waited for at the end."""
_ALONE: tuple[Modifier, ...] = ("super", "alt")
"""Modifiers that do something when nothing is pressed with them: they open menus."""


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
        try:
            with x_errors_as(AgentError, "what you do cannot be watched"):
                self._raw = RawInput(self._x, states=True)
                self._reader = KeyReader(self._x)
                controls = open_xkb(self._x).GetControls(CORE_KEYBOARD).reply()
                repeats = bool(controls.enabledControls & xcffib.xkb.BoolCtrl.RepeatKeys)
                self._repeat_ms = (controls.repeatDelay, max(1, controls.repeatInterval)) if repeats else None
                self._buttons: list[int] = list(self._x.core.GetPointerMapping().reply().map)
            # Here, so that there is a picture for the very first click.
            with open_screen() as screen:
                self._frame: Frame = screen.grab(allow_black=True)
        except AgentError:
            self._x.close()
            raise
        self._asking = Asking(self._x)
        self._packer = ThreadPoolExecutor(1, "record pack")
        self._alone = 0
        self._held: tuple[int, int, Typed] | None = None
        self._background = Background(self._x, self._run, "record")
        self._background.start()

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

    @property
    def programs_tell(self) -> bool | None:
        """Whether programs can be asked for names and for password fields; None until that is known."""
        return self._asking.is_there

    def close(self) -> None:
        """Stop watching; calling it again does nothing."""
        if self._background.closing:
            return
        self._background.close()
        self._packer.shutdown()
        self._reader.close()
        self._asking.close()

    def _run(self) -> None:
        why = ""
        try:
            with open_screen() as screen:
                while not self._background.closing and not why:
                    self._take()  # first, while the pointer is still where it was
                    frame = screen.grab(allow_black=True)
                    self._x.sync()  # what happened before the picture was complete is in the queue now
                    if not self._take():
                        self._frame = frame
                        at = self._pointer()
                        if not self._ours(at):
                            self._asking.rest(at)
                    if len(self._hand.taken) >= MAX_TAKEN:
                        why = f"{MAX_TAKEN} steps are recorded"
                    self._background.wait(_LOOK_S, *self._asking.descriptors())
                self._take()
                self._asking.last_answers(_LAST_S, self._hear)
        except (xcffib.XcffibException, AgentError) as error:
            why = str(error) or type(error).__name__
        if why and not self._background.closing:
            self._ended(why)

    def _take(self) -> bool:
        """Take in what has happened and what was answered; say whether anything has happened."""
        happened = False
        answers = self._asking.answers()
        # What is asked of the server brings more events along.
        while events := [event for event in self._raw.events() if event.kind != "motion"]:
            happened = True
            for event in events:
                self._handle(event)
                self._asking.disturb()
        if self._raw.keymap_changed:
            self._raw.keymap_changed = False
            self._reader.refresh()
        # After what was done: the focus moves because of that.
        for answer in answers:
            self._hear(answer)
        return happened

    def _hear(self, answer: Answer) -> None:
        if answer.number is None:
            self._hand.focus_moved(answer.told)
        else:
            self._hand.tell(answer.number, answer.told)

    def _pointer(self) -> Point:
        answer = self._x.core.QueryPointer(self._x.root).reply()
        return Point(answer.root_x, answer.root_y)

    def _handle(self, event: RawEvent) -> None:
        match event.kind:
            case "button down" | "button up":
                self._alone = 0
                self._button(event, self._pointer())
            case "key down":
                self._let_go(event)
                modifier = self._reader.modifier_of(event.detail)
                alone = modifier in _ALONE and not self._reader.modifiers(event.state)
                self._alone = event.detail if alone else 0
                self._key(event)
            case "key up":
                if self._held is not None and self._held[0] == event.detail:
                    self._let_go(event)
                modifier = self._reader.modifier_of(event.detail)
                if event.detail == self._alone and modifier is not None:
                    self._hand.key((modifier,))
                self._alone = 0

    def _button(self, event: RawEvent, at: Point) -> None:
        if self._ours(at):
            return
        # A left-handed person's buttons are told as they are built, not as they are meant.
        button = self._buttons[event.detail - 1] if event.detail <= len(self._buttons) else event.detail
        if event.kind == "button down":
            told = self._asking.under(at)
            number = self._asking.at(at) if told is None else 0
            self._hand.button_down(button, at, Shot(self._frame), self._reader.modifiers(event.state), number, told)
            return
        if self._hand.button_up(button, at, event.time_ms):
            self._hand.ends_at(self._asking.at(at))
        shot = self._hand.taken[-1].shot if self._hand.taken else None
        if shot is not None:
            # Now, and beside: a frame of its own is a hundred times as large, and packing it takes its time.
            self._packer.submit(shot.pack)

    def _key(self, event: RawEvent) -> None:
        typed = self._reader.read(event.detail, event.state)
        if typed.text:
            if self._hand.letter(typed.text):
                self._hand.types_into(self._asking.focus())
        elif typed.keys:
            self._hand.key(typed.keys)
        if typed.text or len(typed.keys) == 1:
            self._held = event.detail, event.time_ms, typed

    def _let_go(self, event: RawEvent) -> None:
        """End a key's repetition, of which no single events come: it ends with the key or with the next one."""
        held, self._held = self._held, None
        if held is None or self._repeat_ms is None:
            return
        _, since_ms, typed = held
        delay_ms, every_ms = self._repeat_ms
        too_long_ms = ((event.time_ms - since_ms) & 0xFFFFFFFF) - delay_ms
        for _ in range(min(200, too_long_ms // every_ms + 1) if too_long_ms >= 0 else 0):
            if typed.text:
                self._hand.letter(typed.text)
            else:
                self._hand.key(typed.keys)
