"""Code that names elements in words, ``click(target="the Save button")``, as actions with described targets.

For a planner whose eyes are another model. The words take the place of coordinates in the same grammar:
each described element rides through it as a point of its own, so that there is one grammar and not two.
"""

from collections.abc import Sequence
from dataclasses import replace

from agent.calls import steps
from agent.gestures import Assembler
from agent.snippet import Call, read_calls
from agent.types import Action, Click, Drag, Move, RelPoint, Scroll, Target, Unreadable

MAX_TARGET_CHARS = 500
_STANDS_FOR = 1024
"""Points at multiples of 1/1024 are exact, so each names one target."""


def read_described(code: str, described: str = "") -> tuple[Action[Target], ...] | Unreadable:
    """Read code as actions whose targets are words; never raises.

    A model that was trained to write coordinates may go on doing so: with one point in the whole code,
    ``described``, its own words for the step, stands for it.
    """
    calls = read_calls(code)
    if isinstance(calls, Unreadable):
        return calls
    targets: list[Target] = []
    assembler = Assembler()
    for call in calls:
        try:
            for step in steps(_with_point(call, targets)):
                assembler.add(step)
        except ValueError as error:
            return Unreadable(f"{call.full_name[:60]}: {error}")
    try:
        actions = assembler.finish()
        if not actions:
            return Unreadable("the code does nothing")
        return _described_targets(actions, targets, described)
    except ValueError as error:
        return Unreadable(str(error))


def _with_point(call: Call, targets: list[Target]) -> Call:
    if "target" not in call.kwargs:
        return call
    words = call.kwargs["target"]
    if not isinstance(words, str) or not 1 <= len(words.strip()) <= MAX_TARGET_CHARS:
        raise ValueError(f"target is the element in words, 1 to {MAX_TARGET_CHARS} characters")
    if "x" in call.kwargs or "y" in call.kwargs:
        raise ValueError("give target or coordinates, not both")
    targets.append(Target(words.strip()))
    others = {name: value for name, value in call.kwargs.items() if name != "target"}
    return replace(call, kwargs={**others, "x": len(targets) / _STANDS_FOR, "y": 0.0})


def _described_targets(
    actions: Sequence[Action[RelPoint]], targets: list[Target], described: str
) -> tuple[Action[Target], ...]:
    points = {point for action in actions for point in _points(action)}
    named = {RelPoint((n + 1) / _STANDS_FOR, 0.0): target for n, target in enumerate(targets)}
    if points and not targets:
        words = " ".join(described.split())[:MAX_TARGET_CHARS]
        if len(points) > 1 or not words:
            raise ValueError('name each element in words, as in pyautogui.click(target="the Save button")')
        named = {point: Target(words) for point in points}
    if points - set(named):
        raise ValueError("some elements are named by target= and some by coordinates; name all of them by target=")
    return tuple(_renamed(action, named) for action in actions)


def _points(action: Action[RelPoint]) -> tuple[RelPoint, ...]:
    match action:
        case Click(at) | Scroll(at):
            return () if at is None else (at,)
        case Move(to):
            return (to,)
        case Drag(start, end):
            return (end,) if start is None else (start, end)
        case _:
            return ()


def _renamed(action: Action[RelPoint], named: dict[RelPoint, Target]) -> Action[Target]:
    match action:
        case Click(at, button, count, modifiers):
            return Click(None if at is None else named[at], button, count, modifiers)
        case Scroll(at, up, right, modifiers):
            return Scroll(None if at is None else named[at], up, right, modifiers)
        case Move(to):
            return Move(named[to])
        case Drag(start, end, button, modifiers):
            return Drag(None if start is None else named[start], named[end], button, modifiers)
        case other:
            return other
