"""The chat page with a real server behind it, for tests: what opens it, types into it and reads it."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.settings import EndpointSettings
from app.ui.chat.message import MessageView
from app.ui.chat.page import ChatPage
from app.ui.services import Services
from tests.app.ui.chat_server import Script, chat_server, words

ANSWER = "A **bold** word.\n\n```python\nprint('hi')\n```\n\nThe end."


Open = Callable[[], ChatPage]


@pytest.fixture
def chat_script(services: Services, qtbot: QtBot) -> Iterator[Script]:
    with chat_server(Script([words(ANSWER)])) as script:
        yield script
        services.engine.close()


@pytest.fixture
def open_chat(services: Services, qtbot: QtBot) -> Iterator[Open]:
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


def connect(services: Services, script: Script, qtbot: QtBot) -> None:
    services.engine.use_endpoint(EndpointSettings(name="scripted", url=script.url))
    qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=20_000)


def type_into(page: ChatPage, text: str) -> None:
    page.composer.edit.setFocus()
    for at, line in enumerate(text.split("\n")):
        if at:
            QTest.keyClick(page.composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClicks(page.composer.edit, line)


def ask(page: ChatPage, text: str, qtbot: QtBot) -> None:
    type_into(page, text)
    QTest.keyClick(page.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.session.is_answering, timeout=20_000)


def views(page: ChatPage) -> list[MessageView]:
    return list(page.transcript.views)


def press(view: MessageView, name: str) -> None:
    found = view.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), f"there is no button {name}"
    found.click()


def text_shown(view: MessageView) -> str:
    return view.body.markdown if view.body is not None else view.message.content.text
