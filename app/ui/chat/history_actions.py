"""What is done to conversations as a whole: rename, pin, delete, export, import."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.store import History, HistoryError
from app.translate import tr
from app.ui.services import Services
from app.ui.tasks import Cancel
from app.ui.widgets.controls import ask_text, confirm

_UNSAFE = re.compile(r"[^\w -]+")


class HistoryActions(QObject):
    """Does what the list's menus ask for. ``changed`` follows, ``deleted(id or 0 for all)`` when something is gone."""

    changed = Signal()
    deleted = Signal(int)

    def __init__(self, services: Services, history: History, widget: QWidget) -> None:
        super().__init__(widget)
        self._services = services
        self._history = history
        self._widget = widget

    def act(self, action: str, conversation: int) -> None:
        """Do it; what goes wrong is told."""
        acts: dict[str, Callable[[int], None]] = {
            "rename": self._rename,
            "pin": lambda each: self._pin(each, True),
            "unpin": lambda each: self._pin(each, False),
            "delete": self._delete,
            "delete_all": self._delete_all,
            "export_md": self._export_markdown,
            "export_json": self._export_json,
            "export_all": self._export_json,
            "import": self._import,
        }
        try:
            acts[action](conversation)
        except HistoryError as error:
            self._services.notify("error", str(error))

    def _rename(self, conversation: int) -> None:
        title = self._history.conversations.get(conversation).title
        new = ask_text(self._widget, tr("Rename"), tr("Title of this conversation"), title, tr("Rename"))
        if new is not None and new.strip():
            self._history.conversations.rename(conversation, new)
            self.changed.emit()

    def _pin(self, conversation: int, pinned: bool) -> None:
        self._history.conversations.pin(conversation, pinned)
        self.changed.emit()

    def _delete(self, conversation: int) -> None:
        title = self._history.conversations.get(conversation).title
        if confirm(
            self._widget,
            tr("Delete this conversation?"),
            tr("“{title}” is deleted with all its messages. This cannot be undone.", title=title),
            tr("Delete"),
        ):
            self.deleted.emit(conversation)
            self._history.conversations.delete(conversation)
            self.changed.emit()

    def _delete_all(self, _conversation: int) -> None:
        count = len(self._history.conversations.list())
        if count and confirm(
            self._widget,
            tr("Delete all conversations?"),
            tr("{count} conversations are deleted with all their messages. This cannot be undone.", count=count),
            tr("Delete all"),
        ):
            self.deleted.emit(0)
            self._history.conversations.delete_all()
            self.changed.emit()

    def _export_markdown(self, conversation: int) -> None:
        name = self._file_name(conversation, ".md")
        chosen, _ = QFileDialog.getSaveFileName(self._widget, tr("Export as Markdown"), name, "Markdown (*.md)")
        if chosen:
            self.export_markdown(conversation, Path(chosen))

    def export_markdown(self, conversation: int, file: Path) -> None:
        """Write a conversation as Markdown, in a worker."""
        from app.store.export_markdown import export_markdown

        self._work(lambda: export_markdown(self._history, conversation, file), tr("Exported to {file}.", file=file))

    def _export_json(self, conversation: int) -> None:
        name = self._file_name(conversation, ".json") if conversation else "deskhand-history.json"
        chosen, _ = QFileDialog.getSaveFileName(self._widget, tr("Export as JSON"), name, "JSON (*.json)")
        if chosen:
            self.export_json(conversation, Path(chosen))

    def export_json(self, conversation: int, file: Path) -> None:
        """Write a conversation, or with 0 all of them, as JSON, in a worker."""
        from app.store.export_json import export_json

        def export() -> None:
            ids = [conversation] if conversation else [each.id for each in self._history.conversations.list()]
            file.write_text(export_json(self._history, ids), encoding="utf-8")

        self._work(export, tr("Exported to {file}.", file=file))

    def _import(self, _conversation: int) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self._widget, tr("Import"), "", f"{tr('Exported conversations')} (*.json *.md)"
        )
        if chosen:
            self.import_file(Path(chosen))

    def import_file(self, file: Path) -> None:
        """Add the conversations of an exported file, in a worker."""
        from app.store.export_json import import_json
        from app.store.export_markdown import import_markdown

        def take() -> None:
            if file.suffix.lower() == ".md":
                import_markdown(self._history, file)
            else:
                import_json(self._history, file.read_text(encoding="utf-8"))

        self._work(take, tr("Imported {file}.", file=file.name))

    def _work(self, work: Callable[[], None], told: str) -> None:
        def run(_cancel: Cancel) -> None:
            work()

        def done(_nothing: None) -> None:
            self._services.notify("info", told)
            self.changed.emit()

        def failed(error: Exception) -> None:
            self._services.notify("error", str(error))

        self._services.tasks.run(run, done=done, failed=failed)

    def _file_name(self, conversation: int, ending: str) -> str:
        title = self._history.conversations.get(conversation).title
        return (_UNSAFE.sub("", title).strip()[:60] or "conversation") + ending
