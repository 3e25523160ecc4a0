"""Effect drills through the whole loop: right verdicts, and steps that come to an end by themselves."""

import contextlib
import select
import shutil
import time
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
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX
from tests.x11.scripts import KnowingEyes, Script, does, says, shown
from tests.x11.tasks.programs import START_LIMIT_S, chromium
from tests.x11.tasks.site import open_site
from tests.x11.tasks.task import Desk

PATIENT = LoopOptions(settle=SettleOptions(patience_s=4.0, limit_s=10.0))
"""For the button that answers after two seconds, on a machine that is busy with other tests."""
QUICK = LoopOptions(settle=SettleOptions(patience_s=1.5))


@pytest.fixture(params=["caret", "spinner", "page"], scope="module")
def buttons(
    request: pytest.FixtureRequest, display: str, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Rect]]:
    if request.param == "page":
        with animated_page(display, tmp_path_factory.mktemp("browser")) as rects:
            yield rects
    else:
        with shown("effects_target.py", display, home, request.param) as (rects, _):
            yield rects


@contextlib.contextmanager
def animated_page(display: str, home: Path) -> Iterator[dict[str, Rect]]:
    """Show a page with a film, a moving bar and the buttons in Chromium, over the whole screen."""
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    with open_site() as site, chromium(site.url("animated.html"), Desk(display, home, site), "animated", whole=True):
        end = time.monotonic() + START_LIMIT_S
        while not (told := site.told("animated.html")) or not told[-1]["full"]:
            assert time.monotonic() < end, f"the page does not fill the screen: {told[-1:]}"
            select.select([], [], [], 0.05)
        yield {name: _on_screen(edges) for name, edges in told[-1]["rects"].items()}


def _on_screen(edges: list[float]) -> Rect:
    left, top, right, bottom = edges
    return Rect(round(left * WIDTH_PX), round(top * HEIGHT_PX), round(right * WIDTH_PX), round(bottom * HEIGHT_PX))


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


@pytest.mark.parametrize("beside", ["nothing", "page"])
def test_two_actions_that_undo_each_other_come_to_an_end(display: str, home: Path, tmp_path: Path, beside: str) -> None:
    with contextlib.ExitStack() as stack:
        if beside == "page":
            stack.enter_context(animated_page(display, tmp_path))
        rects, _ = stack.enter_context(shown("pingpong_target.py", display, home))
        planner = Script([says(click("open")), says(click("close"))], for_ever=True)
        outcome, verified = play(display, planner, rects, QUICK)
    assert outcome.kind == "limit"
    assert {event.verdict.kind for event in verified} == {"confirmed"}, verified
    assert any("to and fro" in note for note in planner.notes), planner.notes
    assert len(verified) <= 12


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
