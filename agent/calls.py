"""What each call of the action grammar means: which there are, what they take, which steps they are."""

import math
from collections.abc import Callable, Sequence

from agent.gestures import KeyDown, KeyUp, MouseDown, MouseUp, Step
from agent.keys import canonical_key
from agent.snippet import Call, Value
from agent.types import (
    BUTTONS,
    MAX_NOTCHES,
    MAX_PRESSES,
    Ask,
    Button,
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
    Wait,
)

DEFAULT_WAIT_S = 5.0
"""What a bare ``wait()`` means, as in UI-TARS."""

NOTCHES_PER_PAGE = 10
"""Aguvis data scrolls by parts of a page; a page is about ten notches of the wheel."""

Arguments = dict[str, Value]
Reader = Callable[[Arguments], Sequence[Step]]

_TIMINGS = ("interval", "duration", "pause", "_pause")
"""How fast pyautogui would do it: read and dropped, because hands have a pace of their own."""


def steps(call: Call) -> Sequence[Step]:
    """Turn one call into steps.

    Raises ValueError, worded for the model, when there is no such call or it cannot take its arguments.
    """
    name = call.name.replace("_", "").lower()
    if call.module != "pyautogui" and name in ("move", "hover"):
        name = "moveto"
    if name in ("move", "moverel", "drag", "dragrel"):
        raise ValueError("moves relative to the pointer are not read; use moveTo or dragTo with a point")
    if name == "hotkey" and call.module != "time":
        return [_hotkey(call)]
    if name not in _CALLS or (call.module == "time" and name != "sleep"):
        raise ValueError("there is no such call")
    parameters, read = _CALLS[name]
    return read(_bind(call, parameters))


def _bind(call: Call, parameters: tuple[str, ...]) -> Arguments:
    """Match arguments with parameters, of which each may be spelt in several ways: ``keys|key``."""
    if len(call.args) > len(parameters):
        raise ValueError(f"{len(call.args)} arguments; it takes {len(parameters)}")
    names = {spelling: parameter.split("|")[0] for parameter in parameters for spelling in parameter.split("|")}
    bound = dict(zip((parameter.split("|")[0] for parameter in parameters), call.args, strict=False))
    for keyword, value in call.kwargs.items():
        name = names.get(keyword, keyword)
        if name not in names and name not in _TIMINGS:
            raise ValueError(f"there is no argument {keyword[:40]!r}")
        if name in bound:
            raise ValueError(f"{name[:40]} is given twice")
        bound[name] = value
    for timing in _TIMINGS:
        if timing in bound:
            _number(bound.pop(timing), timing)
    return bound


def _click(count: int | None, button: Button | None = None) -> Reader:
    def read(given: Arguments) -> Sequence[Step]:
        clicks = _whole(given.get("clicks", 1), "clicks") if count is None else count
        stated = _button(given.get("button", button or "left"))
        if button is not None and stated != button:
            raise ValueError(f"the button is {stated}, but the call's own is {button}")
        return [Click(_point(given), stated, clicks)]

    return read


def _move(given: Arguments) -> Sequence[Step]:
    return [Move(_needed_point(given))]


def _drag(given: Arguments) -> Sequence[Step]:
    if given.get("tween") is not None:
        raise ValueError("tween is not read")
    return [Drag(None, _needed_point(given), _button(given.get("button", "left")))]


def _mouse_down(given: Arguments) -> Sequence[Step]:
    return [MouseDown(_point(given), _button(given.get("button", "left")))]


def _mouse_up(given: Arguments) -> Sequence[Step]:
    return [MouseUp(_point(given), _button(given.get("button", "left")))]


def _up(given: Arguments) -> Sequence[Step]:
    return [Scroll(_point(given), up_notches=_notches(given))]


def _right(given: Arguments) -> Sequence[Step]:
    return [Scroll(_point(given), right_notches=_notches(given))]


def _notches(given: Arguments) -> int:
    if ("clicks" in given) == ("page" in given):
        raise ValueError("it needs one amount, such as scroll(-5)")
    if "page" in given:
        pages = _number(given["page"], "page")
        amount = int(math.copysign(max(1, round(min(abs(pages), MAX_NOTCHES) * NOTCHES_PER_PAGE)), pages))
    else:
        amount = _whole(given["clicks"], "clicks")
    # A longer scroll than anyone turns means "to the end", whose exact number does not matter.
    return min(max(amount, -MAX_NOTCHES), MAX_NOTCHES)


def _write(given: Arguments) -> Sequence[Step]:
    return [TypeText(_text(given.get("message"), "message").replace("\r\n", "\n").replace("\r", "\n"))]


