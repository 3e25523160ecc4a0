"""The chat page: history at the left, the conversation with its composer at the right."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.store import NEW_CHAT, Hit, open_history
from app.translate import tr
from app.ui.chat.composer import Composer
from app.ui.chat.history_actions import HistoryActions
from app.ui.chat.history_list import HistoryList
from app.ui.chat.request import only_grounds
from app.ui.chat.session import Session
from app.ui.chat.transcript import COLUMN_TEXTS, Transcript
from app.ui.page import Page
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import hint, label

_SIDE_PX = 248
_SIDE_TEXTS, _TALK_TEXTS = 12, 16
"""Least widths of the history and of the conversation, in heights of the text; without room for both, one shows."""


class ChatPage(Page):
    """Chats with the loaded model, and finds things in pictures with one that only does that."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(services, parent)
        self.history, problem = open_history(services.data_folder)
        self.list = HistoryList()
        self.transcript = Transcript()
        self.composer = Composer(services, self.history)
        self.session = Session(services, self.history, self.transcript, self.composer)
        self.actions_done = HistoryActions(services, self.history, self)
        self._searching: Task | None = None
        self._closed = False
        self._heading = label("", "heading")
        self._heading.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._heading.setWordWrap(True)
        self._advice = hint("")
        self._advice.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._lay_out()
        self._connect()
        self._bind_keys()
        self.refresh_list()
        self._open_last()
        if problem:
            services.notify("warning", problem)
        services.tasks.run(self._sweep, done=_nothing, failed=self._unless_closed)

    def _lay_out(self) -> None:
        self._empty = QWidget()
        middle = QVBoxLayout(self._empty)
        middle.setSpacing(8)
        middle.addStretch(1)
        middle.addWidget(self._heading)
        middle.addWidget(self._advice)
        middle.addStretch(1)
        below = QHBoxLayout()
        below.setContentsMargins(16, 4, 16, 16)
        below.addStretch(1)
        below.addWidget(self.composer, 1000)
        below.addStretch(1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._empty, 1)
        column.addWidget(self.transcript, 1)
        column.addLayout(below)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.list)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        remembered = self.services.settings.value.pages.get("chat", {}).get("side_px")
        self.splitter.setSizes([remembered if isinstance(remembered, int) else _SIDE_PX, 2000])
        self._right = right
        self._listing = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def _connect(self) -> None:
        self.list.new_wanted.connect(self.new_chat)
        self.composer.history_button.clicked.connect(self.focus_search)
        self.list.chosen.connect(self.session.open)
        self.list.search_wanted.connect(self.search)
        self.list.asked.connect(self.actions_done.act)
        self.actions_done.changed.connect(self.refresh_list)
        self.actions_done.deleted.connect(self._deleted)
        self.session.listed.connect(self.refresh_list)
        self.session.switched.connect(self._switched)
        self.services.engine.changed.connect(self._say_what_it_is_for)
        self.services.theme.changed.connect(self._themed)

    def _bind_keys(self) -> None:
        pairs: tuple[tuple[str, Callable[[], None]], ...] = (
            ("Ctrl+N", self.new_chat),
            ("Ctrl+K", self.focus_search),
            ("Ctrl+F", self.focus_search),
            ("Ctrl+Shift+C", self.session.copy_last),
            ("Esc", self.escape),
        )
        for keys, slot in pairs:
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _open_last(self) -> None:
        """Go on where the program ended last."""
        last = self.services.settings.value.pages.get("chat", {}).get("conversation")
        known = {each.id for each in self.history.conversations.list()}
        if isinstance(last, int) and last in known:
            self.session.open(last)
        else:
            self.session.leave()

    def new_chat(self) -> None:
        """Begin a conversation."""
        self._show_list(False)
        self.session.open(NEW_CHAT)

    def focus_search(self) -> None:
        """Go to the search."""
        self._show_list(True)
        self.list.search_box.setFocus()
        self.list.search_box.selectAll()

    def escape(self) -> None:
        """End the search, stop the answer, or leave an edit."""
        if self.list.search_box.hasFocus() or self._listing:
            self.list.search_box.clear()
            self._show_list(False)
            self.composer.edit.setFocus()
        else:
            self.composer.escape()

    def search(self, query: str) -> None:
        """Search the history, in a worker; an empty query lists everything."""
        if self._searching is not None:
            self._searching.cancel()
        if not query:
            self.refresh_list()
            return

        def find(_cancel: Cancel) -> list[Hit]:
            return self.history.search(query)

        self._searching = self.services.tasks.run(
            find, done=lambda hits: self._found(hits, query), failed=self._unless_closed
        )

    def _found(self, hits: list[Hit], query: str) -> None:
        if not self._closed:
            self.list.show_hits(hits, query)

    def refresh_list(self) -> None:
        """List the conversations as they are now, unless a search is shown."""
        if not self.list.query:
            self.list.show_conversations(self.history.conversations.list(), self.session.conversation)

    def _deleted(self, conversation: int) -> None:
        self.session.forget(conversation)
        if conversation in (0, self.session.conversation):
            self.session.leave()

    def _switched(self) -> None:
        self._show_list(False)
        empty = self.session.conversation == NEW_CHAT
        self._empty.setVisible(empty)
        self.transcript.setVisible(not empty)
        if not self.list.query:
            self.list.mark(self.session.conversation)
        self._say_what_it_is_for()
        self._remember(conversation=self.session.conversation)

    def _remember(self, **fields: int) -> None:
        pages = self.services.settings.value.pages
        self.services.settings.change(pages={**pages, "chat": {**pages.get("chat", {}), **fields}})

    def _say_what_it_is_for(self) -> None:
        if only_grounds(self.services.engine.card):
            self._heading.setText(tr("What shall be found?"))
            self._advice.setText(tr("Paste, drop or capture a picture, and describe one thing in it."))
        else:
            self._heading.setText(tr("What can I help with?"))
            self._advice.setText(tr("Ask about pictures, screens, PDFs and videos: paste, drop or capture them."))

    def _themed(self) -> None:
        self._fit()
        self.transcript.redraw()
        self.list.list.viewport().update()

    def _unless_closed(self, error: Exception) -> None:
        if not self._closed:
            self.services.notify("error", str(error))

    def _sweep(self, _cancel: Cancel) -> int:
        return self.history.sweep()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the composer as wide as the messages, and show what there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        text_px = self.services.theme.tokens.text_px
        self.composer.setMaximumWidth(COLUMN_TEXTS * text_px + 32)
        self.list.setMinimumWidth(_SIDE_TEXTS * text_px)
        narrow = self.width() < (_SIDE_TEXTS + _TALK_TEXTS) * text_px
        self.composer.history_button.setVisible(narrow)
        self.list.setVisible(not narrow or self._listing)
        self._right.setVisible(not narrow or not self._listing)

    def _show_list(self, on: bool) -> None:
        """Show the history in place of the conversation, where there is room for one of them only."""
        if on != self._listing:
            self._listing = on
            self._fit()

    def shown(self) -> None:
        """Refresh the list, and be ready to type."""
        self.refresh_list()
        self.composer.edit.setFocus()

    def closing(self) -> None:
        """Keep drafts and what has come of answers, and close the history."""
        if self._closed:
            return
        self._closed = True
        self.list.stop()
        self.composer.stop()
        self.transcript.stop()
        self.session.close()
        if side_px := self.splitter.sizes()[0]:
            self._remember(side_px=side_px)
        self.history.close()


def _nothing(_result: object) -> None:
    pass
