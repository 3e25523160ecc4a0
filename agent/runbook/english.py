"""Plain English → steps: ``click the Save button``, ``wait until "Done" appears``.

Only the listed forms are read; a line that is none of them is refused with the nearest one, because a
step that is guessed at is a click in the wrong place. `agent.runbook.wording` writes what is read here.
"""

import re
from collections.abc import Callable
from difflib import SequenceMatcher

from agent.keys import canonical_key
from agent.runbook.quoting import COVER, cover, is_quoted, unquote
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
    Side,
    Step,
    TypeStep,
    WaitUntilStep,
)
from agent.types import Button
from model.errors import InputError

MAX_LINE_CHARS = 20_000
MAX_PLAIN_CHARS = 2_000
"""Characters of a line outside quotes."""

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_SHOWN = r"(?:appears?|is (?:shown|visible)|are (?:shown|visible)|shows(?: up)?)"
_HIDDEN = r"(?:disappears?|(?:is|are) (?:gone|not (?:shown|visible)))"
_THEN = re.compile(r" ?[,;] ?(?:and )?then(?: |$)| (?:and )?then(?: |$)", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_ITEM = re.compile(r" ?, ?(?:and )?| and ", re.IGNORECASE)
BUTTON_OF: dict[str, tuple[Button, int]] = {
    "": ("left", 1),
    "double": ("left", 2),
    "triple": ("left", 3),
    "right": ("right", 1),
    "middle": ("middle", 1),
}

Parts = dict[str, str | None]
_WAYS: dict[str, Direction] = {"down": "down", "up": "up", "left": "left", "right": "right"}
_SIDES: dict[str, Side] = {"left": "left", "right": "right", "top": "top", "bottom": "bottom"}


def read_line(line: str, where: str = "") -> tuple[Step, ...]:
    """Read one line as steps; ``, then`` stands between them.

    Raises InputError naming ``where`` (a file and a line), the step and the nearest form that is known.
    """
    steps: list[Step] = []
    text = line.strip()
    try:
        text = _single_spaced(text)
        covered = cover(text)
        start = 0
        for end, after in [*(match.span() for match in _THEN.finditer(covered)), (len(text), len(text))]:
            steps.append(_read_step(text[start:end].strip()))
            start = after
    except ValueError as error:
        place = f"{where}: " if where else ""
        nearest = f"the nearest form is: {nearest_form(text)}"
        raise InputError(f"{place}the step {text[:200]!r} cannot be read", why=str(error), remedy=nearest) from error
    return tuple(steps)


def nearest_form(line: str) -> str:
    """Return the example of the form that a line resembles most."""
    wanted = line.lower()[:100]
    first = wanted.split(maxsplit=1)[0] if wanted.split() else ""

    def likeness(example: str) -> float:
        verb = SequenceMatcher(None, first, example.split()[0].lower()).ratio()
        return 2 * verb + SequenceMatcher(None, wanted, example.lower()).ratio()

    return max((example for example, _, _ in _FORMS), key=likeness)


def _single_spaced(text: str) -> str:
    """Make each run of blanks outside quotes one space, which also keeps the patterns' work small."""
    if len(text) > MAX_LINE_CHARS:
        raise ValueError(f"the line has {len(text)} characters; at most {MAX_LINE_CHARS} are read")
    covered = cover(text)
    if len(covered) - covered.count(COVER) > MAX_PLAIN_CHARS:
        raise ValueError(f"the line has more than {MAX_PLAIN_CHARS} characters outside quotes")
    parts: list[str] = []
    start = 0
    for match in _BLANKS.finditer(covered):
        parts += [text[start : match.start()], " "]
        start = match.end()
    return "".join([*parts, text[start:]])


def _read_step(text: str) -> Step:
    covered = cover(text)
    if covered.endswith(".") and not covered.endswith(".."):
        text, covered = text[:-1].rstrip(), covered[:-1].rstrip()
    for _, pattern, read in _FORMS:
        match = pattern.fullmatch(covered)
        if match:
            spans = {name: match.span(name) for name in match.groupdict()}
            return read({name: text[a:b].strip() if a >= 0 else None for name, (a, b) in spans.items()})
    raise ValueError("it is no step that is known" if text else "there is no step")


def _element(words: str | None) -> Element:
    if not words:
        raise ValueError("an element needs words that describe it")
    if is_quoted(words):
        return Element(unquote(words), literal=True)
    return Element(unquote(words) if is_quoted(words, "[") else words)


def _optional(words: str | None) -> Element | None:
    return None if words is None else _element(words)


def _elements(words: str | None, separator: re.Pattern[str]) -> tuple[Element, ...]:
    text = words or ""
    items: list[Element] = []
    start = 0
    for end, after in [*(match.span() for match in separator.finditer(cover(text))), (len(text), len(text))]:
        items.append(_element(text[start:end].strip()))
        start = after
    return tuple(items)


def _click(parts: Parts) -> Step:
    button, count = BUTTON_OF[(parts["kind"] or "").lower()]
    return ClickStep(_element(parts["x"]), button, count)


def _type(parts: Parts) -> Step:
    into = _optional(parts["x"])
    if parts["secret"]:
        return TypeStep(SecretName(parts["secret"]), into)
    text = parts["text"] or ""
    if not is_quoted(text):
        raise ValueError('the text to be typed stands in quotes, as in type "hello" into Name')
    return TypeStep(unquote(text), into)


def _press(parts: Parts) -> Step:
    spelt = parts["keys"] or ""
    rest = unquote(spelt) if is_quoted(spelt, '["“') else spelt
    names: list[str] = []
    while rest:
        # A plus sign at the beginning is the key itself, as in Ctrl++.
        plus = rest.find("+", 1)
        name, rest = (rest, "") if plus < 0 else (rest[:plus], rest[plus + 1 :].lstrip())
        key = canonical_key(name.strip())
        if key is None or (not rest and plus >= 0):
            raise ValueError(f"{name.strip()[:40]!r} is not the name of a key" if key is None else "a key is missing")
        names.append(key)
    if len(names) > 1:
        names = [key.lower() if len(key.lower()) == 1 else key for key in names]
    return PressStep(tuple(names), int(parts["count"] or 1))


def _scroll(parts: Parts) -> Step:
    direction = _WAYS[(parts["way"] or "").lower()]
    inside = _optional(parts["y"])
    return (
        ScrollStep(direction, int(parts["count"]), inside) if parts["count"] else ScrollStep(direction, inside=inside)
    )


def _scroll_until(parts: Parts) -> Step:
    direction = _WAYS[(parts["way"] or "").lower()]
    return ScrollUntilStep(direction, _element(parts["x"]), _optional(parts["y"]))


def _drag_to_end(parts: Parts) -> Step:
    return DragToEndStep(_element(parts["x"]), _SIDES[(parts["side"] or "").lower()])


def _form(example: str, pattern: str, read: Callable[[Parts], Step]) -> tuple[str, re.Pattern[str], Callable]:
    return example, re.compile(pattern, re.IGNORECASE), read


_WAY = r"scroll (?P<way>down|up|left|right)"
_ENTRY = re.compile(r" ?[>›→] ?")

_FORMS = (
    _form("click the Save button", r"(?:(?P<kind>double|triple|right|middle)[- ])?click(?: on)? (?P<x>.+)", _click),
    _form("double-click the file", r"(?P<kind>double|triple)click (?P<x>.+)", _click),
    _form("right-click the file", r"(?P<kind>right|middle)click (?P<x>.+)", _click),
    _form("hover over the File menu", r"hover over (?P<x>.+)", lambda p: HoverStep(_element(p["x"]))),
    _form(
        "type secret password into the Password field",
        rf"type secret (?P<secret>{_NAME})(?P<text>)(?: (?:into|in) (?P<x>.+))?",
        _type,
    ),
    _form('type "hello" into Name', r"type(?P<secret>) (?P<text>.+?) (?:into|in) (?P<x>.+)", _type),
    _form('type "hello"', r"type(?P<secret>)(?P<x>(?!))? (?P<text>.+)", _type),
    _form("press Enter 3 times", r"press (?P<keys>.+?) (?P<count>[0-9]{1,3}) times?", _press),
    _form("press Ctrl+S", r"press (?P<keys>.+)(?P<count>(?!))?", _press),
    _form(
        "wait 2 seconds",
        r"wait(?: for)? (?P<n>[0-9]{1,9}(?:\.[0-9]{1,20})?(?:e-?[0-9]{1,3})?) ?(?:s|secs?|seconds?)",
        lambda p: PauseStep(float(p["n"] or 0)),
    ),
    _form(
        'wait until "Done" disappears',
        rf"wait until (?P<x>.+?) {_HIDDEN}",
        lambda p: WaitUntilStep(_element(p["x"]), shown=False),
    ),
    _form('wait until "Done" appears', rf"wait until (?P<x>.+?) {_SHOWN}", lambda p: WaitUntilStep(_element(p["x"]))),
    _form('wait for "Done"', r"wait for (?P<x>.+)", lambda p: WaitUntilStep(_element(p["x"]))),
    _form(
        'check that "Saved" is not shown',
        rf"check(?: that)? (?P<x>.+?) {_HIDDEN}",
        lambda p: CheckStep(_element(p["x"]), shown=False),
    ),
    _form(
        'check that "Saved" is shown', rf"check(?: that)? (?P<x>.+?) {_SHOWN}", lambda p: CheckStep(_element(p["x"]))
    ),
    _form(
        'scroll down until "Terms" is visible',
        rf"{_WAY}(?: (?:in|inside) (?P<y>.+?))? until (?P<x>.+?) {_SHOWN}",
        _scroll_until,
    ),
    _form(
        "scroll down 5 times in the list",
        rf"{_WAY}(?: (?P<count>[0-9]{{1,3}})(?: (?:times?|notch(?:es)?))?)?(?: (?:in|inside) (?P<y>.+))?",
        _scroll,
    ),
    _form(
        "drag the slider to the right end",
        r"drag (?P<x>.+?) to(?: the)? (?P<side>left|right|top|bottom)(?: end)?",
        _drag_to_end,
    ),
    _form(
        "drag the file to the folder",
        r"drag (?P<x>.+?) (?:to|onto|into) (?P<y>.+)",
        lambda p: DragStep(_element(p["x"]), _element(p["y"])),
    ),
    _form(
        'select "Blue" from the Colour list',
        r"(?:select|choose) (?P<x>.+?) (?:from|in) (?P<y>.+)",
        lambda p: SelectStep(_elements(p["x"], _ITEM), _element(p["y"])),
    ),
    _form(
        'select "Blue" and "Red"',
        r"(?:select|choose) (?P<x>.+)",
        lambda p: SelectStep(_elements(p["x"], _ITEM)),
    ),
    _form(
        'open menu "File" > "Save as"',
        r"open(?: the)? menu (?P<x>.+)",
        lambda p: MenuStep(_elements(p["x"], _ENTRY)),
    ),
)
