"""Settings: kept, checked, private; and the page that changes them."""

import stat
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from app.settings import EndpointSettings, SettingsStore, data_folder
from app.ui.services import Services
from app.ui.settings.page import SettingsPage
from model.errors import InputError


def test_what_is_changed_is_there_at_the_next_start(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "deep" / "settings.json")
    told: list[str] = []
    stop = store.subscribe(lambda value: told.append(value.theme))
    store.change(theme="dark", endpoints=(EndpointSettings(name="a", url="http://a", api_key="secret"),))
    stop()
    store.change(theme="light", pages={"chat": {"width": 3}})
    again = SettingsStore(store.file)
    assert again.value == store.value
    assert again.value.endpoints[0].api_key == "secret"
    assert again.value.pages == {"chat": {"width": 3}}
    assert told == ["dark"]
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600
    assert [path.name for path in store.file.parent.iterdir()] == ["settings.json"]


def test_a_wrong_value_is_refused_by_name_and_changes_nothing(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    with pytest.raises(InputError, match="text_percent"):
        store.change(text_percent=20)
    assert store.value.text_percent == 100


@pytest.mark.parametrize("content", ["{", '{"theme": "pink"}', "[]"])
def test_a_file_that_cannot_be_read_is_put_aside(tmp_path: Path, content: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(content)
    store = SettingsStore(file)
    assert store.value.theme == "system"
    assert "settings.broken.json" in store.problem
    assert (tmp_path / "settings.broken.json").read_text() == content


def test_a_field_of_a_later_version_is_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"theme": "dark", "from_the_future": 1}')
    assert SettingsStore(file).value.theme == "dark"


def test_reset_keeps_endpoints(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    endpoint = EndpointSettings(name="a", url="http://a")
    store.change(theme="dark", endpoints=(endpoint,))
    store.reset()
    assert (store.value.theme, store.value.endpoints) == ("system", (endpoint,))


def test_the_data_folder_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder() == home
    monkeypatch.delenv("DESKHAND_HOME")
    assert data_folder().name == "deskhand"


def _named(page: SettingsPage, kind: type, name: str) -> QComboBox | QSpinBox | QLineEdit:
    return next(each for each in page.findChildren(kind) if each.accessibleName() == name)


def test_the_page_saves_what_it_shows(services: Services, qtbot: QtBot) -> None:
    page = SettingsPage(services)
    qtbot.addWidget(page)
    page.show()
    theme = _named(page, QComboBox, "Theme")
    assert isinstance(theme, QComboBox)
    theme.setFocus()
    qtbot.keyClick(theme, Qt.Key.Key_End)
    assert services.settings.value.theme == "contrast"
    steps = _named(page, QSpinBox, "Most steps")
    assert isinstance(steps, QSpinBox)
    steps.setValue(7)
    assert services.settings.value.agent.max_steps == 7
    apps = _named(page, QLineEdit, "Never these applications")
    assert isinstance(apps, QLineEdit)
    qtbot.keyClicks(apps, "keepassxc, , seahorse")
    qtbot.keyClick(apps, Qt.Key.Key_Return)
    assert services.settings.value.agent.denied_apps == ("keepassxc", "seahorse")
    at_start = next(box for box in page.findChildren(QCheckBox) if "starts" in box.text())
    at_start.click()
    assert services.settings.value.load_at_start is False
    assert services.settings.value.agent.max_steps == 7
