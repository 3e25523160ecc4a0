"""The planner of a runbook: the person decided what to do, this decides when.

Before it acts it looks whether what the step needs is on the screen, and waits for it up to the step's
time limit. What came of an action it hears as a listener of the run; a step that could not be done is
tried again or fails the run, and is never passed over.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from agent.coords import pixel_to_relative
from agent.episode import Acted, Event, Eyes, Gated, Located, Observation, Plan, Planned, Verified
from agent.hands.gate import HandAction
from agent.runbook.moves import Act, Expect, MoveOf, Seek, moves
from agent.runbook.runbook import Instruction, Runbook, secret_of
from agent.runbook.secrets import read_secret
from agent.runbook.sight import sight
from agent.runbook.steps import CheckStep, Element
from agent.types import Click, Done, Drag, Fail, Frame, Move, Point, RelPoint, Scroll, Target, Wait

LOOK_EVERY_S = 0.5
TURNS_WITHOUT_CHANGE = 2
"""Turns of the wheel that leave every pixel as it was before the end counts as reached."""


class RunbookPlanner:
    """Follow a runbook; implements `agent.episode.Planner`.

    ``listen`` has to be among the run's listeners. Give ``eyes`` as a `RememberingEyes` to both planner
    and loop, and nothing is looked for twice. ``clock`` gives seconds. Raises InputError when a secret
    that a step types cannot be read, before anything is done.
    """

    def __init__(self, runbook: Runbook, eyes: Eyes, clock: Callable[[], float] = time.monotonic) -> None:
        for name in {secret_of(each.step) for each in runbook.instructions} - {None}:
            read_secret(str(name), runbook.secrets[str(name)])
        self._runbook = runbook
        self._eyes = eyes
        self._clock = clock
        self._place = 0
        self._tries = 0
        self._moves: deque[MoveOf] | None = None
        self._since_s: float | None = None
        self._acting = False
        self._trouble = ""
        self._denied = False
        self._idle = False
        self._turned: Frame | None = None
        self._unchanged = 0
        self._pointer: Point | None = None

    def listen(self, event: Event) -> None:
        """Hear what came of the last plan; a listener of the run."""
        match event:
            case Planned():
                self._trouble, self._denied, self._idle = "", False, False
            case Located(description=description, location=location) if not location.found:
                self._trouble = f"{description} was not found: {location.reason}"
            case Gated(allowed=False, why=why):
                self._trouble, self._denied = f"it was not allowed: {why}", True
            case Acted(action=action, error=error):
                self._pointer = _place_of(action) or self._pointer
                # What a person broke off is done again: then the later word counts.
                self._trouble = f"it could not be done: {error}" if error else ""
            case Verified(verdict=verdict):
                self._idle = verdict.kind == "no visible effect"

    def next(self, observation: Observation, cancel: threading.Event) -> Plan:
        """Return the next actions of the runbook, a wait while it looks, or how the run ended."""
        if self._acting:
            self._acting = False
            ended = self._after_acting()
            if ended is not None:
                return ended
        while self._place < len(self._runbook.instructions):
            instruction = self._runbook.instructions[self._place]
            if self._moves is None:
                self._moves = deque(moves(instruction.step, self._runbook.secrets))
            if self._moves:
                plan = self._go_on(instruction, self._moves, observation, cancel)
                if plan is not None:
                    return plan
            else:
                self._place, self._tries, self._moves = self._place + 1, 0, None
        return Plan((Done(),), described=f"all {self._place} steps of {self._runbook.name} are done")

    def _after_acting(self) -> Plan | None:
        """Judge the actions before; None when the runbook goes on."""
        instruction = self._runbook.instructions[self._place]
        if self._denied:
            return self._fail(instruction, self._trouble)
        if self._trouble:
            return self._try_again(instruction, self._trouble)
        # Many a right step changes nothing to be seen, so only a step that asks for retries is held to it.
        if self._idle and instruction.retries and self._turned is None:
            return self._try_again(instruction, "it had no visible effect")
        return None

    def _go_on(
        self, instruction: Instruction, left: deque[MoveOf], observation: Observation, cancel: threading.Event
    ) -> Plan | None:
        """Return a plan for the first move that is left, or None when it needed none."""
        move = left[0]
        if self._since_s is None:
            self._since_s = self._clock()
        match move:
            case Expect(target, shown):
                missing = self._missing(observation.frame, (target,), cancel, shown)
            case Act(needs=needs):
                missing = self._missing(observation.frame, needs, cancel)
            case Seek():
                return self._seek(instruction, move, left, observation, cancel)
        if missing:
            return self._wait(instruction, missing)
        left.popleft()
        self._since_s = None
        if isinstance(move, Expect):
            return None
        self._acting = any(not isinstance(action, Wait) for action in move.actions)
        if len(move.actions) == 1 and isinstance(move.actions[0], Scroll):
            return self._turn(move.actions[0], instruction, observation)
        return Plan(move.actions, described=instruction.words)

    def _seek(
        self,
        instruction: Instruction,
        move: Seek,
        left: deque[MoveOf],
        observation: Observation,
        cancel: threading.Event,
    ) -> Plan | None:
        missing = self._missing(observation.frame, (move.target,), cancel)
        if not missing:
            left.popleft()
            self._forget_look()
            return None
        if self._is_over(instruction):
            return self._try_again(instruction, missing)
        if self._turned is not None and np.array_equal(self._turned.bgrx, observation.frame.bgrx):
            self._unchanged += 1
            if self._unchanged >= TURNS_WITHOUT_CHANGE:
                return self._try_again(instruction, f"{missing}, and scrolling on changes nothing")
        else:
            self._unchanged = 0
        place = self._missing(observation.frame, move.needs, cancel)
        if place:
            return self._wait(instruction, place)
        self._turned, self._acting = observation.frame, True
        return self._turn(move.turn, instruction, observation)

    def _turn(self, turn: Scroll[Target], instruction: Instruction, observation: Observation) -> Plan:
        """Plan a turn of the wheel; where nobody has said over what, the active window gets it.

        The pointer may rest anywhere, on the desktop or another program, unless this run has left it in the window.
        """
        place = observation.window.rect_px if observation.window else None
        shown = place and place.intersection(observation.frame.rect_px)
        if turn.at is not None or shown is None or (self._pointer is not None and shown.contains(self._pointer)):
            return Plan((turn,), described=instruction.words)
        origin, size_px = observation.frame.rect_px, observation.frame.size_px
        middle = ((shown.left + shown.right) // 2 - origin.left, (shown.top + shown.bottom) // 2 - origin.top)
        at = RelPoint(*pixel_to_relative(*middle, *size_px))
        over: Scroll[RelPoint] = Scroll(at, turn.up_notches, turn.right_notches, turn.modifiers)
        return Plan((over,), described=instruction.words)

    def _missing(self, frame: Frame, elements: tuple[Element, ...], cancel: threading.Event, shown: bool = True) -> str:
        """Say what is not as it should be, or nothing."""
        for element in elements:
            location = self._eyes.find(frame, element.description, cancel)
            seen = sight(location)
            if seen == "unsure":
                return f"nobody can say whether {element.description} is shown: {location.reason}"
            if (seen == "shown") != shown:
                return f"{element.description} is {'not' if shown else 'still'} shown"
        return ""

    def _is_over(self, instruction: Instruction) -> bool:
        return self._since_s is not None and self._clock() - self._since_s >= instruction.limit_s

    def _wait(self, instruction: Instruction, missing: str) -> Plan:
        if not self._is_over(instruction):
            return Plan((Wait(LOOK_EVERY_S),), thought=missing, described=instruction.words)
        return self._try_again(instruction, f"{missing} after {instruction.limit_s:g} s")

    def _try_again(self, instruction: Instruction, why: str) -> Plan:
        """Begin the step anew while it has retries left; then fail."""
        if self._tries >= instruction.retries:
            return self._fail(instruction, why)
        self._tries += 1
        self._moves = None
        self._forget_look()
        thought = f"{why}; try {self._tries + 1} of {instruction.retries + 1}"
        return Plan((Wait(LOOK_EVERY_S),), thought=thought, described=instruction.words)

    def _fail(self, instruction: Instruction, why: str) -> Plan:
        kind = "the check failed" if isinstance(instruction.step, CheckStep) else "the step failed"
        place = f"{instruction.where}: " if instruction.where else ""
        tried = f" (tried {self._tries + 1} times)" if self._tries else ""
        return Plan((Fail(f"{place}{kind}: {instruction.words}{tried}: {why}"),), described=instruction.words)

    def _forget_look(self) -> None:
        self._since_s, self._turned, self._unchanged = None, None, 0


def _place_of(action: HandAction) -> Point | None:
    """Return where an action leaves the pointer; None when it does not move it."""
    match action:
        case Click(at) | Scroll(at):
            return at
        case Move(to) | Drag(_, to):
            return to
        case _:
            return None
