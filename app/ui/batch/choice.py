"""Which entries are shown, and in which order. Knows no Qt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from app.ui.batch.entry import Entry

Outcome = Literal["all", "correct", "missed", "not_found", "bad", "failed"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter; empty fields let everything through. ``words`` is looked for in what a person reads of a row."""

    outcome: Outcome = "all"
    application: str = ""
    band: str = ""
    words: str = ""

    @property
    def lets_all(self) -> bool:
        """Whether it lets everything through."""
        return self == Choice()

    def test(self) -> Callable[[Entry], bool]:
        """Return the test of an entry; made once for many, as it is asked a hundred thousand times."""
        tests: list[Callable[[Entry], bool]] = []
        if self.outcome != "all":
            tests.append(_OUTCOMES[self.outcome])
        if self.application:
            tests.append(lambda entry: entry.application == self.application)
        if self.band:
            tests.append(lambda entry: entry.band == self.band)
        if self.words.strip():
            words = self.words.casefold().split()
            tests.append(lambda entry: _reads(entry, words))
        if len(tests) == 1:
            return tests[0]
        return lambda entry: all(each(entry) for each in tests)


def _reads(entry: Entry, words: list[str]) -> bool:
    text = f"{entry.id}\n{entry.image_name}\n{entry.instruction}\n{entry.application}\n{entry.reason}".casefold()
    return all(word in text for word in words)


def is_missed(entry: Entry) -> bool:
    """Say whether an answer is wrong; without a right answer, whether there is no point."""
    return entry.verdict in ("wrong", "wrong_format") or (not entry.verdict and entry.status == "unreadable")


_OUTCOMES: dict[str, Callable[[Entry], bool]] = {
    "correct": lambda entry: entry.verdict == "correct" or (not entry.verdict and entry.status == "found"),
    "missed": is_missed,
    "not_found": lambda entry: entry.status in ("not_found", "unreadable"),
    "bad": lambda entry: entry.status == "bad_row",
    "failed": lambda entry: entry.status == "failed",
}

COLUMNS = ("number", "picture", "instruction", "outcome", "point", "distance", "application", "size", "time")

_KEYS: dict[str, Callable[[Entry], tuple[bool, Any]]] = {
    "number": lambda entry: (False, entry.index),
    "picture": lambda entry: (False, entry.image_name.casefold()),
    "instruction": lambda entry: (False, entry.instruction.casefold()),
    "outcome": lambda entry: (False, (entry.status, entry.verdict)),
    "point": lambda entry: _present(entry.point_rel, (0.0, 0.0)),
    "distance": lambda entry: _present(entry.distance_px, 0.0),
    "application": lambda entry: (not entry.application, entry.application.casefold()),
    "size": lambda entry: _present(entry.side_px, 0.0),
    "time": lambda entry: _present(entry.ms, 0.0),
}


def _present(value: object, nothing: object) -> tuple[bool, object]:
    return (True, nothing) if value is None else (False, value)


def sort_key(column: str) -> Callable[[Entry], tuple[bool, Any]]:
    """Return what entries are sorted by under a column: whether it has no value, which comes last, and the value."""
    return _KEYS[column]
