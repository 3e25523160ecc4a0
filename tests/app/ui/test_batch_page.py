"""The batch page, as a person uses it: a real server answers over HTTP."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from app.settings import EndpointSettings
from app.ui.batch.page import BatchPage
from app.ui.batch.record import read_records
from app.ui.services import Services
from tests.agent.grounding_sets import write_picture
from tests.app.ui.batch_pages import WAIT_MS, Pointer, begin, column, outcomes, wait_done
from tests.app.ui.conftest import Notices


@pytest.fixture
def page(batch_page: BatchPage) -> BatchPage:
    return batch_page


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
