"""The history: trees of messages, drafts, attachments, search, and what is left after a kill."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store import (
    NEW_CHAT,
    AnswerWriter,
    Attachment,
    Draft,
    Figures,
    History,
    HistoryError,
    NewMessage,
    StoredPoint,
)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "data")
    yield history
    history.close()


def _talk(history: History, *texts: str, title: str = "A talk") -> tuple[int, list[int]]:
    conversation = history.conversations.create(title)
    ids: list[int] = []
    for at, text in enumerate(texts):
        role = "assistant" if at % 2 else "user"
        parent = ids[-1] if ids else None
        ids.append(history.messages.add(conversation.id, parent, NewMessage(role, text)).id)
    return conversation.id, ids


def _texts(history: History, conversation_id: int) -> list[str]:
    return [message.content.text for message in history.messages.path(conversation_id)]


def test_everything_of_a_message_comes_back_after_a_restart(tmp_path: Path) -> None:
    history = History(tmp_path)
    digest = history.files.put(b"a picture")
    content = NewMessage(
        role="assistant",
        text="there 你好",
        thinking="hm",
        thinking_ms=1234.5,
        state="failed",
        error="the line was cut",
        model="Kimi",
        figures=Figures(10, 20, 5, 1.5, 200.0, 99.5, 4096),
        points=(StoredPoint(0.25, 0.75, 1, "Save"),),
        attachments=(Attachment(digest, "shot.png", "image", 9, 4, 3), Attachment(digest, "b.pdf", "pdf", 9)),
    )
    conversation = history.conversations.create("  Two\nlines ")
    message = history.messages.add(conversation.id, None, content)
    history.close()
    again = History(tmp_path)
    assert again.messages.path(conversation.id) == [message]
    assert message.content == content
    assert again.conversations.list()[0].title == "Two lines"
    assert again.files.path(digest).read_bytes() == b"a picture"
    again.close()


def test_an_edited_message_begins_a_branch_and_the_old_one_can_be_shown_again(history: History) -> None:
    talk, ids = _talk(history, "one", "first answer", "two", "second answer")
    edited = history.messages.add(talk, ids[1], NewMessage("user", "two, better"))
    assert (edited.sibling, edited.siblings) == (1, 2)
    assert _texts(history, talk) == ["one", "first answer", "two, better"]
    history.messages.show(ids[2])
    assert _texts(history, talk) == ["one", "first answer", "two", "second answer"]
    assert history.messages.siblings(ids[2]) == [ids[2], edited.id]
    regenerated = history.messages.add(talk, ids[0], NewMessage("assistant", "another answer"))
    assert _texts(history, talk) == ["one", "another answer"]
    # A hit of the search may lie deep in a branch that is not shown.
    history.messages.show(ids[3])
    assert _texts(history, talk)[-1] == "second answer"
    assert history.messages.position(talk, regenerated.id) is None


def test_deleting_a_message_takes_what_follows_and_shows_its_neighbour(history: History) -> None:
    talk, ids = _talk(history, "one", "first answer", "two", "second answer")
    other = history.messages.add(talk, ids[0], NewMessage("assistant", "other answer"))
    assert history.messages.followers(ids[1]) == 2
    assert history.messages.delete(other.id) == 1
    assert _texts(history, talk) == ["one", "first answer", "two", "second answer"]
    assert history.messages.delete(ids[1]) == 3
    assert _texts(history, talk) == ["one"]
    history.messages.delete(ids[0])
    assert _texts(history, talk) == []
    with pytest.raises(HistoryError):
        history.messages.get(ids[0])


def test_a_chain_longer_than_sqlites_recursion_is_paged_and_deleted(history: History) -> None:
    talk, ids = _talk(history, *(f"message {number}" for number in range(1500)))
    page = history.messages.page(talk, 40)
    assert [message.content.text for message in page.messages] == [f"message {at}" for at in range(1460, 1500)]
    assert page.before == 1460
    older = history.messages.page(talk, 40, before=page.before)
    assert older.messages[-1].id == ids[1459]
    assert older.before == 1420
    assert history.messages.page(talk, 40, before=30).before == 0
    assert history.messages.delete(ids[0]) == 1500
    assert history.search("message") == []


def test_pinned_conversations_come_first_then_the_latest(history: History) -> None:
    first, _ = _talk(history, "a", title="first")
    second, _ = _talk(history, "b", title="second")
    third, _ = _talk(history, "c", title="third")
    history.conversations.pin(first, True)
    history.messages.add(second, None, NewMessage("user", "later"))
    assert [each.title for each in history.conversations.list()] == ["first", "second", "third"]
    history.conversations.rename(third, "  renamed ")
    assert history.conversations.get(third).title == "renamed"
    history.conversations.delete(second)
    assert [each.title for each in history.conversations.list()] == ["first", "renamed"]
    history.conversations.delete_all()
    assert history.conversations.list() == []
    assert history.messages.count() == 0


def test_a_draft_survives_and_goes_with_its_conversation(tmp_path: Path) -> None:
    history = History(tmp_path)
    talk, _ = _talk(history, "one")
    digest = history.files.put(b"x")
    draft = Draft("not yet", (Attachment(digest, "x.png", "image", 1, 1, 1),))
    history.conversations.set_draft(talk, draft)
    history.conversations.set_draft(NEW_CHAT, Draft("something new"))
    history.close()
    history = History(tmp_path)
    assert history.conversations.draft(talk) == draft
    assert history.conversations.draft(NEW_CHAT).text == "something new"
    history.conversations.set_draft(NEW_CHAT, Draft())
    assert history.conversations.draft(NEW_CHAT).is_empty
    history.conversations.delete(talk)
    assert history.conversations.draft(talk).is_empty
    history.close()


def test_files_that_nothing_uses_are_swept_once_they_are_old(history: History, tmp_path: Path) -> None:
    used, drafted, unused, young = (history.files.put(name.encode()) for name in ("used", "drafted", "unused", "young"))
    talk, _ = _talk(history, "one")
    history.messages.add(talk, None, NewMessage("user", "", attachments=(Attachment(used, "u", "image", 4),)))
    history.conversations.set_draft(talk, Draft("", (Attachment(drafted, "d", "image", 7),)))
    for digest in (used, drafted, unused):
        os.utime(history.files.path(digest), (1.0, 1.0))
    assert history.sweep() == 1
    assert [history.files.path(each).exists() for each in (used, drafted, unused, young)] == [True, True, False, True]
    with pytest.raises(HistoryError, match="not the name of an attachment"):
        history.files.path("../../etc/passwd")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("button", True),
        ("utto", True),
        ("BUTTON", True),
        ("save button", True),
        ('"the save"', True),
        ('"save the"', False),
        ("保存", True),
        ("存按", True),
        ("按钮", True),
        ("钮", True),
        ("go", True),
        ("o.", True),
        ("zq", False),
        ("100%", True),
        ("1__%", False),
        ('quo"te', True),
        ("AND", False),
        ("*", False),
        ("Straße", True),
        ("кноп", True),
        ("КНОП", True),
    ],
)
def test_words_and_parts_of_words_are_found_in_every_script(history: History, query: str, found: bool) -> None:
    _talk(history, 'the Save button, 点击保存按钮, 100% quo"te Straße Кнопка go.', title="Title")
    assert bool(history.search(query)) is found


def test_search_follows_every_change_and_says_where(history: History) -> None:
    talk, ids = _talk(history, "find the needle " + "hay " * 100, "here", title="Sewing")
    (hit,) = history.search("needle")
    assert (hit.conversation.id, hit.message_id) == (talk, ids[0])
    assert hit.snippet.startswith("find the needle hay")
    assert hit.snippet.endswith("…")
    assert [each.message_id for each in history.search("sewing")] == [None]
    history.messages.finish(ids[1], NewMessage("assistant", "another needle"))
    assert [each.message_id for each in history.search("needle")] == [ids[1], ids[0]]
    history.messages.grow(ids[1], "growing thread", "", 0)
    assert history.search("growing") == []
    history.messages.finish(ids[1], NewMessage("assistant", "growing thread, done"))
    assert len(history.search("growing")) == 1
    history.messages.delete(ids[0])
    assert history.search("needle") == []
    history.conversations.delete(talk)
    assert history.search("thread") == []


def test_an_answer_is_on_disk_while_it_grows_also_when_nothing_follows(history: History, tmp_path: Path) -> None:
    talk, _ = _talk(history, "one")
    message = history.messages.add(talk, None, NewMessage("assistant", "", state="streaming"))
    writer = AnswerWriter(history, message.id)
    writer.add("", "thought")
    writer.add("said", "")
    outside = sqlite3.connect(tmp_path / "data" / "history.sqlite3")
    until = time.monotonic() + 20
    while outside.execute("SELECT text FROM messages WHERE id = ?", (message.id,)).fetchone() != ("said",):
        assert time.monotonic() < until
        threading.Event().wait(0.02)
    outside.close()
    writer.close()
    assert (writer.text, writer.thinking) == ("said", "thought")
    assert history.messages.get(message.id).content.thinking == "thought"


def test_a_deleted_conversation_stops_no_writer(history: History) -> None:
    talk, _ = _talk(history, "one")
    message = history.messages.add(talk, None, NewMessage("assistant", "", state="streaming"))
    writer = AnswerWriter(history, message.id)
    history.conversations.delete(talk)
    writer.add("late", "")
    writer.close()
    assert history.messages.finish(message.id, NewMessage("assistant", "late")) is None


_STREAM = """
import sys, time
from pathlib import Path
from app.store import AnswerWriter, Draft, History, NewMessage
history = History(Path(sys.argv[1]))
talk = history.conversations.create("killed")
question = history.messages.add(talk.id, None, NewMessage("user", "count"))
history.conversations.set_draft(talk.id, Draft("typed"))
answer = history.messages.add(talk.id, question.id, NewMessage("assistant", "", state="streaming"))
writer = AnswerWriter(history, answer.id)
for number in range(100000):
    writer.add(f"{number} ", "")
    print(number, time.time(), flush=True)
    time.sleep(0.005)
