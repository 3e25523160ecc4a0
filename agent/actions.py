"""The action grammar: what a model writes ↔ `Action`.

The form is the one Kimi-VL's family is trained on: pyautogui calls with coordinates relative to the
screenshot, and ``computer.*`` for waiting, triple clicks and the end of the task. The same calls are
read without a module (``click(x=0.884, y=0.144)``, the technical report's tool calls).
"""

from collections.abc import Sequence

from agent.calls import steps
from agent.gestures import Assembler
from agent.snippet import read_calls
from agent.types import (
    Action,
    Ask,
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


def read_actions(code: str) -> tuple[Action[RelPoint], ...] | Unreadable:
    """Read code as actions, in order; whatever is not exactly understood makes all of it unreadable.

    Calls that only mean something together become one action: a held modifier and what is done under
    it; a button's press, move and release; a move right before an action that names no point.
    """
    calls = read_calls(code)
    if isinstance(calls, Unreadable):
        return calls
    assembler = Assembler()
    for call in calls:
        try:
            for step in steps(call):
                assembler.add(step)
        except ValueError as error:
            return Unreadable(f"{call.full_name[:60]}: {error}")
    try:
        actions = assembler.finish()
    except ValueError as error:
        return Unreadable(str(error))
    return actions or Unreadable("the code does nothing")


def write_actions(actions: Sequence[Action[RelPoint]]) -> str:
    """Write actions one after another, a call a line."""
    return "\n".join(write_action(action) for action in actions)


def write_action(action: Action[RelPoint]) -> str:
    """Write one action as the family does; `read_actions` gives it back exactly.

    A secret is written as stars, because what is written goes into prompts and traces.
    """
    match action:
        case Click(at, button, count, modifiers):
            return _under(modifiers, _click(at, button, count))
        case Move(to):
            return _call("pyautogui.moveTo", *_point(to))
        case Drag(start, end, button, modifiers):
            drag = _call("pyautogui.dragTo", *_point(end), f"button={button!r}")
            return _under(modifiers, f"{_call('pyautogui.moveTo', *_point(start))}\n{drag}" if start else drag)
        case Scroll(at, up, right, modifiers):
            name, notches = ("hscroll", right) if right else ("scroll", up)
            return _under(modifiers, _call(f"pyautogui.{name}", str(notches), *_point(at)))
        case TypeText(text, secret):
            return _call("pyautogui.write", f"message={'*' * 8 if secret else text!r}")
        case Press(key, count):
            return _call("pyautogui.press", repr(key), *([f"presses={count}"] if count > 1 else []))
        case Hotkey(keys):
            return _call("pyautogui.hotkey", *map(repr, keys))
        case Wait(seconds):
            return _call("computer.wait", f"seconds={seconds!r}")
        case Ask(question):
            return _call("computer.call_user", f"question={question!r}")
        case Done(answer):
            return _call("computer.terminate", "status='success'", *([f"answer={answer!r}"] if answer else []))
        case Fail(reason):
            return _call("computer.terminate", "status='failure'", *([f"answer={reason!r}"] if reason else []))


def _click(at: RelPoint | None, button: str, count: int) -> str:
    if count == 1 and button != "left":
        return _call(f"pyautogui.{button}Click", *_point(at))
    name = ("pyautogui.click", "pyautogui.doubleClick", "computer.tripleClick")[count - 1]
    return _call(name, *_point(at), *([f"button={button!r}"] if button != "left" else []))


def _point(point: RelPoint | None) -> tuple[str, ...]:
    return () if point is None else (f"x={point.x_rel!r}", f"y={point.y_rel!r}")


def _call(name: str, *arguments: str) -> str:
    return f"{name}({', '.join(arguments)})"


def _under(modifiers: Sequence[Modifier], code: str) -> str:
    down = [_call("pyautogui.keyDown", repr(modifier)) for modifier in modifiers]
    up = [_call("pyautogui.keyUp", repr(modifier)) for modifier in reversed(modifiers)]
    return "\n".join([*down, code, *up])
