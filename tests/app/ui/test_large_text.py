"""Every page at every size of text, in a window of 900 × 640: nothing is cut off and nothing scrolls sideways."""

from contextlib import suppress

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.exceptions import TimeoutError as NotInTimeError
from pytestqt.qtbot import QtBot

from app.model_fit import ModelFit, Quantize
from app.translate import set_language
from app.ui.chat.page import ChatPage
from app.ui.main_window import MainWindow
from app.ui.page import PAGES
from app.ui.services import Services
from app.ui.widgets.flow import flow
from app.ui.widgets.switch import Switch
from tests.app.ui.cut_off import cut_off
from tests.app.ui.tour_data import seed

REPO = "moonshotai/Kimi-VL-A3B-Thinking-2506"
GB = 1_000_000_000


def fits(_cancel: object) -> list[ModelFit]:
    """Say of two models what `probe.fits` takes seconds for."""
    formats: list[tuple[Quantize | None, int, str]] = [
        (None, 33, "will not fit"),
        ("int8", 17, "will not fit"),
        ("int4", 10, "tight"),
    ]
    return [
        ModelFit(
            *(name, "", "MIT", 33 * GB, None, ("chat", "ground"), number, "cpu", 8192),
            *(size * GB, GB, 2 * GB, (size + 3) * GB, 8 * GB, verdict),
        )
        for name in ("builtin", REPO)
        for number, size, verdict in formats
    ]


@pytest.mark.parametrize(("percent", "language"), [(100, "zh_CN"), (200, "en"), (300, "en")])
@pytest.mark.parametrize("name", [entry.name for entry in PAGES])
def test_a_page_fits_a_narrow_window_at_any_size_of_text(
    name: str, percent: int, language: str, services: Services, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.probe.fits", fits)
    monkeypatch.setattr("app.ui.machine.probe.findings", lambda _cancel: [])
    set_language(language)
    seed(services.data_folder)
    services.settings.change(text_percent=percent)
    window = MainWindow(services, name)
    window.resize(900, 640)
    with qtbot.waitExposed(window):
        window.show()
    if isinstance(chat := window.page("chat"), ChatPage):
        chat.session.open(chat.history.conversations.list()[0].id)
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=20_000)
    with suppress(NotInTimeError):
        qtbot.waitUntil(lambda: not cut_off(window), timeout=1_000)
    found = cut_off(window)
    window.end()
    window.deleteLater()
    assert not found


def test_a_text_that_is_enlarged_while_the_page_is_open_fits_as_well(services: Services, qtbot: QtBot) -> None:
    window = MainWindow(services, "settings")
    window.resize(900, 640)
    with qtbot.waitExposed(window):
        window.show()
    services.settings.change(text_percent=300)
    qtbot.waitUntil(lambda: not cut_off(window), timeout=5_000)
    services.settings.change(text_percent=100)
    qtbot.waitUntil(lambda: not cut_off(window), timeout=5_000)
    window.end()
    window.deleteLater()


def test_controls_go_on_in_the_next_line_where_there_is_no_room(qtbot: QtBot) -> None:
    buttons = [QPushButton(f"a button with number {number}") for number in range(3)]
    holder = flow(buttons[0], buttons[1], "stretch", buttons[2])
    qtbot.addWidget(holder)
    holder.show()
    wide = holder.sizeHint().width()
    holder.resize(wide + 100, holder.heightForWidth(wide + 100))
    assert len({button.y() for button in buttons}) == 1
    assert buttons[2].geometry().right() == holder.rect().right()
    narrow = wide * 2 // 5
    holder.resize(narrow, holder.heightForWidth(narrow))
    assert [button.x() for button in buttons] == [0, 0, 0]
    assert buttons[2].geometry().bottom() <= holder.rect().bottom()
    buttons[1].hide()
    assert holder.heightForWidth(narrow) == 2 * buttons[0].height() + 8


def test_a_long_text_beside_a_box_wraps_and_any_of_it_can_be_clicked(qtbot: QtBot) -> None:
    switch = Switch("Mark the place of a click before it happens, on the real screen")
    qtbot.addWidget(switch)
    switch.resize(160, switch.heightForWidth(160))
    switch.show()
    assert switch.height() > 2 * switch.sizeHint().height()
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=switch.rect().bottomRight() - QPoint(4, 4))
    assert switch.isChecked()


def test_the_sheet_of_keys_is_asked_for_by_its_key(services: Services, qtbot: QtBot) -> None:
    window = MainWindow(services, "settings")
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    with qtbot.waitSignal(window.help_wanted):
        QTest.keySequence(window, QKeySequence("Ctrl+/"))
    window.end()
    window.deleteLater()
