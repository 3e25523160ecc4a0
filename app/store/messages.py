"""The messages of a conversation: a tree, of which one path is shown."""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.store.database import Database
from app.store.errors import HistoryError
from app.store.rows import attachment_of, figures_text, message_of, points_text
from app.store.values import NewMessage, StoredMessage

# Down from a message, or from the conversation's root, along the children that are shown.
_PATH = """
WITH RECURSIVE path(id, depth) AS (
  SELECT active_root, 0 FROM conversations WHERE id = :conversation AND active_root IS NOT NULL
  UNION ALL
  SELECT m.active_child, depth + 1 FROM path JOIN messages m ON m.id = path.id WHERE m.active_child IS NOT NULL
)
SELECT id FROM path ORDER BY depth
"""
_DELETE_SUBTREE = """
WITH RECURSIVE subtree(id) AS (
  SELECT :message
  UNION ALL
  SELECT m.id FROM subtree JOIN messages m ON m.conversation_id = :conversation AND m.parent_id = subtree.id
)
DELETE FROM messages WHERE id IN (SELECT id FROM subtree)
"""
_COUNT_SUBTREE = """
WITH RECURSIVE subtree(id) AS (
  SELECT :message
  UNION ALL
  SELECT m.id FROM subtree JOIN messages m ON m.conversation_id = :conversation AND m.parent_id = subtree.id
)
SELECT count(*) FROM subtree
"""
_MESSAGES = """
SELECT *,
  (SELECT count(*) FROM messages s WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id)
    AS siblings,
  (SELECT count(*) FROM messages s WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id
    AND s.id < m.id) AS sibling
FROM messages m WHERE id IN (SELECT value FROM json_each(?))
"""
_ATTACHMENTS = """
SELECT * FROM attachments WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, position
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the shown path, oldest first; ``before`` messages come before it."""

    messages: tuple[StoredMessage, ...]
    before: int


