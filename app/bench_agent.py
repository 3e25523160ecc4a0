"""What a step of the agent costs besides the model and the wait for the screen: ``bench agent``.

A real X server, real capture, hands, policy, verification, guards and trace; only planner and eyes are
scripted, so that nothing of a model is measured.
"""

import contextlib
import os
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.capture.screen import open_screen
from agent.capture.x11 import X11Capture
from agent.coords import pixel_to_relative
from agent.episode import Event, Observation, Plan, Verified
from agent.errors import AgentError
from agent.guards import Guards
from agent.hands.gate import HandAction
from agent.locate import Location
from agent.loop import run_loop
from agent.loop_parts import Camera, Hands, LoopParts, Settle
from agent.policy import Limits, Policy, open_hands
from agent.settle import settle
from agent.stop import StopSwitch
from agent.trace import TraceWriter
from agent.types import Click, Done, Frame, Rect, Target
from agent.x11.desktop import X11Desktop
from app.bench_screen import answering_window, own_server
from model.errors import InputError

SIZE_PX = (3840, 2160)
WARM_UP_STEPS = 2
CPU = " cpu"


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """Milliseconds a step: medians and 95th percentiles.

    ``overhead`` is everything but the model, the wait for the screen and the hands; ``with_hands`` counts
    the hands as well, whose pace is on purpose. ``overhead_cpu_ms`` is the processor's time of it on the
    run's thread, which other programs on the machine do not lengthen. ``parts_ms`` are medians of what was
    measured by itself.
    """

    screen: str
    steps: int
    overhead_ms: float
    overhead_p95_ms: float
    overhead_cpu_ms: float
    with_hands_ms: float
    with_hands_p95_ms: float
    parts_ms: dict[str, float]
    verdicts: dict[str, int]


class Clock:
    """Sums up milliseconds by name; what is measured inside of something else counts there only."""

    def __init__(self) -> None:
        self.spent_ms: defaultdict[str, float] = defaultdict(float)
        self._inside = False

    @contextlib.contextmanager
    def measuring(self, name: str) -> Iterator[None]:
        """Measure a block."""
        if self._inside:
            yield
            return
        self._inside, started, used = True, time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            self._inside = False
            self.spent_ms[name] += (time.perf_counter() - started) * 1000
            self.spent_ms[f"{name}{CPU}"] += (time.thread_time() - used) * 1000


