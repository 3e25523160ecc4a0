"""Controls side by side that go on in the next line where there is no room: nothing is cut off at large text."""

from dataclasses import dataclass, field

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget

SPACING_PX = 8


@dataclass(slots=True)
class _Line:
    items: list[QLayoutItem] = field(default_factory=list)
    width_px: int = 0
    height_px: int = 0


class FlowLayout(QLayout):
    """Lays its items out like words. A line of what comes after `push_right` stands at the right."""

    def __init__(self, spacing_px: int = SPACING_PX) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._pushed_from: int | None = None
        self.setSpacing(spacing_px)
        self.setContentsMargins(0, 0, 0, 0)

    def push_right(self) -> None:
        """Let what is added from now on stand at the right, while everything fits in one line."""
        self._pushed_from = len(self._items)

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        """Take an item in."""
        self._items.append(item)

    def count(self) -> int:
        """Count the items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's name
        """Return an item, or None past the end, by which Qt ends its loops."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's name
        """Let go of an item."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802 - Qt's name
        """Want no more room than there is."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Say that less width takes more height."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Return the height of all lines at a width."""
        lines = self._lines(width)
        return sum(line.height_px for line in lines) + self.spacing() * max(0, len(lines) - 1)

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the room of the widest item."""
        sizes = [item.minimumSize() for item in self._items if not item.isEmpty()]
        return QSize(
            max((size.width() for size in sizes), default=0), max((size.height() for size in sizes), default=0)
        )

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for one line."""
        sizes = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(size.width() for size in sizes) + self.spacing() * max(0, len(sizes) - 1)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802 - Qt's name
        """Put every item in its place."""
        super().setGeometry(rect)
        lines = self._lines(rect.width())
        pushed = self._first_pushed() if len(lines) == 1 else None
        top = rect.top()
        for line in lines:
            left = rect.left()
            for item in line.items:
                if item is pushed:
                    left += max(0, rect.width() - line.width_px)
                size = self._size(item, rect.width())
                down = (line.height_px - size.height()) // 2
                item.setGeometry(QRect(self._mirrored(rect, left, size), QSize(size)).translated(0, top + down))
                left += size.width() + self.spacing()
            top += line.height_px + self.spacing()

    def _mirrored(self, rect: QRect, left: int, size: QSize) -> QPoint:
        parent = self.parentWidget()
        if parent is not None and parent.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            left = rect.left() + rect.right() - left - size.width() + 1
        return QPoint(left, 0)

    def _first_pushed(self) -> QLayoutItem | None:
        """Return the first item that shows of those that stand at the right."""
        pushed = self._items[self._pushed_from :] if self._pushed_from is not None else []
        return next((item for item in pushed if not item.isEmpty()), None)

    def _lines(self, width: int) -> list[_Line]:
        lines: list[_Line] = []
        for item in self._items:
            if item.isEmpty():
                continue
            size = self._size(item, width)
            more = size.width() + self.spacing()
            if not lines or lines[-1].width_px + more > width:
                lines.append(_Line())
                more -= self.spacing()
            line = lines[-1]
            line.items.append(item)
            line.width_px += more
            line.height_px = max(line.height_px, size.height())
        return lines

    def _size(self, item: QLayoutItem, width: int) -> QSize:
        wanted, least = item.sizeHint(), item.minimumSize()
        return QSize(max(least.width(), min(wanted.width(), width)), max(wanted.height(), least.height()))


def flow(*widgets: QWidget | str, spacing: int = SPACING_PX) -> QWidget:
    """Put widgets side by side, in more lines where they must; what follows "stretch" stands at the right."""
    holder = QWidget()
    layout = FlowLayout(spacing)
    for widget in widgets:
        if isinstance(widget, QWidget):
            layout.addWidget(widget)
        else:
            layout.push_right()
    holder.setLayout(layout)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    holder.setSizePolicy(policy)
    return holder
