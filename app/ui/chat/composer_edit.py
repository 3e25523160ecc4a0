"""The field that questions are typed into: grows with its text, and takes pictures and files as well as words."""

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QFontMetricsF, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.translate import tr

MAX_CHARACTERS = 400_000
"""What is longer than any context is not taken in, as typing would become slow."""

_MOST_LINES = 10


class ComposerEdit(QPlainTextEdit):
    """Enter sends, Shift+Enter begins a line, Esc stops, Up in an empty field edits the last message."""

    send_wanted = Signal()
    stop_wanted = Signal()
    edit_last_wanted = Signal()
    files_given = Signal(object)
    image_given = Signal(object)
    too_long = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "plain")
        self.setAccessibleName(tr("Message"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(2)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Send, stop or edit; everything else is typing."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.send_wanted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.stop_wanted.emit()
        elif event.key() == Qt.Key.Key_Up and not modifiers and not self.toPlainText():
            self.edit_last_wanted.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802 - Qt's name
        """Take pictures and files, too."""
        return source.hasImage() or source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802 - Qt's name
        """Attach pictures and files; insert text unless it is too long."""
        files = [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
        if files:
            self.files_given.emit(files)
        elif source.hasImage():
            image = source.imageData()
            if isinstance(image, QImage) and not image.isNull():
                self.image_given.emit(image)
        elif source.hasText():
            text = source.text()
            if len(text) + len(self.toPlainText()) > MAX_CHARACTERS:
                self.too_long.emit(len(text))
                return
            self.insertPlainText(text)
            self.ensureCursorVisible()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Say whether this can be dropped here."""
        if self.canInsertFromMimeData(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the drag; files need no place in the text."""
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Be as high as the text needs at the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self, _size: object = None) -> None:
        # QPlainTextEdit's document counts its height in lines, wrapped ones included.
        lines = max(1, min(_MOST_LINES, round(self.document().size().height())))
        height = round(lines * QFontMetricsF(self.font()).lineSpacing() + 2 * self.document().documentMargin() + 4)
        if height != self.minimumHeight():
            self.setFixedHeight(height)
