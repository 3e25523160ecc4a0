"""The OSWorld adapter: what comes back is run, as its environment would, against a recorder in pyautogui's place.

The recorder stands for pyautogui, which is not installed on Linux; the planner's model is scripted.
"""

import io
import sys
import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agent.episode import Planner
from agent.locate import Location, Look
from agent.osworld import OSWorldAgent, write_for_osworld
from agent.planner import ModelPlanner, PlannerOptions
from agent.types import (
    Action,
    Click,
    Drag,
    Fail,
    Frame,
    Hotkey,
    Point,
    Press,
    Rect,
    Scroll,
    TypeText,
    Wait,
)
from model.errors import InputError
from model.grounding import NotThere
from tests.agent.test_planner import ScriptedModel

REPLY = "Thought:\nThe button is there.\n\nAction:\nClick Save.\n\n```python\n{code}\n```"


def screenshot(width: int = 1920, height: int = 1080) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(data, "PNG")
    return data.getvalue()


class Recorder(types.ModuleType):
    """Stands for pyautogui and pyperclip: keeps calls, and what they would have typed with a US layout."""

    def __init__(self) -> None:
        super().__init__("pyautogui")
        self.calls: list[tuple[object, ...]] = []
        self.typed = ""
        self.board = ""

    def __getattr__(self, name: str) -> object:
        def call(*args: object, **kwargs: object) -> None:
            self.calls.append((name, args, kwargs))
            if name == "write":
                text = str(args[0])
                assert text.isascii(), "pyautogui drops what is not ASCII"
                assert "<" not in text, "pyautogui types > for <"
                self.typed += text
            elif name == "hotkey":
                self.typed += {("shift", ","): "<", ("ctrl", "v"): self.board}[args]  # type: ignore[index]  # strings
            elif name == "copy":
                self.board = str(args[0])

        return call


def run(strings: list[str], monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "pyperclip", recorder)
    for string in strings:
        exec(string, {"pyautogui": recorder})  # OSWorld does the very same with them
    return recorder


def agent(*answers: str) -> tuple[OSWorldAgent, ScriptedModel]:
    model = ScriptedModel(*answers)
    return OSWorldAgent(lambda goal: ModelPlanner(model, goal)), model


def test_a_click_comes_back_in_pixels_of_the_screenshot(monkeypatch: pytest.MonkeyPatch) -> None:
    osworld, _ = agent(REPLY.format(code="pyautogui.click(x=0.5, y=0.25)"))
    response, actions = osworld.predict("save it", {"screenshot": screenshot()})
    assert "The button is there." in response
    assert run(actions, monkeypatch).calls == [("click", (), {"x": 960, "y": 270, "clicks": 1, "button": "left"})]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("computer.terminate(status='success')", "DONE"),
        ("computer.terminate(status='failure')", "FAIL"),
        ("computer.wait(seconds=5)", "WAIT"),
        ("computer.call_user(question='Which file?')", "WAIT"),
    ],
)
def test_the_special_words_are_osworld_s(code: str, word: str) -> None:
    osworld, _ = agent(REPLY.format(code=code))
    assert osworld.predict("do it", {"screenshot": screenshot()})[1] == [word]


def test_a_question_is_answered_with_what_is_so() -> None:
    osworld, model = agent(
        REPLY.format(code="computer.call_user(question='Which file?')"),
        REPLY.format(code="computer.terminate(status='success')"),
    )
    osworld.predict("do it", {"screenshot": screenshot()})
    osworld.predict("do it", {"screenshot": screenshot()})
    assert "Nobody is there" in str(model.asked[1][-1])


def test_an_unreadable_answer_is_asked_again_within_the_step() -> None:
    osworld, model = agent("I would rather not.", REPLY.format(code="pyautogui.press('enter')"))
    assert osworld.predict("do it", {"screenshot": screenshot()})[1] == ["pyautogui.press('enter', presses=1)"]
    assert len(model.asked) == 2


def test_a_model_that_babbles_ends_in_fail() -> None:
    osworld, _ = agent(*["la la la"] * 4)
    assert osworld.predict("do it", {"screenshot": screenshot()})[1] == ["FAIL"]


