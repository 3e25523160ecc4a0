"""Answers in the chat: asked by keyboard, answered over HTTP, stopped, broken off, branched, and kept on disk."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.store import History
from app.ui.chat.prose import TextArea
from app.ui.services import Services
from tests.app.ui.chat_pages import ANSWER, Open, ask, connect, press, text_shown, type_into, views
from tests.app.ui.chat_server import Script, words


def test_what_is_asked_is_answered_shown_and_stored(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot, home: Path
) -> None:
    chat_script.answers = [[{"reasoning_content": "let me think"}, *words(ANSWER)]]
    connect(services, chat_script, qtbot)
    page = open_chat()
    ask(page, "first line\nsecond line", qtbot)
    question, answer = views(page)
    assert question.message.content.text == "first line\nsecond line"
    assert answer.message.content.text == text_shown(answer) == ANSWER
    assert answer.message.content.thinking == "let me think"
    assert answer.message.content.state == "complete"
    assert answer.message.content.figures.prompt_tokens == 11
    told = answer.findChild(QLabel, "figures")
    assert isinstance(told, QLabel)
    assert "scripted" in told.text()
    assert "of 4,096" in told.text()
    assert answer.body is not None
    (code,) = answer.body.code_views
    code.copy_button.click()
    assert QGuiApplication.clipboard().text() == "print('hi')"
    assert page.composer.edit.toPlainText() == ""
    assert [each.title for each in page.history.conversations.list()] == ["first line"]
    ask(page, "and then", qtbot)
    assert chat_script.last_texts == ["user: first line\nsecond line", f"assistant: {ANSWER}", "user: and then"]
    page.closing()
    history = History(home)
    texts = [each.content.text for each in history.messages.path(history.conversations.list()[0].id)]
    assert texts == ["first line\nsecond line", ANSWER, "and then", ANSWER]
    history.close()


def test_escape_stops_the_answer_and_keeps_it_and_continue_goes_on(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    chat_script.answers = [[*words("half of it"), {"wait": ""}, *words(" never said")], words(" and the rest")]
    connect(services, chat_script, qtbot)
    page = open_chat()
    type_into(page, "go on")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(views(page)) == 2 and "half of it" in text_shown(views(page)[1]), timeout=20_000)
    assert page.composer.stop_button.isVisibleTo(page)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    answer = views(page)[1]
    assert (answer.message.content.state, answer.message.content.text) == ("stopped", "half of it")
    press(answer, "continue")
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    answer = views(page)[1]
    assert (answer.message.content.state, text_shown(answer)) == ("complete", "half of it and the rest")
    assert chat_script.asked[-1]["messages"][-1] == {"role": "assistant", "content": "half of it"}
    assert answer.message.siblings == 1


def test_an_answer_can_be_read_as_it_was_written(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    connect(services, chat_script, qtbot)
    page = open_chat()
    ask(page, "first", qtbot)
    answer = views(page)[1]
    assert answer.body is not None

    def texts() -> list[str]:
        areas = answer.findChildren(TextArea)
        return [area.toPlainText() for area in areas if area.isVisibleTo(answer)]

    assert not any("**" in text for text in texts())
    press(answer, "as-written")
    qtbot.waitUntil(lambda: texts() == [ANSWER], timeout=20_000)
    services.settings.change(theme="dark")
    page.transcript.redraw()
    qtbot.waitUntil(lambda: texts() == [ANSWER], timeout=20_000)
    press(answer, "as-written")
    qtbot.waitUntil(lambda: len(texts()) == 2 and not any("**" in text for text in texts()), timeout=20_000)
    assert text_shown(answer) == ANSWER


def test_editing_makes_a_branch_and_both_can_be_shown(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    chat_script.answers = [words("one"), words("two"), words("three"), words("four")]
    connect(services, chat_script, qtbot)
    page = open_chat()
    ask(page, "first", qtbot)
    ask(page, "second", qtbot)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Up)
    assert page.composer.edit.toPlainText() == "second"
    ask(page, " better", qtbot)
    assert [text_shown(view) for view in views(page)] == ["first", "one", "second better", "three"]
    branch = views(page)[2].findChild(QLabel, "branch")
    assert isinstance(branch, QLabel)
    assert branch.text() == "2/2"
    press(views(page)[2], "previous")
    assert [text_shown(view) for view in views(page)] == ["first", "one", "second", "two"]
    press(views(page)[3], "regenerate")
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    assert [text_shown(view) for view in views(page)] == ["first", "one", "second", "four"]
    assert views(page)[3].message.siblings == 2
    # Leaving the edit brings the draft back.
    type_into(page, "a draft")
    page.session.edit_last()
    assert page.composer.edit.toPlainText() == "second"
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Escape)
    assert page.composer.edit.toPlainText() == "a draft"


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ([*words("so far so good"), {"drop": ""}], "so far so good"),
        ([*words("so far so good"), {"nonsense": ""}], "so far so good"),
        ([{"drop": ""}], ""),
    ],
    ids=["drop", "nonsense", "drop at once"],
)
def test_an_answer_that_breaks_off_says_why_and_can_be_retried(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot, pieces: list[dict[str, str]], kept: str
) -> None:
    chat_script.answers = [pieces, words("well then")]
    connect(services, chat_script, qtbot)
    page = open_chat()
    ask(page, "ask", qtbot)
    answer = views(page)[1]
    assert (answer.message.content.state, answer.message.content.text) == ("failed", kept)
    assert chat_script.url in answer.message.content.error
    press(answer, "retry")
    qtbot.waitUntil(lambda: not page.session.is_answering and text_shown(views(page)[1]) == "well then", timeout=20_000)
    # What had come is a version of its own; what had not is no version at all.
    assert views(page)[1].message.siblings == (2 if kept else 1)


def test_a_server_that_refuses_is_quoted(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    connect(services, chat_script, qtbot)
    chat_script.status = 500
    page = open_chat()
    ask(page, "ask", qtbot)
    assert "out of sorts" in views(page)[1].message.content.error
    chat_script.status = 200
    press(views(page)[1], "retry")
    qtbot.waitUntil(lambda: text_shown(views(page)[1]) == ANSWER, timeout=20_000)


def test_switching_away_and_back_loses_nothing_of_a_running_answer(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    chat_script.answers = [[*words("the beginning"), {"wait": ""}, *words(" and the end")]]
    connect(services, chat_script, qtbot)
    page = open_chat()
    type_into(page, "slow")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "the beginning" in text_shown(views(page)[1]), timeout=20_000)
    slow = page.session.conversation
    page.new_chat()
    assert not page.session.is_answering
    assert views(page) == []
    page.session.open(slow)
    assert text_shown(views(page)[1]) == "the beginning"
    chat_script.go.set()
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    assert text_shown(views(page)[1]) == "the beginning and the end"


def test_closing_in_the_middle_of_an_answer_keeps_it(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot, home: Path
) -> None:
    chat_script.answers = [[*words("the beginning"), {"wait": ""}]]
    connect(services, chat_script, qtbot)
    page = open_chat()
    type_into(page, "slow")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(views(page)) == 2 and "the beginning" in text_shown(views(page)[1]), timeout=20_000)
    page.closing()
    history = History(home)
    answer = history.messages.path(history.conversations.list()[0].id)[1].content
    assert (answer.text, answer.state) == ("the beginning", "stopped")
    history.close()


_KILLED = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from pathlib import Path
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from app.settings import EndpointSettings, SettingsStore
from app.ui.chat.page import ChatPage
from app.ui.engine import EngineService
from app.ui.services import Services
from app.ui.tasks import Tasks
from app.ui.theme import ThemeService
home = Path(os.environ["DESKHAND_HOME"])
application = QApplication(sys.argv)
settings, tasks = SettingsStore(home / "settings.json"), Tasks()
engine, theme = EngineService(settings, tasks, home), ThemeService(settings)
theme.apply()
page = ChatPage(Services(settings, tasks, engine, theme, home, print))
page.show()
def ask():
    if engine.state == "ready" and not page.transcript.views:
        QTest.keyClicks(page.composer.edit, "count")
        QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
        QTest.keyClicks(page.composer.edit, "typed meanwhile")
def tell():
    for view in page.transcript.views[1:]:
        print("shown", len(view.body.markdown), flush=True)
engine.changed.connect(ask)
timer = QTimer(); timer.timeout.connect(tell); timer.start(50)
engine.use_endpoint(EndpointSettings(name="scripted", url=sys.argv[1]))
application.exec()
"""


def test_kill_9_of_the_window_costs_at_most_the_last_second(
    services: Services, chat_script: Script, open_chat: Open, home: Path
) -> None:
    chat_script.pace_s = 0.01
    chat_script.answers = [[{"content": f"{number} "} for number in range(20_000)]]
    process = subprocess.Popen([sys.executable, "-c", _KILLED, chat_script.url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    shown: list[tuple[float, int]] = []
    for line in process.stdout:
        if line.startswith("shown"):
            shown.append((time.monotonic(), int(line.split()[1])))
            if shown[-1][0] - shown[0][0] > 3:
                break
    process.kill()
    process.wait()
    process.stdout.close()
    # Whoever looks at the screen at this moment has seen this much of it for a second already.
    owed = [length for at_s, length in shown if at_s <= shown[-1][0] - 1][-1]
    assert owed > 100
    page = open_chat()
    page.session.open(page.history.conversations.list()[0].id)
    question, answer = views(page)
    assert question.message.content.text == "count"
    assert answer.message.content.state == "interrupted"
    assert len(text_shown(answer)) >= owed
    assert page.composer.edit.toPlainText() == "typed meanwhile"
