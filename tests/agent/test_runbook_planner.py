"""Runbooks followed step by step: what is waited for, what is done, tried again, and what fails the run.

A scripted model stands for the network: it sees what the test's little world says is on the screen.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from agent.episode import (
    Acted,
    Gated,
    Located,
    Observation,
    Plan,
    Planned,
    Proposal,
    Verdict,
    VerdictKind,
    Verified,
    WindowInfo,
)
from agent.hands.gate import HandAction
from agent.locate import LocateOptions, Location, locate
from agent.runbook.english import read_line
from agent.runbook.planner import RunbookPlanner
from agent.runbook.runbook import Instruction, Runbook, read_plain
from agent.runbook.secrets import EnvironmentSecret
from agent.runbook.sight import RememberingEyes
from agent.types import (
    Action,
    Click,
    Done,
    Drag,
    Fail,
    Frame,
    Hotkey,
    Monitor,
    Point,
    Press,
    Rect,
    RelPoint,
    Scroll,
    Target,
    TypeText,
    Wait,
)
from model.chat import Delta, GenerateOptions, Message
from model.errors import InputError
from model.grounding import ABSENT_ANSWER

SCREEN = Rect(0, 0, 64, 48)


@dataclass
class ScriptedModel:
    """A scripted model, no network: it finds what is among ``shown`` and babbles about ``unclear``."""

    shown: set[str]
    unclear: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        wanted = messages[-1].text
        self.asked.append(wanted)
        answer = "pyautogui.click(x=0.5, y=0.5)" if wanted in self.shown else ABSENT_ANSWER
        yield Delta(text="I wonder." if wanted in self.unclear else answer, finish="stop")


class ModelEyes:
    """Eyes as a run has them: `locate` over a model."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        return locate(self._model, frame.image(), description, LocateOptions(prompt="bare"), cancel)


class World:
    """A screen, a clock, and a run over them that tells the planner what came of each plan."""

    def __init__(self, *shown: str) -> None:
        self.model = ScriptedModel(set(shown))
        self.eyes = RememberingEyes(ModelEyes(self.model))
        self.now_s = 1000.0
        self.shade = 0
        self.done: list[Action[Target]] = []
        self.described: list[str] = []
        self.at_s: dict[float, Callable[[], None]] = {}
        self.on_act: Callable[[Action[Target]], str | VerdictKind] = lambda _action: "confirmed"

    def frame(self) -> Frame:
        pixels = np.full((48, 64, 4), self.shade, np.uint8)
        return Frame(pixels, SCREEN, (Monitor("1", "one", SCREEN),), self.now_s, "test")

    def run(self, runbook: Runbook) -> Done | Fail:
        planner = RunbookPlanner(runbook, self.eyes, lambda: self.now_s)
        cancel = threading.Event()
        for step in range(1, 400):
            frame = self.frame()
            plan = planner.next(Observation(frame, step, "", None), cancel)
            planner.listen(Planned(step, plan, 1.0))
            (*_, last) = plan.actions
            if isinstance(last, Done | Fail):
                return last
            self._carry_out(planner, plan, frame, step, cancel)
        raise AssertionError("the run does not end")

    def _carry_out(self, planner: RunbookPlanner, plan: Plan, frame: Frame, step: int, cancel: threading.Event) -> None:
        self.described.append(plan.described)
        for action in plan.actions:
            if isinstance(action, Wait):
                self._pass(action.seconds)
                if action.seconds != 0.5:
                    self.done.append(action)
                continue
            at = action.at if isinstance(action, Click | Scroll) else None
            if isinstance(at, Target):
                planner.listen(
                    Located(step, at.description, self.eyes.find(frame, at.description, cancel), Point(1, 1))
                )
            self.done.append(action)  # pyright: ignore[reportArgumentType]
            came = self.on_act(action)  # pyright: ignore[reportArgumentType]
            if came == "denied":
                proposal = Proposal(step, Press("enter"), frame, None, "", None, ())
                planner.listen(Gated(step, proposal, allowed=False, asked=True, why="the person said no"))
                return
            if came == "broken":
                planner.listen(Acted(step, Press("enter"), 1.0, "the connection broke"))
                return
            planner.listen(Acted(step, Press("enter"), 1.0, ""))
            kind: VerdictKind = "no visible effect" if came == "no visible effect" else "confirmed"
            planner.listen(Verified(step, frame, Verdict(kind, (), "", True, 1.0)))

    def _pass(self, seconds: float) -> None:
        self.now_s += seconds
        for moment in [m for m in self.at_s if self.now_s - 1000 >= m]:
            self.at_s.pop(moment)()


