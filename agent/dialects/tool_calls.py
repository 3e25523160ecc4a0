"""Read computer-use tool calls: Qwen-VL and Fara (``computer_use``), Anthropic (``computer``), OpenAI.

The three agree on JSON with a kind of action and its arguments, and differ in names; where one name
means one thing in all of them, it is read from any.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence

from agent.dialects.space import Space
from agent.keys import canonical_key
from agent.reply import MAX_REPLY_CHARS, Reply
from agent.types import (
    MAX_NOTCHES,
    MODIFIERS,
    Action,
    Button,
    Click,
    Done,
    Drag,
    Fail,
    Hotkey,
    Modifier,
    Move,
    Press,
    RelPoint,
    Scroll,
    TypeText,
    Unreadable,
    Wait,
)

PIXELS_PER_NOTCH = 100
"""OpenAI and Qwen scroll by pixels; a notch of a wheel moves most programs by about this many."""

WAIT_S = 2.0

_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|$)", re.DOTALL)
_CLICKS: dict[str, tuple[Button, int]] = {
    "click": ("left", 1),
    "left_click": ("left", 1),
    "right_click": ("right", 1),
    "middle_click": ("middle", 1),
    "double_click": ("left", 2),
    "triple_click": ("left", 3),
}
_BUTTONS: dict[object, Button] = {"left": "left", "right": "right", "wheel": "middle", "middle": "middle"}
_DIRECTIONS = {"up": (1, 0), "down": (-1, 0), "right": (0, 1), "left": (0, -1)}

Arguments = Mapping[str, object]


def read_tool_call(answer: str | Arguments, space: Space) -> Reply | Unreadable:
    """Read one tool call, as a server's own JSON or inside a model's text; never raises.

    In text, the first ``<tool_call>`` counts, or else the first JSON object; what stands before it is
    the thought. ``{"name": …, "arguments": …}`` is unwrapped.
    """
    thought, code = "", ""
    try:
        if isinstance(answer, str):
            thought, code, answer = _found(answer)
        call = _unwrapped(answer)
        actions = _actions(call, space)
        code = code or json.dumps(dict(call), ensure_ascii=False, default=str)
    except ValueError as error:
        return Unreadable(str(error))
    except RecursionError:
        return Unreadable("the tool call nests too deeply")
    return Reply(thought, "", code, actions)


def _found(text: str) -> tuple[str, str, Arguments]:
    if len(text) > MAX_REPLY_CHARS:
        raise ValueError(f"the answer has {len(text)} characters; at most {MAX_REPLY_CHARS} are read")
    tagged = _TAGGED.search(text)
    start = text.find("{", tagged.start() if tagged else 0)
    if start < 0:
        raise ValueError("there is no tool call in the answer")
    try:
        value, length = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError as error:
        raise ValueError(f"the tool call is not JSON: {error.msg}") from error
    if not isinstance(value, dict):
        raise ValueError("the tool call is not a JSON object")
    before = text[: tagged.start() if tagged else start]
    return before.removesuffix("```json\n").strip(), text[start : start + length], value


def _unwrapped(call: Arguments) -> Arguments:
    inner = call.get("arguments", call.get("input", call.get("action")))
    if isinstance(inner, str) and "arguments" in call:
        try:
            inner = json.loads(inner)
        except ValueError as error:
            raise ValueError("the tool call's arguments are not JSON") from error
    return inner if isinstance(inner, dict) else call


def _actions(call: Arguments, space: Space) -> tuple[Action[RelPoint], ...]:
    kind = call.get("action", call.get("type"))
    if isinstance(kind, str) and kind in _CLICKS:
        button, count = _CLICKS[kind]
        if kind in ("click", "double_click") and "button" in call:
            button = _button(call["button"])
        return (Click(_point(call, space), button, count, _modifiers(call)),)
    match kind:
        case "move" | "mouse_move":
            return (Move(_needed(_point(call, space))),)
        case "left_click_drag" | "drag":
            return (_drag(call, space),)
        case "type":
            return (TypeText(_text(call, "text").replace("\r\n", "\n").replace("\r", "\n")),)
        case "key" | "keypress":
            return (_keys(call),)
        case "scroll" | "hscroll":
            return _scrolls(call, space, sideways=kind == "hscroll")
        case "wait":
            seconds = call.get("duration", call.get("time", WAIT_S))
            return (Wait(_number(seconds, "the time to wait")),)
        case "screenshot" | "cursor_position":
            return (Wait(0.0),)  # each step ends with looking anyway
        case "answer":
            return (Done(_text(call, "text")),)
        case "terminate":
            answer = call.get("answer", "")
            if call.get("status") == "success":
                return (Done(answer if isinstance(answer, str) else ""),)
            if call.get("status") in ("failure", "fail"):
                return (Fail(answer if isinstance(answer, str) else ""),)
            raise ValueError("terminate needs the status 'success' or 'failure'")
        case _:
            raise ValueError(f"there is no action {_shown(kind)}")


def _point(call: Arguments, space: Space, name: str = "coordinate") -> RelPoint | None:
    if name in call:
        return _pair(call[name], space)
    if "x" in call or "y" in call:
        return _pair([call.get("x"), call.get("y")], space)
    return None


def _needed(point: RelPoint | None) -> RelPoint:
    if point is None:
        raise ValueError("the action needs a coordinate")
    return point


def _pair(value: object, space: Space) -> RelPoint:
    if isinstance(value, dict):
        value = [value.get("x"), value.get("y")]
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"{_shown(value)} is not a coordinate, such as [100, 200]")
    return space.point(_number(value[0], "x"), _number(value[1], "y"))


def _drag(call: Arguments, space: Space) -> Action[RelPoint]:
    path = call.get("path")
    if path is None:
        return Drag(_point(call, space, "start_coordinate"), _needed(_point(call, space)))
    if not isinstance(path, list) or len(path) != 2:
        raise ValueError("a drag goes from one point to another; its path has two points")
    return Drag(_pair(path[0], space), _pair(path[1], space))


def _scrolls(call: Arguments, space: Space, *, sideways: bool) -> tuple[Action[RelPoint], ...]:
    at, held = _point(call, space), _modifiers(call)
    if "scroll_direction" in call:
        up, right = _DIRECTIONS.get(str(call["scroll_direction"]), (0, 0))
        if not (up or right):
            raise ValueError("scroll_direction must be up, down, left or right")
        amount = _limited(_number(call.get("scroll_amount", 5), "scroll_amount"))
        return (Scroll(at, up * amount, right * amount, held),)
    if "pixels" in call:
        amount = _notches(_number(call["pixels"], "pixels"))
        return (Scroll(at, 0, amount, held) if sideways else Scroll(at, amount, 0, held),)
    down = _notches(_number(call.get("scroll_y", 0), "scroll_y"))
    right = _notches(_number(call.get("scroll_x", 0), "scroll_x"))
    turns = [Scroll(at, -down, 0, held)] if down else []
    turns += [Scroll(at, 0, right, held)] if right else []
    if not turns:
        raise ValueError("the scroll has no amount")
    return tuple(turns)


def _notches(pixels: float) -> int:
    if not pixels:
        return 0
    return int(math.copysign(max(1, abs(_limited(pixels / PIXELS_PER_NOTCH))), pixels))


def _limited(amount: float) -> int:
    # A longer scroll than anyone turns means "to the end".
    return round(min(max(amount, -MAX_NOTCHES), MAX_NOTCHES))


def _keys(call: Arguments) -> Action[RelPoint]:
    named = call.get("keys", call.get("text"))
    spelled = named if isinstance(named, list) else _chord(named)
    keys = tuple(_key(key) for key in spelled)
    return Press(keys[0]) if len(keys) == 1 else Hotkey(keys)


def _chord(text: object) -> list[str]:
    """Split ``ctrl+shift+s``, where a plus of its own is the key: ``ctrl++``."""
    if not isinstance(text, str) or not text:
        raise ValueError(f"{_shown(text)} names no keys")
    return re.findall(r"[^+]+|(?:^|(?<=\+))\+", text)


def _key(spelling: object) -> str:
    key = canonical_key(spelling) if isinstance(spelling, str) else None
    if key is None:
        raise ValueError(f"there is no key {_shown(spelling)}")
    return key


def _modifiers(call: Arguments) -> tuple[Modifier, ...]:
    """Return the keys that Anthropic's clicks and scrolls hold (``text``), and OpenAI's (``keys``)."""
    named = call.get("text", call.get("keys"))
    if not named:
        return ()
    keys = [_key(key) for key in (named if isinstance(named, list) else _chord(named))]
    held: tuple[Modifier, ...] = tuple(modifier for key in keys for modifier in MODIFIERS if modifier == key)
    if len(held) != len(keys):
        raise ValueError(f"only {', '.join(MODIFIERS)} can be held during a click or a scroll")
    return held


def _button(value: object) -> Button:
    if isinstance(value, str) and value in _BUTTONS:
        return _BUTTONS[value]
    raise ValueError(f"there is no button {_shown(value)}")


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {_shown(value)}; it must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} is no finite number")
    return number


def _text(call: Arguments, name: str) -> str:
    value = call.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is {_shown(value)}; it must be a text")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
