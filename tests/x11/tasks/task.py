"""What a task is, how it is run, and what came of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import xcffib.xproto as xp

from agent.capture.screen import open_screen
from agent.capture.x11 import X11Capture
from agent.episode import Event, Eyes, Outcome
from agent.eyes import ModelEyes
from agent.hands.release import release_everything
from agent.locate import LocateOptions
from agent.loop import AgentSetup, run_agent
from agent.policy import Limits, Rules
from agent.runbook.runbook import Runbook
from agent.runbook.yaml_file import load_yaml
from agent.session import follow
from agent.settle import SettleOptions, settle
from agent.x11.connection import XConnection
from tests.x11.tasks.site import Site

RUNBOOKS = Path(__file__).with_name("runbooks")
LIMIT_S = 240.0
DESKTOP_RGB = 0x3A6EA5
JUDGED_WITHIN_S = 4.0
_LOOK_EVERY_S = 0.1

Judge = Callable[[], str]
"""Says what is wrong with the program, the page or the files; nothing when all is as it should be."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a task is done: a display, a folder of its own that is the programs' home, and a local site."""

    display: str
    home: Path
    site: Site


@dataclass(frozen=True, slots=True)
class Task:
    """A runbook by its file's name, and the program that it is done in.

    ``stage`` starts the program, waits for its window, and yields the judge. ``variables`` replace those of the
    runbook.
    """

    name: str
    program: str
    stage: Callable[[Desk], AbstractContextManager[Judge]]
    variables: dict[str, str] = field(default_factory=dict)

    def runbook(self) -> Runbook:
        """Read the steps."""
        return load_yaml(RUNBOOKS / f"{self.name}.yaml", self.variables)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a task; ``reason`` is empty when the judge found all as it should be."""

    task: Task
    reason: str
    seconds: float
    outcome: Outcome | None

    @property
    def passed(self) -> bool:
        """Say whether the judge was content."""
        return not self.reason


def run_task(
    task: Task,
    desk: Desk,
    eyes: Eyes,
    trace_folder: Path | None = None,
    listener: Callable[[Event], None] | None = None,
) -> Result:
    """Start the program, do the steps as ``run FILE.yaml --yes-i-wrote-this`` does, and ask the judge."""
    started = time.monotonic()
    with task.stage(desk) as judge:
        _put_pointer_away(desk.display)
        wait_until_quiet(desk.display)
        runbook = task.runbook()
        mind = follow(runbook, eyes)
        setup = AgentSetup(
            goal=runbook.name,
            planner=mind.planner,
            eyes=mind.eyes,
            mode="run",
            rules=Rules(always_ask=frozenset()),
            limits=Limits(max_steps=50 + 40 * len(runbook.instructions), max_actions=2000, max_s=LIMIT_S),
            guards=None,
            trace_folder=trace_folder,
            secrets=mind.secrets,
            display=desk.display,
        )
        try:
            outcome = run_agent(setup, *([listener] if listener else []))
        finally:
            release_everything(desk.display)
        wrong = _judged(judge)
    reason = "" if not wrong else f"{wrong} ({outcome.kind}: {outcome.message})"
    return Result(task, reason, time.monotonic() - started, outcome)


@contextmanager
def builtin_eyes() -> Iterator[Eyes]:
    """Load the built-in checkpoint as the command line does."""
    from model.engine import Engine  # torch takes seconds, and most that import this need none

    with Engine.load("builtin") as engine:
        yield ModelEyes(engine, LocateOptions.of(engine.info))


def _judged(judge: Judge) -> str:
    end = time.monotonic() + JUDGED_WITHIN_S
    while (wrong := judge()) and time.monotonic() < end:
        time.sleep(_LOOK_EVERY_S)
    return wrong


def show_desktop(display: str) -> None:
    """Give the desktop a colour, as every real one has; a bare X server is black, which a run refuses to work on."""
    with XConnection(display) as x:
        x.core.ChangeWindowAttributes(x.root, xp.CW.BackPixel, [DESKTOP_RGB])
        x.core.ClearArea(False, x.root, 0, 0, 0, 0)
        x.sync()


def wait_until_quiet(display: str) -> None:
    """Return when the program that was started has drawn itself: nobody begins before."""
    with open_screen(None, (X11Capture(display),)) as screen:
        settle(lambda: screen.grab(allow_black=True), time.sleep, None, SettleOptions(quiet_s=0.8, limit_s=10.0))


def _put_pointer_away(display: str) -> None:
    """Put the pointer where it points to nothing and stops nothing."""
    with XConnection(display) as x:
        x.core.WarpPointer(0, x.root, 0, 0, 0, 0, 1270, 790)
        x.sync()
