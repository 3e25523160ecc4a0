"""The agent's page without a screen: what is written, what is asked, what is shown, and what is kept."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from agent.episode import Decision, Gated, Proposal
from agent.errors import PersonActingError
from agent.locate import Location
from agent.runbook.steps import ClickStep, Element, PressStep, TypeStep
from agent.trace import TraceWriter, new_run_folder, read_trace
from agent.types import Click, Frame, Hotkey, Point, Rect, TypeText
from app.translate import set_language
from app.ui.agent.answers import CorrectableEyes, Corrected, CorrectingSwitch, Corrections, WindowApprover
from app.ui.agent.as_steps import steps_of
from app.ui.agent.check import check
from app.ui.agent.editor import RunbookEditor
from app.ui.agent.history import list_runs, read_stills
from app.ui.agent.page import AgentPage
from app.ui.agent.screens import map_from
from app.ui.agent.timeline import TimelineModel
from app.ui.capture.frozen import FrozenScreen
from app.ui.services import Services
from app.ui.tasks import Cancel
from tests.agent.runs import FIELD, WINDOW, frame, step, whole_run

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def page(services: Services, qtbot: QtBot) -> Iterator[AgentPage]:
    made = AgentPage(services)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    yield made
    made.closing()
    # What reads the list of runs has ended before the page is gone.
    qtbot.waitUntil(lambda: services.tasks.count == 0)


def record(root: Path, goal: str = "click the Save button", *, end: bool = True) -> Path:
    folder = new_run_folder(root)
    with TraceWriter(folder, goal, "guarded") as write:
        for event in whole_run()[: None if end else -1]:
            write(event)
    return folder


# --- what is written --------------------------------------------------------------------------------


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


# --- a run that goes on ------------------------------------------------------------------------------


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


# --- what was done -----------------------------------------------------------------------------------


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


# --- the screen --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logical", "scale", "point"),
    [
        (QRect(0, 0, 1280, 720), 1.5, Point(1919, 1079)),
        (QRect(1920, 0, 1280, 1440), 1.5, Point(1920, 0)),
        (QRect(1920, 0, 1280, 1440), 1.5, Point(3001, 777)),
        (QRect(-1080, -200, 540, 960), 2.0, Point(-5, 3)),
    ],
)
def test_a_pixel_comes_back_from_logical_units(logical: QRect, scale: float, point: Point) -> None:
    map_ = map_from(logical, scale)
    assert map_.rect_px.contains(point)
    there = map_.to_logical(point)
    assert map_.to_physical(there.x(), there.y()) == point


def frozen(qtbot: QtBot, scale: float = 2.0) -> FrozenScreen:
    picture = QImage(QSize(800, 600), QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.darkGreen)
    made = FrozenScreen(picture, map_from(QRect(0, 0, 400, 300), scale), QApplication.primaryScreen())
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_region_is_dragged_in_physical_pixels(qtbot: QtBot) -> None:
    screen = frozen(qtbot)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(screen.chosen):
        QTest.mousePress(screen, left, none, QPoint(200, 150))
        QTest.mouseMove(screen, QPoint(100, 100))
        QTest.mouseRelease(screen, left, none, QPoint(100, 50))
    assert screen.region == QRect(200, 100, 201, 201)
    assert screen.picture_of_region().size() == QSize(201, 201)
    screen.mark((0.5, 0.5))
    assert screen.marks[0].points[0] == pytest.approx(((200 + 100.5) / 800, (100 + 100.5) / 600))


def test_a_region_is_chosen_by_the_keyboard_alone_and_escape_leaves(qtbot: QtBot) -> None:
    screen = frozen(qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Space)
    for _ in range(3):
        QTest.keyClick(screen, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(screen, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(screen.chosen):
        QTest.keyClick(screen, Qt.Key.Key_Space)
    assert screen.region == QRect(400, 300, 61, 21)
    with qtbot.waitSignal(screen.left):
        QTest.keyClick(screen, Qt.Key.Key_Escape)


def test_a_click_without_a_drag_chooses_nothing(qtbot: QtBot) -> None:
    screen = frozen(qtbot)
    with qtbot.assertNotEmitted(screen.chosen):
        QTest.mouseClick(screen, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(50, 50))
    assert screen.region is None
    with qtbot.waitSignal(screen.chosen):
        QTest.keyClick(screen, Qt.Key.Key_Return)
    assert screen.region == QRect(0, 0, 800, 600)


def _is_drop_down(widget: QWidget) -> bool:
    holder = widget.parentWidget()
    return holder is not None and isinstance(holder.parentWidget(), QComboBox)


def test_a_marked_rect_is_drawn_where_it_is() -> None:
    map_ = map_from(QRect(1920, 0, 960, 540), 2.0)
    placed = map_.rect_to_logical(Rect(2020, 100, 2120, 200))
    assert (placed.left(), placed.top(), placed.width(), placed.height()) == (1970, 50, 50, 50)


# --- for everybody -----------------------------------------------------------------------------------


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
