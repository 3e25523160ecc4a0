"""The chat page as a whole: names, languages, small windows and a quiet log."""

import logging

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QScrollBar, QSplitterHandle, QWidget
from pytestqt.qtbot import QtBot

from app.store import Figures, NewMessage
from app.translate import set_language
from app.ui.services import Services
from tests.app.ui.chat_pages import Open, connect
from tests.app.ui.chat_server import Script


def test_every_word_is_translated_and_every_control_has_a_name(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    set_language("pseudo")
    connect(services, chat_script, qtbot)
    page = open_chat()
    talk = page.history.conversations.create("plain")
    first = page.history.messages.add(talk.id, None, NewMessage("user", "plain", attachments=()))
    content = NewMessage("assistant", "plain", "thought", 10.0, "stopped", model="m")
    page.history.messages.add(talk.id, first.id, content)
    page.session.open(talk.id)
    page.session.edit_last()
    plain = [
        each.text()
        for each in page.findChildren(QWidget)
        if isinstance(each, QLabel | QAbstractButton)
        and each.text()
        and not each.property("data")
        and "⟦" not in each.text()
        and any(c.isalpha() for c in each.text())
    ]
    assert plain == []
    unnamed = [
        each
        for each in page.findChildren(QWidget)
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(each, QSplitterHandle | QScrollBar)
        and not (each.accessibleName() or (isinstance(each, QAbstractButton) and each.text()))
    ]
    assert unnamed == []


def test_the_page_fits_900_by_600_and_150_percent(services: Services, open_chat: Open, qtbot: QtBot) -> None:
    page = open_chat()
    talk = page.history.conversations.create("plain " * 30)
    first = page.history.messages.add(talk.id, None, NewMessage("user", "word " * 100))
    figures = Figures(1200, 340, 800, 220, 3400, 42.5, 131072)
    content = NewMessage(
        "assistant", "```\n" + "x" * 400 + "\n```\n\n" + "y" * 400, "t", 10.0, "stopped", figures=figures
    )
    page.history.messages.add(talk.id, first.id, content)
    page.session.open(talk.id)
    for percent in (100, 150):
        services.settings.change(text_percent=percent)
        page.resize(900 - 64, 600)
        qtbot.waitUntil(lambda: page.transcript.verticalScrollBar().maximum() > 0, timeout=20_000)
        QTest.qWait(50)
        assert page.minimumSizeHint().width() <= 900 - 64
        holder = page.transcript.widget()
        assert holder is not None
        assert holder.width() <= page.transcript.viewport().width(), percent


def test_the_log_stays_quiet(quiet_log: list[logging.LogRecord], open_chat: Open) -> None:
    open_chat()
    assert quiet_log == []
