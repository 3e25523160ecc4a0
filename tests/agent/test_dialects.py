"""The dialects of other families: their published forms are read, and nothing else gets through."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.space import Space
from agent.dialects.tool_calls import read_tool_call
from agent.dialects.ui_tars import read_ui_tars
from agent.reply import Reply
from agent.types import (
    Action,
    Ask,
    Click,
    Done,
    Drag,
    Fail,
    Hotkey,
    Move,
    Press,
    RelPoint,
    Scroll,
    TypeText,
    Unreadable,
    Wait,
)

HD = Space.pixels(1920, 1080)
THOUSANDTHS = Space.thousandths()
MIDDLE = RelPoint(0.5, 0.5)
QUARTER = RelPoint(0.25, 0.25)

UI_TARS: list[tuple[str, Space, Action[RelPoint]]] = [
    ("click(start_box='<|box_start|>(960,540)<|box_end|>')", HD, Click(MIDDLE)),
    ("click(start_box='(500,500)')", THOUSANDTHS, Click(MIDDLE)),
    ("click(start_box='(0.5, 0.5)')", Space.relative(), Click(MIDDLE)),
    ("click(point='<point>960 540</point>')", HD, Click(MIDDLE)),
    ("click(start_box='[480,0,1440,1080]')", HD, Click(MIDDLE)),
    ("left_double(point='<point>500 500</point>')", THOUSANDTHS, Click(MIDDLE, count=2)),
    ("right_single(start_box='(500,500)')", THOUSANDTHS, Click(MIDDLE, "right")),
    ("drag(start_box='(250,250)', end_box='(500,500)')", THOUSANDTHS, Drag(QUARTER, MIDDLE)),
    (
        "drag(start_point='<point>250 250</point>', end_point='<point>500 500</point>')",
        THOUSANDTHS,
        Drag(QUARTER, MIDDLE),
    ),
    ("hotkey(key='ctrl c')", HD, Hotkey(("ctrl", "c"))),
    ("hotkey(key='enter')", HD, Press("enter")),
    (r"type(content='it\'s \"new\"\n')", HD, TypeText('it\'s "new"\n')),
    ("scroll(point='<point>960 540</point>', direction='down')", HD, Scroll(MIDDLE, -5)),
    ("scroll(start_box='(960,540)', direction='left')", HD, Scroll(MIDDLE, right_notches=-5)),
    ("wait()", HD, Wait(5.0)),
    ("finished(content='It costs 5 €')", HD, Done("It costs 5 €")),
    ("finished()", HD, Done()),
    ("call_user()", HD, Ask("")),
]

TOOL_CALLS: list[tuple[dict[str, object], Space, tuple[Action[RelPoint], ...]]] = [
    ({"action": "left_click", "coordinate": [960, 540]}, HD, (Click(MIDDLE),)),
    ({"action": "left_click", "coordinate": [500, 500]}, THOUSANDTHS, (Click(MIDDLE),)),
    (
        {"action": "left_click", "coordinate": [960, 540], "text": "ctrl+shift"},
        HD,
        (Click(MIDDLE, "left", 1, ("ctrl", "shift")),),
    ),
    ({"action": "left_click"}, HD, (Click(None),)),
    ({"action": "right_click", "coordinate": [960, 540]}, HD, (Click(MIDDLE, "right"),)),
    ({"action": "middle_click", "coordinate": [960, 540]}, HD, (Click(MIDDLE, "middle"),)),
    ({"action": "double_click", "coordinate": [960, 540]}, HD, (Click(MIDDLE, count=2),)),
    ({"action": "triple_click", "coordinate": [960, 540]}, HD, (Click(MIDDLE, count=3),)),
    ({"action": "mouse_move", "coordinate": [960, 540]}, HD, (Move(MIDDLE),)),
    ({"action": "left_click_drag", "coordinate": [960, 540]}, HD, (Drag(None, MIDDLE),)),
    (
        {"action": "left_click_drag", "start_coordinate": [480, 270], "coordinate": [960, 540]},
        HD,
        (Drag(QUARTER, MIDDLE),),
    ),
    ({"action": "type", "text": "a\r\nb"}, HD, (TypeText("a\nb"),)),
    ({"action": "key", "text": "ctrl+s"}, HD, (Hotkey(("ctrl", "s")),)),
    ({"action": "key", "text": "Return"}, HD, (Press("enter"),)),
    ({"action": "key", "text": "ctrl++"}, HD, (Hotkey(("ctrl", "+")),)),
    ({"action": "key", "text": "+"}, HD, (Press("+"),)),
    ({"action": "key", "keys": ["ctrl", "c"]}, HD, (Hotkey(("ctrl", "c")),)),
    (
        {"action": "scroll", "coordinate": [960, 540], "scroll_direction": "down", "scroll_amount": 3},
        HD,
        (Scroll(MIDDLE, -3),),
    ),
    ({"action": "scroll", "coordinate": [960, 540], "pixels": -250}, HD, (Scroll(MIDDLE, -2),)),
    ({"action": "hscroll", "pixels": 10}, HD, (Scroll(None, right_notches=1),)),
    ({"action": "wait", "duration": 3}, HD, (Wait(3.0),)),
    ({"action": "wait", "time": 1.5}, HD, (Wait(1.5),)),
    ({"action": "screenshot"}, HD, (Wait(0.0),)),
    ({"action": "answer", "text": "42"}, HD, (Done("42"),)),
    ({"action": "terminate", "status": "success"}, HD, (Done(),)),
    ({"action": "terminate", "status": "failure"}, HD, (Fail(),)),
    ({"type": "click", "x": 960, "y": 540, "button": "wheel"}, HD, (Click(MIDDLE, "middle"),)),
    ({"type": "double_click", "x": 960, "y": 540}, HD, (Click(MIDDLE, count=2),)),
    ({"type": "drag", "path": [{"x": 480, "y": 270}, {"x": 960, "y": 540}]}, HD, (Drag(QUARTER, MIDDLE),)),
    ({"type": "keypress", "keys": ["CTRL", "A"]}, HD, (Hotkey(("ctrl", "A")),)),
    ({"type": "move", "x": 960, "y": 540}, HD, (Move(MIDDLE),)),
    ({"type": "scroll", "x": 960, "y": 540, "scroll_x": 0, "scroll_y": 300}, HD, (Scroll(MIDDLE, -3),)),
    (
        {"type": "scroll", "x": 960, "y": 540, "scroll_x": -200, "scroll_y": -300},
        HD,
        (Scroll(MIDDLE, 3), Scroll(MIDDLE, right_notches=-2)),
    ),
    ({"type": "type", "text": "hi"}, HD, (TypeText("hi"),)),
    ({"type": "wait"}, HD, (Wait(2.0),)),
]


@pytest.mark.parametrize(("code", "space", "action"), UI_TARS)
def test_ui_tars_actions_are_read(code: str, space: Space, action: Action[RelPoint]) -> None:
    reply = read_ui_tars(f"Thought: I see it.\nAction: {code}", space)
    assert isinstance(reply, Reply), reply
    assert (reply.thought, reply.actions) == ("I see it.", (action,))


def test_only_the_first_step_of_ui_tars_is_read() -> None:
    text = "Thought: a\nAction: click(start_box='(500,500)')\nThought: b\nAction: finished()"
    reply = read_ui_tars(text, THOUSANDTHS)
    assert isinstance(reply, Reply)
    assert reply.actions == (Click(MIDDLE),)
    two = read_ui_tars("Action: click(start_box='(500,500)')\n\ntype(content='x')", THOUSANDTHS)
    assert isinstance(two, Reply)
    assert two.actions == (Click(MIDDLE), TypeText("x"))


@pytest.mark.parametrize(
    ("call", "space", "actions"), TOOL_CALLS, ids=[json.dumps(call)[:60] for call, _, _ in TOOL_CALLS]
)
def test_tool_calls_are_read(call: dict[str, object], space: Space, actions: tuple[Action[RelPoint], ...]) -> None:
    wrapped = {"name": "computer_use", "arguments": call}
    for answer in (
        call,
        wrapped,
        {"name": "computer", "input": call},
        {"name": "computer_use", "arguments": json.dumps(call)},
        {"type": "computer_call", "call_id": "1", "action": call},
        f"I see it.\n<tool_call>\n{json.dumps(wrapped)}\n</tool_call>",
        f"I see it.\n```json\n{json.dumps(call)}\n```",
    ):
        reply = read_tool_call(answer, space)
        assert isinstance(reply, Reply), reply
        assert reply.actions == actions
        assert reply.thought == ("I see it." if isinstance(answer, str) else "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no 'Action:'"),
        ("Action:", "nothing after"),
        ("Action: click(start_box='(1921,540)')", "x is 1921; it must be 0 to 1920"),
        ("Action: click(start_box='(-1,540)')", "x is -1"),
        ("Action: click(start_box='540')", "no point"),
        ("Action: click(start_box='(a,b)')", "no point"),
        ("Action: click(start_box='(1.2.3,4)')", "no point"),
        ("Action: click()", "needs start_box or point"),
        ("Action: click(100, 200)", "by name"),
        ("Action: click(start_box='(1,1)', button='left')", "no argument 'button'"),
        ("Action: hotkey(key='hyper c')", "no key 'hyper'"),
        ("Action: hotkey(key='')", "no key"),
        ("Action: scroll(start_box='(1,1)', direction='around')", "direction"),
        ("Action: open_app(app_name='x')", "for phones"),
        ("Action: os.system('id')", "calls something other"),
        ("Action: eval(content='1')", "no such action"),
        ("Action: finished()\nclick(start_box='(1,1)')", "nothing can follow"),
        ("x" * 500_000, "at most"),
    ],
)
def test_ui_tars_is_refused_with_the_reason(text: str, reason: str) -> None:
    answer = read_ui_tars(text, HD)
    assert isinstance(answer, Unreadable)
    assert reason in answer.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no tool call"),
        ("<tool_call>[1]</tool_call>", "no tool call"),
        ('{"action": ', "not JSON"),
        ('{"action": ["left_click"]}', "no action"),
        ('{"action": "left_click", "coordinate": [1, NaN]}', "no finite number"),
        ('{"action": "left_click", "coordinate": [1]}', "not a coordinate"),
        ('{"action": "left_click", "coordinate": "12"}', "not a coordinate"),
        ('{"action": "left_click", "coordinate": [true, 1]}', "must be a number"),
        ('{"action": "left_click", "coordinate": [5000, 1]}', "x is 5000"),
        ('{"action": "left_click", "coordinate": [1, 1], "text": "a"}', "can be held"),
        ('{"action": "mouse_move"}', "needs a coordinate"),
        ('{"action": "left_mouse_down"}', "no action 'left_mouse_down'"),
        ('{"action": "hold_key", "text": "a"}', "no action"),
        ('{"action": "type", "text": 5}', "must be a text"),
        ('{"action": "type", "text": "\\u001b"}', "U+001B"),
        ('{"action": "key", "text": "ctrl+hyper"}', "no key 'hyper'"),
        ('{"action": "key"}', "names no keys"),
        ('{"action": "scroll"}', "no amount"),
        ('{"action": "scroll", "scroll_direction": "in"}', "scroll_direction"),
        ('{"action": "wait", "time": 9999}', "seconds of waiting"),
        ('{"action": "terminate"}', "status"),
        ('{"type": "click", "x": 1, "y": 1, "button": "back"}', "no button 'back'"),
        ('{"type": "drag", "path": [[1, 1], [2, 2], [3, 3]]}', "two points"),
        ('{"name": "x", "arguments": "{"}', "not JSON"),
        ('{"a":' * 100_000, ""),
        ('{"action": ' + "[" * 50_000, ""),
        ("x" * 500_000, "at most"),
        ('{"action": "wait", "time": ' + "9" * 5000 + "}", ""),
    ],
    ids=lambda value: value[:50],
)
def test_tool_calls_are_refused_with_the_reason(answer: str, reason: str) -> None:
    refused = read_tool_call(answer, HD)
    assert isinstance(refused, Unreadable)
    assert reason in refused.reason
    assert len(refused.reason) < 300


@given(st.floats(0, 4000), st.floats(0, 3000))
def test_points_of_the_sent_picture_are_relative_to_it(x: float, y: float) -> None:
    point = Space.pixels(4000, 3000).point(x, y)
    assert point.x_rel * 4000 == pytest.approx(x)
    assert point.y_rel * 3000 == pytest.approx(y)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from([call.get("action", call.get("type")) for call, _, _ in TOOL_CALLS])
names = st.sampled_from(sorted({name for call, _, _ in TOOL_CALLS for name in call}))


@given(st.dictionaries(names, json_values | kinds, max_size=5), kinds)
def test_tool_calls_with_any_arguments_never_raise(call: dict[str, object], kind: object) -> None:
    for answer in (call, call | {"action": kind}, json.dumps(call | {"type": kind})):
        assert isinstance(read_tool_call(answer, HD), Reply | Unreadable)


@pytest.mark.parametrize("read", [read_ui_tars, read_tool_call])
def test_mutated_answers_never_raise(read: Callable[[str, Space], Reply | Unreadable]) -> None:
    random_ = random.Random(5)
    seeds = [f"Thought: x\nAction: {code}" for code, _, _ in UI_TARS] + [json.dumps(call) for call, _, _ in TOOL_CALLS]
    readable = 0
    for _ in range(4000):
        text = random_.choice(seeds)
        for _ in range(random_.randint(0, 3)):
            at = random_.randrange(len(text) + 1)
            text = (
                text[:at]
                + random_.choice(["", "'", '"', "(", "9" * 30, "{", "\\", "\x00", "-", "e"])
                + text[at + random_.randint(0, 2) :]
            )
        readable += isinstance(read(text, HD), Reply)
    assert readable > 400
