"""The loop on a real form: what it tells, what it refuses to do blind, and what persons do in between."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

import xcffib.xproto as xp

from agent.episode import (
    Acted,
    Decision,
    Ended,
    Event,
    Gated,
    Observation,
    Observed,
    Outcome,
    Plan,
    Planned,
    Planner,
    Proposal,
    Verified,
)
from agent.guards import GuardOptions
from agent.hands.release import release_everything
from agent.loop import AgentSetup, run_agent
from agent.loop_parts import LoopOptions
from agent.settle import SettleOptions
from agent.stop import StopSwitch
from agent.trace import read_trace
from agent.types import Ask, Click, Done, Fail, Hotkey, Move, Press, Rect, RelPoint, Target, TypeText, Unreadable
from agent.x11.connection import XConnection
from agent.x11.watch import WatchOptions
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX
from tests.x11.drills import LIMIT_S, Injected, held
from tests.x11.monitors import delete_monitor, set_monitor
from tests.x11.programs import Target as Program
from tests.x11.programs import focus, target
from tests.x11.scripts import KnowingEyes, Script, does, says, shown
from tests.x11.test_watch import A, Input

QUICK = LoopOptions(settle=SettleOptions(patience_s=0.6), blink_s=0.3)


@dataclass
class Form:
    """The form, where its parts are, and what was done to it."""

    display: str
    rects: dict[str, Rect]
    program: Program

    def run(self, planner: Planner, *listeners: Callable[[Event], None], **more: object) -> tuple[Outcome, list[Event]]:
        """Do a run with eyes that know the form."""
        heard: list[Event] = []
        setup = AgentSetup(
            "fill the form in", planner, KnowingEyes(self.rects), mode="run", options=QUICK, display=self.display
        )
        setup = replace(setup, **more)
        return run_agent(setup, *listeners, heard.append), heard

    def middle(self, name: str) -> RelPoint:
        """Return the middle of a part as a model points to it."""
        rect = self.rects[name]
        return RelPoint((rect.left + rect.right) / 2 / WIDTH_PX, (rect.top + rect.bottom) / 2 / HEIGHT_PX)


@pytest.fixture
def form(display: str, home: Path) -> Iterator[Form]:
    with shown("run_target.py", display, home) as (rects, program):
        yield Form(display, rects, program)
    release_everything(display)


@pytest.fixture
def cover(display: str) -> Iterator[Callable[[Rect], None]]:
    """Return what covers a part of the screen with a black window of another program."""
    with XConnection(display) as x:

        def put(rect: Rect) -> None:
            window = x.connection.generate_id()
            x.core.CreateWindow(
                0, window, x.root, rect.left, rect.top, rect.width, rect.height, 0, xp.WindowClass.InputOutput, 0,
                xp.CW.BackPixel | xp.CW.OverrideRedirect, [0, 1],
            )  # fmt: skip
            x.core.MapWindow(window)
            x.sync()

        yield put


def kinds(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def into(field: str, text: str) -> Plan:
    return does(Click(Target(field)), TypeText(text), described=f"type into {field}")


def test_every_arrow_is_told_in_order_and_the_form_gets_what_was_typed(form: Form, tmp_path: Path) -> None:
    script = Script([into("name", "Anna <3 é"), into("city", "Köln"), does(Click(Target("save")))])
    outcome, heard = form.run(script, trace_folder=tmp_path / "run")
    assert outcome.kind == "done"
    assert form.program.wait_for("saved") == {"event": "saved", "name": "Anna <3 é", "city": "Köln"}
    typing = ["Observed", "Planned", "Located", "Gated", "Acted", "Verified", "Gated", "Acted", "Verified"]
    assert kinds(heard) == [*typing, *typing, *typing[:6], "Observed", "Planned", "Ended"]
    typed = [
        event.proposal for event in heard if isinstance(event, Gated) and isinstance(event.proposal.action, TypeText)
    ]
    assert [proposal.element for proposal in typed] == ["name", "city"]
    assert all(proposal.window and proposal.window.title == "Contact" for proposal in typed)
    assert kinds([event for _, event in read_trace(tmp_path / "run").events()]) == kinds(heard)
    # What was settled is what is observed next: the same frame, captured once.
    seen = [event.frame for event in heard if isinstance(event, Observed)]
    settled = [event.frame for event in heard if isinstance(event, Verified)]
    assert seen[1] is settled[1]
    assert seen[2] is settled[3]


def test_a_look_that_changes_under_the_pointer_is_no_effect_of_a_click(form: Form) -> None:
    _, heard = form.run(Script([does(Click(Target("dead")))]), options=LoopOptions())
    verdicts = [event.verdict.kind for event in heard if isinstance(event, Verified)]
    assert verdicts == ["no visible effect"]


class CoversWhilePlanning:
    """Plans a click where a model has pointed, while the target disappears."""

    def __init__(self, plan: Plan, change: Callable[[], None]) -> None:
        self._plan: Plan | None = plan
        self._change = change
        self.notes: list[str] = []

    def next(self, observation: Observation, cancel: threading.Event) -> Plan:
        self.notes.append(observation.note)
        if self._plan is None:
            return Plan((Fail("seen enough"),))
        plan, self._plan = self._plan, None
        self._change()
        return plan


def test_a_target_that_has_gone_is_not_clicked_blind(form: Form, cover: Callable[[Rect], None]) -> None:
    planner = CoversWhilePlanning(says(Click(form.middle("save"))), lambda: cover(form.rects["save"]))
    with Injected(form.display) as injected:
        outcome, heard = form.run(planner)
        assert not injected.by_program()
    assert outcome.kind == "failed"
    assert "Acted" not in kinds(heard)
    assert "the screen has changed at the target" in planner.notes[1]


def test_a_described_target_is_looked_for_again_when_the_screen_has_changed(
    form: Form, cover: Callable[[Rect], None]
) -> None:
    eyes = KnowingEyes(form.rects)

    class Moved(KnowingEyes):
        def find(self, frame, description, cancel):  # noqa: ANN001, ANN202
            self.asked.append(description)
            if len(self.asked) == 1:
                found = eyes.find(frame, "save", cancel)
                cover(form.rects["save"])
                return found
            return eyes.find(frame, "cancel", cancel)

    looking = Moved({})
    outcome, heard = form.run(Script([does(Click(Target("the button")))]), eyes=looking)
    assert outcome.kind == "done"
    assert looking.asked == ["the button"] * 2
    assert form.program.wait_for(lambda event: event["event"] in ("saved", "cancelled"))["event"] == "cancelled"
    assert kinds(heard)[:5] == ["Observed", "Planned", "Located", "Observed", "Located"]


def test_a_monitor_that_is_plugged_in_is_seen_before_the_click(form: Form) -> None:
    with XConnection(form.display) as x:
        try:
            planner = CoversWhilePlanning(
                says(Click(form.middle("save"))),
                lambda: set_monitor(x, "SECOND", Rect(0, 0, 1280, 800), with_output=True),
            )
            _, heard = form.run(planner)
        finally:
            delete_monitor(x, "SECOND")
    assert "Acted" not in kinds(heard)
    assert "the monitors have changed" in planner.notes[1]


@dataclass
class Person:
    """Approves everything; does something before that."""

    before: Callable[[Proposal], None] = lambda proposal: None
    said: str | None = None
    heard: str = ""

    def decide(self, proposal: Proposal, cancel: threading.Event) -> Decision:
        self.before(proposal)
        return Decision("approve")

    def answer(self, question: str, cancel: threading.Event) -> str | None:
        self.heard = question
        return self.said


def test_keys_go_to_the_window_that_was_approved_also_when_the_answer_took_the_focus(
    form: Form, display: str, home: Path
) -> None:
    with target("line", display, home) as other:
        focus(display, "Contact")
        person = Person(lambda proposal: focus(display, "target line"))
        # Not behind the other window: the form lies in the middle as well.
        form.run(Script([does(Press("tab")), does(TypeText("Anna"))]), mode="confirm", approver=person)
        assert other.ask("get")["text"] == ""
    outcome, _ = form.run(Script([does(Click(Target("save")))]))
    assert outcome.kind == "done"
    saved = form.program.wait_for("saved")
    assert "Anna" in (saved["name"], saved["city"])


def test_a_persons_hand_pauses_and_nothing_is_lost_or_done_twice(form: Form, display: str) -> None:
    """A person moves the mouse while the planner thinks; the run goes on three tenths of a second later."""
    with XConnection(display) as x:
        person = Input(x, "Xvfb ")
        planner = CoversWhilePlanning(into("name", "Anna"), lambda: person.move((900, 700), (910, 700), (920, 705)))
        form.run(planner, watch=WatchOptions(resume_after_s=0.3))
    form.run(Script([does(Click(Target("save")))]))
    assert form.program.wait_for("saved")["name"] == "Anna"


def test_a_permit_dies_in_a_pause_and_what_changed_meanwhile_is_not_clicked(
    form: Form, cover: Callable[[Rect], None]
) -> None:
    switch = StopSwitch()
    gated: list[Gated] = []

    def pause(event: Event) -> None:
        if isinstance(event, Gated):
            gated.append(event)
            if len(gated) == 1:
                switch.pause("the pause button")
                threading.Timer(0.2, switch.resume).start()
            if len(gated) == 3:
                switch.pause("the pause button")
                cover(form.rects["cancel"])
                threading.Timer(0.2, switch.resume).start()

    script = Script([says(Click(form.middle("save"))), says(Click(form.middle("cancel")))])
    with Injected(form.display) as injected:
        _, heard = form.run(script, pause, switch=switch)
        presses = [event for event in injected.by_program() if event.kind == "button down"]
    assert [kind for kind in kinds(heard) if kind in ("Gated", "Acted")] == ["Gated", "Gated", "Acted", "Gated"]
    assert len(presses) == 1
    assert form.program.wait_for("saved")


def test_a_person_who_is_asked_about_circles_gets_the_run_out_of_them(form: Form) -> None:
    person = Person(said="press Save instead")

    class Heeds(Script):
        def next(self, observation: Observation, cancel: threading.Event) -> Plan | Unreadable:
            plan = super().next(observation, cancel)
            if "press Save instead" in observation.note:
                return says(Click(Target("save")), Done())
            return plan

    planner = Heeds([says(Click(Target("dead")))], for_ever=True)
    outcome, _ = form.run(planner, approver=person, guards=GuardOptions(), options=LoopOptions())
    assert outcome.kind == "done"
    assert "circles" in person.heard
    assert form.program.wait_for("saved")


def test_text_that_a_person_breaks_off_is_not_typed_again(form: Form, display: str) -> None:
    text = "the quick brown fox " * 40
    with XConnection(display) as x, Injected(display) as injected:
        person = Input(x, "Xvfb ")

        def interrupt() -> None:
            injected.wait_for("key down", 30)
            person.key(A, down=True)
            person.key(A, down=False)

        thread = threading.Thread(target=interrupt)
        thread.start()
        script = Script([into("name", text)])
        form.run(script, watch=WatchOptions(resume_after_s=0.3))
        thread.join(LIMIT_S)
    form.run(Script([does(Click(Target("save")))]))
    name = form.program.wait_for("saved")["name"]
    assert 0 < len(name) < len(text)
    assert name.count("the quick") <= text.count("the quick")
    assert "broken off" in script.notes[1]
    assert held(display) == (False, 0)


def test_questions_reach_the_person_and_answers_the_planner(form: Form) -> None:
    person = Person(said="the blue one")
    script = Script([says(Ask("Which one?")), says(Ask("And now?"))])
    outcome, _ = form.run(script, approver=person)
    assert outcome.kind == "done"
    assert person.heard == "And now?"
    assert script.notes[1:] == ["the person answered: the blue one"] * 2
    script = Script([says(Ask("Which one?"))])
    form.run(script)
    assert "nobody" in script.notes[1]


def test_unreadable_answers_go_back_three_times_and_then_the_run_fails(form: Form) -> None:
    script = Script([Unreadable("no code in it")], for_ever=True)
    outcome, heard = form.run(script)
    assert (outcome.kind, outcome.steps) == ("failed", 1)
    assert sum(isinstance(event, Planned) for event in heard) == 4
    assert script.notes == ["", *["no code in it"] * 3]


def test_what_is_not_there_is_told_and_nothing_more_of_the_plan_is_done(form: Form) -> None:
    script = Script([does(Click(Target("the moon")), TypeText("x"))])
    _, heard = form.run(script)
    assert kinds(heard) == ["Observed", "Planned", "Located", "Observed", "Planned", "Ended"]
    assert "the moon was not found" in script.notes[1]


@pytest.mark.parametrize(
    ("mode", "kind", "why"), [("confirm", "refused", "nobody to ask"), ("watch", "refused", "it would click")]
)
def test_without_a_person_nothing_is_done_that_needs_one(form: Form, mode: str, kind: str, why: str) -> None:
    with Injected(form.display) as injected:
        outcome, _ = form.run(Script([says(Click(Target("save")))], for_ever=True), mode=mode)
        assert not injected.by_program()
    assert outcome.kind == kind
    assert why in outcome.message


def test_a_listener_that_fails_ends_the_run_and_the_others_hear_of_the_end(form: Form, tmp_path: Path) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Gated):
            raise RuntimeError("a mistake in a listener")

    heard: list[Event] = []
    with pytest.raises(RuntimeError, match="a mistake"):
        form.run(Script([does(Click(Target("save")))]), heard.append, fail, trace_folder=tmp_path / "run")
    assert isinstance(heard[-1], Ended)
    assert "Acted" not in kinds(heard)
    assert read_trace(tmp_path / "run").ended


def test_steps_and_circles_have_limits(form: Form) -> None:
    from agent.policy import Limits

    planner = Script([says(Move(Target("save"))), says(Move(Target("cancel")))], for_ever=True)
    outcome, heard = form.run(planner, limits=Limits(max_steps=3), guards=None)
    assert (outcome.kind, outcome.message) == ("limit", "the limit of 3 steps is reached")
    assert sum(isinstance(event, Acted) for event in heard) == 3
    outcome, heard = form.run(Script([says(Hotkey(("ctrl", "r")))], for_ever=True), guards=GuardOptions())
    assert outcome.kind == "limit"
    assert sum(isinstance(event, Acted) for event in heard) <= 4


def test_a_secret_is_in_no_record(form: Form, tmp_path: Path) -> None:
    secret = "Tr0ub4dor&3"
    plan = does(Click(Target("name")), TypeText(secret, secret=True), described="type secret into name")
    folder = tmp_path / "run"
    form.run(Script([plan, does(Click(Target("save")))]), trace_folder=folder, secrets=(secret,), approver=Person())
    assert form.program.wait_for("saved")["name"] == secret
    assert secret not in (folder / "trace.jsonl").read_text()
    after = [event.frame for _, event in read_trace(folder).events() if isinstance(event, Verified | Observed)][-1]
    field = form.rects["name"]
    x, y = (field.left + field.right) // 2, (field.top + field.bottom) // 2
    painted = after.crop(Rect(x - 15, y - 8, x + 15, y + 8)).pixels
    assert painted.min() == painted.max()
