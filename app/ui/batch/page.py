"""The batch page: begin runs, watch the one at work, and look into those that were."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.batch_model import Opened
from app.settings import EndpointSettings
from app.translate import tr
from app.ui.batch.answerer import engine_answerer, server_answerer
from app.ui.batch.entry import Entry
from app.ui.batch.export import SUFFIXES, export
from app.ui.batch.pace import Pace
from app.ui.batch.past import PastRuns
from app.ui.batch.record import Record, delete, new_folder, read_records
from app.ui.batch.run_view import RunView
from app.ui.batch.setup import Request, SetupPanel
from app.ui.batch.steady import Gate
from app.ui.batch.work import Control, Inbox, read_back, run
from app.ui.page import Page
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import heading, scroll

_LOOK_MS = 150
_MARGIN_PX = 24
_MOST_PX = 920


class BatchPage(Page):
    """One run at a time is at work; leaving the page does not end it, closing the window does."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(services, parent)
        self.setup = SetupPanel(services)
        self.past = PastRuns()
        self.view = RunView(services)
        self.running: Record | None = None
        self._viewed: Path | None = None
        self._control: Control | None = None
        self._task: Task | None = None
        self._reading: Task | None = None
        self._asking: Task | None = None
        self._entries: dict[int, Entry] = {}
        self._pace = Pace()
        self._pulse = QTimer(self)
        self._pulse.setInterval(_LOOK_MS)
        self._stack = QStackedWidget()
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._list_runs()

    def _lay_out(self) -> None:
        start = QWidget()
        column = QVBoxLayout(start)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.setSpacing(16)
        for widget in (heading(tr("Batch")), self.setup, self.past):
            column.addWidget(widget)
        column.addStretch(1)
        whole = QWidget()
        inside = QVBoxLayout(whole)
        inside.setContentsMargins(16, 16, 16, 16)
        inside.addWidget(self.view)
        self._start = start
        self._stack.addWidget(scroll(start))
        self._stack.addWidget(whole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def _fit(self) -> None:
        self._start.setMaximumWidth(round(_MOST_PX * self.services.theme.tokens.text_px / 14) + 2 * _MARGIN_PX)

    def _connect(self) -> None:
        self.services.theme.changed.connect(self._fit)
        self._fit()
        self.setup.wanted.connect(self.begin)
        self.past.opened.connect(self.open)
        self.past.resumed.connect(self.resume)
        self.past.deleted.connect(self._delete)
        self.view.back_wanted.connect(self.show_start)
        self.view.pause_wanted.connect(self.pause)
        self.view.go_on_wanted.connect(self.go_on)
        self.view.stop_wanted.connect(self.stop)
        self.view.resume_wanted.connect(self._resume_viewed)
        self.view.export_wanted.connect(self._ask_export)
        self._pulse.timeout.connect(self._look)
        self.services.engine.changed.connect(self._engine_changed)

    def shown(self) -> None:
        """List the runs and servers as they are now."""
        self.setup.refresh_models()
        if self._stack.currentIndex() == 0:
            self._list_runs()

    def closing(self) -> None:
        """Stop the run; it can be resumed at the next start."""
        self._pulse.stop()
        self.view.closing()
        for task in (self._reading, self._asking):
            if task is not None:
                task.cancel()
        if self._task is not None:
            self._task.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Choose what was dropped as the input of a new run."""
        local = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            event.acceptProposedAction()
            self.show_start()
            self.setup.choose(Path(local[0]))

    def show_start(self) -> None:
        """Show what a new run needs, and the runs there are."""
        self._stack.setCurrentIndex(0)
        self._list_runs()

    def begin(self, request: Request) -> None:
        """Begin a new run."""
        if self._is_busy():
            return
        name = request.source.path.name
        record = Record(
            new_folder(self.services.data_folder, name),
            request.source,
            model="",
            endpoint=request.endpoint,
            looks=request.looks,
            votes=request.votes,
            workers=request.workers,
            began_s=time.time(),
        )
        self._with_model(record)

    def resume(self, record: Record) -> None:
        """Take an unfinished run up again."""
        if not self._is_busy():
            self._with_model(record)

    def pause(self) -> None:
        """Hold the run before its next question."""
        if self._control is not None and self.running is not None:
            self._control.gate.pause()
            self.view.show_record(self.running, live=True, paused=True)

    def go_on(self) -> None:
        """Let it go on."""
        if self._control is not None:
            self._control.gate.go_on()
            self._pace.restart()
            self._look()

    def stop(self) -> None:
        """End the run; what is answered stays, and the rest can be resumed."""
        if self._task is not None:
            self._task.stop()

    def open(self, record: Record) -> None:
        """Look into a run."""
        self._stack.setCurrentIndex(1)
        if self.running is not None and record.folder == self.running.folder:
            if self._viewed != record.folder:
                self._view_running()
            return
        if self._reading is not None:
            self._reading.cancel()
        self._viewed = record.folder
        self.view.begin(record, live=False)
        self.view.tell(record.reason if record.state == "failed" else "")
        inbox = Inbox()

        def read(cancel: Cancel) -> list[object]:
            return list(read_back(record, inbox, cancel))

        def there(_entries: object) -> None:
            if self._viewed == record.folder:
                self.view.add(inbox.take().added, ())

        def failed(error: Exception) -> None:
            if self._viewed == record.folder:
                self.view.add(inbox.take().added, ())
                self.view.tell(str(error))

        self._reading = self.services.tasks.run(read, done=there, failed=failed)

    def _is_busy(self) -> bool:
        if self.running is not None or self._asking is not None:
            self.services.notify("warning", tr("A run is at work already. Stop it first, or wait for it."))
            return True
        return False

    def _endpoint(self, name: str) -> EndpointSettings | None:
        known = self.services.settings.value.endpoints
        return next((endpoint for endpoint in known if endpoint.name == name), None)

    def _with_model(self, record: Record) -> None:
        """Find what answers, check that it is what answered before, and run."""
        if record.endpoint:
            self._with_server(record)
            return
        engine = self.services.engine
        model, card = engine.model(), engine.card
        if model is None or card is None:
            self.services.notify("warning", tr("No model is loaded. Load one on the Models page, then try again."))
            return
        if record.model and record.model != card.id:
            text = tr("This run was begun with {then}, but {now} is loaded.", then=record.model, now=card.id)
            self.services.notify("warning", text)
            return
        if "ground" not in card.capabilities:
            self.services.notify("warning", tr("{name} cannot find things in pictures.", name=card.id))
            return
        found = replace(record, model=card.id, loaded=engine.name)
        self._run(found, partial(engine_answerer, model, card, found.looks))

    def _with_server(self, record: Record) -> None:
        endpoint = self._endpoint(record.endpoint)
        if endpoint is None:
            text = tr("The server {name} is not known any more. Add it on the Models page.", name=record.endpoint)
            self.services.notify("warning", text)
            return

        def ask(_cancel: Cancel) -> str:
            from model.client import Endpoint

            with Endpoint(endpoint.url, endpoint.model, endpoint.api_key) as asked:
                return asked.card().id

        def answered(name: str) -> None:
            self._asking = None
            if record.model and record.model != name:
                text = tr("This run was begun with {then}, but {now} is loaded.", then=record.model, now=name)
                self.services.notify("warning", text)
                return
            named = endpoint.model_copy(update={"model": name})
            self._run(replace(record, model=name), partial(server_answerer, named, record.looks))

        def refused(error: Exception) -> None:
            self._asking = None
            self.services.notify("error", str(error))

        self._asking = self.services.tasks.run(ask, done=answered, failed=refused)

    def _run(self, record: Record, answerer: Callable[[], AbstractContextManager[Opened]]) -> None:
        control = Control(Inbox(), Gate())
        self._control = control
        self.running = replace(record, state="running", reason="")
        self.running.save()
        self._entries = {}
        self._pace = Pace()
        self._view_running()
        self._stack.setCurrentIndex(1)
        self._pulse.start()
        work = partial(run, self.running, answerer, control)
        self._task = self.services.tasks.run(work, done=self._ended, failed=self._broke)

    def _view_running(self) -> None:
        """Show the run at work with everything that has come of it."""
        if self.running is None:
            return
        if self._reading is not None:
            self._reading.cancel()
        self._viewed = self.running.folder
        self.view.begin(self.running, live=True)
        self.view.add(list(self._entries.values()), ())

    def _look(self) -> None:
        """Take in what has happened in the worker."""
        if self._control is None or self.running is None:
            return
        news = self._control.inbox.take()
        if news.record is not None:
            self.running = news.record
            self._pace.see(news.record.done)
        for entry in (*news.added, *news.changed):
            self._entries[entry.index] = entry
        if self._viewed != self.running.folder:
            return
        self.view.add(news.added, news.changed)
        if news.message:
            why = tr("The engine ended and is being started again. The run waits for it and loses nothing.")
            self.view.tell(f"{why}\n{news.message}")
        elif news.problems:
            more = tr("{count} rows of the set cannot be used.", count=len(news.problems))
            self.view.tell(f"{more} {news.problems[0]}")
        paused = self._control.gate.is_paused
        left = self.running.total - self.running.done
        self.view.show_record(self.running, live=True, paused=paused, pace="" if paused else self._pace.words(left))

    def _ended(self, record: Record) -> None:
        self._finish(record)
        if record.state == "done":
            self.services.notify("info", tr("The run of {name} is finished.", name=record.title))

    def _broke(self, error: Exception) -> None:
        record = self.running
        self._finish(None)
        if record is not None and self._viewed == record.folder:
            self.view.tell(str(error))
        self.services.notify("error", tr("The run was interrupted and can be resumed: {why}", why=str(error)))

    def _finish(self, record: Record | None) -> None:
        self._look()
        self._pulse.stop()
        last = record or self.running
        self._task = self._control = self.running = None
        self._entries = {}
        if last is not None and self._viewed == last.folder:
            self.view.show_record(last, live=False)
            self.view.add((), ())
        if self._stack.currentIndex() == 0:
            self._list_runs()

    def _engine_changed(self) -> None:
        if self.running is not None and not self.running.endpoint and self._viewed == self.running.folder:
            engine = self.services.engine
            if engine.state == "ready":
                self.view.tell("")
            elif engine.state == "restarting":
                why = tr("The engine ended and is being started again. The run waits for it and loses nothing.")
                self.view.tell(f"{why}\n{engine.message}")

    def _resume_viewed(self) -> None:
        if self.view.record is not None:
            self.resume(self.view.record)

    def _list_runs(self) -> None:
        self.past.show_records(read_records(self.services.data_folder), self.running)

    def _delete(self, record: Record) -> None:
        try:
            delete(record)
        except OSError as error:
            self.services.notify("error", str(error))
        if self._viewed == record.folder:
            self._viewed = None
        self._list_runs()

    def _ask_export(self, format_name: str) -> None:
        record = self.view.record
        if record is None:
            return
        suffix = SUFFIXES[format_name]
        near = str(Path.home() / f"{record.source.path.stem or 'results'}-{record.model.replace('/', '-')}{suffix}")
        chosen, _kind = QFileDialog.getSaveFileName(self, tr("Export the run"), near, f"*{suffix}")
        if chosen:
            self.export_to(format_name, Path(chosen))

    def export_to(self, format_name: str, target: Path) -> None:
        """Write the run that is shown; a message says where it is."""
        record, entries = self.view.record, list(self.view.model.entries)
        if record is None:
            return
        work = partial(_export, record, entries, format_name, target)
        self.services.tasks.run(work, done=self._exported, failed=self._not_exported)

    def _exported(self, target: Path) -> None:
        self.services.notify("info", tr("Exported to {path}", path=target))

    def _not_exported(self, error: Exception) -> None:
        self.services.notify("error", str(error))


def _export(record: Record, entries: list[Entry], format_name: str, target: Path, _cancel: Cancel) -> Path:
    return export(record, entries, format_name, target)
