"""History files of other versions, and files that are none."""

import sqlite3
from pathlib import Path

import pytest

from app.store import History, HistoryError, open_history
from app.store.schema import MIGRATIONS

# As version 1 wrote it. Not to be changed when the schema is: files like this one are on people's disks.
_VERSION_1 = """
CREATE TABLE conversations (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0, created_s REAL NOT NULL, updated_s REAL NOT NULL, active_root INTEGER);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  parent_id INTEGER, active_child INTEGER, role TEXT NOT NULL, text TEXT NOT NULL, thinking TEXT NOT NULL,
  thinking_ms REAL NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL, model TEXT NOT NULL,
  created_s REAL NOT NULL, figures TEXT NOT NULL);
CREATE INDEX messages_by_parent ON messages(conversation_id, parent_id, id);
CREATE TABLE attachments (message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
  position INTEGER NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
  PRIMARY KEY (message_id, position)) WITHOUT ROWID;
CREATE INDEX attachments_by_digest ON attachments(digest);
CREATE TABLE drafts (conversation_id INTEGER PRIMARY KEY, text TEXT NOT NULL, attachments TEXT NOT NULL);
CREATE TRIGGER draft_goes_too AFTER DELETE ON conversations BEGIN
  DELETE FROM drafts WHERE conversation_id = old.id;
END;
INSERT INTO conversations VALUES (1, 'Old talk', 1, 100.0, 200.0, 1);
INSERT INTO messages VALUES (1, 1, NULL, 2, 'user', 'what is this', '', 0, 'complete', '', '', 100.0, '{}');
INSERT INTO messages VALUES
  (2, 1, 1, NULL, 'assistant', 'a zebra', 'hm', 5, 'complete', '', 'Kimi', 101.0, '{"prompt_tokens": 7}');
INSERT INTO messages VALUES (3, 1, 1, NULL, 'assistant', 'half an ans', '', 0, 'streaming', '', '', 102.0, '{}');
INSERT INTO attachments VALUES (1, 0, 'd', 'zebra.png', 'image', 10, 4, 3);
INSERT INTO drafts VALUES (1, 'and then', '[]');
PRAGMA user_version = 1;
"""


def _file(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder / "history.sqlite3"


def test_a_file_of_version_1_is_brought_to_this_one_with_all_that_is_in_it(tmp_path: Path) -> None:
    old = sqlite3.connect(_file(tmp_path))
    old.executescript(_VERSION_1)
    old.close()
    history, problem = open_history(tmp_path)
    assert problem == ""
    assert history.database.version_before == 1
    (talk,) = history.conversations.list()
    assert (talk.title, talk.pinned) == ("Old talk", True)
    question, answer = history.messages.path(1)
    assert question.content.attachments[0].name == "zebra.png"
    assert answer.content.figures.prompt_tokens == 7
    assert (answer.content.points, answer.siblings) == ((), 2)
    assert history.messages.get(3).content.state == "interrupted"
    assert [hit.message_id for hit in history.search("zebra")] == [2]
    assert [hit.message_id for hit in history.search("half")] == [3]
    assert history.conversations.draft(1).text == "and then"
    history.close()
    again = History(tmp_path)
    assert again.database.version_before == len(MIGRATIONS)
    again.close()


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_every_earlier_version_opens(tmp_path: Path, version: int) -> None:
    old = sqlite3.connect(_file(tmp_path))
    for script in MIGRATIONS[:version]:
        old.executescript(script)
    old.execute(f"PRAGMA user_version = {version}")
    old.close()
    history = History(tmp_path)
    assert history.database.version_before == version
    assert history.conversations.create("new").title == "new"
    history.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    old = sqlite3.connect(_file(tmp_path))
    old.executescript(_VERSION_1)
    old.execute("CREATE TABLE search (in_the_way)")
    old.close()
    with pytest.raises(HistoryError, match="cannot be opened"):
        History(tmp_path)
    same = sqlite3.connect(_file(tmp_path))
    assert same.execute("PRAGMA user_version").fetchone() == (1,)
    assert "indexed" not in [row[1] for row in same.execute("PRAGMA table_info(messages)")]
    same.close()


def test_a_file_of_a_newer_version_is_kept_aside_untouched(tmp_path: Path) -> None:
    newer = sqlite3.connect(_file(tmp_path))
    newer.execute("CREATE TABLE from_the_future (x)")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(HistoryError, match="version 99"):
        History(tmp_path)
    history, problem = open_history(tmp_path)
    history.close()
    assert "newer Deskhand" in problem
    (aside,) = tmp_path.glob("history.aside-*.sqlite3")
    assert str(aside) in problem
    kept = sqlite3.connect(aside)
    assert kept.execute("SELECT name FROM sqlite_master").fetchall() == [("from_the_future",)]
    kept.close()


@pytest.mark.parametrize(
    "content", [b"not a database " * 100, b"SQLite format 3\0" + b"\xff" * 5000], ids=["text", "torn"]
)
def test_a_broken_file_is_kept_aside_and_a_new_history_begins(tmp_path: Path, content: bytes) -> None:
    _file(tmp_path).write_bytes(content)
    history, problem = open_history(tmp_path)
    assert "cannot be opened" in problem
    assert history.conversations.list() == []
    history.conversations.create("works")
    history.close()
    (aside,) = tmp_path.glob("history.aside-*.sqlite3")
    assert aside.read_bytes() == content
    _file(tmp_path).write_bytes(content)
    history, _ = open_history(tmp_path)
    history.close()
    assert len(list(tmp_path.glob("history.aside-*.sqlite3"))) == 2


def test_a_torn_file_is_noticed(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.conversations.create("x")
    history.close()
    data = bytearray(_file(tmp_path).read_bytes())
    data[4096 : 4096 * 4] = b"\xa5" * (4096 * 3)
    _file(tmp_path).write_bytes(bytes(data))
    history, problem = open_history(tmp_path)
    history.close()
    assert problem


def test_use_after_closing_is_an_error_with_a_name(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.close()
    with pytest.raises(HistoryError):
        history.conversations.list()
    with pytest.raises(HistoryError):
        history.conversations.create("late")
