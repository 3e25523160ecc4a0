"""The agent's page on a real X server: a typed runbook is done in another program by the built-in checkpoint."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.capture.exclusion import holds_colour
from agent.episode import Observed, Verified
from agent.trace import read_trace
from agent.x11.connection import XConnection
from tests.x11.conftest import bare_display, display, stop  # noqa: F401 - fixtures
from tests.x11.conftest import start as start_program
from tests.x11.planning_server import planning_server

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
LIMIT_S = 90.0
MARKER = (0xC2, 0x18, 0x5B)
"""The colour of border and marker in the light theme."""
RING_PX = 28


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the X server's programs a home; the window's own is per test."""
    return tmp_path_factory.mktemp("home")


class Program:
    """A program that speaks JSON lines."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._in, self._out = process.stdin, process.stdout
        self._rest = b""
        self.heard: list[dict[str, Any]] = []
        self.display = ""

    def tell(self, do: str, **more: object) -> None:
        self._in.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self._in.flush()

    def ask_for(self, do: str, event: str, **more: object) -> dict[str, Any]:
        self.tell(do, **more)
        return self.wait_for(event)

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        self.tell(do, **more)
        return self.wait_for(do)

    def wait_for(self, event: str, **facts: object) -> dict[str, Any]:
        end = time.monotonic() + LIMIT_S
        while True:
            while b"\n" not in self._rest:
                ready, _, _ = select.select([self._out], [], [], max(0.0, end - time.monotonic()))
                chunk = self._out.read1(65536) if ready else b""  # pyright: ignore[reportAttributeAccessIssue]
                if not chunk:
                    pytest.fail(f"waited for {event} {facts}; heard {self.heard[-8:]}")
                self._rest += chunk
            line, _, self._rest = self._rest.partition(b"\n")
            said = json.loads(line)
            self.heard.append(said)
            if said["event"] == event and all(said.get(name) == value for name, value in facts.items()):
                return said


def _started(arguments: list[str], server: str, home: Path, **more: str) -> subprocess.Popen[bytes]:
    command = ["env", f"PYTHONPATH={ROOT}", "OMP_NUM_THREADS=2", *(f"{k}={v}" for k, v in more.items()), *arguments]
    return start_program(command, server, home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture
def form(display: str, home: Path) -> Iterator[Program]:  # noqa: F811
    process = _started([sys.executable, str(HERE / "agent_target.py")], display, home)
    try:
        program = Program(process)
        program.display = display
        program.wait_for("ready")
        yield program
    finally:
        stop(process)


@pytest.fixture(scope="module")
def window(display: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:  # noqa: F811
    own = tmp_path_factory.mktemp("deskhand")
    (own / "settings.json").write_text(json.dumps({"welcomed": True, "theme": "light"}))
    process = _started([sys.executable, str(HERE / "agent_program.py")], display, home, DESKHAND_HOME=str(own))
    try:
        program = Program(process)
        program.wait_for("ready")
        program.wait_for("engine", state="ready")
        yield program
    finally:
        stop(process)


STEPS = 'click the Full name field\ntype "Ada Lovelace"\nclick the Save button\ncheck that "Saved" is shown'


def test_a_typed_runbook_is_done_in_another_program(form: Program, window: Program) -> None:
    window.tell("type", text=STEPS)
    assert window.wait_for("typed")["problems"] == []
    window.tell("start")
    folder = Path(window.wait_for("started")["folder"])
    ended = window.wait_for("ended")
    assert form.wait_for("saved")["name"] == "Ada Lovelace"
    assert ended["outcome"] == "done", ended
    trace = read_trace(folder)
    assert trace.ended
    frames = [event.frame for _, event in trace.events() if isinstance(event, Observed | Verified)]
    assert len(frames) >= 4
    assert not any(holds_colour(frame, MARKER) for frame in frames)


def _begin(window: Program, steps: str, mode: str = "guarded") -> Path:
    window.tell("type", text=steps, mode=mode)
    assert window.wait_for("typed")["problems"] == []
    return Path(window.ask_for("start", "started")["folder"])


def test_a_goal_is_planned_by_a_server_that_is_chosen_on_the_page(form: Program, window: Program) -> None:
    answers = [
        planned("Fill the name in.", "pyautogui.click(target='the Full name field')\npyautogui.write('Bob')"),
        planned("Click on the Save button.", "pyautogui.click(target='the Save button')"),
        planned("Finish.", "computer.terminate(status='success', answer='Bob is saved')"),
    ]
    with planning_server(answers) as server:
        window.tell("pursue", goal="Enter Bob as the name and save it.", planner="lab", url=server.url)
        assert window.wait_for("typed")["planner"] == "lab"
        window.ask_for("start", "started")
        ended = window.wait_for("ended")
    assert (ended["outcome"], ended["message"]) == ("done", "Bob is saved"), ended
    assert form.wait_for("saved")["name"] == "Bob"
    assert len(server.asked) == 3


def planned(action: str, code: str) -> str:
    return f"## Thought:\nI see a form.\n\n## Action:\n{action}\n\n## Code:\n```python\n{code}\n```"


def test_watch_mode_and_the_check_on_the_screen_touch_nothing(form: Program, window: Program) -> None:
    _begin(window, "click the Save button", mode="watch")
    ended = window.wait_for("ended")
    assert ended["outcome"] == "refused", ended
    window.ask_for("look", "looking")
    window.ask_for("await_title", "titled", part="1 of 1 targets are on the screen")
    state = window.ask("state")
    assert state["visible"]
    assert state["marks"] == 1
    form.ask("where")
    assert not [said for said in form.heard if said["event"] in ("saved", "cancelled")]


def test_a_run_that_is_paused_and_taken_over_goes_on_when_it_is_resumed(form: Program, window: Program) -> None:
    cancel = form.ask("where")["cancel"]
    _begin(window, 'click the Full name field\ntype "Ada" into the Full name field\nclick the Save button')
    window.wait_for("happened", kind="Acted")
    window.ask_for("press", "pressed", name="pause")
    window.ask_for("await_title", "titled", part="Paused")
    assert "you paused it" in window.ask("state")["detail"]
    window.ask_for("press", "pressed", name="over")
    _click(form.display, cancel[0] + cancel[2] // 2, cancel[1] + cancel[3] // 2)
    form.wait_for("cancelled")
    assert not [said for said in form.heard if said["event"] == "saved"]
    window.ask_for("press", "pressed", name="pause")
    assert window.wait_for("ended")["outcome"] == "done"
    assert form.wait_for("saved")["name"] == "Ada"


def test_stop_in_the_middle_of_a_step_ends_it_there(form: Program, window: Program) -> None:
    long = "abcdefghij" * 400
    _begin(window, f'click the Full name field\ntype "{long}"')
    form.wait_for("typed", count=40)
    window.tell("press", name="stop")
    assert window.wait_for("ended")["outcome"] == "stopped"
    # What was injected before may still be on its way through the program's own queue.
    before, text = "", form.ask("text")["text"]
    while text != before:
        before, text = text, form.ask("text")["text"]
    assert 40 <= len(text) < len(long) / 2


def test_a_target_put_right_by_a_person_is_asked_about_anew_and_clicked_there(form: Program, window: Program) -> None:
    save = form.ask("where")["save"]
    x_px, y_px = save[0] + save[2] // 2, save[1] + save[3] // 2
    _begin(window, "click the Cancel button", mode="confirm")
    asked = window.wait_for("asked")
    window.tell("point", x=(x_px + 0.5) / asked["size"][0], y=(y_px + 0.5) / asked["size"][1])
    again = window.wait_for("asked")
    assert abs(again["at"][0] - x_px) <= 4
    assert abs(again["at"][1] - y_px) <= 4
    window.tell("press", name="approve")
    form.wait_for("saved")
    assert window.wait_for("ended")["outcome"] == "done"


def test_what_shows_that_it_acts_lets_clicks_through_and_is_in_no_frame(form: Program, window: Program) -> None:
    save = form.ask("where")["save"]
    x_px, y_px = save[0] + save[2] // 2, save[1] + save[3] // 2
    window.ask_for("overlay", "overlay", x=x_px, y=y_px)
    # Onto the ring itself: its middle is a hole anyway.
    _click(form.display, x_px + RING_PX, y_px)
    form.wait_for("saved")
    assert window.ask_for("frames", "frames", count=5)["ours"] == 0
    window.ask_for("clear", "cleared")


def test_the_death_of_the_engine_ends_the_run_with_a_reason_and_a_record(form: Program, window: Program) -> None:
    folder = _begin(window, "click the Full name field\nclick the Save button")
    window.wait_for("happened", kind="Observed")
    window.ask_for("kill", "killed")
    ended = window.wait_for("ended")
    assert ended["outcome"] == "error"
    assert ended["message"]
    assert read_trace(folder).ended
    window.wait_for("engine", state="ready")


def test_a_key_freezes_the_screen_whoever_has_the_focus(form: Program, window: Program) -> None:
    window.tell("await_frozen")
    _press(form.display, 37, 64, 65)  # Ctrl, Alt, Space
    window.wait_for("frozen")
    window.ask_for("escape", "escaped")


def test_what_is_done_by_hand_once_becomes_steps_that_are_found_again(form: Program, window: Program) -> None:
    place = form.ask("where")
    window.ask_for("record", "recording")
    for name in ("field", "save"):
        left, top, width, height = place[name]
        _click(form.display, left + width // 2, top + height // 2)
        if name == "field":
            _press(form.display, 50, 38)  # Shift, A
            _press(form.display, 40)
            _press(form.display, 38)
            form.wait_for("typed", count=1)
    assert form.wait_for("saved")["name"] == "Ada"
    window.ask_for("recorded", "recorded", count=3)
    named = window.ask_for("name", "named", names={"0": "the Full name field", "2": "the Save button"})
    assert named["ready"]
    window.wait_for("checked")
    used = window.ask_for("use", "used")
    assert used["steps"] == 'click the Full name field\ntype "Ada"\nclick the Save button'
    assert [said[0] for said in used["said"]] == ["✓", "t", "✓"], used["told"]


def _press(server: str, *codes: int) -> None:
    with XConnection(server) as x:
        fake = x.extension("XTEST").FakeInput
        for kind, code in [*((2, code) for code in codes), *((3, code) for code in reversed(codes))]:
            fake(kind, code, 0, x.root, 0, 0, 0)
        x.sync()


def _click(server: str, x_px: int, y_px: int) -> None:
    with XConnection(server) as x:
        fake = x.extension("XTEST").FakeInput
        for kind, detail in ((6, 0), (4, 1), (5, 1)):
            fake(kind, detail, 0, x.root, x_px, y_px, 0)
        x.sync()


def test_a_region_is_asked_about_and_the_marker_is_on_the_thing(form: Program, window: Program) -> None:
    save = form.ask("where")["save"]
    window.tell("capture")
    window.wait_for("frozen")
    window.tell("drag", x0=100, y0=60, x1=620, y1=420)
    assert window.wait_for("region")["rect"] == [100, 60, 521, 361]
    window.tell("ask_about", question="the Save button")
    window.wait_for("answered")
    answer = window.ask("answer")
    x_px, y_px = answer["place"][0] * 1280, answer["place"][1] * 800
    assert save[0] <= x_px <= save[0] + save[2]
    assert save[1] <= y_px <= save[1] + save[3]
    window.tell("escape")
    assert window.wait_for("escaped")
