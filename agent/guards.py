"""Notice a run that goes in circles: the same again, to and fro, or nothing at all.

Each time that is noticed again it is said louder: first to the planner, then the person is asked, then the
run stops. Steps that get somewhere make it quiet again.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from agent.episode import Verdict
from agent.hands.gate import HandAction
from agent.sameness import Sign, same, sign
from agent.types import Click, Drag, Frame, Move, Point, Rect, Scroll

Guard = Literal["repeat", "ping-pong", "no-op"]
Response = Literal["tell", "ask", "stop"]

_RESPONSES: tuple[Response, ...] = ("tell", "ask", "stop")
_NOWHERE = Point(0, 0)


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """How often is too often. ``near_px`` is how far two clicks on one thing may lie apart.

    ``dead_repeats`` counts an action that showed nothing, ``same_repeats`` one that led back to a screen
    it had begun from; ``quiet_steps`` steps without a word start again from the first response.
    """

    dead_repeats: int = 2
    same_repeats: int = 3
    no_effects: int = 3
    quiet_steps: int = 3
    memory_steps: int = 12
    near_px: int = 12


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was noticed, and what is to be done: tell the planner, ask the person, or stop the run."""

    guard: Guard
    response: Response
    message: str


@dataclass(frozen=True, slots=True)
class _Past:
    action: HandAction
    screen: Sign
    moving_px: tuple[Rect, ...]
    effect: bool


class Guards:
    """Watch the steps of one run."""

    def __init__(self, options: GuardOptions = GuardOptions()) -> None:
        self._options = options
        self._past: deque[_Past] = deque(maxlen=options.memory_steps)
        self._level = 0
        self._quiet = 0

    def watch(
        self, action: HandAction, before: Frame, verdict: Verdict, moving_px: tuple[Rect, ...] = ()
    ) -> Alarm | None:
        """Note a step that was carried out on ``before``, and return what there is to say about it.

        ``moving_px`` are the parts of the screen that move by themselves (8 ms at 4K).
        """
        effect = verdict.kind != "no visible effect"
        self._past.append(_Past(action, sign(before), moving_px, effect))
        found = self._dead_repeat() or self._ping_pong() or self._same_repeat() or self._no_op()
        if found is None:
            self._quiet += 1
            if self._quiet >= self._options.quiet_steps:
                self._level = 0
            return None
        self._quiet = 0
        response = _RESPONSES[min(self._level, len(_RESPONSES) - 1)]
        self._level += 1
        return Alarm(found[0], response, found[1])

    def forgive(self) -> None:
        """Start again from nothing, because the person said to go on."""
        self._past.clear()
        self._level = self._quiet = 0

    def _dead_repeat(self) -> tuple[Guard, str] | None:
        times = 0
        for past in reversed(self._past):
            if past.effect or not self._alike(past.action, self._past[-1].action):
                break
            times += 1
        if times < self._options.dead_repeats:
            return None
        return "repeat", f"the same action has been done {times} times and nothing changed; try something else"

    def _same_repeat(self) -> tuple[Guard, str] | None:
        last = self._past[-1]
        times = sum(self._same(p, last) and self._alike(p.action, last.action) for p in self._past)
        if times < self._options.same_repeats:
            return None
        return "repeat", f"this action has been done {times} times on this very screen; it does not lead on"

    def _ping_pong(self) -> tuple[Guard, str] | None:
        if len(self._past) < 4:
            return None
        a, b, c, d = list(self._past)[-4:]
        circle = self._same(a, c) and self._same(b, d) and not self._same(a, b)
        if not (circle and self._alike(a.action, c.action) and self._alike(b.action, d.action)):
            return None
        return "ping-pong", "two actions undo each other, and the screen goes to and fro between two states"

    def _no_op(self) -> tuple[Guard, str] | None:
        recent = list(self._past)[-self._options.no_effects :]
        if len(recent) < self._options.no_effects or any(past.effect for past in recent):
            return None
        return "no-op", f"the last {len(recent)} actions changed nothing on the screen"

    def _same(self, one: _Past, other: _Past) -> bool:
        """Say whether two steps began on one screen; what has ever been seen to move by itself does not count."""
        return same(one.screen, other.screen, {rect for past in self._past for rect in past.moving_px})

    def _alike(self, one: HandAction, other: HandAction) -> bool:
        """Say whether two actions are the same but for a few pixels."""
        points, others = _points(one), _points(other)
        if len(points) != len(others) or _without_points(one) != _without_points(other):
            return False
        return all(
            max(abs(p.x_px - q.x_px), abs(p.y_px - q.y_px)) <= self._options.near_px
            for p, q in zip(points, others, strict=True)
        )


def _points(action: HandAction) -> tuple[Point, ...]:
    match action:
        case Click(at) | Scroll(at):
            points = (at,)
        case Drag(start, end):
            points = (start, end)
        case Move(to):
            points = (to,)
        case _:
            points = ()
    return tuple(point for point in points if point is not None)


def _without_points(action: HandAction) -> HandAction:
    match action:
        case Click(at) | Scroll(at):
            return replace(action, at=at and _NOWHERE)
        case Drag(start):
            return replace(action, start=start and _NOWHERE, end=_NOWHERE)
        case Move():
            return replace(action, to=_NOWHERE)
        case _:
            return action
