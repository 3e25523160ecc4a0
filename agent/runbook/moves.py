"""What a step is made of: things to wait for, and actions that follow once they are seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.runbook.secrets import SecretSource, read_secret
from agent.runbook.steps import (
    CheckStep,
    ClickStep,
    Direction,
    DragStep,
    DragToEndStep,
    Element,
    HoverStep,
    MenuStep,
    PauseStep,
    PressStep,
    ScrollStep,
    ScrollUntilStep,
    SecretName,
    SelectStep,
    Step,
    TypeStep,
    WaitUntilStep,
)
from agent.types import Action, Click, Drag, Hotkey, Move, Press, Scroll, Target, TypeText, Wait

NOTCHES_A_LOOK = 5
"""How far a scroll goes between two looks: less than a page, so that nothing is passed by unseen."""


@dataclass(frozen=True, slots=True)
class Act:
    """Do actions on one frame, as soon as it shows all that they need."""

    actions: tuple[Action[Target], ...]
    needs: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """Look until an element is shown, or is not."""

    target: Element
    shown: bool


@dataclass(frozen=True, slots=True)
class Seek:
    """Turn the wheel until an element is shown."""

    target: Element
    turn: Scroll[Target]
    needs: tuple[Element, ...]


MoveOf = Act | Expect | Seek


def moves(step: Step, secrets: Mapping[str, SecretSource]) -> Iterator[MoveOf]:
    """Yield what to do for a step, in order; a secret is read only when its turn has come.

    Raises InputError when a secret cannot be read.
    """
    match step:
        case ClickStep(target, button, count):
            yield Act((Click(_target(target), button, count),), (target,))
        case HoverStep(target):
            yield Act((Move(_target(target)),), (target,))
        case TypeStep(text, into):
            typed = read_secret(text.name, secrets[text.name]) if isinstance(text, SecretName) else TypeText(text)
            focus: tuple[Action[Target], ...] = (Click(_target(into)),) if into else ()
            yield Act((*focus, typed), (into,) if into else ())
        case PressStep(keys, count):
            yield Act((Press(keys[0], count) if len(keys) == 1 else Hotkey(keys),))
        case PauseStep(seconds):
            yield Act((Wait(seconds),))
        case WaitUntilStep(target, shown) | CheckStep(target, shown):
            yield Expect(target, shown)
        case ScrollStep(direction, notches, inside):
            yield Act((_turn(direction, notches, inside),), (inside,) if inside else ())
        case ScrollUntilStep(direction, target, inside):
            yield Seek(target, _turn(direction, NOTCHES_A_LOOK, inside), (inside,) if inside else ())
        case DragStep(start, end):
            yield Act((Drag(_target(start), _target(end)),), (start, end))
        case DragToEndStep(target, side):
            end = Target(f"the {side} end of {target.description}")
            yield Act((Drag(_target(target), end),), (target,))
        case SelectStep(items, opener):
            for item in items:
                for each in (opener, item) if opener else (item,):
                    yield Act((Click(_target(each)),), (each,))
        case MenuStep(path):
            for entry in path:
                yield Act((Click(_target(entry)),), (entry,))


def _target(element: Element) -> Target:
    return Target(element.description)


def _turn(direction: Direction, notches: int, inside: Element | None) -> Scroll[Target]:
    at = _target(inside) if inside else None
    amount = notches if direction in ("up", "right") else -notches
    if direction in ("up", "down"):
        return Scroll(at, up_notches=amount)
    return Scroll(at, right_notches=amount)