def book(*lines: str, timeout_s: float | None = None, retries: int = 0) -> Runbook:
    steps = [step for line in lines for step in read_line(line)]
    return Runbook(
        "test", tuple(Instruction(step, f"test, step {n}", timeout_s, retries) for n, step in enumerate(steps))
    )


def click(words: str) -> Click[Target]:
    return Click(Target(words))


def reason(end: Done | Fail) -> str:
    assert isinstance(end, Fail)
    return end.reason


def test_steps_become_described_actions_in_order() -> None:
    world = World(
        "the Name field", '"Save"', "a", "b", "the list", "the slider", '"Blue"', '"Red"', "Submit", "Edit", '"Copy"'
    )
    runbook = read_plain(
        """
        type "hello" into the Name field
        click "Save"
        press Ctrl+S, then press Enter
        wait 2 seconds
        scroll down 7 times in the list
        drag a to b
        drag the slider to the right end
        select "Blue" and "Red", then click Submit
        open menu Edit > "Copy"
        check that "Save" is shown
        check that "Error" is not shown
        """,
        "steps.txt",
    )
    assert isinstance(world.run(runbook), Done)
    assert world.done == [
        click("the Name field"),
        TypeText("hello"),
        click('"Save"'),
        Hotkey(("ctrl", "s")),
        Press("enter"),
        Wait(2.0),
        Scroll(Target("the list"), up_notches=-7),
        Drag(Target("a"), Target("b")),
        Drag(Target("the slider"), Target("the right end of the slider")),
        click('"Blue"'),
        click('"Red"'),
        click("Submit"),
        click("Edit"),
        click('"Copy"'),
    ]


def test_what_a_step_needs_is_waited_for_and_looked_for_once_a_frame() -> None:
    world = World()
    world.at_s = {3.0: lambda: world.model.shown.add("Save")}
    assert isinstance(world.run(book("click Save")), Done)
    assert world.done == [click("Save")]
    assert world.now_s == 1003.0
    # Six looks in vain and the one that found it, which the run's own look did not repeat.
    assert len(world.model.asked) == 7


def test_what_never_comes_fails_the_run_with_the_step_and_the_reason() -> None:
    world = World("Save")
    said = reason(world.run(book("click Save", "click Sand", "click Save")))
    assert said == "test, step 1: the step failed: click Sand: Sand is not shown after 10 s"
    assert world.done == [click("Save")]


def test_waits_end_when_the_thing_comes_or_goes() -> None:
    world = World("the spinner")
    world.at_s = {5.0: lambda: world.model.shown.add('"Done"'), 9.0: lambda: world.model.shown.clear()}
    assert isinstance(world.run(book('wait until "Done" appears', "wait until the spinner disappears")), Done)
    assert world.now_s == 1009.0
    assert '"Done" is not shown after 3 s' in reason(World().run(book('wait until "Done" appears', timeout_s=3)))


def test_a_failed_check_fails_the_run_and_a_late_one_does_not() -> None:
    world = World("Save")
    assert "the check failed" in reason(world.run(book('check that "Saved" is shown', "click Save")))
    assert world.done == []
    assert '"Oops" is still shown' in reason(World('"Oops"').run(book('check that "Oops" is not shown')))
    late = World()
    late.at_s = {2.0: lambda: late.model.shown.add('"Saved"')}
    assert isinstance(late.run(book('check that "Saved" is shown')), Done)


def test_an_answer_nobody_understands_proves_no_absence() -> None:
    world = World()
    world.model.unclear = {'"Error"'}
    assert "nobody can say whether" in reason(world.run(book('check that "Error" is not shown')))


def test_scrolling_goes_on_until_the_thing_is_seen() -> None:
    world = World()

    def turn(_action: Action[Target]) -> str:
        world.shade += 1
        if world.shade == 4:
            world.model.shown.add('"Terms"')
        return "confirmed"

    world.on_act = turn
    assert isinstance(world.run(book('scroll down until "Terms" is visible')), Done)
    assert world.done == [Scroll(None, up_notches=-5)] * 4


