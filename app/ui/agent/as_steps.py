"""A recorded run as the steps of a runbook: what was done, in words that can be done again. Knows no Qt."""

import re

from agent.episode import Acted, Gated, Proposal
from agent.runbook.steps import (
    ClickStep,
    DragStep,
    Element,
    HoverStep,
    PressStep,
    ScrollStep,
    Step,
    TypeStep,
)
from agent.runbook.wording import write_step
from agent.told import one_line
from agent.trace import Trace
from agent.types import Click, Drag, Hotkey, Move, Press, Scroll, TypeText
from app.translate import tr
from app.ui.agent.words import action_words

_VERB = re.compile(
    r"^(?:(?:double|triple|right|middle)[- ]?)?(?:click|tap|press|select|choose|open|hover|move|scroll)"
    r"(?: (?:on|over|to|in|into|at))? ",
    re.IGNORECASE,
)


def steps_of(trace: Trace) -> str:
    """Write what a run did as a runbook of plain lines; what no step can say is left in a comment.

    Raises InputError when the trace cannot be read.
    """
    lines: list[str] = []
    allowed: Proposal | None = None
    for _, event in trace.events():
        if isinstance(event, Gated):
            allowed = event.proposal if event.allowed else None
        elif isinstance(event, Acted) and not event.error and allowed is not None and allowed.action == event.action:
            lines.append(_line(allowed))
            allowed = None
    return "\n".join(lines)


def _line(proposal: Proposal) -> str:
    try:
        step = _step(proposal)
    except ValueError:
        step = None
    if step is None:
        return "# " + tr("{action}: write this step by hand", action=action_words(proposal.action))
    return write_step(step)


def _step(proposal: Proposal) -> Step | None:
    action, words = proposal.action, proposal.element
    match action:
        case Click(_, button, count, ()):
            return ClickStep(_element(words), button, count)
        case Move():
            return HoverStep(_element(words))
        case Drag(_, _, "left", ()):
            start, _, end = words.partition(" → ")
            return DragStep(_element(start), _element(end))
        case Scroll(_, up, right, ()):
            way = ("right" if right > 0 else "left") if right else ("up" if up > 0 else "down")
            return ScrollStep(way, abs(up or right), _element(words) if words.strip() else None)
        case TypeText(text, False):
            # The field was clicked in a step of its own.
            return TypeStep(text)
        case Press(key, count):
            return PressStep((key,), count)
        case Hotkey(keys):
            return PressStep(tuple(key.lower() if len(key) == 1 else key for key in keys))
        case _:
            return None


def _element(words: str) -> Element:
    """Return what a planner called a target, without the verb; raise ValueError when it called it nothing."""
    words = one_line(words).strip().rstrip(".")
    if len(words) > 2 and words[0] == words[-1] == '"' and '"' not in words[1:-1]:
        return Element(words[1:-1], literal=True)
    return Element(_VERB.sub("", words, count=1).strip())
