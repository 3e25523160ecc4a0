"""Read UI-TARS: ``Thought: …`` and ``Action: click(start_box='(x,y)')``.

Both spellings of points are read, boxes as their centres. A trailing newline in ``type`` submits, as
the family means it. Phone actions are refused by name.
"""

import re

from agent.dialects.space import Space
from agent.gestures import Assembler
from agent.keys import canonical_key
from agent.reply import MAX_REPLY_CHARS, Reply
from agent.snippet import Call, Value, read_calls
from agent.types import (
    Action,
    Ask,
    Click,
    Done,
    Drag,
    Hotkey,
    Press,
    RelPoint,
    Scroll,
    TypeText,
    Unreadable,
    Wait,
)

SCROLL_NOTCHES = 5
WAIT_S = 5.0
"""What the family's own runner does for ``scroll`` and ``wait``."""

_ACTION = re.compile(r"^[ \t]*Action:", re.MULTILINE)
_THOUGHT = re.compile(r"^[ \t]*(?:Thought|Reflection|Action_Summary):", re.MULTILINE)
_MARKERS = re.compile(r"<\|box_(?:start|end)\|>|</?(?:point|bbox)>")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_POINT = re.compile(r"[\s\[(]*-?[0-9.]+(?:[\s,]+-?[0-9.]+){1,3}[\s\])]*")
_PHONE = ("long_press", "open_app", "press_home", "press_back")


def read_ui_tars(text: str, space: Space) -> Reply | Unreadable:
    """Read an answer whose coordinates count in ``space``; never raises, whatever the text holds."""
    if len(text) > MAX_REPLY_CHARS:
        return Unreadable(f"the answer has {len(text)} characters; at most {MAX_REPLY_CHARS} are read")
    before, marker, code = _split(text)
    if not marker:
        return Unreadable("there is no 'Action:' in the answer")
    calls = read_calls(code)
    if isinstance(calls, Unreadable):
        return calls
    assembler = Assembler()
    for call in calls:
        try:
            assembler.add(_action(call, space))
        except ValueError as error:
            return Unreadable(f"{call.full_name[:60]}: {error}")
    actions = assembler.finish()
    if not actions:
        return Unreadable("there is nothing after 'Action:'")
    return Reply(_THOUGHT.sub("", before, count=1).strip(), "", code.strip(), actions)


def _split(text: str) -> tuple[str, str, str]:
    """Return what stands before the first action, its marker, and its code up to the next thought."""
    found = _ACTION.search(text)
    if found is None:
        return text, "", ""
    code = text[found.end() :]
    following = _THOUGHT.search(code) or _ACTION.search(code)
    return text[: found.start()], found[0], code if following is None else code[: following.start()]


def _action(call: Call, space: Space) -> Action[RelPoint]:
    given = dict(call.kwargs)
    if call.module or call.args:
        raise ValueError("arguments are given by name, as in click(start_box='(100,200)')")
    action = _read(call.name, given, space)
    if given:
        raise ValueError(f"there is no argument {next(iter(given))[:40]!r}")
    return action


def _read(name: str, given: dict[str, Value], space: Space) -> Action[RelPoint]:
    match name:
        case "click" | "left_single":
            return Click(_point(given, space, "start_box", "point"))
        case "left_double":
            return Click(_point(given, space, "start_box", "point"), count=2)
        case "right_single":
            return Click(_point(given, space, "start_box", "point"), "right")
        case "drag" | "select":
            start = _point(given, space, "start_box", "start_point")
            return Drag(start, _point(given, space, "end_box", "end_point"))
        case "hotkey" | "press":
            return _keys(_text(given, "key"))
        case "type":
            return TypeText(_text(given, "content").replace("\r\n", "\n").replace("\r", "\n"))
        case "scroll":
            direction = _text(given, "direction").strip().lower()
            at = _point(given, space, "start_box", "point") if {"start_box", "point"} & set(given) else None
            if direction in ("up", "down"):
                return Scroll(at, up_notches=SCROLL_NOTCHES if direction == "up" else -SCROLL_NOTCHES)
            if direction in ("left", "right"):
                return Scroll(at, right_notches=SCROLL_NOTCHES if direction == "right" else -SCROLL_NOTCHES)
            raise ValueError(f"direction is {direction[:40]!r}; it must be up, down, left or right")
        case "wait":
            return Wait(WAIT_S)
        case "finished":
            return Done(_text(given, "content") if "content" in given else "")
        case "call_user":
            return Ask(_text(given, "content") if "content" in given else "")
        case _ if name in _PHONE:
            raise ValueError("this is an action for phones; there is a desktop here")
        case _:
            raise ValueError("there is no such action")


def _keys(text: str) -> Action[RelPoint]:
    spelled = text.split()
    keys = tuple(canonical_key(word) for word in spelled)
    known = tuple(key for key in keys if key is not None)
    if len(known) != len(keys) or not keys:
        raise ValueError(f"there is no key {next((w for w, k in zip(spelled, keys, strict=True) if k is None), '')!r}")
    return Press(known[0]) if len(known) == 1 else Hotkey(known)


def _text(given: dict[str, Value], name: str) -> str:
    value = given.pop(name, None)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value


def _point(given: dict[str, Value], space: Space, *names: str) -> RelPoint:
    name = next((name for name in names if name in given), None)
    if name is None:
        raise ValueError(f"it needs {' or '.join(names)}")
    text = _MARKERS.sub("", _text(given, name))
    numbers = [float(number) for number in _NUMBER.findall(text)] if _POINT.fullmatch(text) else []
    match numbers:
        case [x, y]:
            return space.point(x, y)
        case [left, top, right, bottom]:
            return space.point((left + right) / 2, (top + bottom) / 2)
        case _:
            raise ValueError(f"{name} holds no point, such as '(100,200)'")
