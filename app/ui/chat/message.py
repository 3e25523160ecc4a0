"""One message of the transcript, with everything that can be done to it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.store import Attachment, StoredMessage
from app.translate import tr
from app.ui.chat.body import MarkdownBody
from app.ui.chat.markup import plain
from app.ui.chat.pictures import MarkedPicture, Thumbnail
from app.ui.chat.prose import TextArea
from app.ui.chat.told import figures_text, state_text, thinking_text
from app.ui.theme import tokens_now
from app.ui.widgets.controls import Button, button, icon_button, label

_BUBBLE_SHARE = 0.8
_THUMBNAIL_TEXTS = 8
_FOOT_TEXTS = 30


class MessageView(QWidget):
    """Shows a message. ``asked(action, id)`` says what the person wants done with it.

    Actions: "edit", "regenerate", "continue", "delete", "previous", "next". ``opened(attachment, points)``
    asks to see a picture in full. ``wants_picture(widget, attachment, full)`` asks for its pixels.
    """

    asked = Signal(str, int)
    opened = Signal(object, object)
    wants_picture = Signal(object, object, bool)

    def __init__(
        self, message: StoredMessage, picture: Attachment | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.message = message
        self.is_streaming = message.content.state == "streaming"
        self._picture = picture
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._bubble: QFrame | None = None
        self.body: MarkdownBody | None = None
        self._thinking: TextArea | None = None
        self._thought_frame: QFrame
        self._fold: Button | None = None
        self._marked: MarkedPicture | None = None
        self._thought: list[str] = [message.content.thinking]
        self._foot: QWidget | None = None
        self._foot_line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._wanted: list[tuple[Thumbnail | MarkedPicture, Attachment, bool]] = []
        self._wait: QLabel | None = None
        if message.content.role == "user":
            self._build_question()
        else:
            self._build_answer()

    # What the person said.

    def _build_question(self) -> None:
        content = self.message.content
        self.setAccessibleName(tr("Your message"))
        if content.attachments:
            line = QHBoxLayout()
            line.setSpacing(8)
            line.addStretch(1)
            for attachment in content.attachments[:12]:
                line.addLayout(self._thumbnail(attachment))
            self._layout.addLayout(line)
        if content.text:
            self._bubble = QFrame()
            self._bubble.setProperty("role", "card")
            inside = QVBoxLayout(self._bubble)
            inside.setContentsMargins(14, 11, 14, 8)
            self.question = TextArea(tr("Your message"))
            self.question.set_plain(content.text)
            inside.addWidget(self.question)
            self._bubble.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            self._layout.addWidget(self._bubble, 0, Qt.AlignmentFlag.AlignRight)
        self._add_foot()

    def _thumbnail(self, attachment: Attachment) -> QVBoxLayout:
        small = Thumbnail(attachment.name, _THUMBNAIL_TEXTS * tokens_now().text_px)
        small.opened.connect(lambda: self.opened.emit(attachment, ()))
        words = f"{attachment.width_px}×{attachment.height_px}" if attachment.width_px else attachment.name
        below = label(QFontMetricsF(self.font()).elidedText(words, Qt.TextElideMode.ElideMiddle, 200), "small")
        below.setProperty("data", True)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(small, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(below, 0, Qt.AlignmentFlag.AlignRight)
        self._wanted = [*self._wanted, (small, attachment, False)]
        return column

    def ask_for_pictures(self) -> None:
        """Ask for the pixels of what is shown; called once it is connected."""
        for widget, attachment, full in self._wanted:
            self.wants_picture.emit(widget, attachment, full)
        self._wanted = []

    # What the model said.

    def _build_answer(self) -> None:
        content = self.message.content
        self.setAccessibleName(tr("Answer"))
        if content.thinking:
            self._need_thinking()
        self.body = MarkdownBody()
        self._layout.addWidget(self.body)
        if content.text:
            self.body.set_markdown(content.text, ended=not self.is_streaming)
        if self.is_streaming:
            if not content.text:
                self._wait = label(tr("Thinking about it…"), "muted")
                self._layout.addWidget(self._wait)
        else:
            self._show_end()

    def add(self, text: str, thinking: str) -> None:
        """Add what has come of the answer."""
        if self.body is None:
            return
        if self._wait is not None and (text or thinking):
            self._layout.removeWidget(self._wait)
            self._wait.deleteLater()
            self._wait = None
        if thinking:
            self._thought.append(thinking)
            self._need_thinking()
            if self._thinking is not None and not self._thought_frame.isHidden():
                self._thinking.set_plain("".join(self._thought))
        if text:
            self.body.add(text)

    def show_so_far(self, text: str, thinking: str) -> None:
        """Show all that has come: the stored message may be a moment behind."""
        if self.body is None:
            return
        self._thought = [""]
        self.body.set_markdown("", ended=False)
        self.add(text, thinking)

    def finish(self, message: StoredMessage, picture: Attachment | None) -> None:
        """Show the whole answer as it is stored: what it took, and how it ended."""
        self.message, self._picture = message, picture
        self.is_streaming = False
        if self._wait is not None:
            self._wait.deleteLater()
            self._wait = None
        if self.body is not None:
            if self.body.markdown != message.content.text:
                self.body.set_markdown(message.content.text)
            self.body.end()
        self._thought = [message.content.thinking]
        if message.content.thinking:
            self._need_thinking()
        if self._fold is not None:
            self._fold.setText(thinking_text(message.content.thinking_ms, thinking=False))
        self._show_end()
        self.ask_for_pictures()

    def _need_thinking(self) -> None:
        if self._fold is not None:
            return
        self._fold = button(
            thinking_text(self.message.content.thinking_ms, thinking=self.is_streaming), icon="chevron", role="ghost"
        )
        self._fold.setToolTip(tr("Show or hide how the model came to its answer"))
        self._fold.clicked.connect(self._unfold)
        self._layout.insertWidget(0, self._fold, 0, Qt.AlignmentFlag.AlignLeft)

    def _unfold(self) -> None:
        if self._thinking is None:
            self._thinking = TextArea(tr("Thinking"), quiet=True)
            self._thought_frame = QFrame()
            self._thought_frame.setProperty("role", "raised")
            inside = QVBoxLayout(self._thought_frame)
            inside.setContentsMargins(12, 8, 12, 8)
            inside.addWidget(self._thinking)
            self._thought_frame.hide()
            self._layout.insertWidget(1, self._thought_frame)
        on = self._thought_frame.isHidden()
        if on:
            self._thinking.set_plain("".join(self._thought))
        self._thought_frame.setVisible(on)
        if self._fold is not None:
            self._fold.set_icon("chevron-down" if on else "chevron")

    def _show_end(self) -> None:
        content = self.message.content
        if content.points and self._picture is not None and self._marked is None:
            self._marked = MarkedPicture(self._picture, content.points, "")
            self._marked.opened.connect(self._open_marked)
            self._layout.addWidget(self._marked)
            self._wanted = [*self._wanted, (self._marked, self._picture, True)]
        if note := state_text(content):
            self._layout.addWidget(self._note(note, failed=content.state == "failed"))
        self._add_foot()

    def _note(self, text: str, *, failed: bool) -> QWidget:
        words = label(text, "danger" if failed else "muted")
        words.setWordWrap(True)
        words.setProperty("data", True)
        words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 4, 0, 0)
        line.addWidget(words, 1)
        if failed:
            again = button(tr("Retry"), icon="refresh", name="retry")
            again.clicked.connect(lambda: self.asked.emit("regenerate", self.message.id))
            line.addWidget(again, 0, Qt.AlignmentFlag.AlignTop)
        return holder

    def _open_marked(self) -> None:
        self.opened.emit(self._picture, self.message.content.points)

    # What can be done.

    def _add_foot(self) -> None:
        if self._foot is not None:
            self._layout.removeWidget(self._foot)
            self._foot.deleteLater()
        content = self.message.content
        mine = content.role == "user"
        self._foot = QWidget()
        actions = QWidget()
        line = QHBoxLayout(actions)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        self._foot_line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._foot)
        self._foot_line.setContentsMargins(0, 0, 0, 0)
        self._foot_line.setSpacing(8)
        self._foot_line.addWidget(actions, 1 if mine else 0)
        if mine:
            line.addStretch(1)
        if self.message.siblings > 1:
            self._add_branches(line)
        copy = tr("Copy the message") if mine else tr("Copy the message (with Shift: without Markdown)")
        self._add_action(line, "copy", copy, self._copy)
        if not mine and content.text:
            line.addWidget(self._written_switch())
        if mine:
            self._add_action(line, "edit", tr("Edit and ask again"), "edit")
        else:
            self._add_action(line, "refresh", tr("Answer again"), "regenerate")
            if content.state != "complete" and (content.text or content.thinking):
                self._add_action(line, "play", tr("Continue the answer"), "continue")
        self._add_action(line, "trash", tr("Delete this message and what follows"), "delete")
        if not mine:
            line.addStretch(1)
            told = label(figures_text(content), "small")
            told.setProperty("data", True)
            told.setObjectName("figures")
            told.setWordWrap(True)
            told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            self._foot_line.addWidget(told, 1)
            self._fit_foot()
        self._layout.addWidget(self._foot)

    def _written_switch(self) -> Button:
        made = icon_button("code", tr("Show the Markdown as it was written"))
        made.setObjectName("as-written")
        made.setCheckable(True)
        if self.body is not None:
            made.setChecked(self.body.as_written)
            made.toggled.connect(self.body.show_as_written)
        return made

    def _add_branches(self, line: QHBoxLayout) -> None:
        self._add_action(line, "chevron-left", tr("Previous version"), "previous", self.message.sibling > 0)
        count = label(f"{self.message.sibling + 1}/{self.message.siblings}", "small")
        count.setProperty("data", True)
        count.setObjectName("branch")
        line.addWidget(count)
        last = self.message.sibling + 1 >= self.message.siblings
        self._add_action(line, "chevron", tr("Next version"), "next", not last)

    def _add_action(self, line: QHBoxLayout, icon: str, name: str, action: object, enabled: bool = True) -> None:
        made = icon_button(icon, name)
        made.setEnabled(enabled)
        made.setObjectName(action if isinstance(action, str) else "copy")
        if isinstance(action, str):
            made.clicked.connect(lambda: self.asked.emit(action, self.message.id))
        else:
            made.clicked.connect(self._copy)
        line.addWidget(made)

    def _copy(self) -> None:
        content = self.message.content
        modifiers = QGuiApplication.keyboardModifiers()
        as_text = bool(modifiers & Qt.KeyboardModifier.ShiftModifier) and content.role == "assistant"
        QGuiApplication.clipboard().setText(plain(content.text) if as_text else content.text)
        sender = self.sender()
        if isinstance(sender, Button):
            sender.set_icon("check")

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Let the bubble be as wide as its text, up to most of the column."""
        super().resizeEvent(event)
        if self._bubble is not None:
            self._fit_bubble()
        self._fit_foot()

    def _fit_foot(self) -> None:
        """Say what an answer took beside what can be done with it, or below where there is no room."""
        ways = QBoxLayout.Direction
        narrow = self.width() < _FOOT_TEXTS * tokens_now().text_px
        self._foot_line.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)

    def _fit_bubble(self) -> None:
        if self._bubble is None:
            return
        limit = round(self.width() * _BUBBLE_SHARE)
        metrics = QFontMetricsF(self.question.font())
        widest = max(metrics.horizontalAdvance(line[:400]) for line in self.message.content.text[:20000].split("\n"))
        self._bubble.setFixedWidth(max(48, min(limit, round(widest) + 34)))

    def redraw(self) -> None:
        """Render the text again, in the colours of a new theme."""
        if self.body is not None:
            self.body.redraw()
