"""A goal, a planner behind an endpoint, and a real form: with its own coordinates, and with local eyes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.types import Rect
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX
from tests.x11.planning_server import planning_server
from tests.x11.programs import Target as Program
from tests.x11.scripts import shown
from tests.x11.test_run_command import deskhand

GOAL = "Enter Bob as the name and save it."


@pytest.fixture
def form(display: str, home: Path) -> Iterator[tuple[dict[str, Rect], Program]]:
    with shown("run_target.py", display, home) as running:
        yield running


def answer(thought: str, action: str, code: str) -> str:
    return f"## Thought:\n{thought}\n\n## Action:\n{action}\n\n## Code:\n```python\n{code}\n```"


DONE = answer("It is saved.", "Finish.", "computer.terminate(status='success', answer='Bob is saved')")


def test_a_planner_that_points_by_itself(display: str, home: Path, form: tuple[dict[str, Rect], Program]) -> None:
    def at(name: str) -> str:
        rect = form[0][name]
        x, y = (rect.left + rect.right) / 2 / WIDTH_PX, (rect.top + rect.bottom) / 2 / HEIGHT_PX
        return f"x={x:.4f}, y={y:.4f}"

    answers = [
        "I shall click on something.",
        answer("The name first.", "Click on the Name field.", f"pyautogui.click({at('name')})\npyautogui.write('Bob')"),
        answer("Now save it.", "Click on the Save button.", f"pyautogui.click({at('save')})"),
        DONE,
    ]
    with planning_server(answers) as server:
        done = deskhand(display, home, "run", GOAL, "--planner-endpoint", server.url, "--planner-points", "--no-trace")
    assert (done.returncode, done.stdout.strip()) == (0, "done: Bob is saved"), done
    assert form[1].wait_for("saved")["name"] == "Bob"
    assert "could not be read" in server.texts(1)
    assert "confirmed" in server.texts(2)


def test_a_planner_that_describes_and_the_built_in_checkpoint_as_its_eyes(
    display: str, home: Path, form: tuple[dict[str, Rect], Program]
) -> None:
    name, save = 'target="the Name field"', 'target="the Save button"'
    answers = [
        answer("The name first.", "Fill the name in.", f"pyautogui.click({name})\npyautogui.write('Bob')"),
        answer("Now save it.", "Click on the Save button.", f"pyautogui.click({save})"),
        DONE,
    ]
    with planning_server(answers) as server:
        done = deskhand(display, home, "run", GOAL, "--planner-endpoint", server.url, "--no-trace")
    assert (done.returncode, done.stdout.strip()) == (0, "done: Bob is saved"), done
    assert form[1].wait_for("saved")["name"] == "Bob"


def test_a_planner_is_asked_about_what_is_risky_and_nobody_is_there(
    display: str, home: Path, form: tuple[dict[str, Rect], Program]
) -> None:
    answers = [answer("Send it.", "Click on Send to send the message.", "pyautogui.click(x=0.5, y=0.5)")]
    with planning_server(answers) as server:
        done = deskhand(display, home, "run", GOAL, "--planner-endpoint", server.url, "--planner-points", "--no-trace")
    assert done.returncode == 7, done
    assert "risk: send; there is nobody to ask" in done.stdout
    assert len(server.asked) == 3