"""


def test_kill_9_costs_at_most_the_last_second(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _STREAM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said: list[tuple[int, float]] = []
    for line in process.stdout:
        number, at_s = line.split()
        said.append((int(number), float(at_s)))
        if len(said) == 400:
            process.send_signal(signal.SIGKILL)
            break
    killed_s = said[-1][1]
    said += [(int(line.split()[0]), float(line.split()[1])) for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()
    history = History(tmp_path)
    assert history.interrupted == 1
    (talk,) = history.conversations.list()
    question, answer = history.messages.path(talk.id)
    assert question.content.text == "count"
    assert answer.content.state == "interrupted"
    assert history.conversations.draft(talk.id).text == "typed"
    kept = answer.content.text.split()
    owed = [number for number, at_s in said if at_s <= killed_s - 1.0]
    assert owed
    assert len(kept) > owed[-1]
    assert kept == [str(number) for number in range(len(kept))]
    assert history.search(f'"{owed[-1]} "')
    history.close()


def test_many_threads_write_read_and_search_at_once(history: History) -> None:
    def live(number: int) -> int:
        talk, ids = _talk(history, *(f"thread {number} says {at}" for at in range(20)))
        history.search(f"thread {number}")
        assert len(_texts(history, talk)) == 20
        history.messages.delete(ids[10])
        return len(_texts(history, talk))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(live, range(24))) == [10] * 24
    assert history.messages.count() == 240
