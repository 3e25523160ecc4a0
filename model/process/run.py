"""One life of the engine's process: started, listened to, asked for its health, ended."""

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from model.errors import EndpointError
from model.process.parent import PARENT_VARIABLE
from model.serving.arguments import TOKEN_VARIABLE
from model.wire import Json

ENDED: Json = {"event": "ended"}

_POLITE_S = 8.0
_FIRM_S = 3.0
_TAIL_BYTES = 4096
_TAIL_LINES = 4


class ChildRun:
    """A process that announces itself by JSON lines on its standard output, as `model.serve` does.

    ``events`` receives what it announces and, once, `ENDED`. Its log is appended to ``log_file``.
    The token is made here and travels in the environment, where other users cannot see it.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log_file: Path) -> None:
        self.token = secrets.token_urlsafe(24)
        self.port = 0
        self.events: queue.SimpleQueue[Json] = queue.SimpleQueue()
        self._log_file = log_file
        added = {TOKEN_VARIABLE: self.token, PARENT_VARIABLE: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        try:
            with log_file.open("ab") as log:
                self._log_start = log.tell()
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={**environment, **added},
                    # Ctrl-C in our terminal is for us to act on: we then end the child politely.
                    start_new_session=True,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            raise EndpointError("the engine process cannot be started", why=f"{command[0]}: {error}") from error
        self._reader = threading.Thread(target=self._read_events, name="engine events", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it listens, once it has announced a port."""
        return f"http://127.0.0.1:{self.port}/v1"

    def _read_events(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  it is a pipe, see above
        for line in stdout:
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and "event" in event:
                    self.events.put(event)
        self.events.put(ENDED)

    def ended(self, within_s: float = 0.0) -> bool:
        """Say whether the process has ended, waiting for it a little."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def healthy(self, timeout_s: float) -> bool:
        """Ask ``/health``; a server that answers at all is alive."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status in (200, 503)
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def how_it_ended(self) -> str:
        """Say the exit code or signal and the log's last lines."""
        code = self._process.poll()
        if code is None:
            ending = "it still runs"
        elif code >= 0:
            ending = f"exit code {code}"
        else:
            name = signal.Signals(-code).name if -code in signal.Signals._value2member_map_ else f"signal {-code}"
            ending = f"killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")
        lines = self.last_lines()
        return f"{ending}; its log ends: {lines}" if lines else f"{ending}; its log is {self._log_file}"

    def last_lines(self) -> str:
        """Return the last lines this run wrote to its log, on one line."""
        try:
            with self._log_file.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, size - _TAIL_BYTES))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return " | ".join([line.strip() for line in lines if line.strip()][-_TAIL_LINES:])

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def stop(self) -> None:
        """End it: politely, then firmly, then at once. Returns when it is gone and nothing of it is left."""
        process = self._process
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()  # the end of its input is the polite word, on every system
        if not self.ended(_POLITE_S):
            process.terminate()
        if not self.ended(_FIRM_S):
            process.kill()
        process.wait()
        self._reader.join(_FIRM_S)
        if process.stdout is not None and not self._reader.is_alive():
            process.stdout.close()
