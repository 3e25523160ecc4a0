"""Asks programs what lies under the pointer: while it rests, since a click may take away what it hits. Knows no Qt."""

import select
import time
from collections.abc import Callable

from agent.accessible import Accessible, Answer, Told
from agent.types import Point
from agent.x11.connection import XConnection
from agent.x11.windows import window_under

_AGAIN_S = 0.6
"""How old an answer about what lies under a resting pointer may get."""


class Asking:
    """Questions with numbers that are never 0; `answers` has what came, but for those about a resting pointer."""

    def __init__(self, x: XConnection) -> None:
        self._x = x
        self._accessible = Accessible()
        self._number = 0
        self._resting: Point | None = None
        self._asked: tuple[int, Point, float] | None = None
        self._under: tuple[Point, Told] | None = None

    @property
    def is_there(self) -> bool | None:
        """Whether programs can be asked at all; None until that is known."""
        return self._accessible.is_there

    def descriptors(self) -> tuple[int, ...]:
        """Return what to wait at for answers."""
        descriptor = self._accessible.fileno()
        return () if descriptor is None else (descriptor,)

    def rest(self, at: Point) -> None:
        """Take where the pointer is while nothing happens."""
        moved, self._resting = at != self._resting, at
        fresh = self._asked is not None and self._asked[1] == at and time.monotonic() - self._asked[2] < _AGAIN_S
        if not moved and not fresh and not self._accessible.waits:
            self._asked = self.at(at), at, time.monotonic()

    def disturb(self) -> None:
        """Forget what lay under the pointer: something was done."""
        self._resting = self._asked = self._under = None

    def under(self, at: Point) -> Told | None:
        """Return what lies at a pixel if that is known already."""
        if self._under is None:
            return None
        place, told = self._under
        inside = told.is_control and told.box_px is not None and told.box_px.contains(at)
        return told if place == at or inside else None

    def at(self, at: Point) -> int:
        """Ask what lies at a pixel; return the question's number."""
        self._number += 1
        window = window_under(self._x, at) if self._accessible.is_there else None
        if window is not None:
            self._accessible.ask_at(self._number, at, window.pid, window.title, window.rect_px)
        return self._number

    def focus(self) -> int:
        """Ask what has the focus; return the question's number."""
        self._number += 1
        if self._accessible.is_there:
            self._accessible.ask_focus(self._number)
        return self._number

    def answers(self) -> list[Answer]:
        """Return what has come so far, without waiting."""
        found: list[Answer] = []
        for answer in self._accessible.answers():
            if self._asked is None or answer.number != self._asked[0]:
                found.append(answer)
            elif answer.told is not None:
                self._under = self._asked[1], answer.told
        return found

    def last_answers(self, limit_s: float, take: Callable[[Answer], None]) -> None:
        """Wait for what is still to come, but not for long."""
        end_s = time.monotonic() + limit_s
        while self._accessible.waits and (left_s := end_s - time.monotonic()) > 0:
            select.select(self.descriptors(), [], [], left_s)
            for answer in self.answers():
                take(answer)

    def close(self) -> None:
        """Let go of the programs."""
        self._accessible.close()
