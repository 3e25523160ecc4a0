"""The runs there have been, each to be looked into, taken up again or deleted."""

import time
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.batch.record import Record
from app.ui.batch.setup import kind_text
from app.ui.widgets.controls import Button, button, confirm, hint, icon_button, label, restyle, subheading
from app.ui.widgets.flow import flow

_STATE_ROLES = {"done": "success", "failed": "danger", "running": "", "paused": "warning", "stopped": "warning"}


def state_text(record: Record) -> str:
    """Say how far a run is."""
    names = {
        "running": tr("running"),
        "paused": tr("paused"),
        "stopped": tr("not finished"),
        "failed": tr("interrupted"),
        "done": tr("finished"),
    }
    return names[record.state]


def figures_text(record: Record) -> str:
    """Say a run's figures in one line."""
    parts = [tr("{done} of {total} rows", done=f"{record.done:,}", total=f"{record.total:,}")]
    if record.judged:
        parts.append(tr("{share} right", share=f"{record.correct / record.judged:.1%}"))
    else:
        parts.append(tr("{count} found", count=f"{record.counts.get('found', 0):,}"))
    if bad := record.counts.get("bad_row", 0):
        parts.append(tr("{count} bad rows", count=f"{bad:,}"))
    if failed := record.counts.get("failed", 0):
        parts.append(tr("{count} without an answer", count=f"{failed:,}"))
    return " · ".join(parts)


class RunCard(QFrame):
    """One run."""

    def __init__(self, record: Record, owner: "PastRuns") -> None:
        super().__init__()
        self.record = record
        self._owner = owner
        self.setProperty("role", "card")
        self.setAccessibleName(record.title)
        self.title = label(record.title, "subheading")
        self.title.setProperty("data", True)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.state = label("")
        self.figures = hint("")
        self.figures.setProperty("data", True)
        self.open: Button = button(tr("Open"), icon="search", tip=record.title)
        self.resume: Button = button(tr("Resume"), icon="play", tip=record.title)
        self.delete = icon_button("trash", tr("Delete the run {name}", name=record.title))
        self.open.clicked.connect(self._open)
        self.resume.clicked.connect(self._resume)
        self.delete.clicked.connect(self._delete)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.title, 1)
        top.addWidget(self.state)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 12, 12)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.figures)
        layout.addWidget(flow(self.resume, self.open, "stretch", self.delete))
        self.show_record(record, is_running=False)

    def show_record(self, record: Record, *, is_running: bool) -> None:
        """Show how far it is."""
        self.record = record
        self.state.setText(state_text(record))
        restyle(self.state, _STATE_ROLES[record.state])
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.began_s))
        said = f"{day} · {kind_text(record.source.kind)} · {record.model}"
        self.figures.setText(said + "\n" + figures_text(record))
        self.resume.setVisible(not is_running and record.state != "done")
        self.delete.setEnabled(not is_running)

    def _open(self) -> None:
        self._owner.opened.emit(self.record)

    def _resume(self) -> None:
        self._owner.resumed.emit(self.record)

    def _delete(self) -> None:
        title = tr("Delete this run?")
        text = tr("The results of “{name}” are deleted. The pictures and the input stay.", name=self.record.title)
        if confirm(self, title, text, tr("Delete")):
            self._owner.deleted.emit(self.record)


class PastRuns(QWidget):
    """All runs, the newest first; the signals carry the `Record`."""

    opened = Signal(object)
    resumed = Signal(object)
    deleted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[RunCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(subheading(tr("Runs")))
        self._none = hint(tr("Runs appear here, also after a restart, and unfinished ones can be resumed."))
        self._column.addWidget(self._none)

    def show_records(self, records: Sequence[Record], running: Record | None) -> None:
        """List these; ``running`` is the one at work, as it is now."""
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        for record in records:
            is_running = running is not None and running.folder == record.folder
            card = RunCard(record, self)
            card.show_record(running if is_running and running is not None else record, is_running=is_running)
            self._column.addWidget(card)
            self.cards.append(card)
        self._none.setVisible(not self.cards)
