"""Scripted planners and eyes that know where things are: what stands in for a model in tests of the loop."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from agent.coords import pixel_to_relative
from agent.episode import Observation, Plan
from agent.locate import Location, Look
from agent.types import Action, Done, Frame, Rect, RelPoint, Target, Unreadable
from model.grounding import NotThere
from tests.x11.conftest import start, stop
from tests.x11.programs import Target as Program

PlanLike = Plan | Unreadable


class Script:
    """Plans one thing after another; the notes that it was given are kept."""

    def __init__(self, plans: Sequence[PlanLike], *, for_ever: bool = False) -> None:
        self._plans = cycle(plans) if for_ever else iter(plans)
        self.notes: list[str] = []

    def next(self, observation: Observation, cancel: threading.Event) -> PlanLike:
        """Return the next plan; Done when there is none left."""
        self.notes.append(observation.note)
        return next(self._plans, Plan((Done(),)))


class KnowingEyes:
    """Eyes that were told where everything is; what they were asked for is kept."""

    def __init__(self, rects: Mapping[str, Rect]) -> None:
        self.rects = dict(rects)
        self.asked: list[str] = []

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Return the middle of a rectangle, or that there is no such thing."""
        self.asked.append(description)
        rect = self.rects.get(description)
        if rect is None:
            whole = Rect(0, 0, *frame.size_px)
            return Location(False, None, None, (Look(whole, 1.0, NotThere(), "not there", 0.0),), 0.0)
        x, y = (rect.left + rect.right) // 2, (rect.top + rect.bottom) // 2
        return Location(True, (x, y), pixel_to_relative(x, y, *frame.size_px), (), 0.0)


def does(*actions: Action[Target], described: str = "do it") -> Plan:
    """Return a plan as a person's step is one."""
    return Plan(actions, described=described)


def says(*actions: Action[RelPoint] | Action[Target], described: str = "do it") -> Plan:
    """Return a plan as a model's answer is one."""
    return Plan(actions, described=described, raw="## Code: …")  # pyright: ignore[reportArgumentType] - of one kind


@contextmanager
def shown(program: str, display: str, home: Path, *arguments: str) -> Iterator[tuple[dict[str, Rect], Program]]:
    """Run a program of this folder; yield where its parts are, and the program to listen to."""
    command = [sys.executable, str(Path(__file__).with_name(program)), *arguments]
    process = start(command, display, home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        running = Program(process)
        ready = running.next_event(60)
        yield {name: Rect(*edges) for name, edges in ready["rects"].items()}, running
    finally:
        stop(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
