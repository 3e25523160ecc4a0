"""One run of the agent, begun and steered from the window and carried out on a thread of its own."""

import contextlib
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from agent.episode import Ended, Event, Gated, Mode, Outcome, Proposal
from agent.errors import AgentError
from agent.locate import LocateOptions
from agent.loop import RESUME_AFTER_S, AgentSetup, run_agent
from agent.loop_parts import Camera
from agent.policy import Limits, Rules
from agent.runbook.runbook import Runbook
from agent.types import Rect
from app.settings import EndpointSettings
from app.translate import tr
from app.ui.agent.answers import Answer, CorrectableEyes, CorrectingSwitch, Corrections, WindowApprover
from app.ui.agent.cleared_camera import ClearedCamera
from app.ui.agent.timeline import points_of
from app.ui.overlay import Overlay
from model.chat import ChatModel
from model.errors import ModelError
from model.wire.card import ModelCard

_log = logging.getLogger(__name__)

STEPS_EACH = 40
"""Steps that one line of a runbook may take before the run is taken for lost; scrolling takes many."""

_SHOWN_S = 1.5
"""How long watch mode shows what it would do."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to do and within which bounds, as the person set it up. Without ``runbook``, ``goal`` is pursued."""

    goal: str
    runbook: Runbook | None
    mode: Mode
    model: ChatModel
    card: ModelCard | None
    planner: EndpointSettings | None = None
    max_steps: int = 50
    max_s: float = 1800.0
    rules: Rules = field(default_factory=Rules)
    stop_keys: tuple[str, ...] = ("ctrl", "shift", "escape")
    marker_ms: int = 600
    folder: Path | None = None
    area_px: Rect | None = None


class AgentRun(QObject):
    """``happened`` tells every event, ``asked`` and ``worded`` what a person has to answer, ``ended`` the outcome.

    All signals arrive in the window's thread. ``answered`` says that a question is over, whoever ended it.
    """

    happened = Signal(object)
    asked = Signal(object)
    worded = Signal(str)
    answered = Signal()
    ended = Signal(object)
    _mark = Signal(object)

    def __init__(self, plan: RunPlan, overlay: Overlay, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plan = plan
        self.switch = CorrectingSwitch()
        self._overlay = overlay
        self._corrections = Corrections()
        self._approver = WindowApprover(
            self.switch, self._corrections, self.asked.emit, self.worded.emit, self._question_over
        )
        self._mark.connect(overlay.mark, Qt.ConnectionType.QueuedConnection)
        self._told_end = False
        self._thread = threading.Thread(target=self._work, name="agent run", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the run's thread is at work."""
        return self._thread.is_alive()

    def give(self, answer: Answer | str | None) -> None:
        """Answer what was asked last."""
        self._approver.give(answer)

    def pause(self, reason: str) -> None:
        """Let nothing happen until `resume`."""
        self.switch.pause(reason)

    def resume(self) -> None:
        """Go on, whoever paused."""
        self.switch.resume()

    def stop(self, reason: str) -> None:
        """Stop for good."""
        self.switch.stop(reason)

    def join(self, limit_s: float) -> bool:
        """Wait for the thread to end; say whether it has."""
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                outcome = run_agent(self._setup(stack), self._corrections.listen, self._hear)
        except ModelError as error:
            outcome = Outcome("stopped" if self.switch.stopped else "error", str(error), 0)
        except Exception as error:  # noqa: BLE001 - the border between the run's thread and the window
            _log.exception("the run broke down")
            outcome = Outcome("error", f"{type(error).__name__}: {error}", 0)
        if not self._told_end:
            self.happened.emit(Ended(outcome, None))
        self.ended.emit(outcome)

    def _setup(self, stack: contextlib.ExitStack) -> AgentSetup:
        from agent.eyes import ModelEyes
        from agent.guards import GuardOptions
        from agent.session import follow, pursue
        from agent.x11.watch import WatchOptions
        from model.client import Endpoint

        plan = self.plan
        look = look_options(plan.card)
        if plan.runbook is not None:
            mind = follow(plan.runbook, ModelEyes(plan.model, look))
        elif plan.planner is not None:
            server = stack.enter_context(Endpoint(plan.planner.url, plan.planner.model, plan.planner.api_key))
            mind = pursue(plan.goal, server, plan.model, look)
        else:
            mind = pursue(plan.goal, plan.model, look=look)
        steps = STEPS_EACH * len(plan.runbook.instructions) if plan.runbook else plan.max_steps
        try:
            watch = WatchOptions(stop_keys=plan.stop_keys, resume_after_s=RESUME_AFTER_S)
        except ValueError as error:
            raise AgentError(
                tr("the keys that stop a run cannot be used"),
                why=str(error),
                remedy=tr("choose others in the settings"),
            ) from error
        return AgentSetup(
            goal=plan.goal,
            planner=mind.planner,
            eyes=CorrectableEyes(mind.eyes, self._corrections) if mind.eyes is not None else None,
            mode=plan.mode,
            approver=self._approver,
            switch=self.switch,
            rules=plan.rules,
            limits=Limits(max_steps=max(steps, plan.max_steps), max_s=plan.max_s),
            guards=None if plan.runbook is not None else GuardOptions(),
            trace_folder=plan.folder,
            secrets=mind.secrets,
            watch=watch,
            area_px=plan.area_px,
            wrap_camera=self._cleared,
        )

    def _cleared(self, camera: Camera) -> Camera:
        return ClearedCamera(camera, self._overlay)

    def _hear(self, event: Event) -> None:
        self._told_end = self._told_end or isinstance(event, Ended)
        self.happened.emit(event)
        if isinstance(event, Gated) and (event.allowed or self.plan.mode == "watch"):
            self._show_place(event.proposal, event.allowed)

    def _show_place(self, proposal: Proposal, allowed: bool) -> None:
        """Show where the action lands for a moment, and be gone before it does. Raises as the switch does."""
        points = points_of(proposal.action)
        seconds = self.plan.marker_ms / 1000 if allowed else _SHOWN_S
        if points and seconds > 0:
            self._mark.emit(points[0])
            try:
                self.switch.wait(seconds)
            finally:
                self._mark.emit(None)
        self._overlay.clear()

    def _question_over(self) -> None:
        self.answered.emit()
        self._overlay.step_aside()


def look_options(card: ModelCard | None) -> LocateOptions:
    """Return how to ask a model for a place, from what it says about itself."""
    return LocateOptions.of(card)
