"""One run: observe → plan → locate → gate → act → settle → verify, round after round, until it ends.

Each arrow is an event to the listeners, in order. The run never acts on a frame that it has not just
compared with the screen, and never repeats what it cannot prove to have had no effect.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.aim import Aim, described_targets, looks_same, points_of, start_of, take_aim, target_of
from agent.consequences import assess
from agent.effects import Effect, effect_of
from agent.episode import (
    Acted,
    Event,
    Gated,
    Observation,
    Observed,
    Outcome,
    Plan,
    Planned,
    Proposal,
    Verified,
)
from agent.errors import HandsError, NotPermittedError, PersonActingError, StoppedError
from agent.hands.gate import HandAction
from agent.loop_parts import LoopParts
from agent.loop_view import View
from agent.second_look import doubt_about
from agent.settle import SettleOptions, stirring_apart
from agent.told import describe
from agent.types import (
    Action,
    Ask,
    Click,
    Done,
    Fail,
    Frame,
    Hotkey,
    Move,
    Point,
    Press,
    Rect,
    RelPoint,
    Target,
    TypeText,
    Unreadable,
    Wait,
)
from agent.windows import DesktopWindow

_NEAR_PX = 12
_LOOK_EVERY_S = 0.1
_NOBODY = "nobody is there to answer; decide by yourself"

_KEYS = (TypeText, Press, Hotkey)
_WANTED = Action[RelPoint] | Action[Target]
_Blocks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Field:
    """The field that was clicked before text is typed: what it was called, and where it is."""

    element: str
    target_px: Rect | None


class Run:
    """The state of a run between its rounds; use it once. What ends it other than by an outcome is raised."""

    def __init__(self, parts: LoopParts) -> None:
        self._parts = parts
        self._policy = parts.policy
        self._switch = parts.policy.switch
        self._options = parts.options
        self.step = 1
        self.view = View(parts.camera, parts.desktop, parts.area_px)
        self._shown: Frame | None = None
        self._note = ""
        self._unreadable = 0
        self._denied = 0
        self._field: _Field | None = None

    def round(self) -> Outcome | None:
        """Do one plan; return how the run ended, or None when it goes on.

        Raises StoppedError, and what planner, eyes, capture and listeners raise.
        """
        self._go_on_check()
        if reached := self._policy.limit_reached(self.step):
            return Outcome("limit", reached, self.step)
        self.view.begin_round()
        observation = self._observe()
        self._shown = observation.frame
        started = time.monotonic()
        plan = self._parts.planner.next(observation, self._switch.cancel)
        self._tell(Planned(self.step, plan, (time.monotonic() - started) * 1000))
        self._go_on_check()
        if isinstance(plan, Unreadable):
            self._unreadable += 1
            self._note = plan.reason
            if self._unreadable > self._options.max_unreadable:
                why = f"the planner's answers could not be read {self._unreadable} times in a row: {plan.reason}"
                return Outcome("failed", why, self.step)
            return None
        self._unreadable = 0
        outcome = self._follow(plan)
        # A runbook that waits for what it needs to see looks again in the same step; its own limits end that.
        if outcome is None and (plan.raw or not all(isinstance(action, Wait) for action in plan.actions)):
            self.step += 1
        return outcome

    def _tell(self, event: Event) -> None:
        for listener in self._parts.listeners:
            listener(event)

    def _go_on_check(self) -> None:
        """Return if the run may go on now or after a pause. Raises StoppedError."""
        try:
            self._policy.check()
        except PersonActingError:
            self._wait_for_resume()

    def _wait_for_resume(self) -> None:
        self._switch.wait_for_resume()
        self.view.age()

    # --- observe ---------------------------------------------------------------------------------

    def _observe(self, note: str | None = None) -> Observation:
        frame = self.view.look()
        window = self.view.window.info if self.view.window else None
        told = self._note if note is None else note
        self._tell(Observed(self.step, frame, window, told))
        return Observation(frame, self.step, told, window)

    # --- plan ------------------------------------------------------------------------------------

    def _follow(self, plan: Plan) -> Outcome | None:
        """Do a plan's actions; the first that fails drops the rest, and the planner hears why."""
        notes: list[str] = []
        self._field = None
        last = max((n for n, action in enumerate(plan.actions) if not isinstance(action, Wait)), default=-1)
        for n, action in enumerate(plan.actions):
            match action:
                case Done(answer):
                    return Outcome("done", answer or plan.described, self.step)
                case Fail(reason):
                    kind = "refused" if self._denied else "failed"
                    return Outcome(kind, reason or plan.described or "the planner gave up", self.step)
                case Ask(question):
                    answer = self._policy.question(question)
                    notes.append(_NOBODY if answer is None else f"the person answered: {answer}")
                    self.view.age()
                case Wait(seconds):
                    self._wait(seconds)
                case _:
                    done = self._act(plan, action, is_last=n == last)
                    if isinstance(done, Outcome):
                        return done
                    notes.append(done.note)
                    if not done.go_on:
                        break
        self._note = "; ".join(note for note in notes if note)
        return None

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.view.age()
        while (left := end - time.monotonic()) > 0:
            try:
                self._switch.wait(left)
            except PersonActingError:
                self._wait_for_resume()

    # --- locate, gate, act -----------------------------------------------------------------------

    def _act(self, plan: Plan, action: _WANTED, *, is_last: bool) -> "_Done | Outcome":
        """Carry one action out, aiming anew as long as the screen changes under it."""
        before_point: Point | None = None
        aim: Aim | str = ""
        why = ""
        for attempt in range(self._options.tries):
            if attempt:
                self._look_again(why)
            try:
                self._go_on_check()
                aim = self._aim(plan, action)
                if isinstance(aim, str):
                    return _Done(aim, go_on=False)
                point = start_of(aim.action)
                # Found anew on a frame of this moment, in the same place: its pixels move, it does not.
                sure = bool(described_targets(action)) and before_point is not None and _near(point, before_point)
                before_point = point
                why = "" if sure else self._out_of_date(aim)
                if why:
                    if plan.raw and not described_targets(action):
                        return _Done(f"{describe(action)}: nothing was done, because {why}", go_on=False)
                    continue
                done = self._gate_and_do(plan, aim, is_last=is_last)
                if isinstance(done, _Done | Outcome):
                    return done
                why = done
            except PersonActingError as error:
                why = error.why or error.what
                if self._switch.paused:
                    self._wait_for_resume()
                elif attempt == self._options.tries - 1:
                    break
        why = f"{describe(action)} was tried {self._options.tries} times, and each time {why}"
        if isinstance(aim, Aim):
            self._tell(Acted(self.step, aim.action, 0.0, why))
        return _Done(why, go_on=False)

    def _look_again(self, why: str) -> None:
        self.view.age()
        self._observe(f"looking again, because {why}" if why else "")

    def _aim(self, plan: Plan, action: _WANTED) -> Aim | str:
        """Find the action's place on the latest frame; in words why it has none."""
        if described_targets(action) and not self.view.fresh:
            self._observe()  # after a wait or a pause inside a plan
        # Words are looked for on the latest frame; coordinates hold for the one that the planner was shown.
        frame = self._shown if points_of(action) and not described_targets(action) else self.view.frame
        assert frame is not None  # noqa: S101 - every round begins with a look
        placed = take_aim(action, frame, self._parts.eyes, self._switch.cancel, self.step, self._tell)
        self._go_on_check()
        if isinstance(placed, Unreadable):
            return placed.reason
        field = self._field if isinstance(placed, TypeText) else None
        target_px = field.target_px if field else target_of(placed, frame.monitors)
        element, doubt = self._element(plan, action), ""
        looks = plan.raw and self._policy.mode == "guarded" and not described_targets(action)
        if looks and not assess(placed, element, None):  # of what is risky by its name, a person is asked anyway
            doubt = doubt_about(placed, plan.described, frame, self._parts.eyes, self._switch.cancel)
            self._go_on_check()
        return Aim(placed, target_px, element, frame, doubt)

    def _element(self, plan: Plan, action: _WANTED) -> str:
        """Return what the planner calls the target."""
        if targets := described_targets(action):
            return targets[0].description if len(targets) == 1 else " → ".join(t.description for t in targets)
        if isinstance(action, TypeText):
            if self._field:
                return self._field.element
            # The text itself is judged as text: as a name of the field it would be taken for what it is not.
            return plan.described.replace(action.text, "…") if plan.raw and action.text and not action.secret else ""
        return plan.described

    def _out_of_date(self, aim: Aim) -> str:
        """Say what has changed since the target was seen; empty when nothing has, or it came back."""
        if aim.target_px is None:
            if not isinstance(aim.action, _KEYS) or self._field:
                return ""
            now, before = self.view.active(), self.view.window
            changed = before is not None and (now is None or now.id != before.id)
            return "another window has become the active one" if changed else ""
        end = time.monotonic() + self._options.blink_s
        while True:
            now = self.view.part(aim.target_px)
            if now.monitors != aim.seen.monitors:
                return "the monitors have changed"
            if isinstance(aim.action, TypeText) or looks_same(aim.seen, now, aim.target_px):
                return ""
            if time.monotonic() >= end:
                return "the screen has changed at the target"
            self._switch.wait(_LOOK_EVERY_S)  # a caret comes back

    def _gate_and_do(self, plan: Plan, aim: Aim, *, is_last: bool) -> "_Done | Outcome | str":
        """Ask the policy, then do it; in words why it has to be aimed anew."""
        window = self.view.window_of(aim.action)
        frame = self.view.frame or aim.seen
        proposal = Proposal(
            self.step, aim.action, frame, aim.target_px, aim.element, window.info if window else None, (), aim.doubt
        )
        ruling = self._policy.propose(proposal, self.view.part)
        if ruling.asked:
            self.view.age()
        self._tell(Gated(self.step, proposal, ruling.allowed, ruling.asked, ruling.why))
        if not ruling.allowed:
            return self._refused(aim.action, ruling.why, ruling.ends)
        self._denied = 0
        if ruling.asked and not self._still_there(aim, window, asked=True):
            return "another window took the place of the one that was meant"
        before, stirring = self._approach(aim)
        covered = aim.target_px is not None and not looks_same(aim.seen, before, aim.target_px)
        if covered and start_of(aim.action) is not None and not self._still_there(aim, window, asked=False):
            return "another window took the place of the one that was meant"
        return self._do(aim, before, stirring, is_last=is_last)

    def _still_there(self, aim: Aim, meant: DesktopWindow | None, *, asked: bool) -> bool:
        """Say whether the action still reaches the window that was judged; give it the keys back after a question."""
        if meant is None:
            return True
        now = self.view.window_of(aim.action)
        if now is not None and now.id == meant.id:
            return True
        # Who answers in a window of ours takes the keys away from where they were to go.
        return asked and start_of(aim.action) is None and self.view.activate(meant)

    def _refused(self, action: HandAction, why: str, ends: str | None) -> "_Done | Outcome":
        if ends == "stopped":
            raise StoppedError("the run was stopped", why=why)
        if ends == "limit":
            return Outcome("limit", why, self.step)
        if self._policy.mode == "watch":
            return Outcome("refused", f"watch mode: it would {describe(action)}", self.step)
        self._denied += 1
        if self._denied >= self._options.max_denied:
            return Outcome("refused", f"{self._denied} actions in a row were not allowed: {why}", self.step)
        return _Done(f"it was not allowed to {describe(action)}: {why}", go_on=False)

    def _approach(self, aim: Aim) -> tuple[Frame, _Blocks | None]:
        """Return the screen right before the action, with the pointer at the target already, and what moves there.

        What changes because the pointer is there is no effect of the action, nor is what moves elsewhere already.
        """
        start = start_of(aim.action)
        if start is None or isinstance(aim.action, Move):
            return self.view.grab(), None
        self._parts.hands.perform(Move(start))
        settled = self._parts.settle(self.view.grab, self._switch.wait, None, self._options.hover, None)
        return settled.frame, stirring_apart(settled, aim.target_px) if aim.target_px else None

    def _do(self, aim: Aim, before: Frame, stirring: _Blocks | None, *, is_last: bool) -> "_Done | Outcome | str":
        started = time.monotonic()
        broken: HandsError | None = None
        try:
            self._parts.hands.perform(aim.action)
        except NotPermittedError as error:
            return error.why or error.what
        except HandsError as error:
            broken = error
        ms = (time.monotonic() - started) * 1000
        self._tell(Acted(self.step, aim.action, ms, str(broken) if broken else ""))
        self.view.age()
        if isinstance(broken, StoppedError):
            raise broken
        if self._switch.paused:
            self._wait_for_resume()
        options = self._options.settle if is_last else self._options.between
        effect = self._settle(aim, before, options, stirring)
        if isinstance(broken, PersonActingError) and not effect.verdict.changed_px:
            return broken.why or broken.what
        if isinstance(aim.action, Click) and aim.element.strip():
            self._field = _Field(aim.element, aim.target_px)
        return self._told(aim, effect, broken)

    # --- settle, verify --------------------------------------------------------------------------

    def _settle(self, aim: Aim, before: Frame, options: SettleOptions, stirring: _Blocks | None) -> Effect:
        while True:
            try:
                settled = self._parts.settle(self.view.grab, self._switch.wait, before, options, stirring)
                break
            except PersonActingError:
                self._wait_for_resume()
        effect = effect_of(aim.action, aim.target_px, before, settled, self._parts.guards)
        frame = self.view.settled(settled.frame, changed=bool(effect.verdict.changed_px))
        self._tell(Verified(self.step, frame, effect.verdict))
        return effect

    def _told(self, aim: Aim, effect: Effect, broken: HandsError | None) -> "_Done | Outcome":
        did = f"{describe(aim.action)}: {effect.verdict.kind}, {effect.verdict.evidence}"
        if broken is not None:
            return _Done(f"{describe(aim.action)} was broken off: {broken}", go_on=False)
        alarm = effect.alarm
        if alarm is None:
            return _Done(did, go_on=True)
        if alarm.response == "stop":
            return Outcome("limit", f"the run goes in circles: {alarm.message}", self.step)
        if alarm.response == "tell":
            return _Done(f"{did}; {alarm.message}", go_on=False)
        answer = self._policy.question(f"The run goes in circles: {alarm.message}. What shall it do instead?")
        self.view.age()
        if not (answer or "").strip():
            why = f"the run goes in circles: {alarm.message}; nobody said how to go on"
            return Outcome("limit", why, self.step)
        assert self._parts.guards is not None  # noqa: S101 - the alarm is theirs
        self._parts.guards.forgive()
        return _Done(f"{did}; the person says: {answer}", go_on=False)


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of an action, in words; ``go_on`` says whether the rest of the plan still makes sense."""

    note: str
    go_on: bool


def _near(one: Point | None, other: Point) -> bool:
    return one is not None and max(abs(one.x_px - other.x_px), abs(one.y_px - other.y_px)) <= _NEAR_PX