def test_scrolling_ends_at_the_end() -> None:
    world = World()
    world.on_act = lambda _action: setattr(world, "shade", min(world.shade + 1, 3)) or "no visible effect"
    said = reason(world.run(book('scroll down until "Terms" is visible')))
    assert "scrolling on changes nothing" in said
    assert len(world.done) == 5


def test_a_step_is_tried_again_as_often_as_it_says() -> None:
    world = World("Save")
    answers = iter(["no visible effect", "broken", "confirmed"])
    world.on_act = lambda _action: next(answers)
    assert isinstance(world.run(book("click Save", retries=2)), Done)
    assert world.done == [click("Save")] * 3

    dead = World("Save")
    dead.on_act = lambda _action: "no visible effect"
    assert "no visible effect" in reason(dead.run(book("click Save", "press Enter", retries=1)))
    assert dead.done == [click("Save")] * 2


def test_a_retry_gets_the_whole_time_again() -> None:
    world = World()
    world.at_s = {15.0: lambda: world.model.shown.add("Save")}
    assert isinstance(world.run(book("click Save", retries=1)), Done)
    assert "tried 2 times" in reason(World().run(book("click Save", retries=1)))


def test_without_retries_an_action_without_effect_goes_on_but_a_broken_one_never() -> None:
    quiet = World("Save")
    quiet.on_act = lambda _action: "no visible effect"
    assert isinstance(quiet.run(book("click Save", "press Enter")), Done)

    broken = World("Save")
    broken.on_act = lambda _action: "broken"
    assert "the connection broke" in reason(broken.run(book("click Save", "press Enter")))
    assert broken.done == [click("Save")]


def test_what_a_person_refused_is_not_tried_again() -> None:
    world = World("Delete")
    world.on_act = lambda _action: "denied"
    assert "the person said no" in reason(world.run(book("click Delete", "press Enter", retries=5)))
    assert world.done == [click("Delete")]


def test_a_secret_is_typed_into_its_field_and_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("the Password field")
    (step,) = read_line("type secret password into the Password field")
    runbook = Runbook("test", (Instruction(step),), {"password": EnvironmentSecret("TEST_PASSWORD")})
    monkeypatch.delenv("TEST_PASSWORD", raising=False)
    with pytest.raises(InputError, match="TEST_PASSWORD"):
        RunbookPlanner(runbook, world.eyes)
    monkeypatch.setenv("TEST_PASSWORD", "hunter2")
    assert isinstance(world.run(runbook), Done)
    assert world.done == [click("the Password field"), TypeText("hunter2", secret=True)]
    assert "hunter2" not in repr(world.done) + repr(world.described) + repr(runbook)
    assert world.described == ["type secret password into the Password field"]


def test_a_secret_without_a_source_is_refused() -> None:
    with pytest.raises(InputError, match="no secret 'pin'"):
        book("type secret pin into PIN")


def test_a_wheel_turns_over_the_active_window_unless_the_run_has_left_the_pointer_there() -> None:
    world = World()
    window = WindowInfo("Terms", "Chromium", Rect(8, 8, 40, 40))
    planner = RunbookPlanner(read_plain("scroll down 3 times", "r"), world.eyes, lambda: world.now_s)

    def turned(acted: HandAction | None) -> object:
        planner = RunbookPlanner(read_plain("scroll down 3 times", "r"), world.eyes, lambda: world.now_s)
        if acted is not None:
            planner.listen(Acted(1, acted, 1.0, ""))
        plan = planner.next(Observation(world.frame(), 1, "", window), threading.Event())
        (action,) = plan.actions
        assert isinstance(action, Scroll)
        assert action.up_notches == -3
        return action.at

    over = RelPoint(24.5 / 64, 24.5 / 48)
    assert turned(None) == over
    assert turned(Click(Point(60, 44))) == over
    assert turned(Click(Point(10, 10))) is None
    plan = planner.next(Observation(world.frame(), 1, "", None), threading.Event())
    assert plan.actions == (Scroll(None, up_notches=-3),)
