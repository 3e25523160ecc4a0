"""A run's events in words for a person, for the replay, the report and whoever else shows them."""

from agent.episode import Acted, Ended, Event, Gated, Located, Observed, Planned, Verified
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
    Unreadable,
    Wait,
)

_CLICKS = ("click", "double-click", "triple-click")


def describe(action: Action[Point] | Action[RelPoint] | Action[Target]) -> str:
    """Say an action in a few words; a secret stays one."""
    match action:
        case Click(at, button, count, modifiers):
            which = "" if button == "left" else f"{button} "
            return f"{_held(modifiers)}{which}{_CLICKS[count - 1]}{_at(at, ' at ')}"
        case Move(to):
            return f"move the pointer{_at(to, ' to ')}"
        case Drag(start, end, button, modifiers):
            which = "" if button == "left" else f" with the {button} button"
            return f"{_held(modifiers)}drag{_at(start, ' from ')}{_at(end, ' to ')}{which}"
        case Scroll(at, up, right, modifiers):
            way = ("right" if right > 0 else "left") if right else ("up" if up > 0 else "down")
            return f"{_held(modifiers)}scroll {way} by {abs(up or right)}{_at(at, ' at ')}"
        case TypeText(text, secret):
            return "type a secret" if secret else f"type {text!r}"
        case Press(key, count):
            return f"press {key}" + (f" {count} times" if count > 1 else "")
        case Hotkey(keys):
            return f"press {'+'.join(keys)}"
        case Wait(seconds):
            return f"wait {seconds:g} s"
        case Ask(question):
            return f"ask: {question}"
        case Done(answer):
            return f"done: {answer}" if answer else "done"
        case Fail(reason):
            return f"give up: {reason}" if reason else "give up"


def one_line(text: str) -> str:
    """Put text from a screen or a model on one line that no terminal takes for a command."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def tell(event: Event) -> str:
    """Say an event in one line."""
    return one_line(_told(event))


def _told(event: Event) -> str:
    match event:
        case Observed(_, frame, window, note):
            where = f" in {window.title!r}" if window else ""
            return f"sees {frame.size_px[0]}×{frame.size_px[1]} px{where}" + (f"; {note}" if note else "")
        case Planned(_, plan, _):
            if isinstance(plan, Unreadable):
                return f"cannot read the planner's answer: {plan.reason}"
            wanted = "; ".join(describe(action) for action in plan.actions)
            return f"wants to {plan.described or wanted}"
        case Located(_, description, location, point):
            found = _at(point, "found at ") if point else f"not found: {location.reason}"
            return f"looks for {description!r}: {found} ({len(location.looks)} looks, {location.ms:.0f} ms)"
        case Gated(_, proposal, allowed, asked, why):
            who, ruled = "a person" if asked else "the policy", "allows" if allowed else "refuses"
            return f"{who} {ruled} to {describe(proposal.action)}" + (f": {why}" if why else "")
        case Acted(_, action, ms, error):
            return f"does: {describe(action)} ({ms:.0f} ms)" + (f"; broken off: {error}" if error else "")
        case Verified(_, _, verdict):
            return f"{verdict.kind}: {verdict.evidence}"
        case Ended(outcome, _):
            return f"{outcome.kind} after {outcome.steps} steps" + (f": {outcome.message}" if outcome.message else "")


def _at(point: Point | RelPoint | Target | None, lead: str) -> str:
    match point:
        case Point(x, y):
            return f"{lead}{x},{y}"
        case RelPoint(x, y):
            return f"{lead}{x:.3f},{y:.3f}"
        case Target(description):
            return f"{lead}{description!r}"
        case None:
            return ""


def _held(modifiers: tuple[str, ...]) -> str:
    return "".join(f"{modifier}+" for modifier in modifiers)
