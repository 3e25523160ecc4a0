"""Past runs: found, shown, exported, run again, and turned into steps."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from agent.episode import Gated
from agent.runbook.steps import ClickStep, Element, PressStep, TypeStep
from agent.trace import TraceWriter, new_run_folder, read_trace
from agent.types import Click, Hotkey, Point, TypeText
from app.ui.agent.as_steps import steps_of
from app.ui.agent.check import check
from app.ui.agent.history import list_runs, read_stills
from app.ui.agent.page import AgentPage
from app.ui.tasks import Cancel
from tests.agent.runs import frame, step
from tests.app.ui.agent_pages import record

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def page(agent_page: AgentPage) -> AgentPage:
    return agent_page


def test_past_runs_are_found_shown_and_deleted(page: AgentPage, qtbot: QtBot) -> None:
    whole = record(page.runs_folder, "click the Save button")
    broken = record(page.runs_folder, "open the mail", end=False)
    (page.runs_folder / "no run").mkdir()
    past = page.past
    page.past_tab.click()
    qtbot.waitUntil(lambda: past.list.count() == 2)
    past.search.setText("save done")
    assert past.list.count() == 1
    qtbot.waitUntil(lambda: len(past.film.stills) == 4)
    assert past.current is not None
    assert past.current.folder == whole
    assert past.film.picture.image is not None
    assert past.film.picture.marks
    past.film.following.click()
    assert past.film.strip.currentRow() == 1
    past.search.setText("broken")
    assert past.current is not None
    assert past.current.folder == broken
    past.delete_run(past.current)
    assert not broken.exists()
    past.search.clear()
    assert past.list.count() == 1


def test_a_past_run_is_exported_and_reported(
    page: AgentPage, qtbot: QtBot, tmp_path: Path, notices: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = record(page.runs_folder)
    opened: list[str] = []
    monkeypatch.setattr(
        "app.ui.agent.past.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile()) or True
    )
    page.past_tab.click()
    qtbot.waitUntil(lambda: page.past.list.count() == 1)
    page.past.report.click()
    qtbot.waitUntil(lambda: bool(opened))
    assert "<svg" in (folder / "report.html").read_text(encoding="utf-8")
    assert page.past.current is not None
    page.past.export_to(page.past.current, tmp_path / "out")
    qtbot.waitUntil(lambda: (tmp_path / "out" / "agentnet.jsonl").exists())
    line = json.loads((tmp_path / "out" / "agentnet.jsonl").read_text(encoding="utf-8"))
    assert line["task_completed"] is True


def test_run_again_brings_back_what_was_written(page: AgentPage, qtbot: QtBot) -> None:
    folder = record(page.runs_folder)
    text = "# my steps\nclick the Save button"
    (folder / "task.json").write_text(json.dumps({"writes_goal": False, "text": text}))
    page.past_tab.click()
    qtbot.waitUntil(lambda: page.past.list.count() == 1)
    page.past.again.click()
    assert page.setup.editor.toPlainText() == text
    assert page.run_tab.isChecked()


def test_what_a_run_did_becomes_steps_that_can_be_read(tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path)
    done = [
        (Click(Point(40, 110), "left", 2), "Click on the Save button."),
        (TypeText('say "hi"\n'), ""),
        (Hotkey(("ctrl", "S")), ""),
        (Click(Point(40, 110), modifiers=("shift",)), "the last row"),
        (TypeText("hunter2", secret=True), "Password"),
    ]
    with TraceWriter(folder, "goal", "run") as write:
        for number, (action, element) in enumerate(done, start=1):
            for event in step(number, frame(), frame(), action):
                write(_called(event, element) if isinstance(event, Gated) else event)
    text = steps_of(read_trace(folder))
    lines = text.splitlines()
    result = check(text, tmp_path)
    assert result.runbook is not None, result.problems
    steps = [instruction.step for instruction in result.runbook.instructions]
    assert steps == [
        ClickStep(Element("the Save button"), "left", 2),
        TypeStep('say "hi"\n'),
        PressStep(("ctrl", "s")),
    ]
    assert sum(line.startswith("#") for line in lines) == 2
    assert "hunter2" not in text


def _called(event: Gated, element: str) -> Gated:
    return replace(event, proposal=replace(event.proposal, element=element))


def test_stills_hold_pictures_and_no_frames(tmp_path: Path) -> None:
    folder = record(tmp_path)
    stills = read_stills(folder, Cancel(lambda _value: None))
    assert [still.row.step for still in stills] == [1, 2, 3, 0]
    assert all(still.row.frame is None and still.row.after is None for still in stills)
    assert stills[0].before is not None
    assert stills[0].before.points
    assert len(list_runs(tmp_path, Cancel(lambda _value: None))) == 1