def _press(given: Arguments) -> Sequence[Step]:
    keys, count = given.get("keys"), _whole(given.get("presses", 1), "presses")
    if not isinstance(keys, tuple):
        return [Press(_key(keys), count)]
    if not 1 <= len(keys) * count <= MAX_PRESSES:
        raise ValueError(f"{len(keys)} keys pressed {count} times; it must be 1 to {MAX_PRESSES} in all")
    return [Press(_key(key)) for _ in range(count) for key in keys]


def _hotkey(call: Call) -> Step:
    keys: tuple[Value, ...] = call.args
    if len(keys) == 1 and isinstance(keys[0], tuple):
        keys = keys[0]
    unknown = [keyword for keyword in call.kwargs if keyword not in _TIMINGS]
    if unknown:
        raise ValueError(f"there is no argument {unknown[0][:40]!r}")
    names = tuple(_key(key) for key in keys)
    return Press(names[0]) if len(names) == 1 else Hotkey(names)


def _key_down(given: Arguments) -> Sequence[Step]:
    return [KeyDown(_key(given.get("key")))]


def _key_up(given: Arguments) -> Sequence[Step]:
    return [KeyUp(_key(given.get("key")))]


def _wait(given: Arguments) -> Sequence[Step]:
    return [Wait(_number(given.get("seconds", DEFAULT_WAIT_S), "seconds"))]


def _terminate(given: Arguments) -> Sequence[Step]:
    status = given.get("status")
    answer = "" if given.get("answer") is None else _text(given["answer"], "answer")
    if status == "success":
        return [Done(answer)]
    if status in ("failure", "fail"):
        return [Fail(answer)]
    raise ValueError(f"status is {_shown(status)}; it must be 'success' or 'failure'")


def _ask(given: Arguments) -> Sequence[Step]:
    return [Ask(_text(given.get("question"), "question"))]


_POINTED = ("x", "y", "interval", "button", "duration")
_AMOUNT = ("clicks|amount", "x", "y")
_HELD = ("x", "y", "button", "duration")
_TEXT = ("message|text|content", "interval")

# Parameters stand in the order of pyautogui 0.9, whose positional arguments models use.
_CALLS: dict[str, tuple[tuple[str, ...], Reader]] = {
    "click": (("x", "y", "clicks", "interval", "button", "duration"), _click(None)),
    "leftclick": (_POINTED, _click(1, "left")),
    "rightclick": (_POINTED, _click(1, "right")),
    "middleclick": (_POINTED, _click(1, "middle")),
    "doubleclick": (_POINTED, _click(2)),
    "tripleclick": (_POINTED, _click(3)),
    "moveto": (("x", "y", "duration"), _move),
    "dragto": (("x", "y", "duration", "tween", "button"), _drag),
    "mousedown": (_HELD, _mouse_down),
    "mouseup": (_HELD, _mouse_up),
    "scroll": ((*_AMOUNT, "page"), _up),
    "vscroll": ((*_AMOUNT, "page"), _up),
    "hscroll": ((*_AMOUNT, "page"), _right),
    "write": (_TEXT, _write),
    "typewrite": (_TEXT, _write),
    "type": (_TEXT, _write),
    "press": (("keys|key", "presses", "interval"), _press),
    "keydown": (("key",), _key_down),
    "keyup": (("key",), _key_up),
    "wait": (("seconds|time|duration",), _wait),
    "sleep": (("seconds|secs",), _wait),
    "terminate": (("status", "answer|message|reason"), _terminate),
    "calluser": (("question|message",), _ask),
}


def _point(given: Arguments) -> RelPoint | None:
    x, y = given.get("x"), given.get("y")
    if x is None and y is None:
        return None
    return RelPoint(_number(x, "x"), _number(y, "y"))


def _needed_point(given: Arguments) -> RelPoint:
    point = _point(given)
    if point is None:
        raise ValueError("it needs a point, such as x=0.5, y=0.5")
    return point


def _number(value: Value, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {_shown(value)}; it must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} is no finite number")
    return number


def _whole(value: Value, name: str) -> int:
    number = _number(value, name)
    if number != int(number):
        raise ValueError(f"{name} is {number:g}; it must be a whole number")
    return int(number)


def _text(value: Value, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {_shown(value)}; it must be a text")
    return value


def _key(value: Value) -> str:
    key = canonical_key(_text(value, "the key"))
    if key is None:
        raise ValueError(f"there is no key {_shown(value)}")
    return key


def _button(value: Value) -> Button:
    named = {"primary": "left", "secondary": "right"}.get(value, value) if isinstance(value, str) else value
    for button in BUTTONS:
        if named == button:
            return button
    raise ValueError(f"there is no button {_shown(value)}; there are {', '.join(BUTTONS)}")


def _shown(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
