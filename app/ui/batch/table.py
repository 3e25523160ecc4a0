"""The table of a run: a hundred thousand entries, filtered and sorted here, as a proxy would ask Python for each."""

import bisect
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush

from app.translate import tr
from app.ui.batch.choice import COLUMNS, Choice, sort_key
from app.ui.batch.entry import Entry
from app.ui.batch.summary import seconds
from app.ui.theme import tokens_now

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole

ENTRY_ROLE = Role.UserRole
_INSERT_ONE_BY_ONE = 200
_RIGHT = ("distance", "size", "time", "point")
_NO_INDEX = QModelIndex()


def column_titles() -> dict[str, str]:
    """Name the columns."""
    return {
        "number": tr("No."),
        "picture": tr("Picture"),
        "instruction": tr("Instruction"),
        "outcome": tr("Outcome"),
        "point": tr("Point"),
        "distance": tr("Off by"),
        "application": tr("Application"),
        "size": tr("Target"),
        "time": tr("Time"),
    }


def outcome_of(entry: Entry) -> tuple[str, str]:
    """Say what came of an entry, and in which colour of the tokens."""
    if entry.verdict == "correct":
        return tr("right"), "success"
    if entry.verdict == "wrong":
        return tr("missed"), "danger"
    return status_text(entry.status), {"found": "text", "bad_row": "warning", "failed": "warning"}.get(
        entry.status, "danger" if entry.verdict else "muted"
    )


def status_text(status: str) -> str:
    """Name a status."""
    names = {
        "found": tr("found"),
        "not_found": tr("not found"),
        "unreadable": tr("no point in the answer"),
        "bad_row": tr("bad row"),
        "failed": tr("no answer"),
    }
    return names.get(status, status)


class EntryTable(QAbstractTableModel):
    """Entries by their index, those that a `Choice` lets through, sorted by one column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self.choice = Choice()
        self._test: Callable[[Entry], bool] = self.choice.test()
        self._shown: list[int] = []
        self._column, self._descending = "number", False
        self._titles = column_titles()

    def rowCount(self, parent: Index = _NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Count the rows that are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Count the columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def entry(self, row: int) -> Entry:
        """Return the entry in a row."""
        return self.entries[self._shown[row]]

    def row_of(self, index: int) -> int | None:
        """Return the row of an entry, None while it is not shown."""
        try:
            return self._shown.index(index)
        except ValueError:
            return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """Return what Qt asks for."""
        if not index.isValid():
            return None
        entry, column = self.entry(index.row()), COLUMNS[index.column()]
        match role:
            case Role.DisplayRole:
                return _text(entry, column)
            case Role.ToolTipRole:
                return entry.reason or entry.instruction
            case Role.ForegroundRole if column == "outcome":
                return QBrush(tokens_now().color(outcome_of(entry)[1]))
            case Role.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case _:
                return entry if role == ENTRY_ROLE else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:  # noqa: N802
        """Return a column's title."""
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(COLUMNS):
            return None
        if role == Role.DisplayRole:
            return self._titles[COLUMNS[section]]
        if role == Role.TextAlignmentRole:
            # At the left even over numbers: the mark of sorting stands at the right.
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column."""
        self._column = COLUMNS[column] if 0 <= column < len(COLUMNS) else "number"
        self._descending = order == Qt.SortOrder.DescendingOrder
        self._rebuild()

    def choose(self, choice: Choice) -> None:
        """Show what a filter lets through."""
        if choice != self.choice:
            self.choice, self._test = choice, choice.test()
            self._rebuild()

    def clear(self) -> None:
        """Forget every entry."""
        self.beginResetModel()
        self.entries, self._shown = [], []
        self.endResetModel()

    def add(self, added: Sequence[Entry]) -> None:
        """Append entries; few are put in their places, many make it sort anew."""
        if not added:
            return
        first = len(self.entries)
        if len(added) > _INSERT_ONE_BY_ONE:
            self._rebuild(added)
            return
        self.entries.extend(added)
        chosen = [number for number in range(first, len(self.entries)) if self._test(self.entries[number])]
        if chosen and self._is_by_number:
            self.beginInsertRows(QModelIndex(), len(self._shown), len(self._shown) + len(chosen) - 1)
            self._shown.extend(chosen)
            self.endInsertRows()
            return
        for number in chosen:
            at = self._place_of(number)
            self.beginInsertRows(QModelIndex(), at, at)
            self._shown.insert(at, number)
            self.endInsertRows()

    def change(self, changed: Sequence[Entry]) -> None:
        """Put entries in the places of those with their index."""
        for entry in changed:
            if 0 <= entry.index < len(self.entries):
                self.entries[entry.index] = entry
        if changed:
            self._rebuild()

    def retitle(self) -> None:
        """Draw everything again: the theme has changed."""
        if self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._shown) - 1, len(COLUMNS) - 1))

    @property
    def _is_by_number(self) -> bool:
        return self._column == "number" and not self._descending

    def _place_of(self, number: int) -> int:
        """Return where an entry belongs among those that are shown, behind its equals."""
        key = sort_key(self._column)
        missing, wanted = key(self.entries[number])

        def is_behind(shown: int) -> bool:
            other_missing, value = key(self.entries[shown])
            if other_missing != missing:
                return other_missing
            return value < wanted if self._descending else value > wanted

        return bisect.bisect_left(self._shown, True, key=is_behind)

    def _rebuild(self, added: Sequence[Entry] = ()) -> None:
        """Choose and sort again; what is selected stays so."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        held = [(index, self._shown[index.row()]) for index in before]
        self.entries.extend(added)
        test = self._test
        numbers = range(len(self.entries))
        shown = list(numbers) if self.choice.lets_all else [n for n in numbers if test(self.entries[n])]
        if self._column != "number":
            key, entries = sort_key(self._column), self.entries
            shown.sort(key=lambda n: key(entries[n])[1], reverse=self._descending)
            shown.sort(key=lambda n: key(entries[n])[0])
        elif self._descending:
            shown.reverse()
        self._shown = shown
        if held:
            places = {number: row for row, number in enumerate(shown)}
            moved = [
                self.index(places[number], index.column()) if number in places else QModelIndex()
                for index, number in held
            ]
            self.changePersistentIndexList(before, moved)
        self.layoutChanged.emit()


def _text(entry: Entry, column: str) -> str:
    match column:
        case "number":
            return str(entry.index + 1)
        case "picture":
            return entry.image_name
        case "instruction":
            return entry.instruction
        case "outcome":
            return outcome_of(entry)[0]
        case "point":
            return "" if entry.point_px is None else f"{entry.point_px[0]}, {entry.point_px[1]}"
        case "distance":
            return "" if entry.distance_px is None else f"{entry.distance_px:.0f} px"
        case "application":
            return entry.application
        case "size":
            return "" if entry.side_px is None else f"{entry.side_px:.0f} px"
        case _:
            return "" if entry.ms is None else f"{seconds(entry.ms)} s"
