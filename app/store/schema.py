"""The history's tables, and how a file of an earlier version becomes one of this."""

import sqlite3

from app.store.errors import HistoryError

_TABLES = """
CREATE TABLE conversations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0,
  created_s REAL NOT NULL,
  updated_s REAL NOT NULL,
  active_root INTEGER
);
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  parent_id INTEGER,
  active_child INTEGER,
  role TEXT NOT NULL,
  text TEXT NOT NULL,
  thinking TEXT NOT NULL,
  thinking_ms REAL NOT NULL,
  state TEXT NOT NULL,
  error TEXT NOT NULL,
  model TEXT NOT NULL,
  created_s REAL NOT NULL,
  figures TEXT NOT NULL
);
CREATE INDEX messages_by_parent ON messages(conversation_id, parent_id, id);
CREATE TABLE attachments (
  message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  digest TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  width_px INTEGER NOT NULL,
  height_px INTEGER NOT NULL,
  PRIMARY KEY (message_id, position)
) WITHOUT ROWID;
CREATE INDEX attachments_by_digest ON attachments(digest);
CREATE TABLE drafts (conversation_id INTEGER PRIMARY KEY, text TEXT NOT NULL, attachments TEXT NOT NULL);
CREATE TRIGGER draft_goes_too AFTER DELETE ON conversations BEGIN
  DELETE FROM drafts WHERE conversation_id = old.id;
END;
"""

# Two line ends follow each text, so that every two characters of it begin a trigram, also the last two. An
# answer is indexed when it is complete: doing it at each of its thousand growths would cost more than the answer.
_SEARCH = """
ALTER TABLE messages ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
CREATE VIEW searched AS SELECT id, text || char(10, 10) AS text FROM messages;
CREATE VIRTUAL TABLE search USING fts5(text, content='searched', content_rowid='id', tokenize='trigram');
CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, 'row');
CREATE TRIGGER search_insert AFTER INSERT ON messages WHEN new.indexed BEGIN
  INSERT INTO search(rowid, text) VALUES (new.id, new.text || char(10, 10));
END;
CREATE TRIGGER search_delete AFTER DELETE ON messages WHEN old.indexed BEGIN
  INSERT INTO search(search, rowid, text) VALUES ('delete', old.id, old.text || char(10, 10));
END;
CREATE TRIGGER search_forget AFTER UPDATE OF text, indexed ON messages WHEN old.indexed BEGIN
  INSERT INTO search(search, rowid, text) VALUES ('delete', old.id, old.text || char(10, 10));
END;
CREATE TRIGGER search_learn AFTER UPDATE OF text, indexed ON messages WHEN new.indexed BEGIN
  INSERT INTO search(rowid, text) VALUES (new.id, new.text || char(10, 10));
END;
UPDATE messages SET indexed = 1 WHERE state != 'streaming';
"""

_POINTS = """
ALTER TABLE messages ADD COLUMN points TEXT NOT NULL DEFAULT '[]';
"""

MIGRATIONS = (_TABLES, _SEARCH, _POINTS)
"""What leads from each version to the next; a file's version is how many of them it has seen."""


def migrate(connection: sqlite3.Connection) -> int:
    """Bring a file to this version, each step whole or not at all; return the version it had.

    Raises `HistoryError` for a file that is newer, and sqlite3.Error for one that is none.
    """
    (before,) = connection.execute("PRAGMA user_version").fetchone()
    if before > len(MIGRATIONS):
        raise HistoryError(
            f"the history is of version {before}, and this Deskhand knows {len(MIGRATIONS)}",
            why="a newer Deskhand wrote it",
            remedy="use that one",
        )
    for version in range(before, len(MIGRATIONS)):
        # executescript would commit by itself: the statements bring their own transaction instead.
        script = f"BEGIN IMMEDIATE;{MIGRATIONS[version]};PRAGMA user_version = {version + 1};COMMIT;"
        try:
            connection.executescript(script)
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
    return before
