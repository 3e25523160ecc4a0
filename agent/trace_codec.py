"""The values of a run as JSON and back: every dataclass becomes an object that names its type.

Pixels are not in it: a frame becomes a reference to its file. Free text passes through a redactor on the
way in; words of the format itself (kinds, buttons, keys) do not, so that no secret can break a trace.
"""

import dataclasses
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from agent import episode, types
from agent.locate import Location, Look
from model import grounding

SECRET = "<secret>"  # noqa: S105 - what stands in place of one
SHORT_CHARS = 4

_TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        *(types.Point, types.RelPoint, types.Rect, types.Monitor, types.Target, types.Unreadable),
        *(types.Click, types.Move, types.Drag, types.Scroll, types.TypeText, types.Press, types.Hotkey),
        *(types.Wait, types.Ask, types.Done, types.Fail),
        *(episode.WindowInfo, episode.Plan, episode.Proposal, episode.Verdict, episode.Outcome),
        *(episode.Observed, episode.Planned, episode.Located, episode.Gated, episode.Acted, episode.Verified),
        *(episode.Ended, Location, Look, grounding.Found, grounding.NotThere),
    )
} | {"UnreadableAnswer": grounding.Unreadable}
_NAMES = {cls: name for name, cls in _TYPES.items()}
_FORMAT_FIELDS = {"kind", "button", "modifiers", "key", "keys", "risks", "id", "name", "source"}


class Redactor:
    """Replaces every secret that it has been told of, also as source code, JSON, HTML or a URL would spell it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Take note of a secret; nothing that is only white space can be one."""
        for text in (secret, secret.strip(), *secret.splitlines()):
            if not text.strip() or text in self._spellings:
                continue
            self._spellings |= {text, repr(text)[1:-1], json.dumps(text)[1:-1], html.escape(text)}
            self._spellings |= {urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text)}
            longest_first = sorted(self._spellings, key=lambda spelling: (-len(spelling), spelling))
            self._pattern = re.compile("|".join(map(_whole_if_short, longest_first)))

    def __call__(self, text: str) -> str:
        """Return the text without the secrets."""
        return self._pattern.sub(SECRET, text) if self._pattern else text


def secrets_in(value: object) -> Iterable[str]:
    """Yield every secret text that is to be typed somewhere inside a value."""
    if isinstance(value, types.TypeText):
        if value.secret:
            yield value.text
    elif isinstance(value, tuple):
        for item in value:
            yield from secrets_in(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, types.Frame):
        for field in dataclasses.fields(value):
            yield from secrets_in(getattr(value, field.name))


def encode(value: object, redact: Callable[[str], str], keep: Callable[[types.Frame], dict[str, Any]]) -> Any:
    """Return what `json.dumps` takes. ``keep`` stores a frame and returns its reference.

    Raises TypeError for a value that no event holds.
    """
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple | list):
        return [encode(item, redact, keep) for item in value]
    if isinstance(value, types.Frame):
        return {"type": "Frame", **keep(value)}
    if isinstance(value, types.TypeText) and value.secret:
        return {"type": "TypeText", "text": SECRET, "secret": True}
    name = _NAMES.get(type(value))
    if name is None:
        raise TypeError(f"a trace cannot hold {type(value).__name__}")
    fields = [field.name for field in dataclasses.fields(value)]  # pyright: ignore[reportArgumentType]
    return {"type": name} | {
        field: encode(getattr(value, field), _same if field in _FORMAT_FIELDS else redact, keep) for field in fields
    }


def decode(value: Any, load: Callable[[dict[str, Any]], types.Frame]) -> Any:
    """Return the value that was encoded, secrets apart. ``load`` finds a frame by its reference.

    Raises ValueError, TypeError or KeyError for what is not of this format.
    """
    if isinstance(value, list):
        return tuple(decode(item, load) for item in value)
    if not isinstance(value, dict):
        return value
    fields = {key: item for key, item in value.items() if key != "type"}
    if value.get("type") == "Frame":
        return load(fields)
    cls = _TYPES[value["type"]]
    return cls(**{key: decode(item, load) for key, item in fields.items()})


def _same(text: str) -> str:
    return text


def _whole_if_short(spelling: str) -> str:
    """Match a short secret only as a word of its own: "12" must not tear every number apart."""
    escaped = re.escape(spelling)
    return rf"(?<!\w){escaped}(?!\w)" if len(spelling) < SHORT_CHARS else escaped
