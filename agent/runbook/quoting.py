"""Quoted parts of a step: ``"text that is shown"`` and ``[words that would be read otherwise]``.

Keywords are looked for outside of both, so that ``drag "A to B" to [the way to go]`` has one meaning.
"""

import re

COVER = "\ue000"
"""Stands for each character inside a quoted part; a private-use character that no keyword has."""

_CLOSING = {'"': '"', "“": "”", "[": "]"}
_WRITTEN = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", '"': '\\"', "]": "\\]"}
_READ = {"n": "\n", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def cover(line: str) -> str:
    """Return the line with every quoted part, marks included, covered; its length stays.

    Raises ValueError when a quoted part does not end.
    """
    covered: list[str] = []
    start = 0
    while start < len(line):
        closing = _CLOSING.get(line[start])
        end = start + 1 if closing is None else _end(line, start, closing)
        covered.append(line[start] if closing is None else COVER * (end - start))
        start = end
    return "".join(covered)


def quote(text: str, mark: str = '"') -> str:
    """Write text between quotes, or with ``mark`` ``[`` between brackets."""
    escaped = "".join(_WRITTEN[c] if c in f"\\\n\t{_CLOSING[mark]}" else c for c in text)
    return f"{mark}{escaped}{_CLOSING[mark]}"


def is_quoted(text: str, marks: str = '"“') -> bool:
    """Say whether the text is one quoted part from end to end."""
    return bool(text) and text[0] in marks and _end(text, 0, _CLOSING[text[0]]) == len(text)


def unquote(text: str) -> str:
    """Return what a quoted part says. An unknown escape stands for itself, so that paths are kept."""
    closing = _CLOSING[text[0]]

    def read(match: re.Match[str]) -> str:
        char = match[1]
        return _READ.get(char) or (char if char in ("\\", closing) else match[0])

    return _ESCAPE.sub(read, text[1:-1])


def _end(line: str, start: int, closing: str) -> int:
    place = start + 1
    while place < len(line) and line[place] != closing:
        place += 2 if line[place] == "\\" else 1
    if place >= len(line):
        raise ValueError(f"there is no closing {closing} after the {line[start]} at character {start + 1}")
    return place + 1