class Script:
    """Planner and eyes: a click a step, each in another place. Keeps a record of each step's times."""

    def __init__(self, clock: Clock, steps: int, think_s: float, size_px: tuple[int, int]) -> None:
        self.laps: list[dict[str, float]] = []
        self._clock = clock
        self._steps = steps
        self._think_s = think_s
        self._size_px = size_px
        self._began_s = self._began_cpu_s = 0.0

    def next(self, observation: Observation, cancel: threading.Event) -> Plan:
        """Close the step before, and plan a click."""
        now = time.perf_counter()
        if observation.step > 1:
            used_ms = (time.thread_time() - self._began_cpu_s) * 1000
            self.laps.append({**self._clock.spent_ms, "all": (now - self._began_s) * 1000, f"all{CPU}": used_ms})
        self._clock.spent_ms.clear()
        cancel.wait(self._think_s)
        self._began_s, self._began_cpu_s = time.perf_counter(), time.thread_time()
        if observation.step > self._steps:
            return Plan((Done(),))
        return Plan((Click(Target(str(observation.step))),), described="click the next place")

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Find the place whose number is asked for."""
        number, (width, height) = int(description), self._size_px
        x, y = 200 + number * 370 % (width - 400), 200 + number * 190 % (height - 400)
        return Location(True, (x, y), pixel_to_relative(x, y, width, height), (), 0.0)


@dataclass(frozen=True, slots=True)
class TimedCamera:
    """A camera that says how long it took."""

    camera: Camera
    clock: Clock

    def grab(self, part: Rect | None = None, *, allow_black: bool = False) -> Frame:
        """Capture."""
        with self.clock.measuring("capture"):
            return self.camera.grab(part, allow_black=allow_black)


@dataclass(frozen=True, slots=True)
class TimedHands:
    """Hands that say how long they took."""

    hands: Hands
    clock: Clock

    def perform(self, action: HandAction) -> None:
        """Carry an action out."""
        with self.clock.measuring("hands"):
            self.hands.perform(action)


def bench_agent(*, steps: int = 20, think_s: float = 0.5, xvfb: bool = False) -> AgentFigures:
    """Do a run of so many clicks and measure each; in an X server of our own where there is no other.

    ``think_s`` is how long the scripted planner takes, which a record may use to finish its files; it does
    not count. Raises AgentError where there is no X server, or when the run does not come to its end.
    """
    if steps < 1 or think_s < 0:
        raise InputError(f"{steps} steps with {think_s:g} s each cannot be measured", remedy="take one step at least")
    with contextlib.ExitStack() as stack:
        display = os.environ.get("DISPLAY", "")
        if xvfb or not display:
            display = stack.enter_context(own_server(*SIZE_PX))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="deskhand-bench-")))
        return _measured(display, folder / "run", steps, think_s)


def _measured(display: str, folder: Path, steps: int, think_s: float) -> AgentFigures:
    clock, verdicts = Clock(), Counter[str]()
    policy = Policy("run", StopSwitch(), limits=Limits(max_steps=steps + WARM_UP_STEPS + 1))
    with (
        open_screen(handlers=[X11Capture(display)]) as screen,
        answering_window(display) as size_px,
        X11Desktop(display) as desktop,
        open_hands(policy, display) as hands,
        TraceWriter(folder, "measure a step", "run") as trace,
    ):
        script = Script(clock, steps + WARM_UP_STEPS, think_s, size_px)

        def listen(event: Event) -> None:
            with clock.measuring("trace"):
                trace(event)
            if isinstance(event, Verified) and event.step > WARM_UP_STEPS:
                verdicts[event.verdict.kind] += 1

        outcome = run_loop(
            LoopParts(
                planner=script,
                eyes=script,
                camera=TimedCamera(screen, clock),
                hands=TimedHands(hands, clock),
                policy=policy,
                desktop=desktop,
                guards=Guards(),
                listeners=(listen,),
                settle=_timed_settle(clock),
            )
        )
    if outcome.kind != "done":
        raise AgentError("the measured run did not come to its end", why=f"{outcome.kind}: {outcome.message}")
    return _figures(script.laps[WARM_UP_STEPS:], size_px, dict(verdicts))


def _timed_settle(clock: Clock) -> Settle:
    def timed(*arguments: object) -> object:
        with clock.measuring("settle"):
            return settle(*arguments)  # pyright: ignore[reportArgumentType] - passed on as they come

    return timed  # pyright: ignore[reportReturnType] - it is `settle`, and a clock


def _figures(laps: list[dict[str, float]], size_px: tuple[int, int], verdicts: dict[str, int]) -> AgentFigures:
    hands = [lap.get("hands", 0.0) for lap in laps]
    with_hands = [lap["all"] - lap.get("settle", 0.0) for lap in laps]
    overhead = [all_ms - hands_ms for all_ms, hands_ms in zip(with_hands, hands, strict=True)]
    others = ("settle", "hands")
    cpu = [lap[f"all{CPU}"] - sum(lap.get(f"{name}{CPU}", 0.0) for name in others) for lap in laps]
    names = sorted({name for lap in laps for name in lap if not name.endswith(CPU)} - {"all"})
    return AgentFigures(
        screen=f"{size_px[0]}x{size_px[1]}",
        steps=len(laps),
        overhead_ms=round(statistics.median(overhead), 1),
        overhead_p95_ms=round(_p95(overhead), 1),
        overhead_cpu_ms=round(statistics.median(cpu), 1),
        with_hands_ms=round(statistics.median(with_hands), 1),
        with_hands_p95_ms=round(_p95(with_hands), 1),
        parts_ms={name: round(statistics.median(lap.get(name, 0.0) for lap in laps), 1) for name in names},
        verdicts=verdicts,
    )


def _p95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
