"""Full-text search: every word or part of a word, in every script, from two characters on by the index."""

import re
import sqlite3

from app.store.database import Database
from app.store.rows import conversation_of
from app.store.values import Hit

MAX_HITS = 100

_BEFORE, _AFTER = 40, 100
_MAX_TERMS = 1000
_TRIGRAM = 3
_WORD = re.compile(r'"([^"]+)"|(\S+)')


def words_of(query: str) -> list[str]:
    """Split a query at spaces; what stands in double quotes stays together."""
    return [quoted or word for quoted, word in _WORD.findall(query)]


def search(database: Database, query: str, limit: int = MAX_HITS) -> list[Hit]:
    """Find the messages that have every word of the query, and the conversations whose title has; latest first.

    A conversation that is found by its title comes before the messages.
    """
    words = words_of(query)
    if not words:
        return []
    with database.read(slow=True) as connection:
        titles = connection.execute(
            f"SELECT * FROM conversations c WHERE {' AND '.join([_like('c.title')] * len(words))} "  # noqa: S608
            "ORDER BY updated_s DESC LIMIT ?",
            (*map(_pattern, words), limit),
        )
        hits = [Hit(conversation_of(row), None, "") for row in titles]
        for row in _messages(connection, words, limit):
            hits.append(Hit(conversation_of(row), row["message_id"], snippet(row["message_text"], words[0])))
    return hits[:limit]


def _messages(connection: sqlite3.Connection, words: list[str], limit: int) -> list[sqlite3.Row]:
    matches, likes = [], []
    for word in words:
        match = _match(connection, word)
        if match == "":
            return []
        (likes if match is None else matches).append(word if match is None else match)
    conditions = [_like("m.text")] * len(likes) + (["search MATCH ?"] if matches else [])
    tables = "search CROSS JOIN messages m ON m.id = search.rowid" if matches else "messages m"
    order = "search.rowid" if matches else "m.id"
    values = [*map(_pattern, likes), *([" AND ".join(matches)] if matches else [])]
    return connection.execute(
        f"SELECT c.*, m.id AS message_id, m.text AS message_text FROM {tables} "  # noqa: S608 - no text of a person's
        f"JOIN conversations c ON c.id = m.conversation_id WHERE {' AND '.join(conditions)} "
        f"ORDER BY {order} DESC LIMIT ?",
        (*values, limit),
    ).fetchall()


def _match(connection: sqlite3.Connection, word: str) -> str | None:
    """Return what FTS5 shall look for; "" when no message can have it, None when the index is of no help."""
    if len(word) >= _TRIGRAM:
        return _quoted(word)
    if len(word) < _TRIGRAM - 1:
        return None
    # A word of two characters: every trigram that begins with them. Each text ends in two line ends for this.
    low = word.lower()
    terms = connection.execute(
        "SELECT term FROM search_terms WHERE term >= ? AND term < ? LIMIT ?", (low, low + "\U0010ffff", _MAX_TERMS)
    ).fetchall()
    if len(terms) == _MAX_TERMS:
        return None
    return "(" + " OR ".join(_quoted(row["term"]) for row in terms) + ")" if terms else ""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _like(column: str) -> str:
    return f"{column} LIKE ? ESCAPE '\\'"


def _pattern(word: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


def snippet(text: str, word: str) -> str:
    """Return the surroundings of a word on one line."""
    at = max(0, text.lower().find(word.lower()))
    start, end = max(0, at - _BEFORE), at + len(word) + _AFTER
    cut = " ".join(text[start:end].split())
    return ("…" if start else "") + cut + ("…" if end < len(text) else "")
