"""The agent's page: set a task up, watch it being done, answer it, and look at what was done before."""

import json
import time
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from agent.episode import Decision, Ended, Event, Gated, Located, Outcome, Proposal
from agent.policy import Rules
from agent.trace import new_run_folder
from app.translate import tr
from app.ui.agent.answers import Corrected
from app.ui.agent.keys import stop_keys_of
from app.ui.agent.past import PastRuns
from app.ui.agent.rehearsal import Rehearsal
from app.ui.agent.run import AgentRun, RunPlan
from app.ui.agent.screens import screen_maps
from app.ui.agent.setup import Request, SetupPanel
from app.ui.agent.stage import Stage, image_of, marks
from app.ui.agent.strip import StepList
from app.ui.agent.timeline import TimelineModel, outcome_words, points_of
from app.ui.overlay import Overlay
from app.ui.page import Page
from app.ui.record.session import Recording
from app.ui.services import Services
from app.ui.widgets.controls import button, heading, row, scroll
from app.ui.widgets.flow import flow

RUNS_NAME = "runs"
TASK_NAME = "task.json"
"""What the person wrote, beside the record of a run, so that it can be run again."""

_LOOK_MS = 150
_BESIDE_TEXTS, _BELOW_TEXTS = 44, 60
"""Width from which the stage stands beside the steps, and the height of both where it stands below, in texts."""

_STOP_S = 0.9


