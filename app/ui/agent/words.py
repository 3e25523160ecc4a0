"""An action in the person's language, for the window; `agent.told` says it in English for logs and reports."""

from agent.told import one_line
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
from app.translate import tr

Place = Point | RelPoint | Target | None


def action_words(action: Action[Point] | Action[RelPoint] | Action[Target]) -> str:
    """Say an action in a few words on one line; a secret stays one."""
    return one_line(_words(action))


def _words(action: Action[Point] | Action[RelPoint] | Action[Target]) -> str:
    match action:
        case Click(at, button, count, modifiers):
            return _held(modifiers, _at(at, _with(button, _click(count))))
        case Move(to):
            where = _place(to)
            return tr("move the pointer to {place}", place=where) if where else tr("move the pointer")
        case Drag(start, end, button, modifiers):
            return _held(modifiers, _with(button, _drag(_place(start), _place(end))))
        case Scroll(at, up, right, modifiers):
            return _held(modifiers, _at(at, _scroll(up, right)))
        case TypeText(_, secret=True):
            return tr("type a secret")
        case TypeText(text):
            return tr("type “{text}”", text=_keys(text))
        case Press(key, count):
            return tr("press {key} {count} times", key=key, count=count) if count > 1 else tr("press {key}", key=key)
        case Hotkey(keys):
            return tr("press {key}", key="+".join(keys))
        case Wait(seconds):
            return tr("wait {seconds} s", seconds=f"{seconds:g}")
        case Ask(question):
            return tr("ask: {question}", question=question)
        case Done(answer):
            return tr("done: {answer}", answer=answer) if answer else tr("done")
        case Fail(reason):
            return tr("give up: {reason}", reason=reason) if reason else tr("give up")


def _click(count: int) -> str:
    return {1: tr("click"), 2: tr("double-click"), 3: tr("triple-click")}[count]


def _scroll(up: int, right: int) -> str:
    lines = abs(up or right)
    if right:
        return tr("scroll right by {lines}", lines=lines) if right > 0 else tr("scroll left by {lines}", lines=lines)
    return tr("scroll up by {lines}", lines=lines) if up > 0 else tr("scroll down by {lines}", lines=lines)


def _drag(start: str, end: str) -> str:
    return tr("drag from {start} to {end}", start=start, end=end) if start else tr("drag to {end}", end=end)


def _keys(text: str) -> str:
    """Show the keys that a text presses besides its characters: they may send what was typed."""
    return text.replace("\n", "⏎ ").replace("\t", "⇥ ").strip()


def _with(button: str, said: str) -> str:
    match button:
        case "right":
            return tr("{action} with the right button", action=said)
        case "middle":
            return tr("{action} with the middle button", action=said)
    return said


def _at(at: Place, said: str) -> str:
    where = _place(at)
    return tr("{action} at {place}", action=said, place=where) if where else said


def _held(modifiers: tuple[str, ...], said: str) -> str:
    return tr("{action} while {keys} is held", action=said, keys="+".join(modifiers)) if modifiers else said


def _place(place: Place) -> str:
    match place:
        case Point(x, y):
            return f"{x}, {y}"
        case RelPoint(x, y):
            return f"{x:.3f}, {y:.3f}"
        case Target(description):
            return tr("“{words}”", words=description)
    return ""
