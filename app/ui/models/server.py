"""The local server: ``deskhand serve`` as a supervised child on a port of the person's choice."""

import json
import os
import secrets
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.settings import ServerSettings
from app.translate import tr
from model.process.parent import PARENT_VARIABLE
from model.serving.arguments import TOKEN_VARIABLE

ServerState = Literal["off", "starting", "on", "restarting", "failed"]

_ROOT = Path(__file__).resolve().parents[3]
_KEY_BYTES = 24
_POLITE_MS, _FIRM_MS = 700, 1000
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 500, 30_000
_MAX_CRASHES, _WINDOW_S = 5, 600.0


@dataclass(frozen=True, slots=True)
class Served:
    """What is served and how it listens."""

    model: str
    quantize: str | None
    settings: ServerSettings

    @property
    def url(self) -> str:
        """Where programs on this machine reach it."""
        return f"http://127.0.0.1:{self.settings.port}/v1"

    @property
    def curl(self) -> str:
        """A line for a terminal that asks it what it serves, or a question."""
        key = f'-H "Authorization: Bearer {self.settings.api_key}"'
        if self.model == "builtin":
            return f"curl {self.url}/models {key}"
        body = '{"messages": [{"role": "user", "content": "Hello"}]}'
        return f"curl {self.url}/chat/completions {key} -H 'Content-Type: application/json' -d '{body}'"


def new_key() -> str:
    """Make up a key."""
    return secrets.token_urlsafe(_KEY_BYTES)


class LocalServer(QObject):
    """Keeps the server running while it is switched on. ``changed`` tells of ``state`` and ``message``."""

    changed = Signal()

    def __init__(self, log_file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state: ServerState = "off"
        self.message = ""
        self.served: Served | None = None
        self.log_file = log_file
        self._process: QProcess | None = None
        self._crashes: deque[float] = deque()
        self._was_on = False
        self._said = ""
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._start)

    @property
    def pid(self) -> int | None:
        """The number of the process while there is one."""
        return self._process.processId() or None if self._process is not None else None

    def switch_on(self, served: Served) -> None:
        """Start it in place of what runs."""
        self.switch_off()
        self.served = served
        self._crashes.clear()
        self._was_on = False
        self._start()

    def switch_off(self) -> None:
        """End it, and wait for that for a moment."""
        self._again.stop()
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.closeWriteChannel()
            process.terminate()
            if not process.waitForFinished(_POLITE_MS):
                process.kill()
                process.waitForFinished(_FIRM_MS)
            process.deleteLater()
        self._set("off", "")

    def _start(self) -> None:
        served = self.served
        if served is None:
            return
        arguments = ["-P", "-m", "model.serve", "--model", served.model, "--port", str(served.settings.port)]
        arguments += ["--with-parent", "--host", "0.0.0.0" if served.settings.everywhere else "127.0.0.1"]  # noqa: S104
        arguments += ["--quantize", served.quantize] if served.quantize else []
        environment = QProcessEnvironment.systemEnvironment()
        for name, value in (
            # In the environment, as others on this machine can read the arguments.
            (TOKEN_VARIABLE, served.settings.api_key),
            (PARENT_VARIABLE, str(os.getpid())),
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONPATH", str(_ROOT)),
        ):
            environment.insert(name, value)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        process = QProcess(self)
        process.setProcessEnvironment(environment)
        process.setStandardErrorFile(str(self.log_file), QProcess.OpenModeFlag.Append)
        process.readyReadStandardOutput.connect(self._listen)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._broke)
        self._process = process
        self._said = ""
        self._set("restarting" if self._was_on else "starting", tr("loading the model"))
        process.start(sys.executable, arguments)

    def _listen(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            try:
                event = json.loads(process.readLine().toStdString())
            except ValueError:
                continue
            match event:
                case {"event": "progress", "message": str() as text}:
                    self._set(self.state, text)
                case {"event": "failed", "message": str() as text}:
                    self._said = text
                case {"event": "ready"}:
                    self._was_on = True
                    self._set("on", "")

    def _broke(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            why, self._process = self._process.errorString(), None
            self._set("failed", why)

    def _ended(self, code: int, _status: QProcess.ExitStatus) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        why = self._said or tr("it ended with code {code}; see {file}", code=code, file=self.log_file)
        now = time.monotonic()
        self._crashes.append(now)
        while now - self._crashes[0] > _WINDOW_S:
            self._crashes.popleft()
        if not self._was_on or len(self._crashes) > _MAX_CRASHES:
            self._set("failed", why)
            return
        self._set("restarting", why)
        self._again.start(min(_FIRST_PAUSE_MS * 2 ** (len(self._crashes) - 1), _LONGEST_PAUSE_MS))

    def _set(self, state: ServerState, message: str) -> None:
        if (state, message) != (self.state, self.message):
            self.state, self.message = state, message
            self.changed.emit()
