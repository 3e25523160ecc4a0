"""A block of code with its language, its colours and a button that copies it."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.chat.colouring import Span, spans_of
from app.ui.theme import tokens_now
from app.ui.widgets.controls import icon_button, label

_MAX_LINES = 40
"""A longer block scrolls by itself."""


class _Colours(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.lines: list[list[Span]] = []

    def highlightBlock(self, text: str) -> None:  # noqa: N802 - Qt's name
        number = self.currentBlock().blockNumber()
        if number >= len(self.lines):
            return
        tokens = tokens_now()
        for span in self.lines[number]:
            look = QTextCharFormat()
            look.setForeground(tokens.color(span.colour))
            self.setFormat(span.start, span.length, look)


class _CodeText(QPlainTextEdit):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setProperty("role", "plain")
        self.setProperty("data", True)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.horizontalScrollBar().rangeChanged.connect(self.fit)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        sideways = event.angleDelta().x() or event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if sideways or (self.hasFocus() and self.verticalScrollBar().maximum() > 0):
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.key() == Qt.Key.Key_Tab:
            event.ignore()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self.fit()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, self.minimumHeight())

    def fit(self) -> None:
        bar = self.horizontalScrollBar()
        lines = min(max(1, self.blockCount()), _MAX_LINES)
        extra = bar.sizeHint().height() if bar.maximum() > 0 else 0
        scrolls = self.blockCount() > _MAX_LINES
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if scrolls else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        height = round(lines * QFontMetricsF(self.font()).lineSpacing() + 3.5) + extra
        if height != self.minimumHeight():
            self.setFixedHeight(height)


class CodeView(QFrame):
    """Shows code; grows while it comes, and is coloured when it is complete."""

    def __init__(self, language: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.code = ""
        self.language = language
        self._name = label(language, "small")
        self._name.setProperty("data", True)
        self.copy_button = icon_button("copy", tr("Copy the code"))
        self.copy_button.clicked.connect(self._copy)
        self._text = _CodeText(tr("Code"))
        font = self._text.font()
        font.setFamilies(["DejaVu Sans Mono", "Consolas", "Menlo", "monospace"])
        font.setPixelSize(round(tokens_now().text_px * 0.9))
        self._text.setFont(font)
        self._colours = _Colours(self._text.document())
        head = QHBoxLayout()
        head.setContentsMargins(12, 2, 4, 2)
        head.addWidget(self._name, 1)
        head.addWidget(self.copy_button)
        inside = QVBoxLayout()
        inside.setContentsMargins(12, 0, 12, 10)
        inside.addWidget(self._text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addLayout(inside)

    def set_code(self, code: str, language: str = "") -> None:
        """Show code that may still grow: what has been shown stays, what is new is added."""
        if language != self.language:
            self.language = language
            self._name.setText(language)
        if code == self.code:
            return
        if self.code and code.startswith(self.code):
            cursor = QTextCursor(self._text.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(code[len(self.code) :])
        else:
            self._text.setPlainText(code)
        self.code = code
        self._text.fit()

    def finish(self) -> None:
        """Colour it: nothing more comes."""
        self._colours.lines = spans_of(self.code, self.language)
        if self._colours.lines:
            self._colours.rehighlight()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the ground that sets code apart."""
        tokens = tokens_now()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(tokens.color("border"))
        painter.setBrush(tokens.color("code_background"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), tokens.radius_px, tokens.radius_px)
        painter.end()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code)
        self.copy_button.set_icon("check")
