"""The messages of a conversation below each other; older ones come when one scrolls up to them."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.store import Attachment, StoredMessage
from app.ui.chat.message import MessageView
from app.ui.theme import tokens_now

PAGE_MESSAGES = 16

COLUMN_TEXTS = 58
"""Width of the column of messages, in heights of its text."""
_NEAR_PX = 48
_EARLY_PX = 600
_SETTLE_MS = 60


class Transcript(QScrollArea):
    """Shows messages and stays at the end while the person is there.

    ``older_wanted`` is emitted when one comes near the top and there are older ones. ``asked``, ``opened``
    and ``wants_picture`` are those of the messages.
    """

    older_wanted = Signal()
    asked = Signal(str, int)
    opened = Signal(object, object)
    wants_picture = Signal(object, object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self._holder = QWidget()
        self._holder.setProperty("role", "scrolled")
        self._holder.setAutoFillBackground(False)
        self._column = QVBoxLayout(self._holder)
        self._column.setSpacing(20)
        self._column.addStretch(1)
        self.setWidget(self._holder)
        self._views: list[MessageView] = []
        self._before = 0
        self._at_end = True
        self._loading = False
        self._from_bottom: int | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._settled)
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._moved)
        bar.rangeChanged.connect(self._grew)

    @property
    def views(self) -> Sequence[MessageView]:
        """The messages that are shown, oldest first."""
        return tuple(self._views)

    @property
    def before(self) -> int:
        """How many older messages there are that are not shown."""
        return self._before

    def clear(self) -> None:
        """Show nothing."""
        self._cut(0)
        self._before = 0

    def show_messages(self, messages: Sequence[StoredMessage], before: int, pictures: dict[int, Attachment]) -> None:
        """Show these in place of what there is; ``pictures`` has what each answer speaks of."""
        self.setUpdatesEnabled(False)
        self.clear()
        self._before = before
        self._at_end = True
        for message in messages:
            self.append(message, pictures.get(message.id))
        self.setUpdatesEnabled(True)
        self.to_end()

    def prepend(self, messages: Sequence[StoredMessage], before: int, pictures: dict[int, Attachment]) -> None:
        """Show older ones above; what is seen stays where it is."""
        bar = self.verticalScrollBar()
        self._from_bottom = bar.maximum() - bar.value()
        self._before = before
        for at, message in enumerate(messages):
            view = self._make(message, pictures.get(message.id))
            self._views.insert(at, view)
            self._column.insertWidget(at, view)
            view.ask_for_pictures()
        self._settle.start()

    def append(self, message: StoredMessage, picture: Attachment | None = None) -> MessageView:
        """Show one more at the end."""
        view = self._make(message, picture)
        self._views.append(view)
        self._column.insertWidget(self._column.count() - 1, view)
        view.ask_for_pictures()
        return view

    def cut_from(self, message_id: int) -> None:
        """Take a message and what follows it away."""
        for at, view in enumerate(self._views):
            if view.message.id == message_id:
                self._cut(at)
                return

    def view_of(self, message_id: int) -> MessageView | None:
        """Return the view of a message, if it is shown."""
        return next((view for view in self._views if view.message.id == message_id), None)

    def to_end(self) -> None:
        """Scroll to the end and stay there."""
        self._at_end = True
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def show_message(self, message_id: int) -> None:
        """Scroll to a message."""
        view = self.view_of(message_id)
        if view is not None:
            self._at_end = False
            self._holder.layout().activate()  # pyright: ignore[reportOptionalMemberAccess] - it has one
            self._holder.adjustSize()
            self.verticalScrollBar().setValue(max(0, view.y() - _NEAR_PX))

    def redraw(self) -> None:
        """Render everything in the colours of a new theme."""
        for view in self._views:
            view.redraw()

    def _make(self, message: StoredMessage, picture: Attachment | None) -> MessageView:
        view = MessageView(message, picture)
        view.asked.connect(self.asked)
        view.opened.connect(self.opened)
        view.wants_picture.connect(self.wants_picture)
        return view

    def _cut(self, at: int) -> None:
        for view in self._views[at:]:
            self._column.removeWidget(view)
            view.hide()
            view.deleteLater()
        del self._views[at:]

    def _moved(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if self._from_bottom is not None:
            # While older messages are laid out, their heights come one after the other.
            self._from_bottom = bar.maximum() - value
            return
        self._at_end = value >= bar.maximum() - _NEAR_PX
        if value < _EARLY_PX and self._before > 0 and not self._loading and bar.maximum() > 0:
            self._loading = True
            QTimer.singleShot(0, self, self._want_older)

    def _want_older(self) -> None:
        self.older_wanted.emit()
        self._loading = False

    def _grew(self, _least: int, most: int) -> None:
        if self._from_bottom is not None:
            self.verticalScrollBar().setValue(most - self._from_bottom)
        elif self._at_end:
            self.verticalScrollBar().setValue(most)

    def _settled(self) -> None:
        self._from_bottom = None
        self._moved(self.verticalScrollBar().value())

    def stop(self) -> None:
        """End the timer: the page goes."""
        self._settle.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the column in the middle and no wider than one likes to read."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow a change of the text's size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        width = self.viewport().width()
        side = max(24, (width - COLUMN_TEXTS * tokens_now().text_px) // 2)
        self._column.setContentsMargins(side, 24, side, 16)
