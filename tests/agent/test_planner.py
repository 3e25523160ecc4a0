"""The model as planner: what it is shown, how its answers are read, and what becomes of unreadable ones.

A scripted model stands for the network; it answers with texts that are written here and keeps the questions.
"""

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agent.described import read_described
from agent.episode import Observation, Plan
from agent.planner import MAX_UNREADABLE, ModelPlanner, PlannerOptions
from agent.reply import read_reply, write_reply
from agent.types import (
    Action,
    Click,
    Done,
    Drag,
    Fail,
    Frame,
    Hotkey,
    Monitor,
    Rect,
    RelPoint,
    Scroll,
    Target,
    TypeText,
    Unreadable,
)
from model.chat import Delta, FinishReason, GenerateOptions, ImagePart, Message
from model.errors import CancelledByCallerError, InputError

SCREEN = Rect(0, 0, 32, 24)


class ScriptedModel:
    """A scripted model, no network: it gives the answers it was given, in order."""

    def __init__(self, *answers: str, finish: FinishReason = "stop") -> None:
        self._answers = list(answers)
        self._finish: FinishReason = finish
        self.asked: list[list[Message]] = []

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        self.asked.append(list(messages))
        yield Delta(text=self._answers.pop(0))
        yield Delta(finish=self._finish)


def observed(step: int, note: str = "") -> Observation:
    """Show a screen whose grey is the step's number."""
    pixels = np.full((24, 32, 4), step, np.uint8)
    return Observation(Frame(pixels, SCREEN, (Monitor("1", "one", SCREEN),), float(step), "test"), step, note, None)


def answer(step: int) -> str:
    return write_reply(f"Thought {step}.", f"Do thing {step}.", [Click(RelPoint(0.25, 0.5))])


def shown(messages: Sequence[Message]) -> list[int]:
    """List the pictures of a question by their grey."""
    images = [part.image for each in messages for part in each.parts if isinstance(part, ImagePart)]
    return [int(np.asarray(image)[0, 0, 0]) for image in images if isinstance(image, Image.Image)]


def run(planner: ModelPlanner, steps: int) -> list[Plan | Unreadable]:
    cancel = threading.Event()
    return [planner.next(observed(n, f"Note {n}." if n > 1 else ""), cancel) for n in range(1, steps + 1)]


def test_an_answer_in_the_familys_form_becomes_a_plan() -> None:
    model = ScriptedModel(answer(1))
    (plan,) = run(ModelPlanner(model, "Save the file"), 1)
    assert plan == Plan((Click(RelPoint(0.25, 0.5)),), "Thought 1.", "Do thing 1.", answer(1))
    system, user = model.asked[0]
    assert system.role == "system"
    assert system.text.startswith("You are a GUI agent.")
    assert user.role == "user"
    assert isinstance(user.parts[0], ImagePart)
    assert "# Task Instruction:\nSave the file\n" in user.text
    assert "Outcome" not in user.text


def test_only_the_last_screenshots_are_shown_and_older_steps_are_told() -> None:
    model = ScriptedModel(*map(answer, range(1, 7)))
    run(ModelPlanner(model, "Save", PlannerOptions(screenshots=3)), 6)
    assert [shown(messages) for messages in model.asked] == [[1], [1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]
    _system, told, *recent, now = model.asked[-1]
    assert [each.role for each in recent] == ["user", "assistant", "user", "assistant"]
    assert told.role == "assistant"
    assert "# Step 1:\n## Action:\nDo thing 1.\n\n## Outcome:\nNote 2." in told.text
    assert "# Step 3:" in told.text
    assert "Thought" not in told.text
    assert "Step 4" not in told.text
    assert "## Thought:\nThought 4." in recent[1].text
    assert "pyautogui.click(x=0.25, y=0.5)" in recent[1].text
    assert "Note 5." in recent[1].text
    # What came of the last step stands with the current screenshot, once.
    assert "Outcome of the previous step:\nNote 6." in now.text
    assert "Note 6." not in recent[3].text


def test_one_screenshot_is_the_current_one() -> None:
    model = ScriptedModel(*map(answer, range(1, 4)))
    run(ModelPlanner(model, "Save", PlannerOptions(screenshots=1)), 3)
    assert [shown(messages) for messages in model.asked] == [[1], [2], [3]]


@pytest.mark.parametrize("budget", [0, 40, 100, 400])
def test_the_history_keeps_to_its_budget_and_says_what_is_left_out(budget: int) -> None:
    model = ScriptedModel(*map(answer, range(1, 21)))
    words = PlannerOptions(screenshots=1, history_tokens=budget, count_tokens=lambda text: len(text.split()))
    run(ModelPlanner(model, "Save", words), 20)
    history = model.asked[-1][1].text
    kept = [n for n in range(1, 20) if f"# Step {n}:" in history]
    assert kept == list(range(20 - len(kept), 20))
    if len(kept) < 19:
        first, _, rest = history.partition("\n")
        assert first.startswith(f"({19 - len(kept)} earlier")
        assert len(rest.split()) <= budget
    assert (len(kept) == 19) == (budget == 400)


def test_an_unreadable_answer_goes_back_with_the_reason_and_a_good_one_clears_it() -> None:
    model = ScriptedModel("I would click it.", answer(1), answer(2))
    planner = ModelPlanner(model, "Save")
    first = planner.next(observed(1), threading.Event())
    assert isinstance(first, Unreadable)
    assert isinstance(planner.next(observed(2, first.reason), threading.Event()), Plan)
    *_, said, told = model.asked[1]
    assert (said.role, said.text) == ("assistant", "I would click it.")
    assert told.role == "user"
    assert first.reason in told.text
    assert "".join(each.text for each in model.asked[1]).count(first.reason) == 1
    planner.next(observed(3, "Fine."), threading.Event())
    assert not any("could not be read" in each.text for each in model.asked[2])


def test_after_three_returns_the_run_fails() -> None:
    answers = ["no idea"] * (MAX_UNREADABLE + 1)
    *back, last = run(ModelPlanner(ScriptedModel(*answers), "Save"), len(answers))
    assert len(back) == 3
    assert all(isinstance(each, Unreadable) for each in back)
    assert isinstance(last, Plan)
    (fail,) = last.actions
    assert isinstance(fail, Fail)
    assert "4 times in a row" in fail.reason


def test_an_answer_that_was_cut_off_says_so() -> None:
    model = ScriptedModel("Thought: I have been thinking about", finish="length")
    (cut,) = run(ModelPlanner(model, "Save", PlannerOptions(generate=GenerateOptions(max_tokens=7))), 1)
    assert isinstance(cut, Unreadable)
    assert "cut off after 7 tokens" in cut.reason


def test_a_stopped_planner_plans_nothing() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledByCallerError):
        ModelPlanner(ScriptedModel(answer(1)), "Save").next(observed(1), cancel)


