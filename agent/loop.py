"""Run the agent: open the desktop, go round until the run ends, and leave nothing held.

`run_agent` is all that a command or a window needs. It works on the thread that it is called on, so a window
calls it on a thread of its own, with its own approver, `StopSwitch` and listeners::

    setup = AgentSetup(goal="…", planner=planner, eyes=eyes, approver=approver, switch=switch)
    outcome = run_agent(setup, timeline.listen)

Stop it from anywhere by ``switch.stop(reason)``, pause it by ``switch.pause`` and ``switch.resume``.
`agent.session` builds planner and eyes from models.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agent.capture.screen import open_screen
from agent.episode import Approver, Ended, Event, Eyes, Listener, Mode, Outcome, Planner
from agent.errors import HandsError, StoppedError
from agent.guards import GuardOptions, Guards
from agent.loop_parts import Camera, LoopOptions, LoopParts
from agent.loop_run import Run
from agent.policy import Limits, Policy, Rules, open_hands
from agent.stop import StopSwitch
from agent.trace import TraceWriter
from agent.types import Frame, Rect
from model.errors import ModelError

if TYPE_CHECKING:
    from agent.x11.watch import WatchOptions

RESUME_AFTER_S = 3.0
"""How long a person's hands have to rest before a pause of theirs ends by itself."""


@runtime_checkable
class ListeningPlanner(Protocol):
    """A planner that has to hear what came of its plans, such as `agent.runbook.planner.RunbookPlanner`."""

    def listen(self, event: Event) -> None:
        """Hear of an event."""
        ...


@dataclass(frozen=True, slots=True)
class AgentSetup:
    """What to do, who decides, and within which bounds.

    ``eyes`` find what the planner describes in words; of a planner that points by itself they look in mode guarded
    whether what it says stands where it clicks, and without them each such click is asked about.
    ``guards`` None minds no repeats. ``trace_folder`` is the folder of this run, not made yet
    (`agent.trace.new_run_folder`); None records nothing. ``secrets`` are texts that no record may hold.
    ``watch`` says what stops and pauses the run from outside; None takes the usual: Ctrl+Shift+Escape, the top
    left corner, a pause of three seconds after a person's hands. ``display`` None is that of the environment.
    ``area_px`` is the part of the desktop to work in; None is all. ``wrap_camera`` stands between the loop and
    the screen, for a program that keeps windows of its own out of it.
    """

    goal: str
    planner: Planner
    eyes: Eyes | None = None
    mode: Mode = "guarded"
    approver: Approver | None = None
    switch: StopSwitch = field(default_factory=StopSwitch)
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    guards: GuardOptions | None = field(default_factory=GuardOptions)
    options: LoopOptions = field(default_factory=LoopOptions)
    trace_folder: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    watch: "WatchOptions | None" = None
    display: str | None = None
    capture: str | None = None
    area_px: Rect | None = None
    wrap_camera: Callable[[Camera], Camera] | None = None


def run_agent(setup: AgentSetup, *listeners: Listener) -> Outcome:
    """Do a run and return how it ended.

    Listeners hear every event in order on this thread, `Ended` last, whatever happens: first the trace,
    then the planner where it listens, then the given ones. Errors of ours end in an outcome of kind
    "error"; any other exception is raised once the run has been closed. Raises AgentError when the screen,
    the hands or the watch over the person's stop cannot be opened, and ResourceError when the trace cannot
    be begun: nothing has happened then, and no event is sent.
    """
    policy = Policy(setup.mode, setup.switch, setup.approver, rules=setup.rules, limits=setup.limits)
    with contextlib.ExitStack() as stack:
        parts = _open(setup, policy, stack)
        heard: list[Listener] = []
        if setup.trace_folder is not None:
            trace = TraceWriter(setup.trace_folder, setup.goal, setup.mode, setup.secrets)
            stack.enter_context(_closing(trace.close))
            heard.append(trace)
        if isinstance(setup.planner, ListeningPlanner):
            heard.append(setup.planner.listen)
        return run_loop(replace(parts, listeners=(*heard, *listeners)))


def run_loop(parts: LoopParts) -> Outcome:
    """Go round with parts that are open already; see `run_agent` for what is sent and raised."""
    run = Run(parts)
    try:
        outcome = None
        while outcome is None:
            outcome = run.round()
    except ModelError as error:
        outcome = _cut_short(error, parts.policy, run.step)
    except BaseException as error:
        broken = Outcome("error", f"{type(error).__name__}: {error}", run.step)
        with contextlib.suppress(Exception):  # the first of two failures is the one to hear of
            _end(parts.listeners, broken, run.view.frame)
        raise
    return _end(parts.listeners, outcome, run.view.frame)


def _cut_short(error: ModelError, policy: Policy, step: int) -> Outcome:
    """Say what ended a run: whatever broke off once it was stopped was broken off by that."""
    if policy.switch.stopped:
        return Outcome("stopped", policy.switch.reason, step)
    if isinstance(error, StoppedError) and policy.used_s > policy.limits.max_s:
        return Outcome("limit", error.why or error.what, step)
    return Outcome("error", str(error), step)


def _end(listeners: tuple[Listener, ...], outcome: Outcome, frame: Frame | None) -> Outcome:
    """Tell every listener that the run is over, also when one of them fails; a failure makes it an error."""
    failed: Exception | None = None
    for listener in listeners:
        try:
            listener(Ended(outcome, frame))
        except ModelError as error:
            if outcome.kind != "error":
                outcome = Outcome("error", f"{error} (the run was {outcome.kind}: {outcome.message})", outcome.steps)
        except Exception as error:  # noqa: BLE001  a listener is anybody's code; the others still have to hear
            failed = failed or error
    if failed is not None:
        raise failed
    return outcome


def _open(setup: AgentSetup, policy: Policy, stack: contextlib.ExitStack) -> LoopParts:
    if sys.platform in ("win32", "darwin"):
        raise HandsError(
            "runs are not possible on this system yet",
            why="nothing watches here for the keys and the corner that stop a run, nor for a person's own hands",
            remedy="use an X11 desktop; screenshot, ground and batch work here",
        )
    # Here, so that systems without X11 can import this module.
    from agent.hands.release import close_on_exit
    from agent.x11.desktop import X11Desktop
    from agent.x11.watch import WatchOptions, X11Watcher

    handlers = None
    if setup.display is not None:
        from agent.capture.x11 import X11Capture

        handlers = (X11Capture(setup.display),)
    screen = stack.enter_context(open_screen(setup.capture, handlers))
    desktop = stack.enter_context(X11Desktop(setup.display))
    hands = stack.enter_context(open_hands(policy, setup.display))
    stack.callback(close_on_exit(hands))
    watch = setup.watch or WatchOptions(resume_after_s=RESUME_AFTER_S)
    stack.enter_context(X11Watcher(setup.switch, setup.display, watch))
    return LoopParts(
        planner=setup.planner,
        eyes=setup.eyes,
        camera=setup.wrap_camera(screen) if setup.wrap_camera else screen,
        hands=hands,
        policy=policy,
        desktop=desktop,
        guards=Guards(setup.guards) if setup.guards else None,
        area_px=setup.area_px,
        options=setup.options,
    )


@contextlib.contextmanager
def _closing(close: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(ModelError):
            close()
        raise
    close()
