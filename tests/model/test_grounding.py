"""Asking for a point and reading the answer, in every form the family is known to use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.chat import ImagePart, TextPart
from model.errors import CheckpointError
from model.grounding import ABSENT_ANSWER, Found, NotThere, Unreadable, answer_text, ask, prompt_named, read_answer


@pytest.mark.parametrize(
    "text",
    [
        "pyautogui.click(x=0.884, y=0.144)",
        "## Action:\nClick Save\n\n## Code:\n```python\npyautogui.click(x=0.884, y=0.144)\n```",
        "Thought: it is there\nAction: click\nToolcall: click(x=0.884, y=0.144)",
        "pyautogui.doubleClick(x = .884 , y = .144)",
        "pyautogui.moveTo(0.884, 0.144)",
        "(x=0.884, y=0.144)",
        "first x=12, y=40 in pixels, that is x=0.884, y=0.144",
    ],
)
def test_a_point_is_read_from_every_known_form(text: str) -> None:
    assert read_answer(text) == Found(0.884, 0.144)


@pytest.mark.parametrize("text", [ABSENT_ANSWER, "computer.terminate('fail')", 'terminate(status="failure")'])
def test_a_stated_failure_is_not_there(text: str) -> None:
    assert read_answer(text) == NotThere()


@pytest.mark.parametrize("text", ["", "click(884, 144)", "x=1.5, y=0.2", "terminate(status='success')", "x=0.5"])
def test_anything_else_is_unreadable_and_kept(text: str) -> None:
    assert read_answer(text) == Unreadable(text)


@given(st.floats(0, 1), st.floats(0, 1))
def test_written_points_come_back_within_half_a_thousandth(x: float, y: float) -> None:
    answer = read_answer(answer_text(x, y))
    assert isinstance(answer, Found)
    assert answer.x_rel == pytest.approx(x, abs=0.00101)
    assert answer.y_rel == pytest.approx(y, abs=0.00101)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert isinstance(read_answer(text), Found | NotThere | Unreadable)


@given(st.text(min_size=1), st.sampled_from(["bare", "code"]))
def test_the_instruction_is_sent_as_it_is(instruction: str, name: str) -> None:
    messages = ask(b"picture", instruction, prompt_named(name))
    picture, text = messages[-1].parts
    assert picture == ImagePart(b"picture")
    assert isinstance(text, TextPart)
    assert text.text.endswith(instruction)


def test_an_unknown_prompt_is_refused() -> None:
    with pytest.raises(CheckpointError, match="shout"):
        prompt_named("shout")
