"""The text of an answer: prose and code below each other, cheap to add to while it streams."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.translate import tr
from app.ui.chat.blocks import Block, BlockSplitter
from app.ui.chat.code import CodeView
from app.ui.chat.prose import TextArea

_PART_CHARACTERS = 3000
"""A part of the text is laid out anew whenever a block of it closes; a longer one begins another part."""


class MarkdownBody(QWidget):
    """Shows Markdown that may still be coming.

    Closed blocks are gathered in parts that are rendered once per block; only the open block is
    rendered at each `add`. Whoever adds should do so 20 to 30 times a second at most.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.markdown = ""
        self._splitter = BlockSplitter()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._part: TextArea | None = None
        self._part_text = ""
        self._tail: TextArea | CodeView | None = None
        self._tail_text = ""
        self._ended = False
        self._as_written = False

    @property
    def as_written(self) -> bool:
        """Whether the Markdown itself is shown."""
        return self._as_written

    def show_as_written(self, on: bool) -> None:
        """Show the Markdown itself, or what it means."""
        if on != self._as_written:
            self._as_written = on
            self.redraw()

    def set_markdown(self, markdown: str, *, ended: bool = True) -> None:
        """Show a text in place of what there is."""
        for at in reversed(range(self._layout.count())):
            item = self._layout.takeAt(at)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.markdown = ""
        self._splitter = BlockSplitter()
        self._part = self._tail = None
        self._part_text = self._tail_text = ""
        self._ended = False
        if self._as_written:
            self.markdown, self._ended = markdown, ended
            self._new_area().set_source(markdown)
            return
        self.add(markdown)
        if ended:
            self.end()

    def add(self, text: str) -> None:
        """Add what has come."""
        if self._as_written:
            self.set_markdown(self.markdown + text, ended=self._ended)
            return
        self.markdown += text
        self._splitter.push(text)
        for block in self._splitter.take():
            self._freeze(block)
        self._show_open(self._splitter.open)

    def end(self) -> None:
        """Freeze all: nothing more comes."""
        if self._ended:
            return
        self._ended = True
        self._splitter.end()
        for block in self._splitter.take():
            self._freeze(block)
        self._show_open(None)

    def redraw(self) -> None:
        """Render everything again, in the colours of a new theme."""
        self.set_markdown(self.markdown, ended=self._ended)

    @property
    def code_views(self) -> list[CodeView]:
        """The blocks of code."""
        return self.findChildren(CodeView)

    def _freeze(self, block: Block) -> None:
        if block.kind == "code":
            view = self._tail if isinstance(self._tail, CodeView) else None
            if view is None:
                self._drop_tail()
                view = CodeView(block.language)
                self._layout.addWidget(view)
            self._tail, self._tail_text = None, ""
            view.set_code(block.text, block.language)
            view.finish()
            self._part, self._part_text = None, ""
            return
        if self._part is not None and len(self._part_text) + len(block.text) <= _PART_CHARACTERS:
            self._part_text += "\n\n" + block.text
            self._part.set_markdown(self._part_text)
            self._drop_tail()
            return
        # The open block's own widget becomes the next part.
        tail = self._tail if isinstance(self._tail, TextArea) else None
        if tail is None:
            self._drop_tail()
            tail = self._new_area()
        self._tail, self._tail_text = None, ""
        self._part, self._part_text = tail, block.text
        tail.set_markdown(block.text)

    def _show_open(self, block: Block | None) -> None:
        if block is None:
            self._drop_tail()
            return
        if block.kind == "code":
            if not isinstance(self._tail, CodeView):
                self._drop_tail()
                self._tail = CodeView(block.language)
                self._layout.addWidget(self._tail)
            self._tail.set_code(block.text, block.language)
            return
        if not isinstance(self._tail, TextArea):
            self._drop_tail()
            self._tail = self._new_area()
        if block.text != self._tail_text:
            self._tail_text = block.text
            self._tail.set_markdown(block.text)

    def _new_area(self) -> TextArea:
        area = TextArea(tr("Answer"))
        self._layout.addWidget(area)
        return area

    def _drop_tail(self) -> None:
        if self._tail is not None:
            self._layout.removeWidget(self._tail)
            self._tail.hide()
            self._tail.deleteLater()
        self._tail, self._tail_text = None, ""
