"""The list of conversations: searched, paged in, deleted, exported, and open again at the next start."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.store import NEW_CHAT, Draft, NewMessage
from app.ui.services import Services
from tests.app.ui.chat_pages import Open, text_shown, views
from tests.app.ui.conftest import Notices


def test_search_finds_a_message_and_shows_it_in_its_branch(services: Services, open_chat: Open, qtbot: QtBot) -> None:
    page = open_chat()
    talk = page.history.conversations.create("A talk")
    first = page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    needle = page.history.messages.add(talk.id, first.id, NewMessage("assistant", "the needle"))
    parent = needle.id
    for number in range(60):
        parent = page.history.messages.add(talk.id, parent, NewMessage("user", f"more {number}")).id
    page.history.messages.add(talk.id, first.id, NewMessage("assistant", "another branch"))
    QTest.keyClick(page, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert page.list.search_box.hasFocus()
    QTest.keyClicks(page.list.search_box, "needle")
    qtbot.waitUntil(lambda: page.list.list.count() == 1, timeout=20_000)
    QTest.keyClick(page.list.search_box, Qt.Key.Key_Return)
    assert page.session.conversation == talk.id
    assert page.transcript.view_of(needle.id) is not None
    QTest.keyClick(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(page.list.search_box, Qt.Key.Key_Escape)
    assert page.list.query == ""
    assert page.composer.edit.hasFocus()
    QTest.keyClick(page, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert page.session.conversation == NEW_CHAT


def test_older_messages_come_when_one_scrolls_up(services: Services, open_chat: Open, qtbot: QtBot) -> None:
    page = open_chat()
    talk = page.history.conversations.create("Long")
    parent = None
    for number in range(100):
        role = "assistant" if number % 2 else "user"
        parent = page.history.messages.add(talk.id, parent, NewMessage(role, f"message {number}\n\nmore of it")).id
    page.session.open(talk.id)
    there = len(views(page))
    assert there < 40
    assert views(page)[-1].message.content.text.startswith("message 99")
    bar = page.transcript.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum(), timeout=20_000)

    def all_shown() -> bool:
        bar.setValue(0)
        return len(views(page)) == 100

    qtbot.waitUntil(all_shown, timeout=20_000)
    assert [view.message.content.text.split("\n")[0] for view in views(page)] == [f"message {n}" for n in range(100)]


def test_a_broken_history_is_told_and_kept_aside(
    services: Services, open_chat: Open, notices: Notices, home: Path
) -> None:
    (home / "history.sqlite3").write_bytes(b"garbage" * 1000)
    page = open_chat()
    assert "kept as" in notices.told[0][1]
    assert page.history.conversations.list() == []


def test_deleting_the_shown_conversation_leaves_an_empty_page(
    services: Services, open_chat: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.chat.history_actions.confirm", lambda *_: True)
    page = open_chat()
    talk = page.history.conversations.create("Gone soon")
    page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    page.session.open(talk.id)
    page.actions_done.act("delete", talk.id)
    assert page.history.conversations.list() == []
    assert (page.session.conversation, views(page)) == (NEW_CHAT, [])
    page.history.conversations.set_draft(NEW_CHAT, Draft())


def test_what_is_exported_can_be_imported(
    services: Services, open_chat: Open, qtbot: QtBot, tmp_path: Path, notices: Notices
) -> None:
    page = open_chat()
    talk = page.history.conversations.create("Travelling")
    page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    for name, export in (("a.json", page.actions_done.export_json), ("a.md", page.actions_done.export_markdown)):
        export(talk.id, tmp_path / name)
        qtbot.waitUntil(lambda name=name: bool(notices.told) and name in notices.told[-1][1], timeout=20_000)
        page.actions_done.import_file(tmp_path / name)
        qtbot.waitUntil(lambda: "Imported" in notices.told[-1][1], timeout=20_000)
    assert [each.title for each in page.history.conversations.list()] == ["Travelling"] * 3
    assert page.list.list.count() == 4


def test_the_last_conversation_is_open_again_at_the_next_start(services: Services, open_chat: Open) -> None:
    page = open_chat()
    talk = page.history.conversations.create("Talk")
    page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    page.session.open(talk.id)
    page.closing()
    page = open_chat()
    assert [text_shown(view) for view in views(page)] == ["hello"]
    page.history.conversations.delete(talk.id)
    page.closing()
    assert open_chat().session.conversation == NEW_CHAT
