"""The lines of the history and what was typed and not sent."""

import sqlite3
import time
from collections.abc import Sequence

from app.store.database import Database
from app.store.errors import HistoryError
from app.store.rows import attachments_from_text, attachments_text, conversation_of
from app.store.values import Conversation, Draft

MAX_TITLE = 200
NEW_CHAT = 0
"""Where the draft lies that belongs to no conversation yet."""


class Conversations:
    """The conversations of a history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, title: str, *, pinned: bool = False, created_s: float | None = None) -> Conversation:
        """Begin a conversation."""
        now = time.time() if created_s is None else created_s
        with self._database.write() as connection:
            row = connection.execute(
                "INSERT INTO conversations(title, pinned, created_s, updated_s) VALUES (?, ?, ?, ?) RETURNING *",
                (_title(title), pinned, now, now),
            ).fetchone()
        return conversation_of(row)

    def list(self) -> list[Conversation]:
        """Return all of them: the pinned ones first, each part with the latest at the top."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM conversations ORDER BY pinned DESC, updated_s DESC, id DESC")
            return [conversation_of(row) for row in rows]

    def get(self, conversation_id: int) -> Conversation:
        """Return one; raise `HistoryError` when it is not there."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
        if row is None:
            raise HistoryError(f"conversation {conversation_id} is not in the history", why="it has been deleted")
        return conversation_of(row)

    def rename(self, conversation_id: int, title: str) -> None:
        """Give it another title."""
        self._change(conversation_id, "UPDATE conversations SET title = ? WHERE id = ?", _title(title))

    def pin(self, conversation_id: int, pinned: bool) -> None:
        """Keep it at the top, or no longer."""
        self._change(conversation_id, "UPDATE conversations SET pinned = ? WHERE id = ?", pinned)

    def touch(self, conversation_id: int, updated_s: float | None = None) -> None:
        """Note that something was said in it."""
        now = time.time() if updated_s is None else updated_s
        self._change(conversation_id, "UPDATE conversations SET updated_s = ? WHERE id = ?", now)

    def _change(self, conversation_id: int, statement: str, value: object) -> None:
        with self._database.write() as connection:
            connection.execute(statement, (value, conversation_id))

    def delete(self, conversation_id: int) -> None:
        """Delete it with all its messages and its draft."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def delete_all(self) -> None:
        """Delete everything."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM conversations")
            connection.execute("DELETE FROM drafts")

    def set_draft(self, conversation_id: int, draft: Draft) -> None:
        """Keep what was typed in a conversation, or in `NEW_CHAT`; an empty draft is forgotten."""
        with self._database.write() as connection:
            if draft.is_empty:
                connection.execute("DELETE FROM drafts WHERE conversation_id = ?", (conversation_id,))
                return
            connection.execute(
                "INSERT OR REPLACE INTO drafts(conversation_id, text, attachments) VALUES (?, ?, ?)",
                (conversation_id, draft.text, attachments_text(draft.attachments)),
            )

    def draft(self, conversation_id: int) -> Draft:
        """Return what was typed in a conversation and not sent."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM drafts WHERE conversation_id = ?", (conversation_id,)).fetchone()
        return _draft(row) if row else Draft()

    def drafts(self) -> Sequence[Draft]:
        """Return every draft."""
        with self._database.read() as connection:
            return [_draft(row) for row in connection.execute("SELECT * FROM drafts")]


def _draft(row: sqlite3.Row) -> Draft:
    return Draft(row["text"], attachments_from_text(row["attachments"]))


def _title(text: str) -> str:
    return " ".join(text.split())[:MAX_TITLE]
