"""The values and protocols of a run: what a planner wants, what is proposed, decided, seen and recorded.

A run goes round: observe → plan → locate → gate → act → settle → verify. Each arrow of that round is a
value of this module, so that a window, a trace and a test all see the same thing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.hands.gate import HandAction
from agent.locate import Location
from agent.types import Action, Frame, Point, Rect, RelPoint, Target, Unreadable

Mode = Literal["watch", "confirm", "guarded", "run"]
MODES: tuple[Mode, ...] = ("watch", "confirm", "guarded", "run")

Risk = Literal["send", "pay", "delete", "install", "credential", "shell", "close unsaved", "other application"]
VerdictKind = Literal["confirmed", "changed elsewhere", "no visible effect", "unverifiable"]
OutcomeKind = Literal["done", "failed", "stopped", "limit", "refused", "error"]


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """The window that an action would reach: its title, its program's class and its place in physical pixels."""

    title: str
    app_class: str
    rect_px: Rect | None


@dataclass(frozen=True, slots=True)
class Observation:
    """What a planner is shown. ``note`` is what came of the last step, in words; step 1 has none."""

    frame: Frame
    step: int
    note: str
    window: WindowInfo | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a planner wants next. ``raw`` is a model's whole answer; a person's step is ``described``."""

    actions: tuple[Action[RelPoint] | Action[Target], ...]
    thought: str = ""
    described: str = ""
    raw: str = ""


class Planner(Protocol):
    """Decide the next step. Unreadable goes back to the planner as the next observation's note."""

    def next(self, observation: Observation, cancel: threading.Event) -> Plan | Unreadable:
        """Return what to do next; the last plan of a run holds Done or Fail."""
        ...


class Eyes(Protocol):
    """Find a described element in a frame."""

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Return where it is, relative to the frame, or that it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action with its place, as the policy judges it and as a person is asked about it.

    ``target_px`` is the part of the virtual desktop that approval is bound to; ``element`` is what the
    planner calls the target; ``risks`` is empty for what nobody has to be asked about. ``doubt`` says why the
    target may be another than the planner says; it is empty where that was looked into, or does not arise.
    """

    step: int
    action: HandAction
    frame: Frame
    target_px: Rect | None
    element: str
    window: WindowInfo | None
    risks: tuple[Risk, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about a proposal."""

    kind: Literal["approve", "deny", "stop"]
    note: str = ""


class Approver(Protocol):
    """A person who can be asked. Every answer but "approve" is a no; raising is one, too."""

    def decide(self, proposal: Proposal, cancel: threading.Event) -> Decision:
        """Ask about a proposal and wait for the answer."""
        ...

    def answer(self, question: str, cancel: threading.Event) -> str | None:
        """Ask a question of the planner's; None when the person gives no answer."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an action visibly did: where the screen changed, and the evidence in words."""

    kind: VerdictKind
    changed_px: tuple[Rect, ...]
    evidence: str
    settled: bool
    settle_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and what it found out or why it failed."""

    kind: OutcomeKind
    message: str
    steps: int


@dataclass(frozen=True, slots=True)
class Observed:
    """A step has begun with this frame."""

    step: int
    frame: Frame
    window: WindowInfo | None
    note: str


@dataclass(frozen=True, slots=True)
class Planned:
    """The planner has answered; Unreadable says why it could not be followed."""

    step: int
    plan: Plan | Unreadable
    ms: float


@dataclass(frozen=True, slots=True)
class Located:
    """A described target has been looked for."""

    step: int
    description: str
    location: Location
    point: Point | None


@dataclass(frozen=True, slots=True)
class Gated:
    """The policy has ruled on a proposal; ``asked`` says that a person decided."""

    step: int
    proposal: Proposal
    allowed: bool
    asked: bool
    why: str


@dataclass(frozen=True, slots=True)
class Acted:
    """The hands are done with an action; ``error`` says what broke it off."""

    step: int
    action: HandAction
    ms: float
    error: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The screen has settled after a step, and this is what changed."""

    step: int
    frame: Frame
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over; ``frame`` is the last thing seen, where there is one."""

    outcome: Outcome
    frame: Frame | None


Event = Observed | Planned | Located | Gated | Acted | Verified | Ended
Listener = Callable[[Event], None]
"""Is told of every event, in order, on the run's own thread; what it raises ends the run."""
