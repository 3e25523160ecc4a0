"""The real window with the agent's page, driven by commands on standard input; it answers on standard output."""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSocketNotifier, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from agent.capture.exclusion import holds_colour
from agent.capture.screen import open_screen
from agent.episode import Event, Outcome, Proposal
from agent.told import tell
from agent.types import Point, Rect
from app.settings import EndpointSettings
from app.ui.agent import overlay_windows
from app.ui.agent.cleared_camera import ClearedCamera
from app.ui.agent.page import AgentPage
from app.ui.application import DeskhandApplication
from app.ui.capture.frozen import FrozenScreen
from app.ui.capture.session import CaptureSession
from app.ui.overlay import Overlay


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class Driver:
    """Does what a person would: types into the editor, presses the buttons."""

    def __init__(self, deskhand: DeskhandApplication) -> None:
        self.deskhand = deskhand
        deskhand.services.show_page("agent")
        page = deskhand.window.page("agent")
        assert isinstance(page, AgentPage)
        self.page = page
        deskhand.engine.changed.connect(self._engine)

    def _engine(self) -> None:
        say(event="engine", state=self.deskhand.engine.state, message=self.deskhand.engine.message)

    def do(self, command: dict[str, Any]) -> None:
        """Do one command."""
        getattr(self, f"do_{command.pop('do')}")(**command)

    def do_type(self, text: str, mode: str = "guarded") -> None:
        """Type steps into the editor, key by key, and choose a mode."""
        setup = self.page.setup
        setup.steps_tab.click()
        setup.editor.setFocus()
        setup.editor.clear()
        if len(text) > 1000:
            setup.editor.insertPlainText(text)  # pasted: nobody types that
            text = ""
        for number, line in enumerate(text.splitlines()):
            if number:
                QTest.keyClick(setup.editor, Qt.Key.Key_Return)
            QTest.keyClicks(setup.editor, line)
        setup.mode.setCurrentIndex(setup.mode.findData(mode))
        setup.editor.check_now()
        say(event="typed", problems=[problem.message for problem in setup.editor.problems()])

    def do_pursue(self, goal: str, planner: str, url: str) -> None:
        """Type a goal, and choose a server that was added on the Models page to plan it."""
        setup = self.page.setup
        self.deskhand.settings.change(endpoints=[EndpointSettings(name=planner, url=url)])
        self.deskhand.services.show_page("agent")
        setup.goal_tab.click()
        setup.goal.clear()
        QTest.keyClicks(setup.goal, goal)
        setup.mode.setCurrentIndex(setup.mode.findData("guarded"))
        setup.planner.setCurrentIndex(setup.planner.findText(planner))
        say(event="typed", planner=setup.planner.currentText(), ready=setup.start.isEnabled())

    def do_await_title(self, part: str) -> None:
        """Tell when the stage's title says this."""
        self._when(lambda: part in self.page.stage.state.text(), "titled")

    def do_start(self) -> None:
        """Press Start and tell of everything that follows."""
        QTest.mouseClick(self.page.setup.start, Qt.MouseButton.LeftButton)
        run = self.page.run
        assert run is not None, self.page.setup.status.text()
        run.happened.connect(self._happened)
        run.asked.connect(self._asked)
        run.ended.connect(self._ended)
        say(event="started", folder=str(run.plan.folder))

    def do_look(self) -> None:
        """Press Check on screen."""
        QTest.mouseClick(self.page.setup.look, Qt.MouseButton.LeftButton)
        say(event="looking")

    def do_press(self, name: str) -> None:
        """Press a button of the stage."""
        stage = self.page.stage
        buttons = {
            "approve": stage.question.approve,
            "deny": stage.question.deny,
            "stop": stage.stop,
            "pause": stage.pause,
            "over": stage.over,
        }
        QTest.mouseClick(buttons[name], Qt.MouseButton.LeftButton)
        say(event="pressed", name=name)

    def do_point(self, x: float, y: float) -> None:
        """Show the right place on the picture."""
        stage = self.page.stage
        stage.question.correct.click()
        where = stage.picture.place_of(x, y).toPoint()
        QTest.mouseClick(stage.picture, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)
        say(event="pointed")

    def do_state(self) -> None:
        """Tell what is on the page and on the screen."""
        overlay = self.page.overlay
        say(
            event="state",
            title=self.page.stage.state.text(),
            detail=self.page.stage.detail.text(),
            rows=[self.page.timeline.row_at(n).text for n in range(self.page.timeline.rowCount())],  # pyright: ignore[reportOptionalMemberAccess]
            visible=self.deskhand.window.isVisible(),
            box=[] if overlay is None else list(_rect(overlay.box)),
            marks=len(self.page.stage.picture.marks),
        )

    def do_grab(self, path: str) -> None:
        """Write a picture of the window."""
        self.deskhand.window.grab().save(path)
        say(event="grabbed")

    def do_capture(self) -> None:
        """Ask for a capture as a later start of the program does, and tell when the screen is frozen."""
        self.deskhand.do("capture")
        self._when(lambda: bool(self._frozen()) and self._frozen()[0].isActiveWindow(), "frozen")

    def do_await_frozen(self) -> None:
        """Tell when somebody else's request has frozen the screen."""
        self._when(lambda: bool(self._frozen()) and self._frozen()[0].isActiveWindow(), "frozen")

    def do_record(self) -> None:
        """Press Record, and tell once the window has left the screen."""
        QTest.mouseClick(self.page.setup.record, Qt.MouseButton.LeftButton)
        self._when(lambda: self.page.recording.is_on and not self.deskhand.window.isVisible(), "recording")

    def do_recorded(self, count: int) -> None:
        """Press Stop as soon as so many things were recorded; tell what they are."""
        recording = self.page.recording

        def ready() -> bool:
            if len(recording.taken) < count:
                return False
            recording.stop()
            return True

        self._when(ready, "recorded")

    def do_name(self, names: dict[str, str]) -> None:
        """Give names to the targets, and have them looked for."""
        review = self.page.recording.review
        assert review is not None
        for place, name in names.items():
            review.list.setCurrentRow(int(place))
            review.words.clear()
            QTest.keyClicks(review.words, name)
        said = [review.list.item(n).text() for n in range(review.list.count())]
        say(event="named", said=said, ready=review.use.isEnabled())
        QTest.mouseClick(review.check, Qt.MouseButton.LeftButton)
        self._when(
            lambda: sum(review.list.item(n).text()[0] in "✓✗" for n in range(review.list.count())) == 2, "checked"
        )

    def do_use(self, path: str = "") -> None:
        """Take the steps over into the editor."""
        review = self.page.recording.review
        assert review is not None
        review.list.setCurrentRow(0)
        if path:
            review.grab().save(path)
        said = [review.list.item(n).text() for n in range(review.list.count())]
        review.list.setCurrentRow(0)
        told = review.state.text()
        QTest.mouseClick(review.use, Qt.MouseButton.LeftButton)
        say(event="used", said=said, told=told, steps=self.page.setup.editor.toPlainText())

    def do_drag(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """Drag over a region of the frozen screen, in logical pixels."""
        frozen = self._frozen()[0]
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(frozen, left, none, QPoint(x0, y0))
        QTest.mouseMove(frozen, QPoint((x0 + x1) // 2, (y0 + y1) // 2))
        QTest.mouseMove(frozen, QPoint(x1, y1))
        QTest.mouseRelease(frozen, left, none, QPoint(x1, y1))
        region = frozen.region
        assert region is not None
        say(event="region", rect=[region.x(), region.y(), region.width(), region.height()])

    def do_ask_about(self, question: str) -> None:
        """Type a question and press Enter; tell when it is answered."""
        panel = self._session().panel
        assert panel is not None
        QTest.keyClicks(panel.question, question)
        QTest.keyClick(panel.question, Qt.Key.Key_Return)
        self._when(lambda: panel.copy.isVisibleTo(panel), "answered")

    def do_answer(self, path: str = "") -> None:
        """Tell the answer, and where on the monitor the marker is."""
        session = self._session()
        assert session.panel is not None
        frozen = session.screens[0]
        if path:
            frozen.grab().save(path)
        picture = frozen.marks[0].points[0] if frozen.marks else None
        say(event="answer", text=session.panel.state.text(), place=picture, dpr=frozen.devicePixelRatioF())

    def do_escape(self) -> None:
        """Press Escape on the frozen screen."""
        QTest.keyClick(self._session().panel or self._frozen()[0], Qt.Key.Key_Escape)
        say(event="escaped", visible=self.deskhand.window.isVisible())

    def _session(self) -> CaptureSession:
        session = self.deskhand.tasks.findChild(CaptureSession, "deskhand capture")
        assert isinstance(session, CaptureSession)
        return session

    def _frozen(self) -> list[FrozenScreen]:
        session = self.deskhand.tasks.findChild(CaptureSession, "deskhand capture")
        return session.screens if isinstance(session, CaptureSession) else []

    def _when(self, ready: Callable[[], bool], event: str) -> None:
        timer = QTimer(self.deskhand)
        timer.setInterval(20)

        def look() -> None:
            if ready():
                timer.stop()
                timer.deleteLater()
                say(event=event)

        timer.timeout.connect(look)
        timer.start()

    def do_overlay(self, x: int, y: int) -> None:
        """Show border, box and marker as during a run, and tell once they are painted."""
        self.overlay = overlay = Overlay((self.deskhand.window,), self.deskhand)
        overlay.start()
        overlay.mark(Point(x, y))
        colour = overlay_windows.tokens_now().color("marker")
        self.rgb = (colour.red(), colour.green(), colour.blue())

        def seen() -> bool:
            with open_screen() as screen:
                return all(holds_colour(screen.grab(part, allow_black=True), self.rgb) for part in _parts(x, y))

        self._when(seen, "overlay")

    def do_frames(self, count: int) -> None:
        """Capture as a run does, while everything of ours is shown; tell in how many frames our colour is."""

        def work() -> None:
            with open_screen() as screen:
                camera = ClearedCamera(screen, self.overlay)
                found = [holds_colour(camera.grab(None, allow_black=True), self.rgb) for _ in range(count)]
            say(event="frames", ours=sum(found))

        threading.Thread(target=work).start()

    def do_clear(self) -> None:
        """Take the overlay away."""
        self.overlay.close()
        say(event="cleared")

    def do_kill(self) -> None:
        """Kill the engine's child."""
        pid = self.deskhand.engine.pid
        assert pid is not None
        os.kill(pid, 9)
        say(event="killed")

    def do_quit(self) -> None:
        """End as a person would."""
        self.deskhand.quit()

    def _happened(self, event: Event) -> None:
        say(event="happened", kind=type(event).__name__, text=tell(event))

    def _asked(self, proposal: Proposal) -> None:
        action = proposal.action
        at = getattr(action, "at", None)
        point = None if at is None else [at.x_px, at.y_px]
        say(event="asked", element=proposal.element, at=point, size=list(proposal.frame.size_px))

    def _ended(self, outcome: Outcome) -> None:
        say(event="ended", outcome=outcome.kind, message=outcome.message)


def _parts(x: int, y: int) -> tuple[Rect, Rect]:
    return Rect(0, 0, 200, 4), Rect(x - 40, y - 40, x + 40, y + 40)


def _rect(widget: Any) -> tuple[int, int, int, int]:
    place = widget.frameGeometry()
    return place.left(), place.top(), place.width(), place.height()


def main() -> int:
    """Show the window until standard input ends or it is told to quit."""
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    deskhand = DeskhandApplication(Path(os.environ["DESKHAND_HOME"]))
    deskhand.settings.change(welcomed=True)
    deskhand.show()
    driver = Driver(deskhand)

    def read(notifier: QSocketNotifier) -> Callable[[], None]:
        def line() -> None:
            text = sys.stdin.readline()
            if not text:
                notifier.setEnabled(False)
                deskhand.quit()
                return
            driver.do(json.loads(text))

        return line

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, deskhand)
    notifier.activated.connect(read(notifier))
    say(event="ready")
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
