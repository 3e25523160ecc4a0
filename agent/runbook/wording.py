"""Steps → plain English, in the form that `agent.runbook.english` reads back as the same step."""

from agent.runbook.english import BUTTON_OF, read_line
from agent.runbook.quoting import quote
from agent.runbook.steps import (
    CheckStep,
    ClickStep,
    DragStep,
    DragToEndStep,
    Element,
    HoverStep,
    MenuStep,
    PauseStep,
    PressStep,
    ScrollStep,
    ScrollUntilStep,
    SelectStep,
    Step,
    TypeStep,
    WaitUntilStep,
)
from model.errors import InputError


def write_step(step: Step) -> str:
    """Write a step as a line; descriptions that would be read otherwise stand in brackets."""
    plain = _write(step, bracketed=False)
    try:
        if read_line(plain) == (step,):
            return plain
    except InputError:
        pass  # The plain words are no step; in brackets they are.
    return _write(step, bracketed=True)


def _write(step: Step, bracketed: bool) -> str:
    def say(element: Element) -> str:
        if element.literal:
            return quote(element.words)
        return quote(element.words, "[") if bracketed else element.words

    match step:
        case ClickStep(target, button, count):
            kind = next(kind for kind, value in BUTTON_OF.items() if value == (button, count))
            return f"{kind}-click {say(target)}" if kind else f"click {say(target)}"
        case HoverStep(target):
            return f"hover over {say(target)}"
        case TypeStep(text, into):
            typed = quote(text) if isinstance(text, str) else f"secret {text.name}"
            return f"type {typed} into {say(into)}" if into else f"type {typed}"
        case PressStep(keys, count):
            names = keys if bracketed else tuple(_key_name(key, alone=len(keys) == 1) for key in keys)
            spelt = quote("+".join(names), "[") if bracketed else "+".join(names)
            return f"press {spelt} {count} times" if count > 1 else f"press {spelt}"
        case PauseStep(seconds):
            return f"wait {seconds!r} seconds"
        case WaitUntilStep(target, shown):
            return f"wait until {say(target)} {'appears' if shown else 'disappears'}"
        case CheckStep(target, shown):
            return f"check that {say(target)} {'is shown' if shown else 'is not shown'}"
        case ScrollStep(direction, notches, inside):
            return f"scroll {direction} {notches} times" + (f" in {say(inside)}" if inside else "")
        case ScrollUntilStep(direction, target, inside):
            place = f" in {say(inside)}" if inside else ""
            return f"scroll {direction}{place} until {say(target)} is visible"
        case DragStep(start, end):
            return f"drag {say(start)} to {say(end)}"
        case DragToEndStep(target, side):
            return f"drag {say(target)} to the {side} end"
        case SelectStep(items, opener):
            *before, last = map(say, items)
            listed = f"{', '.join(before)} and {last}" if before else last
            return " ".join(["select", listed, *(["from", say(opener)] if opener else [])])
        case MenuStep(path):
            return f"open menu {' > '.join(map(say, path))}"


def _key_name(key: str, alone: bool) -> str:
    if len(key) > 1:
        return key.capitalize()
    return key if alone or not key.isascii() else key.upper()