class AgentPage(Page):
    """One run at a time. Leaving the page does not end it; closing the window does."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(services, parent)
        self.run: AgentRun | None = None
        self.overlay: Overlay | None = None
        self.setup = SetupPanel(services)
        self.stage = Stage()
        self.timeline = TimelineModel(self)
        self.steps = StepList(self.timeline)
        self.back = button(tr("New task"), icon="plus")
        self.past = PastRuns(services, self.runs_folder)
        self.rehearsal = Rehearsal(services, self.stage, self)
        self.recording = Recording(services, self)
        self._left = QStackedWidget()
        self._views = QStackedWidget()
        self.run_tab = button(tr("Task"), role="ghost")
        self.past_tab = button(tr("Past runs"), role="ghost")
        self._proposal: Proposal | None = None
        self._paused = ""
        self._pulse = QTimer(self)
        self._pulse.setInterval(_LOOK_MS)
        self._pulse.timeout.connect(self._look_at_switch)
        self._build()
        self._connect()
        self._engine_changed()

    @property
    def runs_folder(self) -> Path:
        """Where runs are recorded."""
        return self.services.data_folder / RUNS_NAME

    def _build(self) -> None:
        tabs = QButtonGroup(self)
        for tab in (self.run_tab, self.past_tab):
            tab.setCheckable(True)
            tabs.addButton(tab)
        self.run_tab.setChecked(True)
        timeline = QWidget()
        column = QVBoxLayout(timeline)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.steps, 1)
        column.addWidget(row(self.back, "stretch"))
        self._left.addWidget(self.setup)
        self._left.addWidget(timeline)
        self._split = split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(self._left)
        split.addWidget(self.stage)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        split.setSizes([360, 560])
        self._views.addWidget(scroll(split))
        self._views.addWidget(scroll(self.past))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 16, 24, 16)
        layout.setSpacing(12)
        layout.addWidget(flow(row(heading(tr("Agent")), "  "), self.run_tab, self.past_tab, spacing=4))
        layout.addWidget(self._views, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Put the stage beside the steps, or below them where there is little room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        text_px = self.services.theme.tokens.text_px
        below = self.width() < _BESIDE_TEXTS * text_px
        self._split.setOrientation(Qt.Orientation.Vertical if below else Qt.Orientation.Horizontal)
        self._split.setMinimumHeight(_BELOW_TEXTS * text_px if below else 0)
        self._left.setContentsMargins(0, 0, 0 if below else 12, 12 if below else 0)
        self.stage.setContentsMargins(0 if below else 12, 12 if below else 0, 0, 0)

    def _connect(self) -> None:
        self.services.theme.changed.connect(self._fit)
        self.past_tab.toggled.connect(self._show_view)
        self.setup.start_asked.connect(self.begin)
        self.setup.look_asked.connect(self._rehearse)
        self.setup.record_asked.connect(self._record)
        self.recording.made.connect(self.setup.set_steps)
        self.back.clicked.connect(self._new_task)
        self.steps.chosen.connect(self._show_step)
        self.stage.pause_asked.connect(self.pause_or_resume)
        self.stage.over_asked.connect(self._take_over)
        self.stage.stop_asked.connect(self._stop)
        self.stage.picked.connect(self._picked)
        self.stage.question.answered.connect(self._answer)
        self.past.again_asked.connect(self._again)
        self.services.engine.changed.connect(self._engine_changed)

    # --- a run -----------------------------------------------------------------------------------

    def begin(self, request: Request) -> None:
        """Begin a run, unless one goes on or there is no model."""
        model = self.services.engine.model()
        if model is None or (self.run is not None and self.run.is_running):
            return
        chosen = self.services.settings.value
        folder = new_run_folder(self.runs_folder)
        keep_task(folder, self.setup)
        self.setup.remember()
        monitors = screen_maps()
        plan = RunPlan(
            goal=request.goal,
            runbook=request.runbook,
            mode=request.mode,
            model=model,
            card=self.services.engine.card,
            planner=request.planner,
            max_steps=request.max_steps,
            max_s=60.0 * request.max_minutes,
            rules=Rules(
                allowed_apps=frozenset(chosen.agent.allowed_apps), denied_apps=frozenset(chosen.agent.denied_apps)
            ),
            stop_keys=stop_keys_of(chosen.hotkeys.stop),
            marker_ms=chosen.agent.marker_ms if chosen.agent.show_marker else 0,
            folder=folder,
            area_px=monitors[request.monitor][1].rect_px if 0 <= request.monitor < len(monitors) else None,
        )
        self.rehearsal.cancel()
        self._forget_run()
        self.timeline.clear()
        self._left.setCurrentIndex(1)
        self.back.setEnabled(False)
        self.overlay = overlay = Overlay((self.window(),), self)
        overlay.box.pause_asked.connect(self.pause_or_resume)
        overlay.box.stop_asked.connect(self._stop)
        overlay.box.window_asked.connect(self._show_window)
        self.run = run = AgentRun(plan, overlay, self)
        run.happened.connect(self._happened, Qt.ConnectionType.QueuedConnection)
        run.asked.connect(self._asked, Qt.ConnectionType.QueuedConnection)
        run.worded.connect(self._worded, Qt.ConnectionType.QueuedConnection)
        run.answered.connect(self._question_over, Qt.ConnectionType.QueuedConnection)
        run.ended.connect(self._ended, Qt.ConnectionType.QueuedConnection)
        self._paused = ""
        self.stage.show_running()
        overlay.start()
        self._pulse.start()
        run.start()

    def _happened(self, event: Event) -> None:
        self.timeline.append(event)
        if self.overlay is not None and not isinstance(event, Ended):
            last = self.timeline.row_at(self.timeline.rowCount() - 1)
            if last is not None:
                what = last.action or last.thought
                self.overlay.box.say(
                    f"{last.title}: {what}" if what else tr("{step}: looks and thinks", step=last.title)
                )
        if isinstance(event, Gated | Located) or self.timeline.rowCount() <= 1:
            self.steps.follow()

    def _asked(self, proposal: Proposal) -> None:
        self._proposal = proposal
        self._come_forward()
        self.steps.follow()
        self.stage.picture.set_image(image_of(proposal.frame))
        points = points_of(proposal.action)
        self.stage.picture.set_marks(marks(proposal.frame, points, [proposal.target_px] if proposal.target_px else []))
        self.stage.state.setText(tr("Asks you"))
        self.stage.question.ask(proposal)

    def _worded(self, question: str) -> None:
        self._come_forward()
        self.stage.state.setText(tr("Asks you"))
        self.stage.question.ask_words(question)

    def _question_over(self) -> None:
        self._proposal = None
        self.stage.question.close_question()
        self.stage.show_paused(self._paused)

    def _answer(self, answer: Decision | str) -> None:
        if self.run is not None:
            self.run.give(answer)

    def _picked(self, x_rel: float, y_rel: float) -> None:
        if self.run is not None and self._proposal is not None:
            self.run.give(Corrected(x_rel, y_rel))

    def pause_or_resume(self) -> None:
        """Pause the run that goes on, or let it go on."""
        if self.run is None or not self.run.is_running:
            return
        if self.run.switch.paused:
            self._go_on()
        else:
            self.run.pause(tr("you paused it"))
            self._look_at_switch()

    def toggle_pause(self) -> None:
        """Do the same from outside of the window, where the hand that reaches for it has paused the run already."""
        if self.run is not None and self.run.switch.paused and not self.run.switch.paused_by():
            self.run.pause(tr("you paused it"))
            self._look_at_switch()
        else:
            self.pause_or_resume()

    def _take_over(self) -> None:
        if self.run is not None:
            self.run.pause(tr("you took over; press Resume and it looks at the screen again and goes on"))
            if self.overlay is not None:
                self.overlay.hide_asides()
            self._look_at_switch()

    def _show_window(self) -> None:
        """Pause and come to the front: while we are on the screen, nothing may happen there."""
        if self.run is not None and not self.run.switch.paused:
            self.run.pause(tr("you are looking at the window"))
        self._come_forward()
        self._look_at_switch()

    def _go_on(self) -> None:
        if self.run is not None:
            if self.overlay is not None and self._proposal is None:
                self.overlay.hide_asides()
            self.run.resume()
            self._look_at_switch()

    def _stop(self) -> None:
        if self.run is not None:
            self.run.stop(tr("you stopped it"))

    def _look_at_switch(self) -> None:
        """Follow what pauses and resumes the run from outside: a hand on the mouse, a key."""
        if self.run is None:
            return
        paused = self.run.switch.reason if self.run.switch.paused else ""
        if paused != self._paused:
            self._paused = paused
            if not self.stage.question.isVisibleTo(self.stage):
                self.stage.show_paused(paused)
            if self.overlay is not None:
                self.overlay.box.show_paused(bool(paused))
                if paused:
                    self.overlay.box.say(tr("Paused: {reason}", reason=paused))

    def _ended(self, outcome: Outcome) -> None:
        self._pulse.stop()
        self._proposal = None
        if self.run is not None:
            self.run.join(_STOP_S)
        if self.overlay is not None:
            self.overlay.close()
            self.overlay.deleteLater()
            self.overlay = None
        self.back.setEnabled(True)
        self.stage.show_end(outcome_words(outcome.kind), outcome.message)
        self.steps.follow()
        self.past.refresh()
        level = "info" if outcome.kind in ("done", "stopped") else "warning"
        said = tr("The run ended: {how}", how=outcome_words(outcome.kind))
        self.services.notify(level, f"{said}. {outcome.message}" if outcome.message else said)

    def _come_forward(self) -> None:
        if self.overlay is not None:
            self.overlay.show_asides()
        self.services.show_page("agent")
        self.run_tab.setChecked(True)

    def _forget_run(self) -> None:
        if self.run is not None:
            self.run.deleteLater()
            self.run = None

    # --- the rest --------------------------------------------------------------------------------

    def shown(self) -> None:
        """Offer the monitors and the past runs that there are now."""
        self.setup.refresh_monitors()
        self.past.refresh()
        self._engine_changed()

    def closing(self) -> None:
        """Stop the run and keep the drafts."""
        self.rehearsal.cancel()
        self.recording.close()
        if self.run is not None and self.run.is_running:
            self.run.stop(tr("the window was closed"))
            until = time.monotonic() + _STOP_S
            self.run.join(max(0.0, until - time.monotonic()))
        self._pulse.stop()
        if self.overlay is not None:
            self.overlay.close()
            self.overlay = None
        self.past.closing()
        self.setup.remember()

    def _engine_changed(self) -> None:
        engine = self.services.engine
        ready = engine.model() is not None
        can_ground = engine.card is None or "ground" in engine.card.capabilities
        can_plan = ready and (engine.card is None or "plan" in engine.card.capabilities)
        why = {
            "none": tr("no model is loaded"),
            "starting": tr("the model is being loaded"),
            "restarting": tr("the model is being restarted"),
            "failed": tr("the model could not be loaded"),
            "ready": "" if can_ground else tr("the loaded model cannot point"),
        }[engine.state]
        self.setup.set_can_run(ready and can_ground, why, can_plan)

    def _show_view(self, _on: bool) -> None:
        past = self.past_tab.isChecked()
        self._views.setCurrentIndex(1 if past else 0)
        if past:
            self.past.refresh()

    def _new_task(self) -> None:
        self._left.setCurrentIndex(0)
        self.stage.show_idle()
        self.stage.picture.set_image(None)
        self.stage.picture.set_marks(())

    def _show_step(self, index: QModelIndex) -> None:
        row_ = self.timeline.row_at(index.row())
        if row_ is not None and self._proposal is None:
            self.stage.show_row(row_)

    def _rehearse(self, request: Request) -> None:
        model = self.services.engine.model()
        if request.runbook is not None and model is not None:
            self.setup.remember()
            monitors = screen_maps()
            area_px = monitors[request.monitor][1].rect_px if 0 <= request.monitor < len(monitors) else None
            self.rehearsal.start(request.runbook, model, self.services.engine.card, area_px, self.window())

    def _record(self) -> None:
        self.recording.start(self.window())

    def _again(self, writes_goal: bool, text: str) -> None:
        self.run_tab.setChecked(True)
        if self.run is not None and self.run.is_running:
            self.services.notify("warning", tr("A run goes on; stop it first."))
            return
        self._new_task()
        if writes_goal:
            self.setup.set_goal(text)
        else:
            self.setup.set_steps(text)


def keep_task(folder: Path, setup: SetupPanel) -> None:
    """Write what the person wrote into a run's folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = setup.goal.toPlainText() if setup.writes_goal else setup.editor.toPlainText()
    task = {"writes_goal": setup.writes_goal, "text": text}
    (folder / TASK_NAME).write_text(json.dumps(task, ensure_ascii=False), encoding="utf-8")
