"""The table of a batch: sorted, filtered, a hundred thousand rows, and Qt's own tester."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from agent.datasets import Box, Item
from app.ui.batch.choice import COLUMNS
from app.ui.batch.entry import Entry
from app.ui.batch.page import BatchPage
from app.ui.batch.table import EntryTable
from tests.app.ui.batch_pages import WAIT_MS


@pytest.fixture
def page(batch_page: BatchPage) -> BatchPage:
    return batch_page


def many(count: int) -> list[Entry]:
    about = [
        Item(f"t{side}", Path("a.png"), "a.png", "x", Box(0, 0, side, side), application=f"app {side}")
        for side in (9, 30)
    ]
    return [
        Entry(
            *(number, str(number), None, f"{number % 97}.png", f"press {number}", "found", (0.5, 0.5), (200, 100)),
            *(1, "", "", float(number % 1000), about[number % 2], "correct" if number % 3 else "wrong", 0.0, 9.0),
        )
        for number in range(count)
    ]


def test_the_table_keeps_its_promises_to_qt(qtbot: QtBot) -> None:
    """Qt's own tester watches while rows come, are filtered, sorted and changed."""
    table = EntryTable()
    tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    entries = many(900)
    table.add(entries[:10])
    table.sort(COLUMNS.index("time"), Qt.SortOrder.DescendingOrder)
    table.add(entries[10:60])
    table.add(entries[60:600])
    table.sort(COLUMNS.index("picture"))
    table.add(entries[600:])
    shown = [table.entry(line).image_name for line in range(table.rowCount())]
    assert shown == sorted(shown)
    assert sorted(table.entry(line).index for line in range(900)) == list(range(900))
    table.clear()
    assert table.rowCount() == 0
    tester.deleteLater()
    table.deleteLater()


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
def test_rows_that_come_later_stand_where_sorting_would_put_them(name: str, order: Qt.SortOrder) -> None:
    entries = many(120)
    grown, whole = EntryTable(), EntryTable()
    for table in (grown, whole):
        table.sort(COLUMNS.index(name), order)
    for entry in entries:
        grown.add([entry])
    whole.add(entries)
    keys: list[Callable[[EntryTable], list[object]]] = [
        lambda table: [table.data(table.index(line, COLUMNS.index(name))) for line in range(table.rowCount())]
    ]
    assert keys[0](grown) == keys[0](whole)


def test_a_hundred_thousand_rows_are_filtered_and_sorted(page: BatchPage, qtbot: QtBot) -> None:
    """The selection stays on its row wherever sorting puts it."""
    page.view.model.add(many(100_000))
    page.view.table.selectRow(7)
    page.view.table.sortByColumn(COLUMNS.index("time"), Qt.SortOrder.DescendingOrder)
    (chosen,) = page.view.table.selectionModel().selectedRows()
    assert page.view.model.entry(chosen.row()).index == 7
    page.view.words.setText("press 99999")
    qtbot.waitUntil(lambda: page.view.model.rowCount() == 1, timeout=WAIT_MS)
