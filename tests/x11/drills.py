"""Runs that reach a phase and stay in it, to be stopped or killed there; also a program of its own.

``python -m tests.x11.drills DISPLAY FOLDER PHASE LEFT TOP RIGHT BOTTOM`` says ``{"phase": …}`` when the phase has
been reached and ``{"outcome": …}`` at the end, as JSON lines.
"""

import json
import select
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.coords import pixel_to_relative
from agent.episode import Acted, Decision, Event, Observation, Outcome, Plan, Proposal
from agent.locate import Location
from agent.loop import AgentSetup, run_agent
from agent.loop_parts import LoopOptions
from agent.settle import SettleOptions
from agent.stop import StopSwitch, stopping_on_signals
from agent.types import Action, Click, Done, Drag, Frame, Rect, Target, TypeText, Wait
from agent.x11.connection import XConnection
from agent.x11.raw_input import RawEvent, RawInput
from agent.x11.watch import WatchOptions
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX

Phase = Literal["planning", "locating", "approving", "typing", "dragging", "settling", "waiting"]
PHASES: tuple[Phase, ...] = ("planning", "locating", "approving", "typing", "dragging", "settling", "waiting")
LIMIT_S = 30.0
TEXT = "the quick brown fox jumps over the lazy dog " * 100


@dataclass
class Drill:
    """Plans, sees and approves; stays in its phase until the run is stopped. ``reached`` is set there."""

    phase: Phase
    pad_px: Rect
    reached: Callable[[], None]
    steps: int = 0
    events: list[Event] = field(default_factory=list)

    def next(self, observation: Observation, cancel: threading.Event) -> Plan:
        """Plan a harmless click first, then what belongs to the phase."""
        self.steps += 1
        if self.phase == "settling":
            return Plan(self._actions(), described="do the drill")
        if self.steps == 1:
            return Plan((Click(Target("a")),), described="click once")
        if self.steps > 2:
            return Plan((Done(),))
        if self.phase == "planning":
            self._stay(cancel)
        return Plan(self._actions(), described="do the drill")

    def _actions(self) -> tuple[Action[Target], ...]:
        match self.phase:
            case "typing":
                return (Click(Target("b")), TypeText(TEXT))
            case "dragging":
                return (*(Drag(Target("a"), Target("b")) for _ in range(5)),)
            case "waiting":
                return (Wait(60.0),)
            case _:
                return (Click(Target("b")),)

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Find the pad's left or right half."""
        if self.phase == "locating" and description == "b":
            self._stay(cancel)
        x = self.pad_px.left + self.pad_px.width * (1 if description == "a" else 3) // 4
        y = (self.pad_px.top + self.pad_px.bottom) // 2
        return Location(True, (x, y), pixel_to_relative(x, y, WIDTH_PX, HEIGHT_PX), (), 0.0)

    def decide(self, proposal: Proposal, cancel: threading.Event) -> Decision:
        """Approve, or think about it for ever."""
        if self.phase == "approving" and self.steps == 2:
            self._stay(cancel)
        return Decision("approve")

    def answer(self, question: str, cancel: threading.Event) -> str | None:
        """Answer nothing."""
        return None

    def listen(self, event: Event) -> None:
        """Note an event; the phases of the hands and of waiting are reached by what happens."""
        self.events.append(event)
        if self.phase == "settling" and isinstance(event, Acted):
            self.reached()
        if self.phase == "waiting" and type(event).__name__ == "Planned" and self.steps == 2:
            self.reached()

    def _stay(self, cancel: threading.Event) -> None:
        self.reached()
        cancel.wait(LIMIT_S)


def drill(
    display: str, phase: Phase, pad_px: Rect, switch: StopSwitch, reached: Callable[[], None], folder: Path | None
) -> tuple[Outcome, Drill]:
    """Run a drill until it is stopped."""
    played = Drill(phase, pad_px, reached)
    setup = AgentSetup(
        goal=f"drill {phase}",
        planner=played,
        eyes=played,
        approver=played,
        mode="confirm" if phase == "approving" else "run",
        switch=switch,
        guards=None,
        # Nothing of the pad answers: the wait for an effect lasts as long as it is told to.
        options=LoopOptions(settle=SettleOptions(patience_s=0.3 if phase != "settling" else 20.0, limit_s=20.0)),
        trace_folder=folder,
        watch=WatchOptions(corner="top left"),
        display=display,
    )
    return run_agent(setup), played


class Injected:
    """Hears every event of the X server on a connection of its own, on a thread, from the start until it is closed."""

    def __init__(self, display: str) -> None:
        self.events: list[RawEvent] = []
        self._changed = threading.Condition()
        self._x = XConnection(display)
        self._raw = RawInput(self._x)
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="drill ears", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Injected":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._thread.join()
        self._x.close()

    def by_program(self) -> list[RawEvent]:
        """Return what was injected so far, releases apart."""
        with self._changed:
            return [event for event in self.events if not event.by_person and not event.kind.endswith("up")]

    def wait_for(self, kind: str, count: int) -> None:
        """Return when so many events of a kind have been injected."""

        def come() -> bool:
            return sum(event.kind == kind and not event.by_person for event in self.events) >= count

        with self._changed:
            if not self._changed.wait_for(come, LIMIT_S):
                raise AssertionError(f"there were no {count} events {kind!r}: {self.events[-5:]}")

    def _listen(self) -> None:
        while not self._closing:
            new = list(self._raw.events())
            if new:
                with self._changed:
                    self.events += new
                    self._changed.notify_all()
            else:
                select.select([self._x.connection.get_file_descriptor()], [], [], 0.05)


def held(display: str) -> tuple[bool, int]:
    """Return whether a key is down, and which buttons are."""
    with XConnection(display) as x:
        return any(bytes(x.core.QueryKeymap().reply().keys)), x.core.QueryPointer(x.root).reply().mask & 0x1F00


def main(display: str, folder: str, phase: Phase, *edges: str) -> int:
    """Play a drill as a program."""

    def reached() -> None:
        sys.stdout.write(json.dumps({"phase": phase}) + "\n")
        sys.stdout.flush()

    switch = StopSwitch()
    with stopping_on_signals(switch):
        outcome, _ = drill(display, phase, Rect(*map(int, edges)), switch, reached, Path(folder))
    sys.stdout.write(json.dumps({"outcome": outcome.kind, "message": outcome.message}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))  # pyright: ignore[reportArgumentType] - a drill is started by a test
