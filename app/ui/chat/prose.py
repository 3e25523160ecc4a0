"""Widgets for text that never scroll by themselves: as high as what is in them, and their text can be selected."""

from PySide6.QtCore import QEvent, QSize, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QFont,
    QKeyEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextLength,
    QTextOption,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from app.ui.chat.markup import prepared
from app.ui.theme import Tokens, tokens_now

MONO_FAMILIES = ["DejaVu Sans Mono", "Consolas", "Menlo", "monospace"]

_FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
_LINE_PERCENT = 130.0
_PLAIN_PERCENT = 115.0
_HEADING_SCALE = {1: 1.45, 2: 1.25, 3: 1.1}
_SAFE_SCHEMES = ("http", "https", "mailto")


class TextArea(QTextBrowser):
    """Plain or Markdown text as high as it needs; the wheel scrolls what it lies in. Nothing is ever fetched."""

    def __init__(self, name: str, *, quiet: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = quiet
        self.setProperty("role", "plain")
        self.setProperty("data", True)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setUndoRedoEnabled(False)
        self.setOpenLinks(False)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.anchorClicked.connect(self._open)
        self.setFixedHeight(0)

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: N802 - Qt's name
        """Load nothing, from nowhere: what a model writes may name any address."""
        return None

    def set_plain(self, text: str) -> None:
        """Show text as it is."""
        self.setPlainText(text)
        _space_lines(self.document())
        if self._quiet:
            cursor = QTextCursor(self.document())
            cursor.select(QTextCursor.SelectionType.Document)
            look = QTextCharFormat()
            look.setForeground(tokens_now().color("muted"))
            cursor.mergeCharFormat(look)

    def set_source(self, markdown: str) -> None:
        """Show Markdown as it was written."""
        self.setPlainText(markdown)
        _space_lines(self.document())
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        look = QTextCharFormat()
        look.setFontFamilies(MONO_FAMILIES)
        look.setProperty(QTextFormat.Property.FontPixelSize, round(tokens_now().text_px * 0.93))
        cursor.mergeCharFormat(look)

    def set_markdown(self, markdown: str) -> None:
        """Show Markdown in the theme's colours."""
        tokens = tokens_now()
        if self.document().defaultFont() != self.font():
            self.document().setDefaultFont(self.font())
        self.document().setMarkdown(prepared(markdown), _FEATURES)
        dress(self.document(), tokens)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Be as high as the new width asks for."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for no width of its own."""
        return QSize(0, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Accept any width."""
        return QSize(0, self.minimumHeight())

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Leave scrolling to what it lies in."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the keys that scroll to what it lies in."""
        moves = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
        if event.key() in moves and not event.modifiers():
            event.ignore()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow a change of the text's size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.document().setDefaultFont(self.font())

    def _fit(self, _size: object = None) -> None:
        height = round(self.document().size().height() + 0.5) if not self.document().isEmpty() else 0
        if height != self.height() or height != self.minimumHeight():
            self.setFixedHeight(height)

    def _open(self, url: QUrl) -> None:
        if url.scheme().lower() in _SAFE_SCHEMES:
            QDesktopServices.openUrl(url)


def dress(document: QTextDocument, tokens: Tokens) -> None:
    """Give a document that was read from Markdown the theme's look."""
    code = QTextCharFormat()
    code.setFontFamilies(MONO_FAMILIES)
    code.setProperty(QTextFormat.Property.FontPixelSize, round(tokens.text_px * 0.93))
    code.setBackground(tokens.color("code_background"))
    link = QTextCharFormat()
    link.setForeground(tokens.color("accent"))
    quote = QTextCharFormat()
    quote.setForeground(tokens.color("muted"))
    gap = tokens.text_px * 0.6
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        shape = block.blockFormat()
        level = shape.headingLevel()
        cursor.setPosition(block.position())
        cursor.mergeBlockFormat(_spacing(block, level, gap))
        # Not the block's own iterator: its += takes a reference of None too many in PySide, until Python aborts.
        for run in block.textFormats():
            look = run.format  # pyright: ignore[reportAttributeAccessIssue] - a field that the stubs leave out
            start = block.position() + run.start  # pyright: ignore[reportAttributeAccessIssue] - as above
            end = start + run.length  # pyright: ignore[reportAttributeAccessIssue] - as above
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            if look.fontFixedPitch():
                cursor.mergeCharFormat(code)
            elif look.isAnchor():
                cursor.mergeCharFormat(link)
            elif level:
                # The reader's relative size would win over one in pixels, and knows nothing of ours.
                size = QTextCharFormat(look)
                size.clearProperty(QTextFormat.Property.FontSizeAdjustment)
                pixels = round(tokens.text_px * _HEADING_SCALE.get(level, 1.0))
                size.setProperty(QTextFormat.Property.FontPixelSize, pixels)
                size.setFontWeight(QFont.Weight.DemiBold)
                cursor.setCharFormat(size)
            elif shape.hasProperty(QTextFormat.Property.BlockQuoteLevel):
                cursor.mergeCharFormat(quote)
        block = block.next()
    cursor.endEditBlock()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            _dress_table(frame, tokens)


def _spacing(block: QTextBlock, level: int, gap: float) -> QTextBlockFormat:
    spaced = QTextBlockFormat()
    kinds = QTextBlockFormat.LineHeightTypes
    if QTextCursor(block).currentTable() is not None:
        return spaced
    if not block.text() and not block.textList():
        # The empty lines that Qt's tables bring along before and after them.
        spaced.setLineHeight(1, kinds.FixedHeight.value)
        return spaced
    spaced.setLineHeight(_LINE_PERCENT, kinds.ProportionalHeight.value)
    in_list = block.textList() is not None
    if block.blockNumber():
        spaced.setTopMargin(gap * 1.6 if level else gap * 0.25 if in_list else gap * 0.5)
    spaced.setBottomMargin(gap * 0.25 if in_list else gap * 0.5)
    return spaced


def _dress_table(table: QTextTable, tokens: Tokens) -> None:
    shape = table.format()
    shape.setBorderBrush(tokens.color("border"))
    shape.setBorder(1)
    shape.setBorderCollapse(True)
    shape.setCellPadding(tokens.text_px * 0.4)
    shape.setCellSpacing(0)
    shape.setTopMargin(tokens.text_px * 0.5)
    shape.setBottomMargin(tokens.text_px * 0.5)
    shape.setWidth(QTextLength())
    table.setFormat(shape)
    bold = QTextCharFormat()
    bold.setFontWeight(QFont.Weight.DemiBold)
    for column in range(table.columns()):
        cell = table.cellAt(0, column)
        cursor = cell.firstCursorPosition()
        if not cursor.block().text() and cell.lastPosition() > cell.firstPosition():
            cursor.deleteChar()  # an empty line that Qt's reader leaves there when a quote comes before the table
            cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastPosition(), QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeCharFormat(bold)


def _space_lines(document: QTextDocument) -> None:
    shape = QTextBlockFormat()
    shape.setLineHeight(_PLAIN_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    cursor = QTextCursor(document)
    cursor.select(QTextCursor.SelectionType.Document)
    cursor.mergeBlockFormat(shape)