class Messages:
    """The messages of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, conversation_id: int, parent_id: int | None, content: NewMessage, *, created_s: float | None = None
    ) -> StoredMessage:
        """Add a message below another (None: as a beginning), and show it in place of its siblings."""
        now = time.time() if created_s is None else created_s
        with self._database.write() as connection:
            if parent_id is not None:
                self._require(connection, parent_id, conversation_id)
            row = connection.execute(
                "INSERT INTO messages(conversation_id, parent_id, role, text, thinking, thinking_ms, state, error, "
                "model, created_s, figures, points, indexed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "RETURNING id",
                (
                    *(conversation_id, parent_id, content.role, content.text, content.thinking, content.thinking_ms),
                    *(content.state, content.error, content.model, now, figures_text(content.figures)),
                    *(points_text(content.points), content.state != "streaming"),
                ),
            ).fetchone()
            message_id: int = row["id"]
            connection.executemany(
                "INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (message_id, at, one.digest, one.name, one.kind, one.size_bytes, one.width_px, one.height_px)
                    for at, one in enumerate(content.attachments)
                ],
            )
            _show(connection, conversation_id, parent_id, message_id)
            connection.execute("UPDATE conversations SET updated_s = ? WHERE id = ?", (now, conversation_id))
            return _read(connection, [message_id])[0]

    def grow(self, message_id: int, text: str, thinking: str, thinking_ms: float) -> None:
        """Write what has come of an answer until now; it is not searched before `finish`."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE messages SET text = ?, thinking = ?, thinking_ms = ?, state = 'streaming', indexed = 0 "
                "WHERE id = ?",
                (text, thinking, thinking_ms, message_id),
            )

    def finish(self, message_id: int, content: NewMessage) -> StoredMessage | None:
        """Write the whole of an answer; None when it has been deleted in the meantime."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE messages SET text = ?, thinking = ?, thinking_ms = ?, state = ?, error = ?, model = ?, "
                "figures = ?, points = ?, indexed = ? WHERE id = ?",
                (
                    *(content.text, content.thinking, content.thinking_ms, content.state, content.error),
                    *(content.model, figures_text(content.figures), points_text(content.points)),
                    *(content.state != "streaming", message_id),
                ),
            )
            found = _read(connection, [message_id])
        return found[0] if found else None

    def interrupt_streaming(self) -> int:
        """Say of every answer that was being written when the program ended that it was interrupted."""
        with self._database.write() as connection:
            return connection.execute(
                "UPDATE messages SET state = 'interrupted', indexed = 1 WHERE state = 'streaming'"
            ).rowcount

    def get(self, message_id: int) -> StoredMessage:
        """Return one; raise `HistoryError` when it is not there."""
        with self._database.read() as connection:
            found = _read(connection, [message_id])
        if not found:
            raise HistoryError(f"message {message_id} is not in the history", why="it has been deleted")
        return found[0]

    def page(self, conversation_id: int, count: int, before: int | None = None) -> Page:
        """Return the last ``count`` messages of the shown path, or those that end at position ``before``."""
        with self._database.read() as connection:
            ids = _path(connection, conversation_id)
            end = len(ids) if before is None else min(before, len(ids))
            start = max(0, end - count)
            return Page(tuple(_read(connection, ids[start:end])), start)

    def position(self, conversation_id: int, message_id: int) -> int | None:
        """Return where a message is on the shown path; None when it is on another one."""
        with self._database.read() as connection:
            ids = _path(connection, conversation_id)
        return ids.index(message_id) if message_id in ids else None

    def path(self, conversation_id: int, until: int | None = None) -> list[StoredMessage]:
        """Return the shown path, oldest first; with ``until`` only up to that message."""
        with self._database.read() as connection:
            ids = _path(connection, conversation_id)
            if until is not None and until in ids:
                ids = ids[: ids.index(until) + 1]
            return _read(connection, ids)

    def tree(self, conversation_id: int) -> tuple[list[StoredMessage], dict[int, int | None], int | None]:
        """Return all messages in the order they came, the shown child of each, and the shown beginning."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, active_child FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,)
            ).fetchall()
            root = connection.execute("SELECT active_root FROM conversations WHERE id = ?", (conversation_id,))
            (active_root,) = root.fetchone() or (None,)
            messages = _read(connection, [row["id"] for row in rows])
        return messages, {row["id"]: row["active_child"] for row in rows}, active_root

    def show(self, message_id: int) -> None:
        """Show a message, and with it the path down to it."""
        with self._database.write() as connection:
            row = self._require(connection, message_id)
            while True:
                _show(connection, row["conversation_id"], row["parent_id"], row["id"])
                if row["parent_id"] is None:
                    return
                row = self._require(connection, row["parent_id"])

    def choose(self, message_id: int) -> None:
        """Show a message in place of its siblings, whether or not its parent is shown."""
        with self._database.write() as connection:
            row = self._require(connection, message_id)
            _show(connection, row["conversation_id"], row["parent_id"], message_id)

    def siblings(self, message_id: int) -> list[int]:
        """Return the messages with the same parent, in the order they came."""
        with self._database.read() as connection:
            row = self._require(connection, message_id)
            return _siblings(connection, row["conversation_id"], row["parent_id"])

    def delete(self, message_id: int) -> int:
        """Delete a message with what follows it, and show its neighbour if it has one; return how many went."""
        with self._database.write() as connection:
            row = self._require(connection, message_id)
            conversation_id, parent_id = row["conversation_id"], row["parent_id"]
            siblings = _siblings(connection, conversation_id, parent_id)
            subtree = {"message": message_id, "conversation": conversation_id}
            (gone,) = connection.execute(_COUNT_SUBTREE, subtree).fetchone()
            connection.execute(_DELETE_SUBTREE, subtree)
            at = siblings.index(message_id)
            neighbours = siblings[:at][-1:] or siblings[at + 1 :][:1]
            _show(connection, conversation_id, parent_id, neighbours[0] if neighbours else None)
        return gone

    def followers(self, message_id: int) -> int:
        """Return how many messages would be deleted with this one."""
        with self._database.read() as connection:
            row = self._require(connection, message_id)
            (count,) = connection.execute(
                _COUNT_SUBTREE,
                {"message": message_id, "conversation": row["conversation_id"]},
            ).fetchone()
        return count - 1

    def digests(self) -> set[str]:
        """Return every attachment that a message has."""
        with self._database.read() as connection:
            return {row["digest"] for row in connection.execute("SELECT DISTINCT digest FROM attachments")}

    def count(self) -> int:
        """Return how many messages there are."""
        with self._database.read() as connection:
            return connection.execute("SELECT count(*) FROM messages").fetchone()[0]

    def _require(
        self, connection: sqlite3.Connection, message_id: int, conversation_id: int | None = None
    ) -> sqlite3.Row:
        row = connection.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
        if row is None or conversation_id not in (None, row["conversation_id"]):
            raise HistoryError(f"message {message_id} is not in this conversation", why="it has been deleted")
        return row


def _show(connection: sqlite3.Connection, conversation_id: int, parent_id: int | None, message_id: int | None) -> None:
    if parent_id is None:
        connection.execute("UPDATE conversations SET active_root = ? WHERE id = ?", (message_id, conversation_id))
    else:
        connection.execute("UPDATE messages SET active_child = ? WHERE id = ?", (message_id, parent_id))


def _path(connection: sqlite3.Connection, conversation_id: int) -> list[int]:
    rows = connection.execute(_PATH, {"conversation": conversation_id})
    return [row["id"] for row in rows]


def _siblings(connection: sqlite3.Connection, conversation_id: int, parent_id: int | None) -> list[int]:
    rows = connection.execute(
        "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id", (conversation_id, parent_id)
    )
    return [row["id"] for row in rows]


def _read(connection: sqlite3.Connection, ids: Sequence[int]) -> list[StoredMessage]:
    """Return messages in the order of their ids."""
    wanted = (json.dumps(list(ids)),)
    attached: dict[int, list[sqlite3.Row]] = {}
    for row in connection.execute(_ATTACHMENTS, wanted):
        attached.setdefault(row["message_id"], []).append(row)
    found: dict[int, StoredMessage] = {}
    for row in connection.execute(_MESSAGES, wanted):
        files = tuple(attachment_of(each) for each in attached.get(row["id"], ()))
        found[row["id"]] = message_of(row, files, row["sibling"], row["siblings"])
    return [found[each] for each in ids if each in found]
