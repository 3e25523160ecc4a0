"""The list of conversations at the left, with search and what can be done to each."""

import time
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.store import Conversation, Hit
from app.translate import tr
from app.ui.icons import icon
from app.ui.theme import tokens_now
from app.ui.widgets.controls import button, icon_button, label

SEARCH_AFTER_MS = 120

_CONVERSATION = Qt.ItemDataRole.UserRole
_MESSAGE = Qt.ItemDataRole.UserRole + 1
_PINNED = Qt.ItemDataRole.UserRole + 2
_SNIPPET = Qt.ItemDataRole.UserRole + 3
_HEADING = Qt.ItemDataRole.UserRole + 4
_DAY_S = 86400.0


class _Lines(QStyledItemDelegate):
    """Draws a conversation's title, and below it what was found in it."""

    def sizeHint(self, option: QStyleOptionViewItem, index) -> QSize:  # noqa: ANN001, N802 - Qt's name
        tokens = tokens_now()
        lines = 2 if index.data(_SNIPPET) else 1
        return QSize(80, round(tokens.text_px * (1.45 * lines + (0.5 if index.data(_HEADING) else 0.85))))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index) -> None:  # noqa: ANN001 - Qt's
        tokens = tokens_now()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = option.rect.adjusted(2, 1, -2, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if index.data(_HEADING):
            font = option.font
            font.setPixelSize(round(tokens.text_px * 0.82))
            painter.setFont(font)
            painter.setPen(tokens.color("muted"))
            painter.drawText(area.adjusted(10, 0, 0, -2), Qt.AlignmentFlag.AlignBottom, index.data())
            painter.restore()
            return
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("selection" if selected else "hover"))
            painter.drawRoundedRect(area, tokens.radius_px, tokens.radius_px)
        if bool(option.state & QStyle.StateFlag.State_HasFocus) and selected:
            painter.setPen(tokens.color("focus"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, tokens.radius_px, tokens.radius_px)
        inside = area.adjusted(10, 0, -8, 0)
        if index.data(_PINNED):
            size = round(tokens.text_px * 1.0)
            drawn = icon("pin", tokens, size, "muted")
            drawn.paint(painter, inside.right() - size, area.center().y() - size // 2, size, size)
            inside.setRight(inside.right() - size - 6)
        metrics = option.fontMetrics
        snippet = index.data(_SNIPPET)
        title = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, inside.width())
        painter.setPen(tokens.color("text"))
        if not snippet:
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, title)
        else:
            half = inside.height() // 2
            painter.drawText(inside.adjusted(0, 4, 0, -half), Qt.AlignmentFlag.AlignVCenter, title)
            painter.setPen(tokens.color("muted"))
            words = metrics.elidedText(snippet, Qt.TextElideMode.ElideRight, inside.width())
            painter.drawText(inside.adjusted(0, half, 0, -4), Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


class _List(QListWidget):
    asked = Signal(str, int)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        item = self.currentItem()
        chosen = item.data(_CONVERSATION) if item is not None else None
        if chosen and event.key() == Qt.Key.Key_Delete:
            self.asked.emit("delete", chosen)
        elif chosen and event.key() == Qt.Key.Key_F2:
            self.asked.emit("rename", chosen)
        elif item is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.itemActivated.emit(item)
        else:
            super().keyPressEvent(event)


class HistoryList(QWidget):
    """Lists conversations. ``chosen(conversation, message or 0)``, ``new_wanted``, ``search_wanted(query)``.

    ``asked(action, conversation)``: "rename", "pin", "unpin", "delete", "export_md", "export_json", and for all of
    the history, with conversation 0, "export_all", "import", "delete_all".
    """

    chosen = Signal(int, int)
    new_wanted = Signal()
    search_wanted = Signal(str)
    asked = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.new_button = button(tr("New chat"), icon="plus", tip=tr("New chat (Ctrl+N)"))
        self.new_button.clicked.connect(self.new_wanted)
        self.more_button = icon_button("list", tr("Export, import, delete"))
        self.more_button.clicked.connect(self._more)
        self.search_box = QLineEdit()
        self.search_box.setPlaceholderText(tr("Search"))
        self.search_box.setAccessibleName(tr("Search the history"))
        self.search_box.setToolTip(tr("Search the history (Ctrl+K), Esc ends it"))
        self.search_box.textChanged.connect(self._typed)
        self.search_box.returnPressed.connect(self._first)
        self.list = _List()
        self.list.setProperty("data", True)
        self.list.setAccessibleName(tr("Conversations"))
        self.list.setItemDelegate(_Lines(self.list))
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setStyleSheet("QListWidget { background: transparent; border: none; }")
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.list.asked.connect(self.asked)
        self.list.customContextMenuRequested.connect(self._menu)
        self._nothing = label("", "muted")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_AFTER_MS)
        self._timer.timeout.connect(self._search)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.new_button, 1)
        head.addWidget(self.more_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 8, 12)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.search_box)
        layout.addWidget(self._nothing)
        layout.addWidget(self.list, 1)

    def show_conversations(self, conversations: Sequence[Conversation], current: int) -> None:
        """List them, with the current one marked."""
        self.list.clear()
        groups = ""
        now = time.time()
        for conversation in conversations:
            group = _group(conversation, now)
            if group != groups:
                groups = group
                self._add_heading(group)
            self._add(conversation, conversation.id == current)
        self._nothing.setText("" if conversations else tr("What you ask is kept here."))
        self._nothing.setVisible(not conversations)

    def show_hits(self, hits: Sequence[Hit], query: str) -> None:
        """List what was found."""
        if query != self.query:
            return
        self.list.clear()
        for hit in hits:
            item = self._add(hit.conversation, False)
            item.setData(_MESSAGE, hit.message_id or 0)
            item.setData(_SNIPPET, hit.snippet)
            item.setToolTip(hit.snippet)
        self._nothing.setText("" if hits else tr("Nothing found."))
        self._nothing.setVisible(not hits)

    @property
    def query(self) -> str:
        """What is searched for."""
        return self.search_box.text().strip()

    def mark(self, conversation_id: int) -> None:
        """Mark the current one."""
        self.list.setCurrentRow(-1)
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item is not None and item.data(_CONVERSATION) == conversation_id:
                self.list.setCurrentRow(row)
                return

    def _add_heading(self, text: str) -> None:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setData(_HEADING, True)
        self.list.addItem(item)

    def _add(self, conversation: Conversation, current: bool) -> QListWidgetItem:
        item = QListWidgetItem(conversation.title or tr("Untitled"))
        item.setData(_CONVERSATION, conversation.id)
        item.setData(_MESSAGE, 0)
        item.setData(_PINNED, conversation.pinned)
        item.setToolTip(conversation.title)
        self.list.addItem(item)
        if current:
            self.list.setCurrentItem(item)
        return item

    def _choose(self, item: QListWidgetItem) -> None:
        if conversation := item.data(_CONVERSATION):
            self.chosen.emit(conversation, item.data(_MESSAGE) or 0)

    def _first(self) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item is not None and item.data(_CONVERSATION):
                self.list.setCurrentRow(row)
                self._choose(item)
                return

    def _typed(self) -> None:
        self._timer.start()

    def _search(self) -> None:
        self.search_wanted.emit(self.query)

    def stop(self) -> None:
        """End the timer: the page goes."""
        self._timer.stop()

    def _menu(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        conversation = item.data(_CONVERSATION) if item is not None else None
        if item is not None and conversation:
            self.menu_for(conversation, bool(item.data(_PINNED))).popup(self.list.viewport().mapToGlobal(place))

    def menu_for(self, conversation: int, pinned: bool) -> QMenu:
        """Make the menu of a conversation."""
        return self._made(
            [
                (tr("Rename…"), "rename"),
                (tr("Unpin"), "unpin") if pinned else (tr("Pin"), "pin"),
                None,
                (tr("Export as Markdown…"), "export_md"),
                (tr("Export as JSON…"), "export_json"),
                None,
                (tr("Delete…"), "delete"),
            ],
            conversation,
        )

    def _more(self) -> None:
        current = self.list.currentItem()
        conversation, pinned = 0, False
        if current is not None:
            conversation, pinned = current.data(_CONVERSATION) or 0, bool(current.data(_PINNED))
        menu = self.menu_for(conversation, pinned) if conversation else self._made([], 0)
        if conversation:
            menu.addSeparator()
        for text, action in (
            (tr("Export all…"), "export_all"),
            (tr("Import…"), "import"),
            (tr("Delete all…"), "delete_all"),
        ):
            menu.addAction(text).triggered.connect(lambda _on=False, action=action: self.asked.emit(action, 0))
        menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    def _made(self, entries: Sequence[tuple[str, str] | None], conversation: int) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for entry in entries:
            if entry is None:
                menu.addSeparator()
                continue
            text, action = entry
            menu.addAction(text).triggered.connect(
                lambda _on=False, action=action: self.asked.emit(action, conversation)
            )
        return menu


def _group(conversation: Conversation, now: float) -> str:
    if conversation.pinned:
        return tr("Pinned")
    age_s = now - conversation.updated_s
    if age_s < _DAY_S:
        return tr("Last 24 hours")
    if age_s < 7 * _DAY_S:
        return tr("Last 7 days")
    if age_s < 30 * _DAY_S:
        return tr("Last 30 days")
    return tr("Older")
