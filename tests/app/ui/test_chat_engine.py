"""The chat page with the built-in checkpoint in its own process: found, killed, found again."""

import os
import signal
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.samples import sample
from app.ui.chat.page import ChatPage
from app.ui.chat.pictures import MarkedPicture
from app.ui.services import Services

_LOADED_MS = 120_000


@pytest.fixture
def page(services: Services, qtbot: QtBot) -> Iterator[ChatPage]:
    page = ChatPage(services)
    page.resize(1000, 700)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow, timeout=20_000)
    yield page
    page.closing()
    page.close()
    page.deleteLater()


def _finished(page: ChatPage, messages: int) -> bool:
    return len(page.transcript.views) == messages and not page.session.is_answering


def test_the_built_in_checkpoint_finds_what_is_described_and_its_death_costs_no_text(
    services: Services, page: ChatPage, qtbot: QtBot
) -> None:
    page.composer.load_button.click()
    qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=_LOADED_MS)
    assert page.composer.edit.placeholderText() == "Describe what to find"
    picture, (target, *_) = sample()
    page.composer.attach_files([picture])
    qtbot.waitUntil(lambda: not page.composer.strip.is_reading, timeout=20_000)
    assert page.composer.strip.chips[0].told.startswith("1280×800")
    QTest.keyClicks(page.composer.edit, target.instruction)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: _finished(page, 2), timeout=_LOADED_MS)
    answer = page.transcript.views[1].message.content
    assert answer.state == "complete", answer.error
    (point,) = answer.points
    assert target.distance_px(point.x_rel * 1280, point.y_rel * 800) == 0
    assert answer.figures.prompt_tokens > 1000
    marked = page.transcript.findChild(MarkedPicture)
    assert isinstance(marked, MarkedPicture)
    qtbot.waitUntil(lambda: marked.view.image is not None, timeout=20_000)

    pid = services.engine.pid
    assert pid is not None
    # Held, so that it cannot answer before it is killed; the moment is for the question to reach its socket.
    os.kill(pid, signal.SIGSTOP)
    QTest.keyClicks(page.composer.edit, "the Cancel button")
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.wait(1500)
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: _finished(page, 4), timeout=_LOADED_MS)
    assert page.transcript.views[2].message.content.text == "the Cancel button"
    failed = page.transcript.views[3]
    assert failed.message.content.state == "failed"
    assert "ended in the middle" in failed.message.content.error
    retry = failed.findChild(QPushButton, "retry")
    assert isinstance(retry, QPushButton)
    retry.click()
    qtbot.waitUntil(
        lambda: _finished(page, 4) and page.transcript.views[3].message.content.state == "complete", timeout=_LOADED_MS
    )
    assert page.transcript.views[1].message.content.points == answer.points
    assert page.transcript.views[3].message.content.points
