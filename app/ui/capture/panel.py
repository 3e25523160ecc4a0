"""The question about a region and its answer, on a card beside it."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QTextBrowser, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.agent.run import look_options
from app.ui.capture.answer import Located, Piece, find, talk
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import button, hint, icon_button, row

_WIDTH_PX = 380
_GAP_PX = 12


class AskPanel(QFrame):
    """``placed`` carries where something is, relative to the region, or None; ``closed`` ends the capture."""

    placed = Signal(object)
    closed = Signal()

    def __init__(self, services: Services, picture: QImage, parent: QWidget) -> None:
        super().__init__(parent)
        self._services = services
        self._parent = parent
        self._picture = picture
        self._task: Task | None = None
        self._text = ""
        self._copied = ""
        self.setProperty("role", "card")
        self.setFixedWidth(_WIDTH_PX)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.question = QLineEdit()
        self.question.setAccessibleName(tr("Your question"))
        self.ask_button = button(tr("Ask"), icon="send", role="primary")
        self.find_button = button(tr("Find it"), icon="search", tip=tr("Mark where it is"))
        self.close_button = icon_button("close", tr("Close"))
        self.copy = button(tr("Copy"), icon="copy")
        self.state = hint("")
        self.answer = QTextBrowser()
        self.answer.setAccessibleName(tr("Answer"))
        self.answer.setProperty("role", "plain")
        self.answer.setOpenLinks(False)
        self.answer.setMinimumHeight(120)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(row(self.question, self.close_button))
        layout.addWidget(row(self.ask_button, self.find_button, "stretch", self.copy))
        layout.addWidget(self.state)
        layout.addWidget(self.answer, 1)
        self.question.returnPressed.connect(self._default)
        self.question.textChanged.connect(self._refresh)
        self.ask_button.clicked.connect(self._ask)
        self.find_button.clicked.connect(self._find)
        self.copy.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.closed)
        services.engine.changed.connect(self._refresh)
        self.answer.hide()
        self.copy.hide()
        self._refresh()

    def put_beside(self, region: QRectF, whole: QRectF) -> None:
        """Move next to the region: right of it, left of it, below, or into its corner."""
        self.adjustSize()
        width, height = self.width(), self.height()
        if region.right() + _GAP_PX + width <= whole.right():
            x = region.right() + _GAP_PX
        elif region.left() - _GAP_PX - width >= whole.left():
            x = region.left() - _GAP_PX - width
        else:
            x = min(max(whole.left() + _GAP_PX, region.left()), whole.right() - width - _GAP_PX)
            below = region.bottom() + _GAP_PX
            y = below if below + height <= whole.bottom() else whole.bottom() - height - _GAP_PX
            self.move(round(x), round(max(whole.top() + _GAP_PX, y)))
            return
        y = min(max(region.top(), whole.top() + _GAP_PX), whole.bottom() - height - _GAP_PX)
        self.move(round(x), round(y))

    def stop(self) -> None:
        """Let go of an answer that is still coming."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Leave by Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _refresh(self, _text: str = "") -> None:
        engine = self._services.engine
        abilities = engine.card.capabilities if engine.card is not None else ("chat", "ground")
        ready = engine.model() is not None
        asked = bool(self.question.text().strip())
        self.ask_button.setVisible("chat" in abilities)
        self.find_button.setVisible("ground" in abilities)
        self.ask_button.setEnabled(ready and asked)
        self.find_button.setEnabled(ready and asked)
        chats = "chat" in abilities
        self.question.setPlaceholderText(
            tr("Ask about this region") if chats else tr("What shall it find, such as: the Save button")
        )
        if not ready and self._task is None:
            self.state.setText(engine.message or tr("no model is loaded"))
        elif self._task is None and not self._text:
            self.state.setText("" if chats else tr("The loaded model points at things; it does not chat."))
        self.state.setVisible(bool(self.state.text()))

    def _default(self) -> None:
        if self.ask_button.isVisibleTo(self) and self.ask_button.isEnabled():
            self._ask()
        elif self.find_button.isEnabled():
            self._find()

    def _ask(self) -> None:
        model, picture, question = self._services.engine.model(), self._picture, self.question.text().strip()
        if model is None:
            return
        self._begin(tr("thinks"))

        def work(cancel: Cancel) -> str:
            return talk(model, picture, question, cancel)

        self._task = self._services.tasks.run(work, done=self._talked, failed=self._failed, progress=self._piece)

    def _find(self) -> None:
        model, picture, question = self._services.engine.model(), self._picture, self.question.text().strip()
        if model is None:
            return
        options = look_options(self._services.engine.card)
        self._begin(tr("looks"))

        def work(cancel: Cancel) -> Located:
            return find(model, picture, question, options, cancel)

        self._task = self._services.tasks.run(work, done=self._found, failed=self._failed)

    def _begin(self, state: str) -> None:
        self.stop()
        self._text = ""
        self.placed.emit(None)
        self.answer.clear()
        self.answer.hide()
        self.copy.hide()
        self._say(state)

    def _piece(self, piece: object) -> None:
        assert isinstance(piece, Piece)  # noqa: S101 - nothing else is reported
        self._text += piece.text
        self._say(tr("thinks") if piece.thinking and not self._text else tr("answers"))
        if piece.text:
            self.answer.show()
            self.answer.setPlainText(self._text)
            self._resize()

    def _talked(self, text: str) -> None:
        self._task = None
        self._text = self._copied = text
        self._say("")
        self.answer.show()
        self.answer.setMarkdown(text)
        self.copy.setVisible(bool(text))
        self._resize()

    def _found(self, located: Located) -> None:
        self._task = None
        if located.place is None or located.point_px is None:
            self._say(located.reason)
            return
        x, y = located.point_px
        self._copied = f"{x}, {y}"
        self._text = tr("At {x}, {y} px of the region", x=x, y=y)
        self._say(self._text)
        self.copy.show()
        self.placed.emit(located.place)

    def _failed(self, error: Exception) -> None:
        self._task = None
        self._say(str(error))

    def _say(self, text: str) -> None:
        self.state.setText(text)
        self.state.setVisible(bool(text))
        self._resize()

    def _resize(self) -> None:
        self.adjustSize()
        room = self._parent.height()
        if self.geometry().bottom() > room:
            self.move(self.x(), max(0, room - self.height() - _GAP_PX))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._copied)
