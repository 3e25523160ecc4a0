"""What is wrong with a runbook, line by line, while it is being written. Knows no Qt."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.runbook.runbook import MAX_STEPS, Runbook, instructions_of, read_plain
from agent.runbook.yaml_file import read_yaml
from model.errors import InputError

NAME = "runbook"
Form = Literal["plain", "yaml"]

_YAML = re.compile(r"^(?:name|variables|secrets|steps)\s*:", re.MULTILINE)
_LINE = re.compile(r", line (\d+)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, counted from 1, and what would be right."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that was read: the runbook, or what keeps it from being one. Neither for an empty text."""

    form: Form
    runbook: Runbook | None
    problems: tuple[Problem, ...]


def check(text: str, folder: Path) -> Checked:
    """Read a text as a runbook; ``folder`` is where the paths of a YAML runbook's secrets start."""
    if _YAML.search(text):
        return _check_yaml(text, folder)
    problems: list[Problem] = []
    count = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            count += len(instructions_of(line, "", {}))
        except InputError as error:
            problems.append(Problem(number, _said(error)))
    if problems or not count:
        return Checked("plain", None, tuple(problems))
    try:
        return Checked("plain", read_plain(text, NAME), ())
    except InputError as error:
        return Checked("plain", None, (_placed(error, text),))


def _check_yaml(text: str, folder: Path) -> Checked:
    try:
        return Checked("yaml", read_yaml(text, NAME, folder), ())
    except InputError as error:
        return Checked("yaml", None, (_placed(error, text),))


def _placed(error: InputError, text: str) -> Problem:
    """Put an error that names a line there, any other one at the end."""
    last = max(1, min(MAX_STEPS, len(text.rstrip().splitlines())))
    found = _LINE.search(error.what)
    said = _said(error) if found is None else _said(error, error.what[found.end() :].lstrip(": "))
    return Problem(min(int(found[1]), last) if found else last, said)


def _said(error: InputError, what: str = "") -> str:
    """Say the reason and the remedy; the step itself stands right above."""
    parts = (error.why, error.remedy) if not what and error.why else (what or error.what, error.why, error.remedy)
    return "; ".join(part for part in parts if part)
