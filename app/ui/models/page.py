"""The models page: the family and one's own folders, the engine, the local server, and servers of others."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from app.model_fit import ModelFit
from app.output import human_bytes
from app.translate import tr
from app.ui import probe
from app.ui.machine import numbers_of
from app.ui.models.card import ModelCard
from app.ui.models.command import run_command
from app.ui.models.endpoints import EndpointList
from app.ui.models.engine_card import EngineCard
from app.ui.models.entries import ModelEntry, added_folder, family, fit_of_folder, with_fits
from app.ui.models.hub import Hub, verify
from app.ui.models.quantise import QuantiseDialog
from app.ui.models.server_card import ServerCard
from app.ui.models.try_out import TryOut
from app.ui.page import Page
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import button, confirm, heading, hint, scroll
from app.ui.widgets.flow import flow
from model.errors import CancelledByCallerError

SETTINGS_NAME = "models"
FOLDERS_KEY = "folders"

_MARGIN_PX = 24
_MOST_PX = 920
_END_S = 30.0
"""How long a download that was told to end is waited for before its files are deleted."""


class ModelsPage(Page):
    """``hub`` says where models come from; tests put another in its place before the page is shown."""

    def __init__(self, services: Services, parent: QWidget | None = None, hub: Hub | None = None) -> None:
        super().__init__(services, parent)
        self.hub = hub or Hub()
        self.entries: list[ModelEntry] = []
        self.cards: dict[str, ModelCard] = {}
        self.engine_card = EngineCard(services)
        self.server_card = ServerCard(services)
        self.endpoints = EndpointList(services)
        self.add_folder = button(tr("Add a folder…"), icon="folder")
        self.tabs = QTabWidget()
        self.try_out: TryOut | None = None
        self._fits: list[ModelFit] = []
        self._work: dict[str, Task] = {}
        self._asking: list[Task] = []
        self._is_asked = False
        self._waiting = hint(tr("Looking at what is on this machine…"))
        self._lay_out()
        self.add_folder.clicked.connect(self._ask_folder)
        self.engine_card.test_wanted.connect(self.test)
        services.engine.changed.connect(self._engine_changed)

    def _lay_out(self) -> None:
        self._list = QWidget()
        self._list_column = QVBoxLayout(self._list)
        self._list_column.setContentsMargins(0, 12, 4, 12)
        self._list_column.setSpacing(12)
        self._list_column.addWidget(self.engine_card)
        about = hint(tr("Downloads are checked and can be taken up again."))
        about.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._list_column.addWidget(about)
        self._list_column.addWidget(flow(self.add_folder))
        self._list_column.addWidget(self._waiting)
        self._list_column.addStretch(1)
        for widget, title in (
            (self._list, tr("Models")),
            (_padded(self.server_card), tr("Local server")),
            (_padded(self.endpoints), tr("Other servers")),
        ):
            self.tabs.addTab(scroll(widget), title)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(tr("Models"))
        self._whole = whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, 0)
        column.setSpacing(12)
        column.addWidget(heading(tr("Models")))
        column.addWidget(self.tabs, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(whole)
        layout.setAlignment(whole, Qt.AlignmentFlag(0))
        self._fit()
        self.services.theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self._whole.setMaximumWidth(round(_MOST_PX * self.services.theme.tokens.text_px / 14) + 2 * _MARGIN_PX)

    def shown(self) -> None:
        """Look at the disk again; whether models fit is worked out once, as it takes seconds."""
        self.engine_card.look(True)
        self.endpoints.refresh()
        self.reload()
        if not self._is_asked:
            self._is_asked = True
            self._ask(probe.fits, self._fits_known)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the memory while the page is seen."""
        super().showEvent(event)
        self.engine_card.look(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Look no more."""
        super().hideEvent(event)
        self.engine_card.look(False)

    def closing(self) -> None:
        """Stop downloads, which go on from there the next time, and the server."""
        self.engine_card.look(False)
        self.endpoints.closing()
        self.server_card.closing()
        for task in (*self._work.values(), *self._asking):
            task.cancel()
        if self.try_out is not None:
            self.try_out.reject()

    def reload(self) -> None:
        """Read anew which models there are."""
        folders = self._folders()
        hub = self.hub
        self._ask(lambda _cancel: [*family(hub), *(added_folder(folder) for folder in folders)], self._known)

    def _ask(self, work: Callable[[Cancel], object], done: Callable[[object], None]) -> None:
        self._asking = [task for task in self._asking if not task.finished]
        self._asking.append(self.services.tasks.run(work, done=done, failed=self._not_known))

    def _not_known(self, error: Exception) -> None:
        self.services.notify("warning", str(error))

    def _known(self, found: object) -> None:
        assert isinstance(found, list)  # noqa: S101 - what the work of `reload` returns
        self._waiting.hide()
        self.entries = self._with_known_fits(found)
        names = [entry.name for entry in self.entries]
        for name in [name for name in self.cards if name not in names]:
            card = self.cards.pop(name)
            self._list_column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for entry in self.entries:
            if entry.name in self.cards:
                self.cards[entry.name].show_entry(entry)
                continue
            card = ModelCard(self.services, entry)
            card.wanted.connect(self._wanted)
            self.cards[entry.name] = card
            self._list_column.insertWidget(self._list_column.count() - 1, card)
            if entry.is_added and not entry.problem:
                self._ask(partial(_fit, entry), self._folder_fit_known)
        self.server_card.show_models(self.entries)

    def _with_known_fits(self, entries: list[ModelEntry]) -> list[ModelEntry]:
        return with_fits(entries, self._fits)

    def _fits_known(self, fits: object) -> None:
        assert isinstance(fits, list)  # noqa: S101 - what `probe.fits` returns
        self._fits = [*(fit for fit in self._fits if fit.model not in {each.model for each in fits}), *fits]
        self.entries = self._with_known_fits(self.entries)
        for entry in self.entries:
            if entry.fits and entry.name in self.cards:
                self.cards[entry.name].show_entry(entry)

    def _folder_fit_known(self, entry: object) -> None:
        if isinstance(entry, ModelEntry):
            self._fits_known(list(entry.fits))

    def _folders(self) -> list[Path]:
        kept = self.services.settings.value.pages.get(SETTINGS_NAME, {}).get(FOLDERS_KEY)
        return [Path(str(folder)) for folder in kept] if isinstance(kept, list) else []

    def _keep_folders(self, folders: list[Path]) -> None:
        pages = dict(self.services.settings.value.pages)
        kept = {**pages.get(SETTINGS_NAME, {}), FOLDERS_KEY: [str(folder) for folder in folders]}
        self.services.settings.change(pages={**pages, SETTINGS_NAME: kept})

    def _ask_folder(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, tr("Choose the folder of a model"), str(Path.home())):
            self.take_folder(Path(chosen))

    def take_folder(self, folder: Path) -> None:
        """Add a folder to the list."""
        folders = self._folders()
        if folder not in folders:
            self._keep_folders([*folders, folder])
        self.reload()

    def _engine_changed(self) -> None:
        for card in self.cards.values():
            card.refresh()

    def _wanted(self, what: str, entry: ModelEntry) -> None:
        match what:
            case "load":
                self.load(entry)
            case "unload":
                self.services.engine.unload()
            case "download":
                self.download(entry)
            case "pause":
                self._stop(entry)
            case "cancel":
                self.cancel(entry)
            case "verify":
                self.verify(entry)
            case "quantize":
                self._ask_quantise(entry)
            case _:
                self._remove(entry)

    def load(self, entry: ModelEntry) -> None:
        """Load a model in the format that is chosen; one that will not fit only if the person insists."""
        card = self.cards[entry.name]
        fit = card.chosen_fit
        if fit is not None and fit.verdict == "will not fit":
            text = tr("{name} does not fit: it {numbers}.", name=entry.title, numbers=numbers_of(fit))
            if not confirm(self, tr("Load it all the same?"), text, tr("Load")):
                return
        self.services.settings.change(model=entry.name, quantize=card.chosen_format, endpoint="")
        self.services.engine.load(entry.name, quantize=card.chosen_format)

    def test(self) -> None:
        """Let the loaded model locate three targets."""
        model, card = self.services.engine.model(), self.services.engine.card
        if model is None or card is None:
            return
        self.try_out = TryOut(self.services, model, card, self)
        self.try_out.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.try_out.finished.connect(self._test_closed)
        self.try_out.open()

    def _test_closed(self) -> None:
        self.try_out = None

    def download(self, entry: ModelEntry) -> None:
        """Fetch a model, from where an earlier download ended."""
        if entry.name in self._work:
            return
        hub = self.hub

        def work(cancel: Cancel) -> Path:
            return hub.fetch(entry.name, lambda done, total: cancel.report((done, total)), cancel.event)

        self._begin(entry, "download", work, partial(self._downloaded, entry))

    def _downloaded(self, entry: ModelEntry, _folder: object) -> None:
        self._end(entry, tr("{name} is downloaded and checked.", name=entry.title))
        self.reload()
        self._ask(probe.fits, self._fits_known)

    def cancel(self, entry: ModelEntry) -> None:
        """Stop what is going on; of a download nothing is kept."""
        card = self.cards[entry.name]
        if card.busy in ("", "download"):
            if not confirm(
                self,
                tr("Cancel the download?"),
                tr("What has arrived of {name} is deleted. Pause keeps it instead.", name=entry.title),
                tr("Delete it"),
            ):
                return
            self.drop_download(entry)
        else:
            self._stop(entry)

    def drop_download(self, entry: ModelEntry) -> None:
        """Stop a download and delete what has arrived."""
        task = self._work.pop(entry.name, None)
        hub = self.hub
        if task is not None:
            task.cancel()
        self.cards[entry.name].show_busy("")

        def work(_cancel: Cancel) -> None:
            # A download that was told to end may still be writing its last piece.
            if task is not None:
                task.wait(_END_S)
            hub.delete(entry.name)

        self._ask(work, self._dropped)

    def _dropped(self, _nothing: object) -> None:
        self.reload()

    def verify(self, entry: ModelEntry) -> None:
        """Check a model's files."""
        folder = entry.folder
        if folder is None or entry.name in self._work:
            return

        def work(cancel: Cancel) -> int:
            return verify(folder, lambda done, total: cancel.report((done, total)), cancel.event)

        self._begin(entry, "verify", work, partial(self._verified, entry))

    def _verified(self, entry: ModelEntry, count: object) -> None:
        said = tr("{name}: {count} files are what was published.", name=entry.title, count=count)
        self._end(entry, said if count else tr("{name}: the layout is whole.", name=entry.title))

    def _ask_quantise(self, entry: ModelEntry) -> None:
        dialog = QuantiseDialog(entry, self.services.data_folder / "models", self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.quantise(entry, dialog.bits, dialog.target))
        dialog.open()

    def quantise(self, entry: ModelEntry, bits: int, target: Path) -> None:
        """Write a quantised copy into a new folder, which joins the list."""
        if entry.name in self._work:
            return

        def work(cancel: Cancel) -> Path:
            target.parent.mkdir(parents=True, exist_ok=True)
            command = ("models", "quantize", entry.name, str(target), "--bits", str(bits), "--offline")
            run_command(cancel, *command, on_share=cancel.report)
            return target

        self._begin(entry, "quantize", work, partial(self._quantised, entry))

    def _quantised(self, entry: ModelEntry, target: object) -> None:
        self._end(entry, tr("Written to {path}", path=target))
        self.take_folder(Path(str(target)))

    def _remove(self, entry: ModelEntry) -> None:
        if entry.is_added:
            self._keep_folders([folder for folder in self._folders() if str(folder) != entry.name])
            self.reload()
            return
        size = human_bytes(entry.size_bytes)
        text = tr("{size} of {name} are deleted from this machine.", size=size, name=entry.title)
        if confirm(self, tr("Delete this model?"), text, tr("Delete")):
            self.drop_download(entry)

    def _begin(
        self, entry: ModelEntry, what: str, work: Callable[[Cancel], object], done: Callable[[object], None]
    ) -> None:
        said = {"download": tr("asking the Hub…"), "verify": tr("reading the files…"), "quantize": tr("quantising…")}
        self.cards[entry.name].show_busy(what, 0.0, said[what])
        self._work[entry.name] = self.services.tasks.run(
            work, done=done, failed=partial(self._broke, entry), progress=partial(self._progress, entry)
        )

    def _progress(self, entry: ModelEntry, value: object) -> None:
        card = self.cards.get(entry.name)
        if card is None or entry.name not in self._work:
            return
        if isinstance(value, tuple):
            done, total = value
            said = tr("{done} of {total}", done=human_bytes(done), total=human_bytes(total))
            card.show_busy(card.busy, done / total if total else 0.0, said)
        elif isinstance(value, float):
            card.show_busy(card.busy, value, f"{value:.0%}")

    def _stop(self, entry: ModelEntry) -> None:
        if task := self._work.get(entry.name):
            task.stop()

    def _broke(self, entry: ModelEntry, error: Exception) -> None:
        self._end(entry, "")
        if not isinstance(error, CancelledByCallerError):
            self.services.notify("error", str(error))
            if card := self.cards.get(entry.name):
                card.doing.setText(str(error))
                card.refresh()
        self.reload()

    def _end(self, entry: ModelEntry, said: str) -> None:
        self._work.pop(entry.name, None)
        if card := self.cards.get(entry.name):
            card.show_busy("")
        if said:
            self.services.notify("info", said)


def _fit(entry: ModelEntry, cancel: Cancel) -> ModelEntry:
    return fit_of_folder(cancel, entry)


def _padded(widget: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 12, 4, 12)
    column.addWidget(widget)
    column.addStretch(1)
    return holder
