"""The one gate before the hands: what may happen, who is asked, and for exactly what the answer holds.

Everything fails closed. Nobody who could be asked, an approver that raises, an answer that is no plain
"approve", a target that has changed since it was shown: each of them is a no.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from agent.consequences import RISKS, assess, names_secret
from agent.episode import MODES, Approver, Decision, Mode, Proposal, Risk
from agent.errors import NotPermittedError, StoppedError
from agent.hands.gate import HandAction
from agent.stop import StopSwitch
from agent.types import Click, Drag, Frame, Hotkey, Move, Point, Press, Rect, Scroll, TypeText

if TYPE_CHECKING:
    from agent.hands.native import NativeHands
    from agent.hands.x11 import X11Hands

_LEVELS = 8
_WINDOW_SHARE = 0.01
_QUIET_S, _QUIET_LIMIT_S = 0.3, 5.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run ends by itself; seconds in which a person is waited for do not count."""

    max_steps: int = 50
    max_actions: int = 500
    max_s: float = 1800.0

    def __post_init__(self) -> None:
        if min(self.max_steps, self.max_actions, self.max_s) <= 0:
            raise ValueError(f"limits are greater than zero, not {self}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in every mode. Applications are named by their class, whatever its case.

    With ``allowed_apps``, any other application is refused, and so is a window that nobody can name;
    ``denied_apps`` outrank them. ``always_ask`` are risks that a person is asked about even in mode run.
    ``home_app`` is the program that the run is about: acting elsewhere is a risk. ``permit_s`` is how
    long a permit waits for the hands, ``max_asks`` how often one proposal is asked about as its target
    changes, ``blink_s`` how long a target that looks different may take to look as it was shown.
    """

    allowed_apps: frozenset[str] = frozenset()
    denied_apps: frozenset[str] = frozenset()
    always_ask: frozenset[Risk] = frozenset({"pay", "delete", "credential"})
    home_app: str = ""
    permit_s: float = 10.0
    max_asks: int = 3
    blink_s: float = 1.2

    def __post_init__(self) -> None:
        for risk in self.always_ask:
            if risk not in RISKS:
                raise ValueError(f"{risk!r} is not a risk; there are {', '.join(RISKS)}")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy says to a proposal. ``ends`` says that no other proposal has a chance, either."""

    allowed: bool
    asked: bool
    why: str
    ends: Literal["stopped", "limit"] | None = None


@dataclass(frozen=True, slots=True)
class _Permit:
    action: HandAction
    until_s: float


class Policy:
    """Rule on proposals, and let the hands do what was allowed, exactly that, once.

    ``approver`` is the person; None means that nobody can be asked. The clock of the time limit starts
    with the policy. One policy serves one run.
    """

    def __init__(
        self,
        mode: Mode,
        switch: StopSwitch,
        approver: Approver | None = None,
        *,
        rules: Rules = Rules(),
        limits: Limits = Limits(),
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"{mode!r} is not a mode; there are {', '.join(MODES)}")
        self.mode: Mode = mode
        self.switch = switch
        self.rules = rules
        self.limits = limits
        self._approver = approver
        self._started_s = time.monotonic()
        self._asked_s = 0.0
        self._asking_since: float | None = None
        self._actions = 0
        self._lock = threading.Lock()
        self._permit: _Permit | None = None

    @property
    def used_s(self) -> float:
        """Return how many seconds of the time limit are used up."""
        now = time.monotonic()
        asking = now - self._asking_since if self._asking_since is not None else 0.0
        return now - self._started_s - self._asked_s - asking - self.switch.paused_s

    def limit_reached(self, step: int) -> str:
        """Say which limit a step would break; empty if none."""
        if step > self.limits.max_steps:
            return f"the limit of {self.limits.max_steps} steps is reached"
        if self._actions >= self.limits.max_actions:
            return f"the limit of {self.limits.max_actions} actions is reached"
        return self._out_of_time()

    def propose(self, proposal: Proposal, look: Callable[[Rect], Frame]) -> Ruling:
        """Rule on an action, asking a person where that is due; if it is allowed, permit it once.

        ``look`` captures a part of the virtual desktop as it is now. Raises StoppedError and
        PersonActingError as `check` does, and what ``look`` raises; nothing is permitted then.
        """
        with self._lock:
            self._permit = None
        self.switch.check()
        if reached := self.limit_reached(proposal.step):
            return Ruling(False, False, reached, "limit")
        if self.mode == "watch":
            return Ruling(False, False, "watch mode shows what it would do and does nothing")
        if refused := self._refusal(proposal):
            return Ruling(False, False, refused)
        own = assess(proposal.action, proposal.element, proposal.window, self.rules.home_app)
        proposal = replace(proposal, risks=tuple(risk for risk in RISKS if risk in {*own, *proposal.risks}))
        reason = self._reason_to_ask(proposal)
        ruling = self._ask(proposal, reason, look) if reason else Ruling(True, False, f"mode {self.mode}")
        if ruling.allowed:
            self.check()
            with self._lock:
                self._permit = _Permit(proposal.action, time.monotonic() + self.rules.permit_s)
        return ruling

    def admit(self, action: HandAction) -> None:
        """Use up the permit for an action. Raises NotPermittedError when there is none for exactly it.

        Moving the pointer to where the permitted action begins is a part of it and uses nothing up.
        Whatever else was asked for, no permit is left afterwards. Raises also as `check` does.
        """
        with self._lock:
            permit, self._permit = self._permit, None
        self.check()
        if permit is None:
            raise NotPermittedError("the action was not permitted", why="nothing was, or it has been done already")
        begins = isinstance(action, Move) and action.to == _begins_at(permit.action)
        if permit.action != action and not begins:
            raise NotPermittedError("the action was not permitted", why="another one was")
        if time.monotonic() > permit.until_s:
            raise NotPermittedError("the permit has run out", remedy="propose the action again")
        if begins:
            with self._lock:
                self._permit = permit
        else:
            self._actions += 1

    def question(self, text: str) -> str | None:
        """Ask the person something that is no action; None when nobody answers.

        Raises StoppedError after a stop. The wait does not count against the time limit.
        """
        if self._approver is None:
            return None
        self._asking_since = time.monotonic()
        try:
            with self.switch.asking():
                try:
                    answer = self._approver.answer(text, self.switch.cancel)
                except Exception:  # noqa: BLE001  an approver is anybody's code, and no answer is none
                    answer = None
                if self.switch.stopped:
                    self.switch.check()
                return answer if isinstance(answer, str) else None
        finally:
            self._asked_s += time.monotonic() - self._asking_since
            self._asking_since = None

    def check(self) -> None:
        """Return if the run may go on. Raises StoppedError or PersonActingError."""
        self.switch.check()
        if reached := self._out_of_time():
            raise StoppedError("the run was stopped", why=reached)

    def _out_of_time(self) -> str:
        return f"the limit of {self.limits.max_s:g} seconds is reached" if self.used_s > self.limits.max_s else ""

    def _refusal(self, proposal: Proposal) -> str:
        """Say why an action is out of the question, whoever approves of it; empty if it is not."""
        action, app = proposal.action, (proposal.window.app_class if proposal.window else "").casefold()
        if app and app in {name.casefold() for name in self.rules.denied_apps}:
            return f"the application {app} is on the list of those to be left alone"
        if self.rules.allowed_apps and app not in {name.casefold() for name in self.rules.allowed_apps}:
            return f"the application {app or 'that would get it is unknown and'} is not on the list of allowed ones"
        if isinstance(action, TypeText):
            if action.secret and not proposal.element.strip():
                return "a stored secret is typed only into the field that it is named for, and no field is named"
            if not action.secret and names_secret(proposal.element):
                return "a field for secrets takes only a stored secret that the steps name, not a text"
        if proposal.target_px is not None and proposal.target_px.intersection(proposal.frame.rect_px) is None:
            return "the target lies outside of the frame that it was found in"
        return ""

    def _reason_to_ask(self, proposal: Proposal) -> str:
        risks = proposal.risks
        if self.mode == "confirm":
            return "every action is confirmed"
        if self.mode == "run":
            risks = tuple(risk for risk in risks if risk in self.rules.always_ask)
        if risks:
            return f"risk: {', '.join(risks)}"
        if self.mode == "guarded" and proposal.doubt:
            return proposal.doubt
        if self.mode == "guarded" and isinstance(proposal.action, Click | Drag) and not proposal.element.strip():
            return "nobody has said what this click reaches"
        if self.mode == "guarded" and isinstance(proposal.action, TypeText | Press | Hotkey) and not proposal.window:
            return "nobody can tell which window gets the keys"
        return ""

    def _ask(self, proposal: Proposal, reason: str, look: Callable[[Rect], Frame]) -> Ruling:
        approver = self._approver
        if approver is None:
            return Ruling(False, False, f"{reason}; there is nobody to ask")
        for _ in range(self.rules.max_asks):
            decision = self._decision(approver, proposal)
            if isinstance(decision, str):
                return Ruling(False, True, f"{reason}; {decision}")
            if decision.kind == "stop":
                self.switch.stop(decision.note or "the person stopped the run")
                return Ruling(False, True, "the person stopped the run", "stopped")
            if decision.kind != "approve":
                return Ruling(False, True, f"{reason}; the person said no{f': {decision.note}' * bool(decision.note)}")
            self.switch.check()
            bound_px = _bound(proposal)
            end = time.monotonic() + self.rules.blink_s
            while True:
                now = look(bound_px)
                if now.monitors != proposal.frame.monitors:
                    return Ruling(False, True, "the monitors have changed since the target was found; look again")
                if not _changed(proposal.frame, now, bound_px, exact=proposal.target_px is not None):
                    return Ruling(True, True, f"{reason}; the person approved")
                if time.monotonic() >= end:
                    break
                self.switch.wait(_LOOK_EVERY_S)  # a blinking caret comes back
            proposal = replace(proposal, frame=look(proposal.frame.rect_px))
        return Ruling(False, True, f"{reason}; the target kept changing while the person was asked")

    def _decision(self, approver: Approver, proposal: Proposal) -> Decision | str:
        """Return a person's answer, or in words why there is none. Raises StoppedError after a stop."""
        self._asking_since = time.monotonic()
        try:
            # A person needs the mouse to answer; that is no reason to pause.
            with self.switch.asking():
                try:
                    decision = approver.decide(proposal, self.switch.cancel)
                except Exception as error:  # noqa: BLE001  an approver is anybody's code, and no answer is a no
                    self.switch.check()
                    return f"asking failed with {type(error).__name__}: {error}"
                # Stop outranks an answer that came at the same time.
                self.switch.check()
                if not isinstance(decision, Decision):
                    return f"the answer was {type(decision).__name__} instead of a decision"
                if decision.kind == "approve" and not self.switch.wait_for_quiet(_QUIET_S, _QUIET_LIMIT_S):
                    return "the person approved, but went on using the mouse or the keyboard"
                return decision
        finally:
            self._asked_s += time.monotonic() - self._asking_since
            self._asking_since = None


def open_hands(policy: Policy, display: str | None = None) -> "X11Hands | NativeHands":
    """Return this system's hands with the policy as their gate; there is no other way to any.

    Raises AgentError as `agent.hands.choose.choose_hands` does.
    """
    from agent.hands.choose import choose_hands

    return choose_hands(policy, display)


def _begins_at(action: HandAction) -> Point | None:
    match action:
        case Click(at) | Scroll(at):
            return at
        case Drag(start):
            return start
        case _:
            return None


def _bound(proposal: Proposal) -> Rect:
    """Return what has to look the same for an approval to hold: the target, the window, or all of it."""
    whole = proposal.frame.rect_px
    place = proposal.target_px or (proposal.window.rect_px if proposal.window else None)
    return (place.intersection(whole) if place else None) or whole


def _changed(before: Frame, now: Frame, rect_px: Rect, *, exact: bool) -> bool:
    """Say whether a part of the screen looks different.

    A target has to be the same to the pixel, as one digit of a price is few pixels. What merely lies
    around the keyboard's focus may change by a hundredth: a clock, a caret.
    """
    part = before.crop(rect_px)
    if now.rect_px != rect_px or part.rect_px != rect_px:
        return True
    differs = (np.abs(part.pixels.astype(np.int16) - now.pixels) > _LEVELS).any(axis=2)
    changed = int(np.count_nonzero(differs))
    return changed > (0 if exact else _WINDOW_SHARE * differs.size)
