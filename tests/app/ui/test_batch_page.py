"""The batch page, as a person uses it: a real server answers over HTTP, and once the real engine, which is killed."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from agent.datasets import Box, Item
from app.samples import sample
from app.settings import EndpointSettings
from app.ui.batch.choice import COLUMNS
from app.ui.batch.entry import Entry
from app.ui.batch.page import BatchPage
from app.ui.batch.record import read_records
from app.ui.batch.table import EntryTable
from app.ui.services import Services
from model.chat import Delta, GenerateOptions, Message
from model.errors import EndpointError
from model.grounding import ABSENT_ANSWER, answer_text
from model.serve import ModelCard, ServeSettings
from tests.agent.grounding_sets import pro_row, write_picture, write_pro
from tests.app.ui.conftest import Notices
from tests.model.serving import serving

WAIT_MS = 60_000
CARD = ModelCard("pointer", ("ground",), grounding_prompt="bare", in_token_limit=1024)


@dataclass
class Pointer:
    """Points at the target of `pro_row`; words of the instruction make it miss, refuse, wait or break."""

    held: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    breaks: bool = False

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        text = messages[-1].text
        self.asked.append(text)
        if "late" in text:
            while not self.held.wait(0.05) and not (cancel is not None and cancel.is_set()):
                pass
        if "broken" in text and self.breaks:
            raise EndpointError("the card fell out")
        said = answer_text(0.9, 0.9) if "miss" in text else answer_text(0.2, 0.2)
        yield Delta(text=ABSENT_ANSWER if "absent" in text else said)
        yield Delta(finish="stop")


@pytest.fixture
def pointer(services: Services) -> Iterator[Pointer]:
    """Serve a `Pointer`; the settings know it as "lab"."""
    model = Pointer()
    with serving(model, ServeSettings(token=None), CARD) as server:
        services.settings.change(endpoints=[EndpointSettings(name="lab", url=server.url)])
        yield model
        model.held.set()


@pytest.fixture
def page(services: Services, qtbot: QtBot) -> Iterator[BatchPage]:
    yield from open_page(services, qtbot)


def open_page(services: Services, qtbot: QtBot) -> Iterator[BatchPage]:
    made = BatchPage(services)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.closing()
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=WAIT_MS)


def begin(page: BatchPage, path: Path, *, instruction: str = "", endpoint: str = "lab", workers: int = 2) -> None:
    """Come to the page, choose an input and press Start."""
    page.shown()
    page.setup.choose(path)
    page.setup.model.setCurrentIndex(page.setup.model.findData(endpoint))
    page.setup.workers.setValue(workers)
    page.setup.looks.setValue(1)
    page.setup.instruction.setText(instruction)
    assert page.setup.start.isEnabled()
    page.setup.start.click()


def column(page: BatchPage, name: str) -> list[str]:
    """Read a column of the table as it is shown."""
    model, number = page.view.model, COLUMNS.index(name)
    return [model.data(model.index(line, number)) for line in range(model.rowCount())]


def wait_done(page: BatchPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.running is None and page._asking is None, timeout=WAIT_MS)


def outcomes(folder: Path) -> Path:
    """Write a set with one row for each thing that may come of a row."""
    rows = [pro_row(name) for name in ("a", "miss 1", "absent 1")]
    return write_pro(folder, *rows, pro_row("gone", img_filename="word_windows/gone.png", application="gimp"))


def test_a_set_is_run_filtered_looked_into_and_exported(
    page: BatchPage, pointer: Pointer, notices: Notices, tmp_path: Path, qtbot: QtBot
) -> None:
    begin(page, outcomes(tmp_path / "pro"))
    wait_done(page, qtbot)
    assert page.view.state.text() == "finished"
    assert page.view.numbers.text().startswith("4 of 4 rows · 33.3% right · 1 bad rows")
    assert column(page, "outcome") == ["right", "missed", "not found", "bad row"]
    assert ("info", "The run of pro is finished.") in notices.told

    page.view.outcome.setCurrentIndex(page.view.outcome.findData("missed"))
    assert column(page, "instruction") == ["press miss 1", "press absent 1"]
    assert page.view.shown_count.text() == "2 of 4 rows"
    page.view.table.selectRow(0)
    qtbot.waitUntil(lambda: len(page.view.view.picture.marks) == 2, timeout=WAIT_MS)
    target, answer = page.view.view.picture.marks
    assert (target.kind, target.points, target.tone) == ("box", ((0.1, 0.1), (0.3, 0.3)), "success")
    assert (answer.points, answer.tone) == (((0.9, 0.9),), "danger")

    page.view.tabs.setCurrentWidget(page.view.figures)
    (share,) = page.view.figures.applications.bars
    assert (share.label, share.detail) == ("word", "(1/3)")
    assert page.view.figures.times.histogram is not None

    for name, suffix in (("jsonl", "jsonl"), ("csv", "csv"), ("pro", "json"), ("html", "html")):
        page.export_to(name, tmp_path / f"out.{suffix}")
    qtbot.waitUntil(lambda: sum("Exported" in text for _level, text in notices.told) == 4, timeout=WAIT_MS)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["verdict"] for row in csv.DictReader(file)] == ["correct", "wrong", "wrong_format", ""]
    assert json.loads((tmp_path / "out.json").read_text())["metrics"]["overall"]["num_correct_action"] == 1
    assert "<html" in (tmp_path / "out.html").read_text().lower()


def test_a_run_that_was_broken_off_goes_on_at_the_next_start(
    services: Services, pointer: Pointer, tmp_path: Path, qtbot: QtBot
) -> None:
    """The first page closes in mid-run; the second finds the run, and asks only for what is missing."""
    rows = [pro_row(name) for name in ("a", "b", "c", "late d", "late e")]
    opened = open_page(services, qtbot)
    first = next(opened)
    begin(first, write_pro(tmp_path / "pro", *rows), workers=1)
    qtbot.waitUntil(lambda: len(first.view.model.entries) == 3 and "late" in pointer.asked[-1], timeout=WAIT_MS)
    next(opened, None)
    (record,) = read_records(services.data_folder)
    assert (record.state, record.done, record.total) == ("stopped", 3, 5)

    pointer.held.set()
    pointer.asked.clear()
    again = open_page(services, qtbot)
    second = next(again)
    (card,) = second.past.cards
    assert card.state.text() == "not finished"
    card.resume.click()
    qtbot.waitUntil(lambda: second.running is not None, timeout=WAIT_MS)
    wait_done(second, qtbot)
    assert column(second, "outcome") == ["right"] * 5
    assert len(pointer.asked) == 2
    assert [json.loads(line)["id"] for line in record.results.open()] == ["a", "b", "c", "late d", "late e"]
    assert read_records(services.data_folder)[0].state == "done"
    next(again, None)


def test_a_paused_run_asks_nothing_and_goes_on(page: BatchPage, pointer: Pointer, tmp_path: Path, qtbot: QtBot) -> None:
    rows = [pro_row("late 0"), *(pro_row(f"soon {number}") for number in range(6))]
    begin(page, write_pro(tmp_path / "pro", *rows), workers=1)
    qtbot.waitUntil(lambda: len(pointer.asked) == 1, timeout=WAIT_MS)
    page.view.pause.click()
    pointer.held.set()
    qtbot.waitUntil(lambda: len(page.view.model.entries) == 1, timeout=WAIT_MS)
    assert page.view.state.text() == "paused"
    assert len(pointer.asked) == 1
    page.view.go_on.click()
    wait_done(page, qtbot)
    assert len(pointer.asked) == 7


def test_a_stopped_run_says_so_and_can_be_resumed_on_the_spot(
    page: BatchPage, pointer: Pointer, tmp_path: Path, qtbot: QtBot
) -> None:
    begin(page, write_pro(tmp_path / "pro", pro_row("a"), pro_row("late b")), workers=1)
    qtbot.waitUntil(lambda: len(pointer.asked) == 2, timeout=WAIT_MS)
    page.view.stop.click()
    wait_done(page, qtbot)
    assert page.view.state.text() == "not finished"
    assert page.view.resume.isVisible()
    pointer.held.set()
    page.view.resume.click()
    qtbot.waitUntil(lambda: page.running is not None, timeout=WAIT_MS)
    wait_done(page, qtbot)
    assert column(page, "outcome") == ["right", "right"]


def test_rows_without_an_answer_are_asked_again_by_resuming(
    page: BatchPage, pointer: Pointer, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.batch.answerer._RETRIES", 0)
    pointer.breaks = True
    begin(page, write_pro(tmp_path / "pro", pro_row("broken 1"), pro_row("normal 2"), pro_row("latest 3")), workers=1)
    qtbot.waitUntil(lambda: len(pointer.asked) == 3, timeout=WAIT_MS)
    page.view.stop.click()
    wait_done(page, qtbot)
    assert column(page, "outcome") == ["no answer", "right"]
    pointer.breaks = False
    pointer.held.set()
    page.view.resume.click()
    qtbot.waitUntil(lambda: page.running is not None, timeout=WAIT_MS)
    wait_done(page, qtbot)
    assert column(page, "outcome") == ["right"] * 3
    assert page.view.numbers.text().startswith("3 of 3 rows · 100.0% right")


def test_a_folder_needs_an_instruction_and_a_model(
    page: BatchPage, pointer: Pointer, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("one.png", "deep/two.png"):
        write_picture(tmp_path / "pictures" / name)
    page.setup.choose(tmp_path / "pictures")
    assert page.setup.instruction.isVisible()
    assert not page.setup.start.isEnabled()
    page.setup.instruction.setText("the Save button")
    assert not page.setup.start.isEnabled(), "no model is loaded"
    begin(page, tmp_path / "pictures", instruction="the Save button")
    wait_done(page, qtbot)
    assert column(page, "picture") == ["deep/two.png", "one.png"]
    assert column(page, "outcome") == ["found", "found"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_tables_are_read(page: BatchPage, pointer: Pointer, tmp_path: Path, qtbot: QtBot, suffix: str) -> None:
    """The picture of a Parquet row lies in the file itself, and is shown all the same."""
    picture = write_picture(tmp_path / "a.png")
    file = tmp_path / f"rows.{suffix}"
    rows = [{"image": "a.png", "instruction": "one"}, {"image": "a.png", "instruction": ""}]
    if suffix == "csv":
        file.write_text("image,instruction\n" + "".join(f"{row['image']},{row['instruction']}\n" for row in rows))
    elif suffix == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        held = [{**row, "image": {"bytes": picture.read_bytes(), "path": "a.png"}} for row in rows]
        pq.write_table(pa.Table.from_pylist(held), file)
        picture.unlink()
    begin(page, file)
    wait_done(page, qtbot)
    assert column(page, "outcome") == ["found", "bad row"]
    page.view.table.selectRow(0)
    qtbot.waitUntil(lambda: page.view.view.picture.image is not None, timeout=WAIT_MS)
    assert len(page.view.view.picture.marks) == 1


def test_a_drop_chooses_and_what_cannot_be_read_is_said(page: BatchPage, tmp_path: Path) -> None:
    drop(page, outcomes(tmp_path / "pro"))
    assert page.setup.chosen.text() == "pro"
    assert page.setup.kind.currentData() == "screenspot-pro"
    (tmp_path / "notes.txt").write_text("hello")
    drop(page, tmp_path / "notes.txt")
    assert page.setup.problem.isVisible()
    assert "notes.txt" in page.setup.problem.text()


def drop(page: BatchPage, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.dropEvent(QDropEvent(QPointF(QPoint(50, 50)), Qt.DropAction.CopyAction, data, buttons, keys))


def test_a_server_that_is_gone_and_an_input_that_is_gone_are_said(
    page: BatchPage, services: Services, pointer: Pointer, notices: Notices, tmp_path: Path, qtbot: QtBot
) -> None:
    services.settings.change(endpoints=[EndpointSettings(name="lab", url="http://127.0.0.1:9/v1")])
    begin(page, outcomes(tmp_path / "pro"))
    wait_done(page, qtbot)
    assert page.running is None
    assert "127.0.0.1:9" in notices.told[-1][1]
    assert not read_records(services.data_folder), "nothing was begun"


def test_a_finished_run_is_read_without_its_input(
    page: BatchPage, pointer: Pointer, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = outcomes(tmp_path / "pro")
    begin(page, folder)
    wait_done(page, qtbot)
    shutil.rmtree(folder)
    page.view.back.click()
    (card,) = page.past.cards
    card.open.click()
    qtbot.waitUntil(lambda: bool(page.view.notice.text()), timeout=WAIT_MS)
    assert column(page, "instruction")[:1] == ["press a"]


def test_the_engines_death_costs_a_moment_and_no_row(
    page: BatchPage, services: Services, tmp_path: Path, qtbot: QtBot
) -> None:
    """The real child with the built-in checkpoint is killed in mid-run: the page says so, and every row is answered."""
    picture, targets = sample()
    shutil.copy(picture, tmp_path / "shot.png")
    lines = [json.dumps({"image": "shot.png", "instruction": target.instruction}) for target in targets[:2]]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    services.engine.load("builtin")
    qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=2 * WAIT_MS)
    begin(page, tmp_path / "rows.jsonl", endpoint="", workers=1)
    qtbot.waitUntil(lambda: services.engine._use.idle_s() == 0.0, timeout=WAIT_MS)
    pid = services.engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "being started again" in page.view.notice.text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.running is None, timeout=3 * WAIT_MS)
    assert page.view.notice.text() == ""
    assert services.engine.pid != pid
    found = page.view.model.entries
    assert [entry.status for entry in found] == ["found"] * 2
    errors = [
        target.distance_px(*entry.point_px) for target, entry in zip(targets, found, strict=False) if entry.point_px
    ]
    assert errors == [0.0, 0.0]


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


KILLED = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
application = QApplication([])
from app.ui.application import DeskhandApplication
from app.ui.batch.setup import Request
from app.ui.batch.source import Source
deskhand = DeskhandApplication(Path(sys.argv[1]))
deskhand.window.show_page("batch")
page = deskhand.window.page("batch")
page.begin(Request(Source(Path(sys.argv[2]), "screenspot-pro"), "lab", 1, 1, 1))
application.exec()
"""


def test_a_window_that_was_killed_loses_no_answered_row(
    services: Services, pointer: Pointer, tmp_path: Path, qtbot: QtBot
) -> None:
    """`kill -9` of the whole application in mid-run; the next one lists the run and carries it to its end."""
    rows = [pro_row(name) for name in ("a", "b", "c", "late d", "late e")]
    folder = write_pro(tmp_path / "pro", *rows)
    command = [sys.executable, "-c", KILLED, str(services.data_folder), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as window:
        qtbot.waitUntil(lambda: any("late" in asked for asked in pointer.asked), timeout=WAIT_MS)
        (record,) = read_records(services.data_folder)
        qtbot.waitUntil(lambda: record.results.read_bytes().count(b"\n") == 3, timeout=WAIT_MS)
        window.kill()
    pointer.held.set()
    pointer.asked.clear()
    opening = open_page(services, qtbot)
    page = next(opening)
    (card,) = page.past.cards
    assert card.state.text() == "not finished"
    card.resume.click()
    qtbot.waitUntil(lambda: page.running is not None, timeout=WAIT_MS)
    wait_done(page, qtbot)
    assert column(page, "outcome") == ["right"] * 5
    assert len(pointer.asked) == 2
    next(opening, None)
