"""Colours and sizes: one file of tokens, and the service that dresses the application in them."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.settings import Settings, SettingsStore, Theme
from app.ui.style import style_sheet

TOKENS_FILE = Path(__file__).resolve().parents[2] / "assets" / "theme" / "tokens.json"
TOKENS_PROPERTY = "deskhandTokens"
BASE_TEXT_PX = 14

_DARK_BELOW = 128


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as ``#rrggbb``, and lengths in logical pixels; ``text_px`` is the size of ordinary text."""

    window: str
    surface: str
    raised: str
    sidebar: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    border: str
    control: str
    danger: str
    danger_hover: str
    on_danger: str
    success: str
    warning: str
    selection: str
    hover: str
    focus: str
    code_background: str
    marker: str
    on_marker: str
    is_dark: bool = False
    is_contrast: bool = False
    spacing_px: int = 8
    radius_px: int = 6
    text_px: int = BASE_TEXT_PX

    def color(self, name: str) -> QColor:
        """Return a colour by its name."""
        return QColor(cast(str, getattr(self, name)))


def read_tokens(theme: Theme, text_percent: int = 100) -> Tokens:
    """Read one theme of the tokens' file; "system" is not one."""
    colours: dict[str, str] = json.loads(TOKENS_FILE.read_text(encoding="utf-8"))[theme]
    tokens = Tokens(**colours)  # pyright: ignore[reportArgumentType] - the file has colours only
    return replace(
        tokens,
        is_dark=QColor(colours["window"]).lightness() < _DARK_BELOW,
        is_contrast=theme == "contrast",
        text_px=round(BASE_TEXT_PX * text_percent / 100),
    )


def color_names() -> tuple[str, ...]:
    """Return the names of all colours."""
    return tuple(field.name for field in fields(Tokens) if field.type in ("str", str))


def tokens_now() -> Tokens:
    """Return what the application is dressed in, for widgets that are made without services."""
    application = QApplication.instance()
    tokens = application.property(TOKENS_PROPERTY) if application is not None else None
    return tokens if isinstance(tokens, Tokens) else read_tokens("light")


class ThemeService(QObject):
    """Dresses the application, again whenever the settings or the desktop change; ``changed`` follows."""

    changed = Signal()

    def __init__(self, settings: SettingsStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._dressed: tuple[Theme, int] | None = None
        # What the desktop says, before our own palette hides it.
        self._desktop_dark = QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() < _DARK_BELOW
        self.tokens = self._chosen()
        settings.subscribe(self._settings_changed)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._desktop_changed)

    def apply(self) -> None:
        """Dress the application in what is chosen now."""
        self.tokens = tokens = self._chosen()
        application = QApplication.instance()
        if not isinstance(application, QApplication):
            return
        if application.style().name() != "fusion":
            application.setStyle("Fusion")
        # First, as widgets that hear of the new font look here for what else is new.
        application.setProperty(TOKENS_PROPERTY, tokens)
        application.setFont(ui_font(tokens.text_px))
        application.setPalette(palette_of(tokens))
        application.setStyleSheet(style_sheet(tokens))
        self.changed.emit()

    def _chosen(self) -> Tokens:
        value = self._settings.value
        theme: Theme = value.theme
        if theme == "system":
            scheme = QGuiApplication.styleHints().colorScheme()
            known = scheme != Qt.ColorScheme.Unknown
            dark = scheme == Qt.ColorScheme.Dark if known else self._desktop_dark
            theme = "dark" if dark else "light"
        self._dressed = (value.theme, value.text_percent)
        return read_tokens(theme, value.text_percent)

    def _settings_changed(self, value: Settings) -> None:
        if (value.theme, value.text_percent) != self._dressed:
            self.apply()

    def _desktop_changed(self, scheme: Qt.ColorScheme) -> None:
        self._desktop_dark = scheme == Qt.ColorScheme.Dark
        if self._settings.value.theme == "system":
            self.apply()


def ui_font(size_px: int) -> QFont:
    """Return the system's own font at this size."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(size_px)
    return font


def palette_of(tokens: Tokens) -> QPalette:
    """Make Qt's palette from the tokens, for what the style sheet does not reach."""
    roles = QPalette.ColorRole
    named = {
        roles.Window: tokens.window,
        roles.WindowText: tokens.text,
        roles.Base: tokens.surface,
        roles.AlternateBase: tokens.raised,
        roles.Text: tokens.text,
        roles.Button: tokens.raised,
        roles.ButtonText: tokens.text,
        roles.BrightText: tokens.danger,
        roles.Highlight: tokens.accent,
        roles.HighlightedText: tokens.on_accent,
        roles.Link: tokens.accent,
        roles.LinkVisited: tokens.accent,
        roles.ToolTipBase: tokens.raised,
        roles.ToolTipText: tokens.text,
        roles.PlaceholderText: tokens.muted,
        roles.Accent: tokens.accent,
        roles.Light: tokens.raised,
        roles.Midlight: tokens.hover,
        roles.Mid: tokens.border,
        roles.Dark: tokens.control,
        roles.Shadow: tokens.border,
    }
    palette = QPalette()
    for role, colour in named.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return palette
