"""A model's whole answer in the agent form: thought, described action, code.

Kimi-VL's family writes ``## Thought: … ## Action: … ## Code: …`` with a Python block (OpenCUA), or the
lines ``Thought: … Action: … Toolcall: …`` (its technical report). Only the first step of an answer is
read: what follows was imagined without seeing the screen.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.actions import read_actions, write_actions
from agent.types import Action, RelPoint, Unreadable

MAX_REPLY_CHARS = 400_000

_THINK_START, _THINK_END = "◁think▷", "◁/think▷"
_HEADING = re.compile(
    r"[ ]{0,3}(?:\#{1,6}[ ]*)?\**(?P<name>Observation|Thought|Action|Code|Tool ?call)[ ]*\**[ ]*(?:\:\**|$)",
    re.IGNORECASE,
)
_CALL_LINE = re.compile(r"\s*(?:(?:pyautogui|computer|time)\.\w+\(|import\s|\#|[A-Za-z_]+\()")


@dataclass(frozen=True, slots=True)
class Reply:
    """One step as the model told it. ``code`` is the text that ``actions`` were read from."""

    thought: str
    described: str
    code: str
    actions: tuple[Action[RelPoint], ...]


@dataclass(frozen=True, slots=True)
class ReplyParts:
    """The texts of one step, before its code has been read."""

    thought: str
    described: str
    code: str


def read_reply(text: str) -> Reply | Unreadable:
    """Read a model's answer; never raises, whatever the text holds."""
    parts = split_reply(text)
    if isinstance(parts, Unreadable):
        return parts
    actions = read_actions(parts.code)
    return actions if isinstance(actions, Unreadable) else Reply(parts.thought, parts.described, parts.code, actions)


def split_reply(text: str) -> ReplyParts | Unreadable:
    """Split a model's answer into its texts without reading the code; never raises."""
    if len(text) > MAX_REPLY_CHARS:
        return Unreadable(f"the answer has {len(text)} characters; at most {MAX_REPLY_CHARS} are read")
    if _THINK_START in text and _THINK_END not in text:
        return Unreadable("the answer ended before the thinking did")
    sections = _sections(text.rpartition(_THINK_END)[2])
    code = _code(sections)
    if code is None:
        return Unreadable("there is no code in the answer; write one call, such as pyautogui.click(x=0.5, y=0.5)")
    return ReplyParts(sections.get("thought", "").strip(), sections.get("action", "").strip(), code)


def write_reply(thought: str, described: str, actions: Sequence[Action[RelPoint]]) -> str:
    """Write a step as the family's own history has it."""
    parts = [("Thought", thought), ("Action", described), ("Code", f"```python\n{write_actions(actions)}\n```")]
    return "\n\n".join(f"## {name}:\n{body}" for name, body in parts if body)


def _sections(text: str) -> dict[str, str]:
    """Split by headings outside code fences; the first of each name counts, text before any is ``""``."""
    sections: dict[str, list[str]] = {"": []}
    lines = sections[""]
    fenced = False
    for line in text.replace("\r\n", "\n").split("\n"):
        heading = None if fenced else _HEADING.match(line)
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if heading is None:
            lines.append(line)
            continue
        name = heading["name"].lower().replace(" ", "")
        rest = line[heading.end() :]
        fenced = rest.lstrip().startswith("```")
        lines = [rest]
        if name not in sections:
            sections[name] = lines
    return {name: "\n".join(content) for name, content in sections.items()}


def _code(sections: dict[str, str]) -> str | None:
    for name in ("code", "toolcall"):
        if name in sections:
            return _fenced(sections[name]) or _leading_calls(sections[name])
    for name in ("action", ""):
        if name in sections:
            code = _fenced(sections[name]) or _leading_calls(sections[name])
            if code is not None:
                return code
    return None


def _fenced(text: str) -> str | None:
    opening = text.find("```")
    if opening < 0:
        return None
    start = text.find("\n", opening)
    closing = text.find("```", opening + 3)
    if start < 0 or (0 <= closing < start):
        # The whole block on one line: ```click(x=0.5, y=0.5)```
        return text[opening + 3 : closing if closing >= 0 else len(text)].removeprefix("python").strip() or None
    return text[start + 1 : closing if closing >= 0 else len(text)]


def _leading_calls(text: str) -> str | None:
    """Return the lines that begin like calls, up to the prose after them."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        bare = line.strip().strip("`")
        if _CALL_LINE.match(bare):
            lines.append(bare)
        elif lines and bare:
            break
    return "\n".join(lines) or None
