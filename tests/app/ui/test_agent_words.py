"""An action in words: every kind, in the person's language, with nothing hidden that it presses."""

import pytest

from agent.types import (
    Action,
    Ask,
    Click,
    Done,
    Drag,
    Fail,
    Hotkey,
    Move,
    Point,
    Press,
    RelPoint,
    Scroll,
    Target,
    TypeText,
    Wait,
)
from app.translate import set_language
from app.ui.agent.words import action_words

WORDS: list[tuple[Action[Point] | Action[RelPoint] | Action[Target], str, str]] = [
    (Click(Point(3, 4)), "click at 3, 4", "在 3, 4 单击"),
    (Click(Point(3, 4), "right", 2), "double-click with the right button at 3, 4", "在 3, 4 用右键双击"),
    (Click(None, "middle"), "click with the middle button", "用中键单击"),
    (
        Click(Target("the Save button"), modifiers=("ctrl",)),
        "click at “the Save button” while ctrl is held",
        "按住 ctrl",
    ),
    (Click(RelPoint(0.5, 0.25), count=3), "triple-click at 0.500, 0.250", "三击"),
    (Move(Point(1, 2)), "move the pointer to 1, 2", "将指针移到 1, 2"),
    (Drag(Point(1, 2), Point(3, 4)), "drag from 1, 2 to 3, 4", "从 1, 2 拖到 3, 4"),
    (Drag(None, Point(3, 4), "right"), "drag to 3, 4 with the right button", "用右键拖到 3, 4"),
    (Scroll(None, -3), "scroll down by 3", "向下滚动 3 格"),
    (Scroll(Point(1, 2), 0, 2), "scroll right by 2 at 1, 2", "在 1, 2 向右滚动 2 格"),
    (TypeText("one\ttwo\n"), "type “one⇥ two⏎”", "输入“one⇥ two⏎”"),
    (TypeText("hunter2", secret=True), "type a secret", "输入机密内容"),
    (Press("enter", 2), "press enter 2 times", "按 enter 2 次"),
    (Hotkey(("ctrl", "s")), "press ctrl+s", "按 ctrl+s"),
    (Wait(1.5), "wait 1.5 s", "等待 1.5 秒"),
    (Ask("which\none?"), "ask: which one?", "询问：which one?"),
    (Done(), "done", "完成"),
    (Fail("it is gone"), "give up: it is gone", "放弃：it is gone"),
]


@pytest.mark.parametrize(("action", "said", "said_in_chinese"), WORDS)
def test_an_action_is_said_in_the_persons_language(
    action: Action[Point] | Action[RelPoint] | Action[Target], said: str, said_in_chinese: str
) -> None:
    assert action_words(action) == said
    set_language("zh_CN")
    assert said_in_chinese in action_words(action)
