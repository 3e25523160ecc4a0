"""Runs of a batch that are paused, stopped, broken off and killed: every row is answered once."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.samples import sample
from app.ui.batch.page import BatchPage
from app.ui.batch.record import read_records
from app.ui.services import Services
from tests.agent.grounding_sets import pro_row, write_pro
from tests.app.ui.batch_pages import WAIT_MS, Pointer, begin, column, open_page, wait_done


@pytest.fixture
def page(batch_page: BatchPage) -> BatchPage:
    return batch_page


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
