"""The agent's page without a screen: what is written, what is asked, and what is shown."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from agent.episode import Decision, Proposal
from agent.errors import PersonActingError
from agent.locate import Location
from agent.types import Click, Frame, Point
from app.translate import set_language
from app.ui.agent.answers import CorrectableEyes, Corrected, CorrectingSwitch, Corrections, WindowApprover
from app.ui.agent.check import check
from app.ui.agent.editor import RunbookEditor
from app.ui.agent.page import AgentPage
from app.ui.agent.timeline import TimelineModel
from app.ui.services import Services
from tests.agent.runs import FIELD, WINDOW, frame, step, whole_run

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def page(agent_page: AgentPage) -> AgentPage:
    return agent_page


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("click the Save button\npress Ctrl+S", []),
        ("", []),
        ("# only a word\n\n", []),
        ("clik the Save button\nclick x\npress Ctrl+Nonsense", [1, 3]),
        ("name: x\nsteps:\n  - click the Save button\n  - clik it\n", [4]),
        ("steps:\n  - click the Save button\nnonsense: 1\n", [3]),
        ("steps: [\n", [1]),
        ("type secret password into the Password field", [1]),
    ],
)
def test_each_line_that_cannot_be_read_is_named(text: str, lines: list[int], tmp_path: Path) -> None:
    result = check(text, tmp_path)
    assert [problem.line for problem in result.problems] == lines
    assert all(problem.message for problem in result.problems)
    assert (result.runbook is None) == bool(lines or not text.replace("# only a word", "").strip())


def test_a_wrong_line_says_so_right_under_itself(qtbot: QtBot, tmp_path: Path) -> None:
    editor = RunbookEditor(tmp_path)
    qtbot.addWidget(editor)
    editor.resize(400, 300)
    editor.show()
    with qtbot.waitSignal(editor.checked):
        QTest.keyClicks(editor, "clik it")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        QTest.keyClicks(editor, "press Enter")
    first, second = (editor.document().findBlockByNumber(n) for n in (0, 1))
    tall = editor.blockBoundingRect(first).height()
    assert tall > 1.5 * editor.blockBoundingRect(second).height()
    # Undo takes back what was typed, not what was said about it.
    editor.undo()
    editor.setPlainText("click it\npress Enter")
    editor.check_now()
    assert editor.blockBoundingRect(editor.document().findBlockByNumber(0)).height() < tall
    assert editor.result.runbook is not None


def test_start_needs_a_model_and_steps_that_can_be_read(page: AgentPage) -> None:
    setup = page.setup
    setup.set_steps("clik it")
    setup.set_can_run(True, "", False)
    assert not setup.start.isEnabled()
    assert "1" in setup.status.text()
    setup.set_steps("click the Save button")
    assert setup.start.isEnabled()
    setup.set_can_run(False, "no model is loaded", False)
    assert not setup.start.isEnabled()
    assert "no model is loaded" in setup.status.text()


def test_a_goal_needs_somebody_who_plans(page: AgentPage) -> None:
    setup = page.setup
    setup.set_can_run(True, "", False)
    setup.set_goal("book a table")
    assert not setup.start.isEnabled()
    assert setup.request() is None
    setup.set_can_run(True, "", True)
    assert setup.start.isEnabled()
    request = setup.request()
    assert request is not None
    assert request.goal == "book a table"
    assert request.runbook is None


def test_drafts_survive_the_end_of_the_window(page: AgentPage, services: Services, qtbot: QtBot) -> None:
    page.setup.set_goal("book a table")
    page.setup.set_steps("click the Save button")
    page.setup.mode.setCurrentIndex(page.setup.mode.findData("confirm"))
    page.closing()
    again = AgentPage(services)
    qtbot.addWidget(again)
    assert again.setup.editor.toPlainText() == "click the Save button"
    assert again.setup.goal.toPlainText() == "book a table"
    assert again.setup.mode.currentData() == "confirm"
    again.closing()


def test_the_timeline_has_a_row_a_step_and_the_end(qtbot: QtBot) -> None:
    model = TimelineModel(max_frames=1)
    ModelTester(model)
    for number, event in enumerate(whole_run()):
        model.append(event, 100.0 + number)
    rows = [model.row_at(n) for n in range(model.rowCount())]
    assert [row.step for row in rows if row] == [1, 2, 3, 0]
    first, second, third, end = rows
    assert first is not None and second is not None and third is not None and end is not None  # noqa: PT018
    assert first.verdict == "confirmed"
    assert first.action == "Click the field"
    assert first.thought == "I see a field"
    assert first.marks.points == (Point(40, 110),)
    assert second.tone == "bad"
    assert "no code" in third.text
    assert end.verdict == "done"
    # Frames of all but the latest steps are let go; the trace has them.
    assert first.frame is None


def proposal(risks: tuple = ("send",)) -> Proposal:
    return Proposal(2, Click(Point(60, 110)), frame(), FIELD, "the Save button", WINDOW, risks)


def test_an_answer_reaches_the_run_and_enter_alone_approves_nothing(page: AgentPage) -> None:
    answers: list[object] = []
    page._asked(proposal())
    page.stage.question.answered.connect(answers.append)
    assert "the Save button" in page.stage.question.title.text()
    assert "sends something" in page.stage.question.why.text()
    assert len(page.stage.picture.marks) == 2
    QTest.keyClick(page.stage.question, Qt.Key.Key_Return)
    assert answers == []
    QTest.mouseClick(page.stage.question.approve, Qt.MouseButton.LeftButton)
    assert answers == [Decision("approve")]


def test_a_question_of_the_planner_is_answered_in_words(page: AgentPage) -> None:
    answers: list[object] = []
    page._worded("Which table?")
    page.stage.question.answered.connect(answers.append)
    QTest.keyClicks(page.stage.question.words, "the round one")
    QTest.keyClick(page.stage.question.words, Qt.Key.Key_Return)
    assert answers == ["the round one"]


class Nowhere:
    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        return Location(False, None, None, (), 0.0)


def test_a_correction_is_no_approval_and_makes_the_eyes_see_it_there() -> None:
    switch, corrections, asked = CorrectingSwitch(), Corrections(), threading.Event()
    approver = WindowApprover(switch, corrections, lambda _p: asked.set(), lambda _w: None, lambda: None)
    decided: list[Decision] = []
    thread = threading.Thread(target=lambda: decided.append(approver.decide(proposal(), switch.cancel)))
    thread.start()
    assert asked.wait(10)
    approver.give(Corrected(0.25, 0.75))
    thread.join(10)
    assert decided[0].kind == "deny"
    with pytest.raises(PersonActingError):
        switch.check()
    assert switch.wait_for_resume(10)
    switch.check()
    eyes = CorrectableEyes(Nowhere(), corrections)
    found = eyes.find(frame(), "the Save button", threading.Event())
    assert found.point_rel == (0.25, 0.75)
    assert not eyes.find(frame(), "another button", threading.Event()).found
    corrections.listen(step(1, frame(), frame(), Click(Point(1, 1)))[-1])
    assert not eyes.find(frame(), "the Save button", threading.Event()).found


def test_a_stop_answers_whatever_is_asked() -> None:
    switch = CorrectingSwitch()
    asked = threading.Event()
    approver = WindowApprover(switch, Corrections(), lambda _p: asked.set(), lambda _w: None, lambda: None)
    decided: list[Decision] = []
    thread = threading.Thread(target=lambda: decided.append(approver.decide(proposal(), switch.cancel)))
    thread.start()
    assert asked.wait(10)
    switch.stop("enough")
    thread.join(10)
    assert decided[0].kind != "approve"


def _is_drop_down(widget: QWidget) -> bool:
    holder = widget.parentWidget()
    return holder is not None and isinstance(holder.parentWidget(), QComboBox)


@pytest.mark.parametrize("language", ["pseudo", "zh_CN"])
def test_every_control_has_a_name_in_the_persons_language(services: Services, qtbot: QtBot, language: str) -> None:
    set_language(language)
    page = AgentPage(services)
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    for widget in page.findChildren(QWidget):
        unfocusable = widget.focusPolicy() == Qt.FocusPolicy.NoFocus
        # A drop-down list is named by its box.
        if unfocusable or widget.objectName().startswith("qt_") or _is_drop_down(widget):
            continue
        text = getattr(widget, "text", lambda: "")
        assert widget.accessibleName() or text(), f"{widget!r} has no name"
        if language == "pseudo" and widget.accessibleName():
            assert widget.accessibleName().startswith("⟦"), widget.accessibleName()
    page.closing()
    qtbot.waitUntil(lambda: services.tasks.count == 0)
