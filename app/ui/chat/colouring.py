"""Colours for code: Pygments finds the parts, the theme's tokens paint them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_COLOURED = 40_000
"""Longer code stays plain: reading it would hold the window up."""


@dataclass(frozen=True, slots=True)
class Span:
    """``length`` characters from ``start`` of one line, in a colour of the tokens."""

    start: int
    length: int
    colour: str


def spans_of(code: str, language: str) -> list[list[Span]]:
    """Return the coloured parts of each line; nothing for a language that is not known."""
    lexer = _lexer(language.lower()) if language and len(code) <= MAX_COLOURED else None
    if lexer is None:
        return []
    lines: list[list[Span]] = [[]]
    column = 0
    for kind, text in lexer.get_tokens(code):
        colour = _colour(str(kind))
        for at, piece in enumerate(text.split("\n")):
            if at:
                lines.append([])
                column = 0
            # Qt counts UTF-16 units.
            units = len(piece.encode("utf-16-le", "surrogatepass")) // 2
            if colour and units:
                lines[-1].append(Span(column, units, colour))
            column += units
    return lines


def warm_up() -> None:
    """Load what colouring needs, in a worker, before the first code is there."""
    spans_of("def f(): return 1", "python")


@lru_cache(maxsize=64)
def _lexer(language: str) -> "Lexer | None":
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _colour(kind: str) -> str:
    name = kind.removeprefix("Token.")
    for start, colour in (
        ("Comment.Preproc", "warning"),
        ("Comment", "muted"),
        ("Keyword", "accent"),
        ("Literal.String", "success"),
        ("Literal.Number", "warning"),
        ("Name.Function", "accent"),
        ("Name.Class", "accent"),
        ("Name.Tag", "accent"),
        ("Name.Decorator", "warning"),
        ("Name.Builtin", "accent"),
        ("Name.Attribute", "warning"),
        ("Operator.Word", "accent"),
        ("Generic.Inserted", "success"),
        ("Generic.Deleted", "danger"),
        ("Generic.Heading", "accent"),
    ):
        if name.startswith(start):
            return colour
    return ""
