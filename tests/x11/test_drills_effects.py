"""Effect drills through the whole loop: right verdicts, and steps that come to an end by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.episode import Event, Outcome, Planner, Verified
from agent.guards import GuardOptions
from agent.loop import AgentSetup, run_agent
from agent.loop_parts import LoopOptions
from agent.settle import SettleOptions
from agent.types import Click, Rect, Target
from tests.x11.scripts import KnowingEyes, Script, does, says, shown

PATIENT = LoopOptions(settle=SettleOptions(patience_s=4.0, limit_s=10.0))
"""For the button that answers after two seconds, on a machine that is busy with other tests."""
QUICK = LoopOptions(settle=SettleOptions(patience_s=1.5))


@pytest.fixture(params=["caret", "spinner"], scope="module")
def buttons(request: pytest.FixtureRequest, display: str, home: Path) -> Iterator[dict[str, Rect]]:
    with shown("effects_target.py", display, home, request.param) as (rects, _):
        yield rects


def play(
    display: str, planner: Planner, rects: dict[str, Rect], options: LoopOptions = PATIENT
) -> tuple[Outcome, list[Verified]]:
    heard: list[Event] = []
    setup = AgentSetup(
        "drill", planner, KnowingEyes(rects), mode="run", guards=GuardOptions(), options=options, display=display
    )
    outcome = run_agent(setup, heard.append)
    return outcome, [event for event in heard if isinstance(event, Verified)]


def click(name: str) -> Click[Target]:
    return Click(Target(name))


def test_a_dead_button_is_seen_to_be_dead_and_left_alone(display: str, buttons: dict[str, Rect]) -> None:
    planner = Script([says(click("dead"))], for_ever=True)
    outcome, verified = play(display, planner, buttons, QUICK)
    assert {event.verdict.kind for event in verified} == {"no visible effect"}, verified
    assert outcome.kind == "limit"
    assert "circles" in outcome.message
    assert len(verified) <= 4
    assert any("try something else" in note for note in planner.notes), planner.notes


@pytest.mark.parametrize("name", ["late", "quick"])
def test_a_button_that_answers_is_waited_for(display: str, buttons: dict[str, Rect], name: str) -> None:
    outcome, verified = play(display, Script([does(click(name))]), buttons)
    assert outcome.kind == "done"
    assert [event.verdict.kind for event in verified] in (["confirmed"], ["changed elsewhere"]), verified
    assert verified[0].verdict.settled


def test_two_actions_that_undo_each_other_come_to_an_end(display: str, home: Path) -> None:
    with shown("pingpong_target.py", display, home) as (rects, _):
        planner = Script([says(click("open")), says(click("close"))], for_ever=True)
        outcome, verified = play(display, planner, rects, QUICK)
    assert outcome.kind == "limit"
    assert {event.verdict.kind for event in verified} == {"confirmed"}, verified
    assert any("to and fro" in note for note in planner.notes), planner.notes
    assert len(verified) <= 8
