"""Past runs: found again, looked through as a film strip, and turned into something."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QListWidgetItem, QSplitter, QVBoxLayout, QWidget

from agent.episode import MODES, OutcomeKind
from app.translate import tr
from app.ui.agent.film import Film
from app.ui.agent.history import PastRun, Still, list_runs, read_stills, read_task
from app.ui.agent.setup import mode_words
from app.ui.agent.timeline import outcome_words
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.theme import tokens_now
from app.ui.widgets.controls import button, confirm, hint, label
from app.ui.widgets.flow import flow
from model.errors import InputError

_LEAST_TEXTS = 32
"""Height of a run that is looked at, in heights of its text; a lower window scrolls."""

_RUN = Qt.ItemDataRole.UserRole
_KINDS: tuple[OutcomeKind, ...] = ("done", "failed", "stopped", "limit", "refused", "error")


class PastRuns(QWidget):
    """``again_asked`` carries whether it is a goal, and the text to be put into the form."""

    again_asked = Signal(bool, str)

    def __init__(self, services: Services, root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._root = root
        self._runs: list[PastRun] = []
        self._tasks: dict[str, Task] = {}
        self.search = QLineEdit()
        self.search.setAccessibleName(tr("Search past runs"))
        self.search.setPlaceholderText(tr("Search past runs"))
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Past runs"))
        self.list.setSpacing(2)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = label("", "subheading")
        self.title.setWordWrap(True)
        self.facts = hint("")
        self.film = Film()
        self.again = button(tr("Run again"), icon="refresh")
        self.steps = button(tr("As steps"), icon="list", tip=tr("Turn what was done into a runbook"))
        self.report = button(tr("Report"), icon="upload", tip=tr("Write the run as one HTML file and open it"))
        self.export = button(tr("Export"), icon="download", tip=tr("Write the run in the AgentNet form"))
        self.delete = button(tr("Delete"), icon="trash")
        self._build()
        self.search.textChanged.connect(self._fill)
        self.list.currentItemChanged.connect(self._chosen)
        self.again.clicked.connect(self._again)
        self.steps.clicked.connect(self._as_steps)
        self.report.clicked.connect(self._report)
        self.export.clicked.connect(self._export)
        self.delete.clicked.connect(self._delete)
        self._show(None)

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        column.addWidget(self.film, 1)
        column.addWidget(flow(self.again, self.steps, self.report, self.export, "stretch", self.delete, spacing=6))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        right.setMinimumHeight(_LEAST_TEXTS * tokens_now().text_px)
        left.setContentsMargins(0, 0, 12, 0)
        right.setContentsMargins(12, 0, 0, 0)
        split.addWidget(left)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([260, 640])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)

    @property
    def current(self) -> PastRun | None:
        """The run that is looked at."""
        item = self.list.currentItem()
        return item.data(_RUN) if item is not None else None

    def refresh(self) -> None:
        """Read the list again."""
        root = self._root

        def work(cancel: Cancel) -> list[PastRun]:
            return list_runs(root, cancel)

        self._run("list", work, self._listed)

    def closing(self) -> None:
        """Stop what is being read."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self.film.pause()

    def _listed(self, runs: list[PastRun]) -> None:
        if runs != self._runs:
            self._runs = runs
            self._fill()

    def _fill(self, _text: str = "") -> None:
        wanted = self.search.text().casefold().split()
        chosen = self.current
        self.list.blockSignals(True)
        self.list.clear()
        for run in self._runs:
            said = f"{run.goal} {how_it_ended(run)} {run.message}".casefold()
            if all(word in said for word in wanted):
                item = QListWidgetItem(f"{short(run.goal)}\n{when(run)} · {how_it_ended(run)}")
                item.setToolTip(run.goal)
                item.setData(_RUN, run)
                self.list.addItem(item)
                if chosen is not None and run.folder == chosen.folder:
                    self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        if self.list.currentItem() is None and self.list.count():
            self.list.setCurrentRow(0)
        elif self.current != chosen:
            self._chosen()

    def _chosen(self, *_items: object) -> None:
        run = self.current
        self._show(run)
        if run is None:
            return
        folder = run.folder

        def work(cancel: Cancel) -> list[Still]:
            return read_stills(folder, cancel)

        self._run("film", work, self.film.show_stills)

    def _show(self, run: PastRun | None) -> None:
        for made in (self.again, self.steps, self.report, self.export, self.delete):
            made.setEnabled(run is not None)
        self.film.clear()
        if run is None:
            self.title.setText(tr("No run yet") if not self._runs else tr("No run is chosen"))
            self.facts.setText(tr("Every run is recorded here, with its pictures. Nothing leaves this machine."))
            return
        self.title.setText(short(run.goal))
        facts = (when(run), tr("mode {mode}", mode=mode_of(run)), how_it_ended(run), run.message)
        self.facts.setText(" · ".join(part for part in facts if part))

    def _again(self) -> None:
        run = self.current
        if run is None:
            return
        try:
            writes_goal, text = read_task(run.folder)
        except InputError:
            # Recorded from the command line: its goal is all there is.
            writes_goal, text = True, run.goal
        self.again_asked.emit(writes_goal, text)

    def _as_steps(self) -> None:
        run = self.current
        if run is None:
            return
        folder = run.folder

        def work(_cancel: Cancel) -> str:
            from agent.trace import read_trace
            from app.ui.agent.as_steps import steps_of

            return steps_of(read_trace(folder))

        self._run("steps", work, self._made_steps)

    def _made_steps(self, text: str) -> None:
        if text.strip():
            self.again_asked.emit(False, text)
        else:
            self._services.notify("warning", tr("Nothing was done in this run, so there are no steps."))

    def _report(self) -> None:
        run = self.current
        if run is None:
            return
        folder = run.folder

        def work(_cancel: Cancel) -> Path:
            from agent.report import render_html
            from agent.trace import read_trace

            path = folder / "report.html"
            path.write_text(render_html(read_trace(folder)), encoding="utf-8")
            return path

        self._run("report", work, self._reported)

    def _reported(self, path: Path) -> None:
        opened = QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
        said = tr("The report is {path}", path=path)
        self._services.notify("info" if opened else "warning", said)

    def _export(self) -> None:
        run = self.current
        chosen = QFileDialog.getExistingDirectory(self, tr("Export into a folder")) if run is not None else ""
        if run is not None and chosen:
            self.export_to(run, Path(chosen))

    def export_to(self, run: PastRun, out: Path) -> None:
        """Write a run into a folder in the AgentNet form."""

        def work(_cancel: Cancel) -> Path:
            from agent.export import export_agentnet
            from agent.trace import read_trace

            return export_agentnet(read_trace(run.folder), out)

        self._run("export", work, self._exported)

    def _exported(self, path: Path) -> None:
        self._services.notify("info", tr("The run was exported to {path}", path=path))

    def _delete(self) -> None:
        run = self.current
        said = tr("The record and its pictures are deleted from this machine. This cannot be undone.")
        if run is not None and confirm(self, tr("Delete this run?"), said, tr("Delete")):
            self.delete_run(run)

    def delete_run(self, run: PastRun) -> None:
        """Delete a run for good."""
        try:
            shutil.rmtree(run.folder)
        except OSError as error:
            self._services.notify("error", tr("The run cannot be deleted: {why}", why=error))
        self._listed([each for each in self._runs if each.folder != run.folder])
        self.refresh()

    def _run(self, name: str, work: Callable[[Cancel], object], done: Callable[..., None]) -> None:
        """Do work of a kind; what was begun of the same kind before is dropped."""
        if (before := self._tasks.get(name)) is not None:
            before.cancel()
        self._tasks[name] = self._services.tasks.run(work, done=done, failed=self._failed)

    def _failed(self, error: Exception) -> None:
        self._services.notify("error", str(error))


def short(goal: str) -> str:
    """Return the first line of a goal, and how many follow."""
    lines = [line for line in goal.splitlines() if line.strip()] or [""]
    first = lines[0] if len(lines[0]) <= 90 else f"{lines[0][:89]}…"
    return first if len(lines) == 1 else tr("{first} (and {count} more)", first=first, count=len(lines) - 1)


def mode_of(run: PastRun) -> str:
    """Name the mode of a run."""
    return next((mode_words(mode) for mode in MODES if mode == run.mode), run.mode)


def when(run: PastRun) -> str:
    """Say when a run began."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started_s))


def how_it_ended(run: PastRun) -> str:
    """Say how a run ended, or that it broke off."""
    for kind in _KINDS:
        if kind == run.outcome:
            return outcome_words(kind)
    return tr("broken off")
