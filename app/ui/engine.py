"""The engine's child process and other people's servers, as the window sees them: one model, one state."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.settings import EndpointSettings, SettingsStore
from app.translate import tr
from app.ui.tasks import Cancel, Task, Tasks

if TYPE_CHECKING:
    from model.chat import ChatModel, Delta, GenerateOptions, Message
    from model.child import ChildStatus, EngineProcess
    from model.client import Endpoint
    from model.wire.card import ModelCard

EngineState = Literal["none", "starting", "ready", "restarting", "failed"]

_IDLE_LOOK_MS = 15_000


class EngineService(QObject):
    """The one model that the window works with. Every method returns at once; ``changed`` tells of what follows.

    ``state`` is what a person should know: "none" when nothing is loaded, "starting" while it loads, "ready",
    "restarting" when the child has died and is started anew, "failed" with the reason in ``message``.
    ``name`` is what was asked for: "builtin", a folder, a hub id, or an endpoint's name.
    ``measured`` follows `measure`: ``card`` says what is held of a GPU now.
    """

    changed = Signal()
    measured = Signal()
    _told = Signal(int, object)

    def __init__(self, settings: SettingsStore, tasks: Tasks, data_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._tasks = tasks
        self._log_file = data_folder / "logs" / "engine.log"
        self.state: EngineState = "none"
        self.message = ""
        self.name = ""
        self.quantize: str | None = None
        self.endpoint: EndpointSettings | None = None
        self.card: ModelCard | None = None
        self._life = 0
        self._process: EngineProcess | None = None
        self._remote: Endpoint | None = None
        self._model: _WatchedModel | None = None
        self._asking: Task | None = None
        self._measuring: Task | None = None
        self._use = _Use()
        self._idle = QTimer(self)
        self._idle.setInterval(_IDLE_LOOK_MS)
        self._idle.timeout.connect(self.unload_if_idle)
        self._told.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    @property
    def pid(self) -> int | None:
        """The number of the child process, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def log_file(self) -> Path:
        """Where the child's log is appended."""
        return self._log_file

    def model(self) -> "ChatModel | None":
        """Return the model to be asked from a worker thread; None unless the state is "ready"."""
        return self._model if self.state == "ready" else None

    def load(self, name: str, *, quantize: str | None = None) -> None:
        """Start a child with this checkpoint in place of whatever there is."""
        self._release()
        self.name, self.quantize = name, quantize
        life = self._life
        self._set("starting", tr("starting the engine"))

        def start(_cancel: Cancel) -> "EngineProcess":
            # Imported here, in the worker: it brings numpy and asyncio along, for which the window need not wait.
            from model.child import EngineProcess

            arguments = ("--quantize", quantize) if quantize else ()
            return EngineProcess(
                name, arguments, log_file=self._log_file, on_status=lambda status: self._tell(life, status)
            )

        def started(process: "EngineProcess") -> None:
            if life == self._life:
                self._process = process
                process.start()

        self._tasks.run(start, done=started, failed=self._fail)

    def unload(self) -> None:
        """End the child or let go of the server, and free its memory."""
        self._release()
        self.name, self.quantize = "", None
        self._set("none", "")

    def restart(self) -> None:
        """Load again what was loaded last."""
        if self.endpoint is not None:
            self.use_endpoint(self.endpoint)
        else:
            self.load(self.name or self._settings.value.model, quantize=self.quantize)

    def use_endpoint(self, endpoint: EndpointSettings) -> None:
        """Work with somebody else's server in place of a child; its card is asked for before it is "ready"."""
        self._release()
        self.name, self.quantize, self.endpoint = endpoint.name, None, endpoint
        life = self._life
        self._set("starting", tr("asking {url}", url=endpoint.url))

        def ask(_cancel: Cancel) -> "tuple[Endpoint, ModelCard]":
            from model.client import Endpoint

            remote = Endpoint(endpoint.url, endpoint.model, endpoint.api_key)
            try:
                return remote, remote.card()
            except BaseException:
                remote.close()
                raise

        def answered(answer: "tuple[Endpoint, ModelCard]") -> None:
            remote, card = answer
            if life != self._life:
                self._close_later(remote)
                return
            self._remote = remote
            self._become_ready(remote, card)

        def refused(error: Exception) -> None:
            if life == self._life:
                self._fail(error)

        self._tasks.run(ask, done=answered, failed=refused)

    def measure(self) -> None:
        """Ask what the engine holds of a GPU; does nothing while that is being asked, or where there is none."""
        source, life = self._process or self._remote, self._life
        known = self.card is not None and self.card.gpu_used_bytes is not None
        if self.state != "ready" or source is None or not known:
            return
        if self._measuring is not None and not self._measuring.finished:
            return

        def ask(_cancel: Cancel) -> "ModelCard":
            return source.card()

        def answered(card: "ModelCard") -> None:
            if life == self._life and self.state == "ready":
                self.card = card
                self.measured.emit()

        self._measuring = self._tasks.run(ask, done=answered, failed=_unknown)

    def unload_if_idle(self) -> None:
        """Unload a child that nobody has asked for as long as the settings say."""
        limit_s = 60 * self._settings.value.idle_unload_minutes
        if not limit_s or self._process is None or self.state != "ready" or self._use.idle_s() < limit_s:
            return
        minutes = self._settings.value.idle_unload_minutes
        self._release()
        self._set("none", tr("unloaded after {minutes} idle minutes", minutes=minutes))

    def close(self) -> None:
        """End the child and wait for that: the application ends."""
        self._idle.stop()
        self._life += 1
        process, self._process = self._process, None
        remote, self._remote = self._remote, None
        if process is not None:
            process.stop()
        if remote is not None:
            remote.close()

    def _release(self) -> None:
        """Let go of what is there; its end is waited for in a thread."""
        self._life += 1
        process, self._process = self._process, None
        remote, self._remote = self._remote, None
        if self._asking is not None:
            self._asking.cancel()
        self.card = self._model = self.endpoint = self._asking = None
        self._idle.stop()
        for ended in (process, remote):
            if ended is not None:
                self._close_later(ended)

    def _close_later(self, ended: "EngineProcess | Endpoint") -> None:
        from model.child import EngineProcess

        stop = ended.stop if isinstance(ended, EngineProcess) else ended.close
        self._tasks.run(lambda _cancel: stop(), done=_nothing)

    def _tell(self, life: int, status: "ChildStatus") -> None:
        # From the supervisor's thread; the service may have been deleted while the child was being stopped.
        if life == self._life:
            self._told.emit(life, status)

    def _hear(self, life: int, status: "ChildStatus") -> None:
        if life != self._life:
            return
        match status.state:
            case "ready":
                self._ask_card(life)
            case "starting":
                self._set("starting", status.message or self.message)
            case "restarting":
                self._model = None
                self._set("restarting", status.message)
            case "failed":
                self._set("failed", status.message)
            case "stopped":
                self._set("none", "")

    def _ask_card(self, life: int) -> None:
        process = self._process
        if process is None:
            return

        def known(card: "ModelCard") -> None:
            if life == self._life and self._process is process and process.status.state == "ready":
                self._become_ready(process.endpoint(), card)

        def unknown(error: Exception) -> None:
            # A child that died in between is being started again, and will be asked again.
            if life == self._life and process.status.state == "ready":
                self._fail(error)

        self._asking = self._tasks.run(lambda _cancel: process.wait_ready(), done=known, failed=unknown)

    def _become_ready(self, model: "ChatModel", card: "ModelCard") -> None:
        self.card = card
        self._use.touch()
        self._model = _WatchedModel(model, self._use)
        self._idle.start()
        self._set("ready", "")

    def _fail(self, error: Exception) -> None:
        self._set("failed", str(error))

    def _set(self, state: EngineState, message: str) -> None:
        if (state, message) != (self.state, self.message) or state == "ready":
            self.state, self.message = state, message
            self.changed.emit()


def _nothing(_result: object) -> None:
    pass


def _unknown(_error: Exception) -> None:
    """Leave the figure as it was: whether the engine answers is told elsewhere."""


class _Use:
    """Who is being answered, and since when nobody is. Used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._since_s = time.monotonic()

    def touch(self) -> None:
        with self._lock:
            self._since_s = time.monotonic()

    def begin(self) -> None:
        with self._lock:
            self._running += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            self._since_s = time.monotonic()

    def idle_s(self) -> float:
        with self._lock:
            return 0.0 if self._running else time.monotonic() - self._since_s


class _WatchedModel:
    """A `ChatModel` that notes when it is asked, so that it can be unloaded when nobody does."""

    def __init__(self, model: "ChatModel", use: _Use) -> None:
        self._model = model
        self._use = use

    def stream(
        self,
        messages: "Sequence[Message]",
        options: "GenerateOptions | None" = None,
        cancel: threading.Event | None = None,
    ) -> "Iterator[Delta]":
        """Answer as the model does."""
        from model.chat import GenerateOptions

        self._use.begin()
        try:
            yield from self._model.stream(messages, options or GenerateOptions(), cancel)
        finally:
            self._use.end()
