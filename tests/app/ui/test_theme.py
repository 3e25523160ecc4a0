"""Themes: enough contrast in each, switched while the window is open, at every text size."""

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.settings import Theme
from app.ui.icons import FOLDER, icon
from app.ui.services import Services
from app.ui.theme import color_names, read_tokens
from app.ui.widgets.controls import button, icon_button

THEMES: tuple[Theme, ...] = ("light", "dark", "contrast")
TEXT_ON = (
    *(
        ("text", ground)
        for ground in ("window", "surface", "raised", "sidebar", "selection", "hover", "code_background")
    ),
    *(
        (ink, ground)
        for ink in ("muted", "accent", "danger", "success", "warning")
        for ground in ("window", "surface", "raised")
    ),
    ("muted", "sidebar"),
    ("muted", "hover"),
    ("success", "sidebar"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_danger", "danger"),
    ("on_danger", "danger_hover"),
    ("on_marker", "marker"),
)
OUTLINE_ON = (
    ("control", "surface"),
    ("control", "window"),
    ("focus", "surface"),
    ("focus", "window"),
    ("focus", "sidebar"),
)


def _luminance(color: str) -> float:
    read = QColor(color)
    parts = [channel / 255 for channel in (read.red(), read.green(), read.blue())]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_every_ground(theme: Theme) -> None:
    tokens, least = read_tokens(theme), 7.0 if theme == "contrast" else 4.5
    faint = {
        f"{ink} on {ground}": round(found, 2)
        for ink, ground in TEXT_ON
        if (found := _contrast(getattr(tokens, ink), getattr(tokens, ground))) < least
    }
    assert not faint


@pytest.mark.parametrize("theme", THEMES)
def test_outlines_can_be_seen(theme: Theme) -> None:
    tokens = read_tokens(theme)
    for ink, ground in OUTLINE_ON:
        assert _contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 3.0, (ink, ground)


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_is_one(theme: Theme) -> None:
    tokens = read_tokens(theme)
    assert all(QColor(getattr(tokens, name)).isValid() for name in color_names())
    assert tokens.is_dark == (theme != "light")


def test_contrast_is_measured_as_wcag_does() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_theme_and_a_text_size_hold_at_once(services: Services, qtbot: QtBot, qapp: QApplication) -> None:
    shown = button("Copy", icon="copy")
    qtbot.addWidget(shown)
    services.settings.change(theme="light", text_percent=100)
    light = shown.icon().pixmap(18, 18).toImage()
    with qtbot.waitSignal(services.theme.changed):
        services.settings.change(theme="dark")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(read_tokens("dark").window)
    assert shown.icon().pixmap(18, 18).toImage() != light
    height = shown.sizeHint().height()
    with qtbot.waitSignal(services.theme.changed):
        services.settings.change(text_percent=300)
    assert qapp.font().pixelSize() == 42
    assert shown.sizeHint().height() > 2 * height


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.svg")))
def test_each_icon_draws_something_in_its_colour(name: str, services: Services, qtbot: QtBot) -> None:
    tokens = read_tokens("light")
    image = icon(name, tokens, 24, "danger").pixmap(24, 24).toImage()
    inked = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 200]
    assert inked
    wanted = QColor(tokens.danger)
    assert all(abs(color.red() - wanted.red()) < 8 for color in inked)


def test_a_button_without_words_has_a_name(services: Services, qtbot: QtBot) -> None:
    made = icon_button("trash", "Delete the chat")
    qtbot.addWidget(made)
    assert (made.accessibleName(), made.toolTip()) == ("Delete the chat", "Delete the chat")
