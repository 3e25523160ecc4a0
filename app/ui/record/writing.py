"""What was recorded, written down: a line in the list, and the runbook. Knows no Qt."""

from collections.abc import Iterable
from dataclasses import replace

from agent.runbook.wording import write_step
from app.translate import tr
from app.ui.record.secrets import numbered, settle
from app.ui.record.taken import Taken

_UNNAMED = "…?"
_FILE = "{file: path}"


def said(taken: Taken) -> str:
    """Say a recorded step, with a question mark where its target has no name yet."""
    if taken.needs_words:
        taken = replace(taken, words=taken.words.strip() or _UNNAMED, end_words=taken.end_words.strip() or _UNNAMED)
    if taken.unsayable:
        return tr("{what} (no step says this; write it by hand)", what=taken.unsayable)
    try:
        return write_step(taken.step())
    except ValueError as error:
        return str(error)


def steps_text(taken: Iterable[Taken]) -> str:
    """Write what was recorded as a runbook: plain lines, or YAML where secrets need a source.

    What no step can say is left in a comment.
    """
    steps = numbered(settle(list(taken)))
    lines = [_line(each) for each in steps]
    names = sorted({each.secret_as for each in steps if each.secret})
    if not names:
        return "\n".join(lines)
    head = [
        "# " + tr("Set these environment variables before a run, or name a private file: {example}", example=_FILE),
        "secrets:",
        *(f"  {name}: {{env: {variable_of(name)}}}" for name in names),
        "steps:",
    ]
    return "\n".join([*head, *(line if line.startswith("#") else f"  - {_quoted(line)}" for line in lines)])


def variable_of(name: str) -> str:
    """Return the environment variable that a secret is read from, as long as nobody writes another one."""
    return f"DESKHAND_{name.upper()}"


def _line(taken: Taken) -> str:
    try:
        return write_step(taken.step())
    except ValueError as error:
        return f"# {' '.join(said(taken).split()) if taken.unsayable else error}"


def _quoted(line: str) -> str:
    """Write a line as a YAML value that is taken as it stands."""
    doubled = line.replace("'", "''")
    return f"'{doubled}'"
