"""Put the values of variables into steps: ``${name}`` in a text or a description, ``$${`` for a plain ``${``.

Values go in after a step has been read, so that no value can become another step.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from agent.runbook.steps import Element, Step

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")


def fill(step: Step, variables: Mapping[str, str]) -> Step:
    """Return the step with every reference replaced.

    Raises ValueError for a name that is no variable, or a value that cannot stand there.
    """
    changed: dict[str, Any] = {field.name: _filled(getattr(step, field.name), variables) for field in fields(step)}
    return replace(step, **changed)


def fill_text(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with every reference replaced; raise ValueError for a name that is no variable."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "${"
        if match[1] not in variables:
            known = ", ".join(sorted(variables)) or "none"
            raise ValueError(f"there is no variable {match[1][:60]!r}; there are: {known}")
        return variables[match[1]]

    return _REFERENCE.sub(value, text)


def _filled(value: object, variables: Mapping[str, str]) -> object:
    if isinstance(value, Element):
        return Element(fill_text(value.words, variables), value.literal)
    if isinstance(value, tuple):
        # Keys never hold a reference: only descriptions and texts do.
        return tuple(_filled(each, variables) if isinstance(each, Element) else each for each in value)
    return fill_text(value, variables) if isinstance(value, str) else value
