"""The sidebar: one entry a page, and how the engine is."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.engine import EngineService
from app.ui.icons import pixmap
from app.ui.theme import ThemeService
from app.ui.widgets.controls import Button

_GAP = "\N{EN SPACE}"
"""Between icon and text, which Qt sets close."""
_NAMES_PX = 188
_ICONS_PX = 60
_COLOURS = {"ready": "success", "starting": "warning", "restarting": "warning", "failed": "danger", "none": "muted"}


def page_title(name: str) -> str:
    """Return what a page is called."""
    match name:
        case "chat":
            return tr("Chat")
        case "agent":
            return tr("Agent")
        case "batch":
            return tr("Batch")
        case "models":
            return tr("Models")
        case "settings":
            return tr("Settings")
    return name


class Sidebar(QWidget):
    """``chosen`` carries the name of a page. Narrow windows get icons alone."""

    chosen = Signal(str)
    status_clicked = Signal()
    help_clicked = Signal()

    def __init__(self, names: list[str], engine: EngineService, theme: ThemeService, parent: QWidget) -> None:
        super().__init__(parent)
        self._engine = engine
        self._theme = theme
        self._narrow = False
        self.setProperty("role", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Pages"))
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 12, 8, 12)
        self._layout.setSpacing(4)
        self._layout.addWidget(self._brand())
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.entries: dict[str, Button] = {}
        for number, name in enumerate(names, 1):
            self._add(name, number)
        self._layout.addStretch(1)
        self.help = Button("", "info", "nav")
        self.help.setAccessibleName(tr("Keys and help"))
        self.help.setToolTip(tr("Keys and help"))
        self.help.clicked.connect(self.help_clicked)
        self._layout.addWidget(self.help)
        self.status = Button("", "", "nav")
        self.status.setObjectName("engine-status")
        self.status.clicked.connect(self.status_clicked)
        self._layout.addWidget(self.status)
        engine.changed.connect(self.refresh)
        theme.changed.connect(self._dress)
        self._dress()

    def _brand(self) -> QWidget:
        holder = QWidget()
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(12, 0, 0, 12)
        layout.setSpacing(10)
        self._mark = QLabel()
        self._name = QLabel("Deskhand")
        self._name.setProperty("role", "subheading")
        self._name.setProperty("data", True)
        layout.addWidget(self._mark)
        layout.addWidget(self._name, 1)
        return holder

    def _add(self, name: str, number: int) -> None:
        title = page_title(name)
        entry = Button("", name, "nav")
        entry.setObjectName(f"page-{name}")
        entry.setCheckable(True)
        entry.setAccessibleName(title)
        entry.setToolTip(f"{title} ({QKeySequence(f'Ctrl+{number}').toString(QKeySequence.SequenceFormat.NativeText)})")
        entry.clicked.connect(lambda _checked=False, name=name: self.chosen.emit(name))
        self._group.addButton(entry)
        self._layout.addWidget(entry)
        self.entries[name] = entry

    def mark(self, name: str) -> None:
        """Show which page is open."""
        if entry := self.entries.get(name):
            entry.setChecked(True)

    def set_narrow(self, narrow: bool) -> None:
        """Show icons alone, or names as well."""
        if narrow != self._narrow:
            self._narrow = narrow
            self._dress()

    def refresh(self) -> None:
        """Say how the engine is."""
        engine, tokens = self._engine, self._theme.tokens
        said = {
            "none": tr("No model loaded"),
            "starting": tr("Loading…"),
            "ready": tr("Ready"),
            "restarting": tr("Restarting…"),
            "failed": tr("Engine failed"),
        }[engine.state]
        shown = engine.card.id if engine.state == "ready" and engine.card is not None else said
        self.status.setAccessibleName(tr("Engine: {state}", state=f"{said} {engine.name}".strip()))
        detail = f"{said} · {engine.name}" if engine.name else said
        self.status.setToolTip(f"{detail}\n{engine.message}".strip())
        self.status.setProperty("data", True)
        room = round((_NAMES_PX - 64) * tokens.text_px / 14)
        self.status.setText("" if self._narrow else _GAP + _shortened(self.status, shown, room))
        self.status.setIcon(pixmap("dot", getattr(tokens, _COLOURS[engine.state]), round(tokens.text_px * 0.9)))

    def _dress(self) -> None:
        tokens = self._theme.tokens
        scale = tokens.text_px / 14
        self.setFixedWidth(round((_ICONS_PX if self._narrow else _NAMES_PX) * scale))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._mark.setPixmap(pixmap("logo", tokens.accent, round(22 * scale)))
        self._name.setVisible(not self._narrow)
        self.help.setText("" if self._narrow else _GAP + tr("Help"))
        for entry in (*self.entries.values(), self.help, self.status):
            entry.setProperty("narrow", self._narrow)
            entry.style().unpolish(entry)
            entry.style().polish(entry)
        for name, entry in self.entries.items():
            entry.setText("" if self._narrow else _GAP + page_title(name))
            entry.setIconSize(QSize(round(20 * scale), round(20 * scale)))
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow a change of the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.refresh()


def _shortened(widget: QWidget, text: str, room_px: int) -> str:
    return widget.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room_px)
