"""Every string of the app is translated, and what is shown went through `tr`."""

import ast
import importlib.util
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabWidget,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.translate import ASSETS, LANGUAGES, language_of, read_catalogue, set_language, tr
from app.ui.main_window import MainWindow
from app.ui.page import PAGES
from app.ui.services import Services

_QTS_OWN = ("ScrollLeftButton", "ScrollRightButton")
"""Controls that Qt makes inside of others, and names itself from its own catalogue."""

APP = Path(__file__).resolve().parents[3] / "app"
SOURCES = [path for path in sorted(APP.rglob("*.py")) if "tr(" in path.read_text(encoding="utf-8")]


def _said(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield line and text of each call of `tr`; None for what is no literal."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and node.args:
            first = node.args[0]
            value = first.value if isinstance(first, ast.Constant) else None
            yield node.lineno, value if isinstance(value, str) else None


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(APP)))
def test_every_string_has_a_chinese_translation(path: Path) -> None:
    chinese = read_catalogue("zh_CN")
    lacking = [(line, text) for line, text in _said(path) if text is None or text not in chinese]
    assert not lacking, f"{path.relative_to(APP)}: not a literal, or not in assets/translations/zh_CN: {lacking}"


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_translations_keep_the_fields_and_say_something(code: str) -> None:
    for english, translated in read_catalogue(code).items():
        assert translated.strip(), english
        assert _fields(english) == _fields(translated), english


def test_no_two_files_translate_the_same_text_differently() -> None:
    known: dict[str, tuple[str, str]] = {}
    for file in sorted((ASSETS / "zh_CN").glob("*.json")):
        for english, translated in json.loads(file.read_text(encoding="utf-8")).items():
            before = known.setdefault(english, (translated, file.name))
            assert before[0] == translated, f"{english!r}: {before[1]} and {file.name}"


def test_a_language_is_spoken_and_english_is_what_is_left() -> None:
    set_language("zh_CN")
    assert tr("Settings") == "设置"
    assert tr("never {translated}", translated=3) == "never 3"
    set_language("pseudo")
    assert tr("Ab {value:.1f} {{x}}", value=2) == "⟦Ȧƀ 2.0 {x}⟧"
    set_language("en")
    assert tr("Settings") == "Settings"
    assert (language_of("zh_CN.UTF-8"), language_of("de_DE")) == ("zh_CN", "en")


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("name", [entry.name for entry in PAGES if _exists(entry.module)])
def test_nothing_on_a_page_escapes_translation(name: str, services: Services, qtbot: QtBot) -> None:
    set_language("pseudo")
    window = MainWindow(services, name)
    with qtbot.waitExposed(window):
        window.show()
    assert window.current == name
    escaped = [found for found in _texts(window) if _is_plain(found[1])]
    window.end()
    window.deleteLater()
    assert not escaped


def _texts(window: QWidget) -> Iterator[tuple[str, str]]:
    """Yield what each control says to eyes and to screen readers, unless it says that it is data."""
    for widget in window.findChildren(QWidget):
        if _is_data(widget) or widget.objectName() in _QTS_OWN or widget.objectName().startswith("qt_"):
            continue
        for text in (*_shown(widget), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()):
            if text:
                yield f"{type(widget).__name__} {widget.objectName()}", text


def _is_data(widget: QWidget | None) -> bool:
    while widget is not None:
        if widget.property("data"):
            return True
        widget = widget.parentWidget()
    return False


def _shown(widget: QWidget) -> list[str]:
    match widget:
        case QLabel() | QAbstractButton():
            return [widget.text()]
        case QLineEdit() | QPlainTextEdit() | QTextEdit():
            return [widget.placeholderText()]
        case QGroupBox():
            return [widget.title()]
        case QComboBox():
            items = range(widget.count())
            return [widget.itemText(place) for place in items if not widget.property("data")]
        case QTabWidget():
            return [widget.tabText(place) for place in range(widget.count())]
    return []


def _is_plain(text: str) -> bool:
    """Whether letters remain outside of what went through the pseudo-locale."""
    rest = re.sub(r"<[^>]*>", "", text)
    while "⟦" in rest:
        shorter = re.sub(r"⟦[^⟦⟧]*⟧", "", rest)
        if shorter == rest:
            break
        rest = shorter
    rest = re.sub(r"\bmoonshotai/[\w.-]+", "", rest)
    rest = re.sub(r"\b(deskhand-nano|Deskhand|Ctrl|Shift|Alt|Enter|Esc|F1|ms|px|int4|int8|builtin|Space)\b", "", rest)
    return re.search(r"[A-Za-z]{2}", rest) is not None
