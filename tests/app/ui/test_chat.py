"""The chat page with a real server behind it: asked by keyboard, answered over HTTP, kept on disk."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QScrollBar, QSplitterHandle, QWidget
from pytestqt.qtbot import QtBot

from app.settings import EndpointSettings
from app.store import NEW_CHAT, Draft, Figures, History, NewMessage
from app.translate import set_language
from app.ui.chat.message import MessageView
from app.ui.chat.page import ChatPage
from app.ui.chat.pictures import MarkedPicture
from app.ui.services import Services
from tests.app.ui.chat_server import Script, chat_server, words
from tests.app.ui.conftest import Notices

ANSWER = "A **bold** word.\n\n```python\nprint('hi')\n```\n\nThe end."
Open = Callable[[], ChatPage]


@pytest.fixture
def script(services: Services, qtbot: QtBot) -> Iterator[Script]:
    with chat_server(Script([words(ANSWER)])) as script:
        yield script
        services.engine.close()


@pytest.fixture
def open_page(services: Services, qtbot: QtBot) -> Iterator[Open]:
    made: list[ChatPage] = []

    def make() -> ChatPage:
        page = ChatPage(services)
        made.append(page)
        page.resize(1000, 700)
        page.show()
        page.activateWindow()
        qtbot.waitUntil(page.isActiveWindow, timeout=20_000)
        return page

    yield make
    for page in made:
        page.closing()
        page.close()
        page.deleteLater()


def _connect(services: Services, script: Script, qtbot: QtBot) -> None:
    services.engine.use_endpoint(EndpointSettings(name="scripted", url=script.url))
    qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=20_000)


def _type(page: ChatPage, text: str) -> None:
    page.composer.edit.setFocus()
    for at, line in enumerate(text.split("\n")):
        if at:
            QTest.keyClick(page.composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClicks(page.composer.edit, line)


def _ask(page: ChatPage, text: str, qtbot: QtBot) -> None:
    _type(page, text)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)


def _views(page: ChatPage) -> list[MessageView]:
    return list(page.transcript.views)


def _press(view: MessageView, name: str) -> None:
    found = view.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), f"there is no button {name}"
    found.click()


def _shown(view: MessageView) -> str:
    return view.body.markdown if view.body is not None else view.message.content.text


def test_what_is_asked_is_answered_shown_and_stored(
    services: Services, script: Script, open_page: Open, qtbot: QtBot, home: Path
) -> None:
    script.answers = [[{"reasoning_content": "let me think"}, *words(ANSWER)]]
    _connect(services, script, qtbot)
    page = open_page()
    _ask(page, "first line\nsecond line", qtbot)
    question, answer = _views(page)
    assert question.message.content.text == "first line\nsecond line"
    assert answer.message.content.text == _shown(answer) == ANSWER
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
    _ask(page, "and then", qtbot)
    assert script.last_texts == ["user: first line\nsecond line", f"assistant: {ANSWER}", "user: and then"]
    page.closing()
    history = History(home)
    texts = [each.content.text for each in history.messages.path(history.conversations.list()[0].id)]
    assert texts == ["first line\nsecond line", ANSWER, "and then", ANSWER]
    history.close()


def test_escape_stops_the_answer_and_keeps_it_and_continue_goes_on(
    services: Services, script: Script, open_page: Open, qtbot: QtBot
) -> None:
    script.answers = [[*words("half of it"), {"wait": ""}, *words(" never said")], words(" and the rest")]
    _connect(services, script, qtbot)
    page = open_page()
    _type(page, "go on")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(_views(page)) == 2 and "half of it" in _shown(_views(page)[1]), timeout=20_000)
    assert page.composer.stop_button.isVisibleTo(page)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    answer = _views(page)[1]
    assert (answer.message.content.state, answer.message.content.text) == ("stopped", "half of it")
    _press(answer, "continue")
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    answer = _views(page)[1]
    assert (answer.message.content.state, _shown(answer)) == ("complete", "half of it and the rest")
    assert script.asked[-1]["messages"][-1] == {"role": "assistant", "content": "half of it"}
    assert answer.message.siblings == 1


def test_editing_makes_a_branch_and_both_can_be_shown(
    services: Services, script: Script, open_page: Open, qtbot: QtBot
) -> None:
    script.answers = [words("one"), words("two"), words("three"), words("four")]
    _connect(services, script, qtbot)
    page = open_page()
    _ask(page, "first", qtbot)
    _ask(page, "second", qtbot)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Up)
    assert page.composer.edit.toPlainText() == "second"
    _ask(page, " better", qtbot)
    assert [_shown(view) for view in _views(page)] == ["first", "one", "second better", "three"]
    branch = _views(page)[2].findChild(QLabel, "branch")
    assert isinstance(branch, QLabel)
    assert branch.text() == "2/2"
    _press(_views(page)[2], "previous")
    assert [_shown(view) for view in _views(page)] == ["first", "one", "second", "two"]
    _press(_views(page)[3], "regenerate")
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    assert [_shown(view) for view in _views(page)] == ["first", "one", "second", "four"]
    assert _views(page)[3].message.siblings == 2
    # Leaving the edit brings the draft back.
    _type(page, "a draft")
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
    services: Services, script: Script, open_page: Open, qtbot: QtBot, pieces: list[dict[str, str]], kept: str
) -> None:
    script.answers = [pieces, words("well then")]
    _connect(services, script, qtbot)
    page = open_page()
    _ask(page, "ask", qtbot)
    answer = _views(page)[1]
    assert (answer.message.content.state, answer.message.content.text) == ("failed", kept)
    assert script.url in answer.message.content.error
    _press(answer, "retry")
    qtbot.waitUntil(lambda: not page.session.is_answering and _shown(_views(page)[1]) == "well then", timeout=20_000)
    # What had come is a version of its own; what had not is no version at all.
    assert _views(page)[1].message.siblings == (2 if kept else 1)


def test_a_server_that_refuses_is_quoted(services: Services, script: Script, open_page: Open, qtbot: QtBot) -> None:
    _connect(services, script, qtbot)
    script.status = 500
    page = open_page()
    _ask(page, "ask", qtbot)
    assert "out of sorts" in _views(page)[1].message.content.error
    script.status = 200
    _press(_views(page)[1], "retry")
    qtbot.waitUntil(lambda: _shown(_views(page)[1]) == ANSWER, timeout=20_000)


def test_switching_away_and_back_loses_nothing_of_a_running_answer(
    services: Services, script: Script, open_page: Open, qtbot: QtBot
) -> None:
    script.answers = [[*words("the beginning"), {"wait": ""}, *words(" and the end")]]
    _connect(services, script, qtbot)
    page = open_page()
    _type(page, "slow")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "the beginning" in _shown(_views(page)[1]), timeout=20_000)
    slow = page.session.conversation
    page.new_chat()
    assert not page.session.is_answering
    assert _views(page) == []
    page.session.open(slow)
    assert _shown(_views(page)[1]) == "the beginning"
    script.go.set()
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)
    assert _shown(_views(page)[1]) == "the beginning and the end"


def test_closing_in_the_middle_of_an_answer_keeps_it(
    services: Services, script: Script, open_page: Open, qtbot: QtBot, home: Path
) -> None:
    script.answers = [[*words("the beginning"), {"wait": ""}]]
    _connect(services, script, qtbot)
    page = open_page()
    _type(page, "slow")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(_views(page)) == 2 and "the beginning" in _shown(_views(page)[1]), timeout=20_000)
    page.closing()
    history = History(home)
    answer = history.messages.path(history.conversations.list()[0].id)[1].content
    assert (answer.text, answer.state) == ("the beginning", "stopped")
    history.close()


def test_a_picture_is_measured_sent_and_its_point_marked(
    services: Services, script: Script, open_page: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    script.answers = [words("Click there: pyautogui.click(x=0.250, y=0.750)")]
    _connect(services, script, qtbot)
    page = open_page()
    image = QImage(1920, 1080, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    data = QMimeData()
    data.setImageData(image)
    page.composer.edit.insertFromMimeData(data)
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    assert page.composer.strip.chips[0].told == "1920×1080 → 1196×672 · 1,032 tokens"
    _ask(page, "where", qtbot)
    assert script.last_texts == ["user: [picture]where"]
    marked = page.transcript.findChild(MarkedPicture)
    assert isinstance(marked, MarkedPicture)
    qtbot.waitUntil(lambda: marked.view.image is not None, timeout=20_000)
    assert marked.view.marks[0].points == ((0.25, 0.75),)
    copy = next(each for each in marked.findChildren(QPushButton) if each.property("coordinates"))
    copy.click()
    assert QGuiApplication.clipboard().text() == "480, 810"


def test_a_pdf_is_pages_with_their_cost_and_sent_as_pictures(
    services: Services, script: Script, open_page: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    script.answers = [words("two pages")]
    _connect(services, script, qtbot)
    page = open_page()
    document = tmp_path / "two.pdf"
    pages = [Image.new("RGB", (300, 200), colour) for colour in ("red", "blue")]
    pages[0].save(document, save_all=True, append_images=pages[1:], resolution=144)
    page.composer.attach_files([document])
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    assert page.composer.strip.chips[0].told == "2 pages · 300×200 · 176 tokens"
    _ask(page, "how many", qtbot)
    assert script.last_texts == ["user: Page 1[picture]Page 2[picture]how many"]


def test_what_a_reader_that_is_not_installed_needs_is_told(
    services: Services, open_page: Open, qtbot: QtBot, tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    page = open_page()
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 nothing")
    page.composer.attach_files([tmp_path / "a.pdf"])
    qtbot.waitUntil(lambda: bool(notices.told), timeout=20_000)
    assert "pip install 'deskhand[media]'" in notices.told[0][1]
    assert page.composer.strip.chips == []


def test_dropped_files_are_attached_and_what_is_no_picture_is_refused(
    services: Services, open_page: Open, qtbot: QtBot, tmp_path: Path, notices: Notices
) -> None:
    page = open_page()
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    QImage(40, 30, QImage.Format.Format_RGB32).save(str(good))
    bad.write_text("no picture")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(good)), QUrl.fromLocalFile(str(bad))])
    page.composer.edit.insertFromMimeData(data)
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading and bool(notices.told), timeout=20_000)
    assert [chip.told for chip in page.composer.strip.chips] == ["40×30"]
    assert "bad.png was not attached" in notices.told[0][1]
    page.composer.strip.chips[0].findChild(QPushButton, "remove").click()  # pyright: ignore[reportOptionalMemberAccess]
    assert page.composer.strip.attachments == ()


def test_drafts_with_their_pictures_survive_a_restart(
    services: Services, open_page: Open, qtbot: QtBot, tmp_path: Path, home: Path
) -> None:
    page = open_page()
    picture = tmp_path / "a.png"
    QImage(40, 30, QImage.Format.Format_RGB32).save(str(picture))
    page.composer.attach_files([picture])
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    _type(page, "not sent yet")
    page.closing()
    page = open_page()
    assert page.composer.edit.toPlainText() == "not sent yet"
    qtbot.waitUntil(lambda: [chip.told for chip in page.composer.strip.chips] == ["40×30"], timeout=20_000)
    page.closing()
    history = History(home)
    assert history.conversations.draft(NEW_CHAT).text == "not sent yet"
    history.close()


def test_search_finds_a_message_and_shows_it_in_its_branch(services: Services, open_page: Open, qtbot: QtBot) -> None:
    page = open_page()
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


def test_older_messages_come_when_one_scrolls_up(services: Services, open_page: Open, qtbot: QtBot) -> None:
    page = open_page()
    talk = page.history.conversations.create("Long")
    parent = None
    for number in range(100):
        role = "assistant" if number % 2 else "user"
        parent = page.history.messages.add(talk.id, parent, NewMessage(role, f"message {number}\n\nmore of it")).id
    page.session.open(talk.id)
    shown = len(_views(page))
    assert shown < 40
    assert _views(page)[-1].message.content.text.startswith("message 99")
    bar = page.transcript.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum(), timeout=20_000)

    def all_shown() -> bool:
        bar.setValue(0)
        return len(_views(page)) == 100

    qtbot.waitUntil(all_shown, timeout=20_000)
    assert [view.message.content.text.split("\n")[0] for view in _views(page)] == [f"message {n}" for n in range(100)]


def test_a_model_that_only_grounds_says_what_it_needs(
    services: Services, script: Script, open_page: Open, qtbot: QtBot
) -> None:
    script.capabilities = ("ground",)
    _connect(services, script, qtbot)
    page = open_page()
    assert page.composer.edit.placeholderText() == "Describe what to find"
    assert "attach one" in page.composer.hint.text()
    _ask(page, "the Save button", qtbot)
    assert "attach a picture" in _views(page)[1].message.content.error


def test_without_a_model_nothing_is_sent_and_nothing_is_lost(services: Services, open_page: Open, qtbot: QtBot) -> None:
    page = open_page()
    assert page.composer.load_button.isVisibleTo(page)
    _type(page, "hello?")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    assert page.composer.edit.toPlainText() == "hello?"
    assert page.history.conversations.list() == []


def test_a_text_longer_than_any_context_is_refused_with_its_length(
    services: Services, open_page: Open, notices: Notices
) -> None:
    page = open_page()
    data = QMimeData()
    data.setText("x" * 500_000)
    page.composer.edit.insertFromMimeData(data)
    assert page.composer.edit.toPlainText() == ""
    assert "500,000 characters" in notices.told[0][1]


def test_a_broken_history_is_told_and_kept_aside(
    services: Services, open_page: Open, notices: Notices, home: Path
) -> None:
    (home / "history.sqlite3").write_bytes(b"garbage" * 1000)
    page = open_page()
    assert "kept as" in notices.told[0][1]
    assert page.history.conversations.list() == []


def test_deleting_the_shown_conversation_leaves_an_empty_page(
    services: Services, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.chat.history_actions.confirm", lambda *_: True)
    page = open_page()
    talk = page.history.conversations.create("Gone soon")
    page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    page.session.open(talk.id)
    page.actions_done.act("delete", talk.id)
    assert page.history.conversations.list() == []
    assert (page.session.conversation, _views(page)) == (NEW_CHAT, [])
    page.history.conversations.set_draft(NEW_CHAT, Draft())


def test_what_is_exported_can_be_imported(
    services: Services, open_page: Open, qtbot: QtBot, tmp_path: Path, notices: Notices
) -> None:
    page = open_page()
    talk = page.history.conversations.create("Travelling")
    page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    for name, export in (("a.json", page.actions_done.export_json), ("a.md", page.actions_done.export_markdown)):
        export(talk.id, tmp_path / name)
        qtbot.waitUntil(lambda name=name: bool(notices.told) and name in notices.told[-1][1], timeout=20_000)
        page.actions_done.import_file(tmp_path / name)
        qtbot.waitUntil(lambda: "Imported" in notices.told[-1][1], timeout=20_000)
    assert [each.title for each in page.history.conversations.list()] == ["Travelling"] * 3
    assert page.list.list.count() == 4


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
    services: Services, script: Script, open_page: Open, home: Path
) -> None:
    script.pace_s = 0.01
    script.answers = [[{"content": f"{number} "} for number in range(20_000)]]
    process = subprocess.Popen([sys.executable, "-c", _KILLED, script.url], stdout=subprocess.PIPE, text=True)
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
    page = open_page()
    page.session.open(page.history.conversations.list()[0].id)
    question, answer = _views(page)
    assert question.message.content.text == "count"
    assert answer.message.content.state == "interrupted"
    assert len(_shown(answer)) >= owed
    assert page.composer.edit.toPlainText() == "typed meanwhile"


def test_every_word_is_translated_and_every_control_has_a_name(
    services: Services, script: Script, open_page: Open, qtbot: QtBot
) -> None:
    set_language("pseudo")
    _connect(services, script, qtbot)
    page = open_page()
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


def test_the_last_conversation_is_open_again_at_the_next_start(services: Services, open_page: Open) -> None:
    page = open_page()
    talk = page.history.conversations.create("Talk")
    page.history.messages.add(talk.id, None, NewMessage("user", "hello"))
    page.session.open(talk.id)
    page.closing()
    page = open_page()
    assert [_shown(view) for view in _views(page)] == ["hello"]
    page.history.conversations.delete(talk.id)
    page.closing()
    assert open_page().session.conversation == NEW_CHAT


def test_the_page_fits_900_by_600_and_150_percent(services: Services, open_page: Open, qtbot: QtBot) -> None:
    page = open_page()
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


def test_the_log_stays_quiet(quiet_log: list[logging.LogRecord], open_page: Open) -> None:
    open_page()
    assert quiet_log == []