def test_a_huge_answer_is_not_carried_along() -> None:
    long = write_reply("t" * 50_000, "d" * 50_000, [Click(RelPoint(0.5, 0.5))])
    model = ScriptedModel("x" * 50_000, long, answer(2))
    run(ModelPlanner(model, "Save"), 3)
    assert all(sum(len(each.text) for each in messages) < 12_000 for messages in model.asked)


def test_no_goal_and_no_screenshot_are_refused() -> None:
    with pytest.raises(InputError):
        ModelPlanner(ScriptedModel(), " ")
    with pytest.raises(InputError):
        PlannerOptions(screenshots=0)


def test_a_planner_with_other_eyes_names_its_targets_in_words() -> None:
    code = (
        '## Thought:\nIt is open.\n\n## Action:\nSave it.\n\n## Code:\n```python\npyautogui.click(target="Save")\n```'
    )
    model = ScriptedModel(code, answer(2))
    first, second = run(ModelPlanner(model, "Save the file", PlannerOptions(describes=True)), 2)
    assert isinstance(first, Plan)
    assert first.actions == (Click(Target("Save")),)
    assert "target=" in model.asked[0][0].text
    # A model that goes on writing coordinates is taken by its words.
    assert isinstance(second, Plan)
    assert second.actions == (Click(Target("Do thing 2.")),)


@pytest.mark.parametrize(
    ("code", "actions"),
    [
        ('click(target="A")', [Click(Target("A"))]),
        ('pyautogui.doubleClick(target="A")', [Click(Target("A"), count=2)]),
        ('pyautogui.rightClick(target="A")', [Click(Target("A"), "right")]),
        ('computer.triple_click(target="A")', [Click(Target("A"), count=3)]),
        ('pyautogui.moveTo(target="A")\npyautogui.dragTo(target="B")', [Drag(Target("A"), Target("B"))]),
        ('pyautogui.scroll(-5, target="A")', [Scroll(Target("A"), up_notches=-5)]),
        ('pyautogui.click(target="A")\npyautogui.write("x=0.5")', [Click(Target("A")), TypeText("x=0.5")]),
        ('click(target="A"); click(target="B"); click(target="A")', [Click(Target(t)) for t in "ABA"]),
        (
            'pyautogui.keyDown("ctrl")\npyautogui.click(target="A")\npyautogui.keyUp("ctrl")',
            [Click(Target("A"), modifiers=("ctrl",))],
        ),
        ('pyautogui.hotkey("ctrl", "s")', [Hotkey(("ctrl", "s"))]),
        ('computer.terminate(status="success", answer="42")', [Done("42")]),
    ],
)
def test_described_code_is_read(code: str, actions: list[Action[Target]]) -> None:
    assert read_described(code) == tuple(actions)


@pytest.mark.parametrize(
    "code",
    [
        'click(target="")',
        "click(target=3)",
        'click(target="A", x=0.5, y=0.5)',
        'click(target="A"); click(x=0.5, y=0.5)',
        "click(x=0.5, y=0.5)",
        'press("enter", target="A")',
        'os.system(target="A")',
        f'click(target="{"A" * 501}")',
        "",
    ],
)
def test_what_names_no_target_in_words_is_unreadable(code: str) -> None:
    assert isinstance(read_described(code), Unreadable)


def test_two_points_are_not_described_by_one_sentence() -> None:
    assert isinstance(read_described("moveTo(0.1, 0.1)\ndragTo(0.2, 0.2)", "Drag A to B."), Unreadable)


@given(st.text(max_size=200) | st.text("click(target='A\"),; \n=xy0.5", max_size=80), st.text(max_size=20))
def test_any_text_is_read_or_unreadable(code: str, described: str) -> None:
    assert isinstance(read_described(code, described), tuple | Unreadable)
    read_reply(code)
