"""One model: what it is, whether it fits, and what can be done with it now."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QLabel,
    QMenu,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.model_fit import ModelFit
from app.output import human_bytes
from app.translate import tr
from app.ui.machine import format_name, numbers_of, verdict
from app.ui.models.entries import BUILTIN, ModelEntry
from app.ui.services import Services
from app.ui.widgets.controls import button, hint, label, restyle
from app.ui.widgets.flow import FlowLayout, flow

_VERDICT_ROLES = {"fits": "success", "tight": "warning", "will not fit": "danger"}


def capability_text(name: str) -> str:
    """Name what a model can do."""
    return {"chat": tr("chats"), "plan": tr("plans steps"), "ground": tr("finds things on screens")}.get(name, name)


def summary_text(entry: ModelEntry) -> str:
    """Say in a line what a model of the family is for."""
    known = {
        BUILTIN: tr("Built in. Finds elements on a screen, on any processor."),
        "moonshotai/Kimi-VL-A3B-Instruct": tr("Chat, documents and pointing. 1024 tokens a picture."),
        "moonshotai/Kimi-VL-A3B-Thinking": tr("Reasons before it answers. 1024 tokens a picture."),
        "moonshotai/Kimi-VL-A3B-Thinking-2506": tr("Reasons, and points best. 4096 tokens a picture."),
    }
    return known.get(entry.name, entry.name if entry.is_added else entry.summary)


class ModelCard(QFrame):
    """Shows an entry; ``wanted`` carries what the person asks for and the entry, see `ModelsPage`."""

    wanted = Signal(str, object)

    def __init__(self, services: Services, entry: ModelEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.entry = entry
        self.busy = ""
        self.setProperty("role", "card")
        self.title = label(entry.title, "subheading")
        self.badge = label("")
        self.summary = hint("")
        self.facts = label("", "small")
        self.fit_line = flow(spacing=16)
        self.fit_labels: list[QLabel] = []
        self.numbers = label("", "small")
        self.format = QComboBox()
        self.load = button(tr("Load"), icon="play", role="primary")
        self.unload = button(tr("Unload"), icon="close")
        self.download = button(tr("Download"), icon="download", role="primary")
        self.pause = button(tr("Pause"), icon="pause")
        self.cancel = button(tr("Cancel"), icon="close")
        self.more = button(tr("More"), icon="chevron-down")
        menu = QMenu(self.more)
        self.verify = menu.addAction(tr("Check every file"))
        self.quantize = menu.addAction(tr("Write a smaller copy…"))
        self.remove = menu.addAction(tr("Remove"))
        self.more.setMenu(menu)
        self.bar = QProgressBar()
        self.doing = label("", "small")
        self._lay_out()
        self._connect()
        self.show_entry(entry)

    def _lay_out(self) -> None:
        for text in (self.title, self.numbers, self.doing, self.facts, self.summary):
            text.setProperty("data", True)
            text.setWordWrap(True)
        self.facts.setProperty("data", False)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.format.setAccessibleName(tr("Number format of {name}", name=self.entry.title))
        for made in (self.load, self.unload, self.download, self.pause, self.cancel, self.more):
            made.setAccessibleDescription(self.entry.title)
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(6)
        column.addWidget(self.title)
        for widget in (self.badge, self.summary, self.facts, self.fit_line, self.numbers, self.bar, self.doing):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addWidget(
            flow(self.load, self.unload, self.download, self.pause, self.cancel, self.format, "stretch", self.more)
        )

    def _connect(self) -> None:
        for made, name in (
            (self.load, "load"),
            (self.unload, "unload"),
            (self.download, "download"),
            (self.pause, "pause"),
            (self.cancel, "cancel"),
        ):
            made.clicked.connect(lambda _on=False, name=name: self.wanted.emit(name, self.entry))
        for action, name in ((self.verify, "verify"), (self.quantize, "quantize"), (self.remove, "remove")):
            action.triggered.connect(lambda _on=False, name=name: self.wanted.emit(name, self.entry))
        self.format.currentIndexChanged.connect(self._tell_numbers)

    @property
    def chosen_format(self) -> str | None:
        """The number format to load in; None is as stored."""
        return self.format.currentData()

    @property
    def chosen_fit(self) -> ModelFit | None:
        """The estimate of that format."""
        return next((fit for fit in self.entry.fits if fit.quantize == self.chosen_format), None)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show an entry, as it is now."""
        self.entry = entry
        self.setAccessibleName(entry.title)
        self.summary.setText(entry.problem or summary_text(entry))
        restyle(self.summary, "danger" if entry.problem else "muted")
        facts = [human_bytes(entry.size_bytes)] if entry.size_bytes else []
        facts += [tr("licence {name}", name=entry.licence)] if entry.licence else []
        facts += [", ".join(capability_text(name) for name in entry.capabilities)] if entry.capabilities else []
        self.facts.setText("  ·  ".join(facts))
        self.facts.setProperty("data", True)
        self._show_fits()
        self.refresh()

    def _show_fits(self) -> None:
        row = self.fit_line.layout()
        assert isinstance(row, FlowLayout)  # noqa: S101 - what `flow` makes
        for made in self.fit_labels:
            row.removeWidget(made)
            made.hide()
            made.deleteLater()
        self.fit_labels = []
        for fit in self.entry.fits:
            said = label(f"{format_name(fit)}: {verdict(fit)}", _VERDICT_ROLES[fit.verdict])
            said.setProperty("data", True)
            said.setToolTip(numbers_of(fit))
            row.addWidget(said)
            self.fit_labels.append(said)
        if not self.entry.fits and not self.entry.problem:
            waiting = label(tr("Working out whether it fits…"), "small")
            row.addWidget(waiting)
            self.fit_labels.append(waiting)
        chosen = self.format.currentData()
        self.format.blockSignals(True)
        self.format.clear()
        formats: list[str | None] = [fit.quantize for fit in self.entry.fits] or [None]
        for name in formats:
            self.format.addItem(name or tr("as stored"), name)
        best = next((fit.quantize for fit in self.entry.fits if fit.verdict == "fits"), None)
        self.format.setCurrentIndex(max(0, self.format.findData(chosen or best)))
        self.format.blockSignals(False)
        self._tell_numbers()

    def _tell_numbers(self) -> None:
        fit = self.chosen_fit
        self.numbers.setText("" if fit is None else numbers_of(fit))
        self.numbers.setVisible(fit is not None)

    def refresh(self) -> None:
        """Offer what can be done now."""
        entry, engine = self.entry, self.services.engine
        mine = engine.endpoint is None and engine.name == entry.name and engine.state != "none"
        here = entry.folder is not None and not entry.problem
        partial = not here and entry.partial_bytes > 0
        states = {
            "starting": (tr("loading…"), "muted"),
            "ready": (tr("loaded"), "success"),
            "restarting": (tr("being started again…"), "warning"),
            "failed": (tr("failed"), "danger"),
        }
        said, role = states[engine.state] if mine and engine.state != "none" else ("", "")
        if not said and here:
            said, role = tr("on this machine"), "muted"
        elif not said and partial:
            said, role = tr("{size} of it is here", size=human_bytes(entry.partial_bytes)), "muted"
        self.badge.setText(said)
        self.badge.setVisible(bool(said))
        restyle(self.badge, role)
        self.load.setVisible(here and not mine and not self.busy)
        self.format.setVisible(here and not mine and not self.busy and self.format.count() > 1)
        self.unload.setVisible(mine)
        self.download.setVisible(entry.is_from_hub and not here and not self.busy)
        self.download.setText(tr("Resume") if partial else tr("Download"))
        self.pause.setVisible(self.busy == "download")
        self.cancel.setVisible(bool(self.busy) or partial)
        self.verify.setVisible(here and not self.busy)
        self.quantize.setVisible(here and not self.busy and entry.name != BUILTIN)
        self.remove.setVisible(not self.busy and not mine and (entry.is_added or (entry.is_from_hub and here)))
        self.more.setVisible(any(action.isVisible() for action in (self.verify, self.quantize, self.remove)))
        self.bar.setVisible(bool(self.busy))
        self.doing.setVisible(bool(self.doing.text()))

    def show_busy(self, what: str, done: float = 0.0, said: str = "") -> None:
        """Show work on this model, ``done`` of 1 of it; an empty ``what`` ends that."""
        self.busy = what
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * done))
        self.doing.setText(said)
        self.refresh()
