"""What is attached to a question, what it costs, and what cannot be sent."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.store import NEW_CHAT, History
from app.ui.chat.pictures import MarkedPicture
from app.ui.services import Services
from model.grounding import answer_text
from tests.app.ui.chat_pages import Open, ask, connect, type_into, views
from tests.app.ui.chat_server import Script, words
from tests.app.ui.conftest import Notices


def test_a_picture_is_measured_sent_and_its_point_marked(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    chat_script.answers = [words("Click there: pyautogui.click(x=0.250, y=0.750)")]
    connect(services, chat_script, qtbot)
    page = open_chat()
    image = QImage(1920, 1080, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    data = QMimeData()
    data.setImageData(image)
    page.composer.edit.insertFromMimeData(data)
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    assert page.composer.strip.chips[0].told == "1920×1080 → 1196×672 · 1,032 tokens"
    ask(page, "where", qtbot)
    assert chat_script.last_texts == ["user: [picture]where"]
    marked = page.transcript.findChild(MarkedPicture)
    assert isinstance(marked, MarkedPicture)
    qtbot.waitUntil(lambda: marked.view.image is not None, timeout=20_000)
    assert marked.view.marks[0].points == ((0.25, 0.75),)
    copy = next(each for each in marked.findChildren(QPushButton) if each.property("coordinates"))
    copy.click()
    assert QGuiApplication.clipboard().text() == "480, 810"


def test_a_pdf_is_pages_with_their_cost_and_sent_as_pictures(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    chat_script.answers = [words("two pages")]
    connect(services, chat_script, qtbot)
    page = open_chat()
    document = tmp_path / "two.pdf"
    pages = [Image.new("RGB", (300, 200), colour) for colour in ("red", "blue")]
    pages[0].save(document, save_all=True, append_images=pages[1:], resolution=144)
    page.composer.attach_files([document])
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    assert page.composer.strip.chips[0].told == "2 pages · 300×200 · 176 tokens"
    ask(page, "how many", qtbot)
    assert chat_script.last_texts == ["user: Page 1[picture]Page 2[picture]how many"]


def test_what_a_reader_that_is_not_installed_needs_is_told(
    services: Services, open_chat: Open, qtbot: QtBot, tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    page = open_chat()
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 nothing")
    page.composer.attach_files([tmp_path / "a.pdf"])
    qtbot.waitUntil(lambda: bool(notices.told), timeout=20_000)
    assert "pip install 'deskhand[media]'" in notices.told[0][1]
    assert page.composer.strip.chips == []


def test_dropped_files_are_attached_and_what_is_no_picture_is_refused(
    services: Services, open_chat: Open, qtbot: QtBot, tmp_path: Path, notices: Notices
) -> None:
    page = open_chat()
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
    services: Services, open_chat: Open, qtbot: QtBot, tmp_path: Path, home: Path
) -> None:
    page = open_chat()
    picture = tmp_path / "a.png"
    QImage(40, 30, QImage.Format.Format_RGB32).save(str(picture))
    page.composer.attach_files([picture])
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    type_into(page, "not sent yet")
    page.closing()
    page = open_chat()
    assert page.composer.edit.toPlainText() == "not sent yet"
    qtbot.waitUntil(lambda: [chip.told for chip in page.composer.strip.chips] == ["40×30"], timeout=20_000)
    page.closing()
    history = History(home)
    assert history.conversations.draft(NEW_CHAT).text == "not sent yet"
    history.close()


def test_a_model_that_only_grounds_says_what_it_needs(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    chat_script.capabilities = ("ground",)
    connect(services, chat_script, qtbot)
    page = open_chat()
    assert page.composer.edit.placeholderText() == "Describe what to find"
    assert "attach one" in page.composer.hint.text()
    ask(page, "the Save button", qtbot)
    assert "attach a picture" in views(page)[1].message.content.error


def test_a_model_that_talks_and_points_is_asked_for_a_place_by_a_switch(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    chat_script.answers = [words(answer_text(0.25, 0.75))]
    connect(services, chat_script, qtbot)
    page = open_chat()
    picture = tmp_path / "a.png"
    QImage(400, 200, QImage.Format.Format_RGB32).save(str(picture))
    page.composer.attach_files([picture])
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    page.composer.find_button.click()
    assert page.composer.edit.placeholderText() == "Describe what to find"
    ask(page, "the Save button", qtbot)
    answer = views(page)[1].message.content
    assert answer.text == "Found at x 100, y 150 of 400 × 200 px."
    assert [(point.x_rel, point.y_rel) for point in answer.points] == [pytest.approx((0.25, 0.75), abs=0.01)]
    page.composer.find_button.click()
    ask(page, "and what is it?", qtbot)
    assert chat_script.last_texts[-1] == "user: and what is it?"
    assert views(page)[3].message.content.text == answer_text(0.25, 0.75)


def test_the_switch_is_there_only_for_models_that_can_do_both(
    services: Services, chat_script: Script, open_chat: Open, qtbot: QtBot
) -> None:
    chat_script.capabilities = ("chat",)
    connect(services, chat_script, qtbot)
    assert not open_chat().composer.find_button.isVisible()


def test_without_a_model_nothing_is_sent_and_nothing_is_lost(services: Services, open_chat: Open, qtbot: QtBot) -> None:
    page = open_chat()
    assert page.composer.load_button.isVisibleTo(page)
    type_into(page, "hello?")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    assert page.composer.edit.toPlainText() == "hello?"
    assert page.history.conversations.list() == []


def test_a_text_longer_than_any_context_is_refused_with_its_length(
    services: Services, open_chat: Open, notices: Notices
) -> None:
    page = open_chat()
    data = QMimeData()
    data.setText("x" * 500_000)
    page.composer.edit.insertFromMimeData(data)
    assert page.composer.edit.toPlainText() == ""
    assert "500,000 characters" in notices.told[0][1]
