"""The runbook editor: plain text in which every line that cannot be read says why, right under itself."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QApplication, QPlainTextDocumentLayout, QPlainTextEdit, QTextEdit, QWidget

from app.translate import tr
from app.ui.agent.check import Checked, Problem, check
from app.ui.theme import tokens_now

_PAUSE_MS = 300
_GAP_PX = 4.0


class _Layout(QPlainTextDocumentLayout):
    """Leaves room under the lines that have something said about them."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.room_px: Mapping[int, float] = {}

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:  # noqa: N802 - Qt's name
        rect = super().blockBoundingRect(block)
        room = self.room_px.get(block.blockNumber(), 0.0)
        if room and rect.isValid():
            rect.setHeight(rect.height() + room)
        return rect


class RunbookEditor(QPlainTextEdit):
    """``checked`` follows each change, a moment after the last key; ``result`` is what was found."""

    checked = Signal(object)

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._layout = _Layout(self.document())
        self.document().setDocumentLayout(self._layout)
        self.setAccessibleName(tr("Steps, one a line"))
        self.setTabChangesFocus(True)
        self.setProperty("role", "mono")
        self.setProperty("data", True)  # the example below is in the language of runbooks, which is English
        self.setPlaceholderText(
            tr("One step a line:") + '\nclick the Save button\ntype "hello" into Name\ncheck that "Saved" is shown'
        )
        self.result: Checked = check("", folder)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.check_now)
        self.document().contentsChanged.connect(self._wait)

    def check_now(self) -> Checked:
        """Check what stands there without waiting, and return what was found."""
        self._pause.stop()
        self.result = check(self.toPlainText(), self._folder)
        self._show()
        self.checked.emit(self.result)
        return self.result

    def problems(self) -> tuple[Problem, ...]:
        """Return what is said about lines at the moment."""
        return self.result.problems

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, counted from 1."""
        cursor = QTextCursor(self.document().findBlockByNumber(line - 1))
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        self.setTextCursor(cursor)
        self.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the text, then what is said about its lines."""
        super().paintEvent(event)
        if not self.result.problems:
            return
        painter = QPainter(self.viewport())
        painter.setFont(self._small())
        painter.setPen(QColor(tokens_now().danger))
        for problem in self.result.problems:
            block = self.document().findBlockByNumber(problem.line - 1)
            if not block.isValid() or not block.isVisible():
                continue
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())
            room = self._layout.room_px.get(problem.line - 1, 0.0)
            if room and place.bottom() > 0 and place.top() < self.viewport().height():
                left = self.document().documentMargin()
                area = QRectF(left, place.bottom() - room, self.viewport().width() - 2 * left, room - _GAP_PX)
                painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap), problem.message)
        painter.end()

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Wrap what is said anew."""
        super().resizeEvent(event)  # pyright: ignore[reportArgumentType] - Qt's own event
        if self.result.problems:
            self._show()

    def _wait(self) -> None:
        self._pause.start()

    def _small(self) -> QFont:
        font = QFont(QApplication.font())
        font.setPixelSize(max(10, round(tokens_now().text_px * 0.86)))
        return font

    def _show(self) -> None:
        metrics = QFontMetricsF(self._small())
        width = max(40.0, self.viewport().width() - 2 * self.document().documentMargin())
        room: dict[int, float] = {}
        marks: list[QTextEdit.ExtraSelection] = []
        for problem in self.result.problems:
            flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)
            height = metrics.boundingRect(QRectF(0, 0, width, 10_000), flags, problem.message).height()
            room[problem.line - 1] = height + 2 * _GAP_PX
            marks.append(self._underlined(problem))
        if room != self._layout.room_px:
            self._layout.room_px = room
            self._layout.requestUpdate()
            self._layout.documentSizeChanged.emit(self._layout.documentSize())
        self.setExtraSelections(marks)
        self.viewport().update()

    def _underlined(self, problem: Problem) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document().findBlockByNumber(problem.line - 1))
        cursor.select(QTextCursor.SelectionType.LineUnderCursor)
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        form.setUnderlineColor(QColor(tokens_now().danger))
        mark.cursor, mark.format = cursor, form  # pyright: ignore[reportAttributeAccessIssue] - missing in Qt's stubs
        return mark
