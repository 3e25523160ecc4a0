"""What is to be done and within which bounds: the form that a run begins with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFormLayout,
    QPlainTextEdit,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from agent.episode import MODES, Mode
from agent.runbook.runbook import Runbook
from app.settings import EndpointSettings
from app.translate import tr
from app.ui.agent.check import Checked
from app.ui.agent.editor import RunbookEditor
from app.ui.agent.screens import screen_maps
from app.ui.services import Services
from app.ui.widgets.controls import button, hint, pad_spin_box, restyle, scroll
from app.ui.widgets.flow import flow

REMEMBERED = "agent"


@dataclass(frozen=True, slots=True)
class Request:
    """What the person set up. Without ``runbook``, ``goal`` is pursued, by ``planner`` if there is one.

    ``monitor`` is the number of the one to work on; -1 is all of them.
    """

    goal: str
    runbook: Runbook | None
    mode: Mode
    max_steps: int
    max_minutes: int
    monitor: int
    planner: EndpointSettings | None


class SetupPanel(QWidget):
    """``start_asked`` and ``look_asked`` carry a `Request`; looking finds the targets and does nothing."""

    start_asked = Signal(object)
    look_asked = Signal(object)
    record_asked = Signal()

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._can_run = False
        self._why_not = ""
        self.editor = RunbookEditor(Path.home())
        self.goal = QPlainTextEdit()
        self.goal.setAccessibleName(tr("Goal"))
        self.goal.setTabChangesFocus(True)
        self.goal.setPlaceholderText(tr("What is to be reached, in your own words"))
        self.steps_tab = button(tr("Steps"), role="ghost")
        self.goal_tab = button(tr("Goal"), role="ghost")
        self.record = button(tr("Record"), icon="record", role="ghost", tip=tr("Do it once by hand and get the steps"))
        self.status = hint("")
        self.mode = QComboBox()
        self.mode_hint = hint("")
        self.max_steps = _number(1, 1000, tr("Steps at most"))
        self.max_minutes = _number(1, 1440, tr("Minutes at most"))
        self.monitor = QComboBox()
        self.monitor.setAccessibleName(tr("Monitor"))
        self.planner = QComboBox()
        self.planner.setAccessibleName(tr("Planner"))
        self.start = button(tr("Start"), icon="play", role="primary")
        self.look = button(tr("Check on screen"), icon="search")
        self._texts = QStackedWidget()
        self._form = QFormLayout()
        self._build()
        self._connect()
        self._restore()
        self.refresh_monitors()

    def _build(self) -> None:
        tabs = QButtonGroup(self)
        for tab in (self.steps_tab, self.goal_tab):
            tab.setCheckable(True)
            tabs.addButton(tab)
        self.steps_tab.setChecked(True)
        self._texts.addWidget(self.editor)
        self._texts.addWidget(self.goal)
        self._texts.setMinimumHeight(150)
        self.mode.setAccessibleName(tr("Mode"))
        for combo in (self.mode, self.planner, self.monitor):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(8)
        for mode in MODES:
            self.mode.addItem(mode_words(mode), mode)
        form = self._form
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(8)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Mode"), self.mode)
        form.addRow(self.mode_hint)
        form.addRow(tr("Planner"), self.planner)
        form.addRow(tr("Monitor"), self.monitor)
        form.addRow(tr("Steps at most"), self.max_steps)
        form.addRow(tr("Minutes at most"), self.max_minutes)
        fields = QWidget()
        fields.setLayout(form)
        bounds = scroll(fields)
        bounds.setMinimumHeight(110)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(flow(self.steps_tab, self.goal_tab, "stretch", self.record, spacing=4))
        layout.addWidget(self._texts, 3)
        layout.addWidget(self.status)
        layout.addWidget(bounds, 2)
        layout.addWidget(flow(self.look, "stretch", self.start))

    def _connect(self) -> None:
        self.steps_tab.toggled.connect(self._switch)
        self.editor.checked.connect(self._checked)
        self.goal.textChanged.connect(self._refresh)
        self.mode.currentIndexChanged.connect(self._mode_chosen)
        self.planner.currentIndexChanged.connect(self._refresh)
        self.start.clicked.connect(self._start)
        self.look.clicked.connect(self._look)
        self.record.clicked.connect(self.record_asked)
        run = QShortcut(QKeySequence("Ctrl+Return"), self)
        run.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        run.activated.connect(self._start)

    @property
    def writes_goal(self) -> bool:
        """Whether a goal is written and not steps."""
        return self.goal_tab.isChecked()

    def set_steps(self, text: str) -> None:
        """Put steps into the editor."""
        self.steps_tab.setChecked(True)
        self.editor.setPlainText(text)
        self.editor.check_now()

    def set_goal(self, text: str) -> None:
        """Put a goal into its field."""
        self.goal_tab.setChecked(True)
        self.goal.setPlainText(text)

    def set_can_run(self, can: bool, why_not: str, can_plan: bool) -> None:
        """Say whether there is a model to work with, and whether it can plan by itself."""
        self._can_run, self._why_not = can, why_not
        chosen = self.planner.currentText()
        self.planner.blockSignals(True)
        self.planner.clear()
        if can_plan:
            self.planner.addItem(tr("the loaded model"), None)
        for endpoint in self._services.settings.value.endpoints:
            self.planner.addItem(endpoint.name, endpoint)
        self.planner.setCurrentIndex(max(0, self.planner.findText(chosen)))
        self.planner.blockSignals(False)
        self._refresh()

    def refresh_monitors(self) -> None:
        """Offer the monitors that there are now."""
        chosen = self.monitor.currentIndex()
        self.monitor.clear()
        self.monitor.addItem(tr("all monitors"), -1)
        for number, (screen, map_) in enumerate(screen_maps()):
            size = f"{map_.rect_px.width}×{map_.rect_px.height}"
            self.monitor.addItem(f"{screen.name() or number + 1} · {size} px", number)
        self.monitor.setCurrentIndex(chosen if 0 <= chosen < self.monitor.count() else 0)
        self._form.setRowVisible(self.monitor, self.monitor.count() > 2)

    def request(self) -> Request | None:
        """Return what is set up, or None while it is no task."""
        mode: Mode = self.mode.currentData()
        monitor = self.monitor.currentData()
        bounds = (mode, self.max_steps.value(), self.max_minutes.value(), monitor if isinstance(monitor, int) else -1)
        if self.writes_goal:
            goal = self.goal.toPlainText().strip()
            planner = self.planner.currentData()
            return Request(goal, None, *bounds, planner) if goal and self.planner.count() else None
        result = self.editor.check_now()
        if result.runbook is None:
            return None
        return Request(_title(self.editor.toPlainText(), result), result.runbook, *bounds, None)

    def remember(self) -> None:
        """Keep the drafts and the choices for the next start."""
        pages = dict(self._services.settings.value.pages)
        pages[REMEMBERED] = {
            "steps": self.editor.toPlainText(),
            "goal": self.goal.toPlainText(),
            "writes_goal": self.writes_goal,
            "mode": self.mode.currentData(),
            "max_steps": self.max_steps.value(),
            "max_minutes": self.max_minutes.value(),
        }
        self._services.settings.change(pages=pages)

    def _restore(self) -> None:
        chosen = self._services.settings.value.agent
        kept = self._services.settings.value.pages.get(REMEMBERED, {})
        self.max_steps.setValue(_int(kept.get("max_steps"), chosen.max_steps))
        self.max_minutes.setValue(_int(kept.get("max_minutes"), chosen.max_minutes))
        self.mode.setCurrentIndex(max(0, self.mode.findData(kept.get("mode", chosen.mode))))
        self._mode_chosen()
        self.editor.setPlainText(str(kept.get("steps", "")))
        self.goal.setPlainText(str(kept.get("goal", "")))
        self.editor.check_now()
        if kept.get("writes_goal"):
            self.goal_tab.setChecked(True)
        self._switch()

    def _switch(self, _on: bool = False) -> None:
        self._texts.setCurrentWidget(self.goal if self.writes_goal else self.editor)
        self._form.setRowVisible(self.planner, self.writes_goal)
        self._form.setRowVisible(self.max_steps, self.writes_goal)
        self.look.setVisible(not self.writes_goal)
        self._refresh()

    def _mode_chosen(self, _index: int = 0) -> None:
        self.mode_hint.setText(mode_hint(self.mode.currentData()))

    def _checked(self, _result: Checked) -> None:
        self._refresh()

    def _refresh(self) -> None:
        text, role, ready = self._state()
        self.status.setText(text)
        self.status.setVisible(bool(text))
        if self.status.property("role") != role:
            restyle(self.status, role)
        self.start.setEnabled(ready and self._can_run)
        self.look.setEnabled(ready and self._can_run)
        self.start.setToolTip("" if self._can_run else self._why_not)

    def _state(self) -> tuple[str, str, bool]:
        """Return what to say, in which tone, and whether it is a task."""
        if self.writes_goal:
            if not self.planner.count():
                needed = tr(
                    "The loaded model follows written steps but does not plan. Write steps, load a model that plans, "
                    "or add a server in the settings: it plans, and this model looks."
                )
                return needed, "warning", False
            return ("" if self._can_run else self._why_not), "muted", bool(self.goal.toPlainText().strip())
        result = self.editor.result
        if result.problems:
            first = result.problems[0]
            count = len(result.problems)
            many = tr("{count} lines cannot be read; the first is line {line}", count=count, line=first.line)
            said = many if count > 1 else tr("Line {line} cannot be read", line=first.line)
            return said, "danger", False
        if result.runbook is None:
            return ("" if self._can_run else self._why_not), "muted", False
        count = len(result.runbook.instructions)
        said = tr("{count} steps", count=count) if count > 1 else tr("1 step")
        return (said if self._can_run else f"{said} · {self._why_not}"), "muted", True

    def _start(self) -> None:
        self._ask(self.start.isEnabled(), self.start_asked.emit)

    def _look(self) -> None:
        self._ask(self.look.isEnabled(), self.look_asked.emit)

    def _ask(self, may: bool, tell: Callable[[Request], None]) -> None:
        request = self.request() if may else None
        if request is not None:
            tell(request)


def mode_words(mode: Mode) -> str:
    """Name a mode for a person."""
    return {
        "watch": tr("Watch"),
        "confirm": tr("Confirm"),
        "guarded": tr("Guarded"),
        "run": tr("Run"),
    }[mode]


def mode_hint(mode: Mode) -> str:
    """Say what a mode means."""
    return {
        "watch": tr("Shows where it would click, and stops at the first action."),
        "confirm": tr("You see each action on the frame and approve it."),
        "guarded": tr("Sending, paying, deleting, installing, credentials and shells are asked about."),
        "run": tr("Only payments, deletions and credentials are asked about."),
    }[mode]


def _title(text: str, result: Checked) -> str:
    """Name a run after its runbook, or after its first line."""
    if result.form == "yaml" and result.runbook is not None:
        return result.runbook.name
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines)


def _number(low: int, high: int, name: str) -> QSpinBox:
    made = QSpinBox()
    pad_spin_box(made)
    made.setRange(low, high)
    made.setAccessibleName(name)
    return made


def _int(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
