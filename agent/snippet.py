"""Read a few lines of Python as a list of calls with literal arguments; nothing is ever executed.

A model's code is hostile input. A scan of its tokens first refuses everything but names, numbers,
strings, commas and shallow brackets, so that the parser proper never meets deep nesting, operators,
f-strings or unknown escapes; `ast` then reads what is left.
"""

import ast
import re
import textwrap
from dataclasses import dataclass

from agent.types import Unreadable

MAX_CODE_CHARS = 64_000
MAX_CALLS = 50
MAX_NUMBER_CHARS = 40
MAX_DEPTH = 3

MODULES = ("pyautogui", "computer", "time")

Value = str | int | float | bool | None | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was written: ``module`` is empty for a bare name."""

    module: str
    name: str
    args: tuple[Value, ...]
    kwargs: dict[str, Value]

    @property
    def full_name(self) -> str:
        """The name as it was written, with its module."""
        return f"{self.module}.{self.name}" if self.module else self.name


_LONG = "|".join(rf"{quote * 3}(?:\\.|[^\\])*?{quote * 3}" for quote in "'\"")
_SHORT = "|".join(rf"{quote}(?:\\.|[^{quote}\\\n])*{quote}" for quote in "'\"")
_TOKEN = re.compile(
    rf"""(?P<blank>[ \t\n]+|\#[^\n]*)
      | (?P<string>(?P<raw>[rR]?)(?:{_LONG}|{_SHORT}))
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<mark>[.,=()\[\];-])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\([4-7][0-7]{2}|.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\n\\'\"abfnrtv01234567xuU")
_KEYWORDS = frozenset({"and", "or", "not", "if", "else", "for", "in", "is", "lambda", "await", "yield", "async"})


@dataclass(frozen=True, slots=True)
class _Statement:
    source: str
    line: int


class _RefusedError(Exception):
    """Why a snippet is not read; never leaves this module."""


def read_calls(code: str) -> tuple[Call, ...] | Unreadable:
    """Read code as calls of ``module.name(...)`` or ``name(...)`` with literal arguments, in order.

    Literals are strings, numbers with an optional minus, True, False, None and lists of strings
    (returned as tuples). Imports of the modules themselves are skipped.
    """
    try:
        statements = _statements(textwrap.dedent(code.replace("\r\n", "\n").replace("\r", "\n")))
        calls = [_call(statement) for statement in statements if not _is_known_import(statement.source)]
    except _RefusedError as refused:
        return Unreadable(str(refused))
    if len(calls) > MAX_CALLS:
        return Unreadable(f"the code makes {len(calls)} calls; at most {MAX_CALLS} in one step")
    return tuple(calls)


def _statements(code: str) -> list[_Statement]:
    """Split code into statements with unknown escapes doubled, or refuse what no honest snippet holds.

    What passes has at most `MAX_DEPTH` brackets within each other and no chain of operators,
    attributes, calls or subscripts, so that the tree of it is shallow.
    """
    if len(code) > MAX_CODE_CHARS:
        raise _RefusedError(f"the code has {len(code)} characters; at most {MAX_CODE_CHARS}")
    statements: list[_Statement] = []
    parts: list[str] = []
    at, line, depth = 0, 1, 0
    touching, last, dotted = "", "", False
    while at < len(code):
        token = _TOKEN.match(code, at)
        if token is None:
            raise _RefusedError(f"the code has {code[at]!r} in line {line}; only calls with plain values are read")
        text, kind, at = token[0], token.lastgroup or "", token.end()
        if kind == "string":
            if touching == "name":
                raise _RefusedError("the code has a formatted or bytes string; only plain strings are read")
            text = text if token["raw"] else _with_known_escapes(text)
        elif kind == "number" and (touching in ("number", "name") or len(text) > MAX_NUMBER_CHARS):
            raise _RefusedError(f"{text[:MAX_NUMBER_CHARS]} is not a plain number")
        elif kind == "name" and (touching in ("number", "string") or text in _KEYWORDS):
            raise _RefusedError(f"{text[:MAX_NUMBER_CHARS]!r} stands where only a value can; only calls are read")
        elif kind == "mark":
            depth += (text in "([") - (text in ")]")
            chained = (
                (last in (")", "]") and text in "([.") or (last == "-" and text == "-") or (dotted and text == ".")
            )
            if depth > MAX_DEPTH or chained:
                raise _RefusedError("the code nests or calculates; only calls with plain values are read")
        line += text.count("\n")
        if depth <= 0 and (text == ";" or (kind == "blank" and "\n" in text)):
            statements.append(_Statement("".join(parts).strip(), line - text.count("\n")))
            parts, depth = [], 0
        elif kind != "blank" or depth > 0 or not text.startswith("#"):
            parts.append(text)
        touching = kind
        if kind != "blank":
            dotted = last == "." and kind == "name"
            last = text if kind == "mark" else kind
    statements.append(_Statement("".join(parts).strip(), line))
    return [statement for statement in statements if statement.source]


def _with_known_escapes(literal: str) -> str:
    def known(escape: re.Match[str]) -> str:
        if len(escape[1]) == 3 or escape[1] == "N":
            raise _RefusedError(f"the code has the escape {escape[0]}; write the character itself")
        # An unknown escape such as \d keeps its backslash in Python, too, but with a warning.
        return escape[0] if escape[1] in _KNOWN_ESCAPES else "\\" + escape[0]

    return _ESCAPE.sub(known, literal)


def _is_known_import(source: str) -> bool:
    word, _, names = source.partition(" ")
    return word == "import" and all(name.strip() in MODULES for name in names.split(","))


def _call(statement: _Statement) -> Call:
    try:
        # An expression, not a file: for a mistake in a file Python would open one of that name to quote the line.
        call = ast.parse(statement.source, filename="<reply>", mode="eval").body
    except SyntaxError as error:
        raise _RefusedError(f"line {statement.line} is not a call: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise _RefusedError(f"line {statement.line} cannot be read: {type(error).__name__}") from error
    if not isinstance(call, ast.Call):
        raise _RefusedError(f"line {statement.line} is not a call; write one call a line, with plain values")
    match call.func:
        case ast.Name(id=name):
            module = ""
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
            pass
        case _:
            raise _RefusedError(f"line {statement.line} calls something other than {', '.join(MODULES)}")
    kwargs: dict[str, Value] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise _RefusedError(f"line {statement.line} passes ** arguments; only plain values are read")
        kwargs[keyword.arg] = _value(keyword.value, statement.line)
    return Call(module, name, tuple(_value(arg, statement.line) for arg in call.args), kwargs)


def _value(node: ast.expr, line: int) -> Value:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=elements) if all(
            isinstance(element, ast.Constant) and isinstance(element.value, str) for element in elements
        ):
            return tuple(element.value for element in elements)  # pyright: ignore[reportAttributeAccessIssue] - seen above
        case _:
            raise _RefusedError(f"line {line} passes something other than plain values; nothing is calculated")