def test_another_instruction_begins_anew_and_so_does_reset() -> None:
    made: list[str] = []

    def planner(goal: str) -> Planner:
        made.append(goal)
        return ModelPlanner(ScriptedModel(*[REPLY.format(code="pyautogui.press('a')")] * 2), goal)

    osworld = OSWorldAgent(planner)
    for goal in ("one", "one", "two"):
        osworld.predict(goal, {"screenshot": screenshot()})
    osworld.reset(None, vm_ip="10.0.0.1")
    osworld.predict("two", {"screenshot": screenshot()})
    assert made == ["one", "two", "two"]


class PointingEyes:
    """Scripted eyes: know one element."""

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        if description == "the Save button":
            return Location(True, (192, 108), (0.1, 0.1), (), 1.0)
        return Location(False, None, None, (Look(Rect(0, 0, 1, 1), 1.0, NotThere(), "no", 1.0),), 1.0)


def describing(code: str) -> tuple[OSWorldAgent, ScriptedModel]:
    model = ScriptedModel(*[REPLY.format(code=code)] * 2)
    options = PlannerOptions(describes=True)
    return OSWorldAgent(lambda goal: ModelPlanner(model, goal, options), PointingEyes()), model


def test_described_targets_are_found_by_the_eyes() -> None:
    osworld, _ = describing('pyautogui.click(target="the Save button")')
    assert osworld.predict("save", {"screenshot": screenshot()})[1] == [
        "pyautogui.click(x=192, y=108, clicks=1, button='left')"
    ]


def test_what_the_eyes_do_not_find_is_told_to_the_planner() -> None:
    osworld, model = describing('pyautogui.click(target="the Moon button")')
    assert osworld.predict("save", {"screenshot": screenshot()})[1] == ["WAIT"]
    osworld.predict("save", {"screenshot": screenshot()})
    assert "'the Moon button' was not found" in str(model.asked[1][-1])


@pytest.mark.parametrize("given", [None, b"", b"\x89PNG\r\n\x1a\n", screenshot()[:200], "a path"])
def test_a_broken_screenshot_is_named(given: object) -> None:
    osworld, _ = agent(REPLY.format(code="pyautogui.press('a')"))
    with pytest.raises(InputError, match="screenshot"):
        osworld.predict("do it", {"screenshot": given})


@given(text=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60))
def test_any_text_arrives_whole(text: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert run(write_for_osworld(TypeText(text)), monkeypatch).typed == text


def test_no_text_can_leave_its_string(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = '\'); import os; os.abort() #\n\\\'"""<é'
    assert run(write_for_osworld(TypeText(hostile)), monkeypatch).typed == hostile


def test_a_secret_is_refused() -> None:
    with pytest.raises(InputError, match="secret"):
        write_for_osworld(TypeText("hunter2", secret=True))


def test_every_kind_of_action_can_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    at = Point(10, 20)
    actions: list[Action[Point]] = [
        Click(at, "right", 2, ("ctrl", "super")),
        Click(None),
        Drag(at, Point(30, 40), "left", ("shift",)),
        Drag(None, at),
        Scroll(at, up_notches=-3),
        Scroll(None, right_notches=2),
        Press("enter", 3),
    ]
    recorder = run([string for action in actions for string in write_for_osworld(action)], monkeypatch)
    names = [call[0] for call in recorder.calls]
    assert names == [
        *["keyDown", "keyDown", "click", "keyUp", "keyUp"],
        "click",
        *["keyDown", "moveTo", "dragTo", "keyUp"],
        "dragTo",
        *["moveTo", "scroll"],
        "hscroll",
        "press",
    ]
    assert recorder.calls[0] == ("keyDown", ("ctrl",), {})
    assert recorder.calls[1] == ("keyDown", ("win",), {})


def test_a_chord_and_the_ends_have_osworld_s_names() -> None:
    assert write_for_osworld(Hotkey(("super", "d"))) == ["pyautogui.hotkey('win', 'd')"]
    assert write_for_osworld(Wait(2.0)) == ["WAIT"]
    assert write_for_osworld(Fail("no")) == ["FAIL"]


def test_a_point_in_relative_space_reaches_the_last_pixel() -> None:
    osworld, _ = agent(REPLY.format(code="pyautogui.click(x=1.0, y=1.0)"))
    assert "x=1919, y=1079" in osworld.predict("do it", {"screenshot": screenshot()})[1][0]
