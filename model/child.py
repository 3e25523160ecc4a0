"""`EngineProcess`: the engine as a supervised child, so that its crash costs a message and not the program."""

import atexit
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from platformdirs import user_log_path

from model.chat import Delta, GenerateOptions, Message, Usage
from model.client import Endpoint, Timeouts
from model.errors import EndpointError, EngineDiedError, ModelError
from model.process.run import ChildRun
from model.process.supervision import STOP, Supervision, attend, child_environment, last_words
from model.remote.frames import PREFIX, sweep
from model.wire.card import ModelCard

State = Literal["stopped", "starting", "ready", "restarting", "failed"]

_TICK_S = 0.2
_DEATH_SEEN_S = 0.8
_MAX_LOG_BYTES = 5 << 20
# The server shows life every few seconds while it works, so that a long silence is a fault.
_TIMEOUTS = Timeouts(connect_s=5.0, silence_s=120.0)


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """What a person wants to know: the state, and progress or the reason in words."""

    state: State
    message: str = ""


class EngineProcess:
    """Run ``serve`` as a child process, keep it running, and never let it outlive this one.

    ``arguments`` are those of `model.serving.arguments` beyond the model. ``on_status`` is called from a
    thread of ours with every change. The child's log is appended to ``log_file``. Use it as a
    context manager, or `start` and `stop` it. All methods may be called from any thread.
    """

    def __init__(
        self,
        model: str = "builtin",
        arguments: Sequence[str] = (),
        *,
        log_file: Path | None = None,
        on_status: Callable[[ChildStatus], None] | None = None,
        supervision: Supervision = Supervision(),
        command: Sequence[str] = (sys.executable, "-P", "-m", "model.serve"),
    ) -> None:
        self._model = model
        self._arguments = tuple(arguments)
        self.log_file = log_file or user_log_path("deskhand") / "engine.log"
        self._on_status = on_status
        self._supervision = supervision
        self._command = tuple(command)
        self._changed = threading.Condition()
        self._status = ChildStatus("stopped")
        self._run: ChildRun | None = None
        self._endpoint: Endpoint | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._folder = Path()

    @property
    def status(self) -> ChildStatus:
        """The state and its reason."""
        return self._status

    @property
    def pid(self) -> int | None:
        """The number of the process that runs now."""
        run = self._run
        return None if run is None or run.ended() else run.pid

    def start(self) -> None:
        """Begin to start the process and return at once; does nothing while it runs."""
        with self._changed:
            if self._status.state not in ("stopped", "failed"):
                return
            _make_room(self.log_file)
            parent = Path(tempfile.gettempdir())
            sweep(parent)
            self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
            self._stopping.clear()
            self._status = ChildStatus("starting")
            # A thread that lives as long as the child: Linux ends a child with the thread that made it.
            self._thread = threading.Thread(target=self._supervise, name="engine supervisor", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def stop(self) -> None:
        """End the process and wait until nothing of it is left."""
        with self._changed:
            thread, run = self._thread, self._run
            self._stopping.set()
            if run is not None:
                run.events.put(STOP)
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        atexit.unregister(self.stop)

    def wait_ready(self, timeout_s: float | None = None) -> ModelCard:
        """Wait until the model is loaded; raise `EndpointError` when it cannot be or the time is over."""
        until = time.monotonic() + (self._supervision.start_timeout_s if timeout_s is None else timeout_s)
        return self._await_ready(lambda: time.monotonic() < until)[1].card()

    def card(self) -> ModelCard:
        """Ask the process that runs now what it says about its model; raise `EndpointError` when there is none."""
        return self.wait_ready(0.0)

    def endpoint(self) -> "ChildEndpoint":
        """Return a `ChatModel` that follows the process through its restarts."""
        return ChildEndpoint(self)

    def wait_for_run(self, cancel: threading.Event) -> tuple[ChildRun, Endpoint] | None:
        """Wait for a process that is ready; None when ``cancel`` is set first. Raises as `wait_ready` does."""
        until = time.monotonic() + self._supervision.start_timeout_s
        try:
            return self._await_ready(lambda: time.monotonic() < until and not cancel.is_set())
        except EndpointError:
            if cancel.is_set():
                return None
            raise

    def _await_ready(self, patient: Callable[[], bool]) -> tuple[ChildRun, Endpoint]:
        with self._changed:
            while True:
                run, endpoint = self._run, self._endpoint
                if self._status.state == "ready" and run is not None and endpoint is not None and not run.ended():
                    return run, endpoint
                if self._status.state in ("failed", "stopped"):
                    raise EndpointError(
                        f"the engine process has {self._status.state}",
                        why=self._status.message,
                        remedy="start it again" if self._status.state == "stopped" else f"see {self.log_file}",
                    )
                if not patient():
                    raise EndpointError(
                        "the engine process is not ready yet", why=self._status.message, remedy="wait longer"
                    )
                self._changed.wait(_TICK_S)

    def _set(self, state: State, message: str = "") -> None:
        with self._changed:
            self._status = ChildStatus(state, message)
            self._changed.notify_all()
        if self._on_status is not None:
            self._on_status(self._status)

    def _supervise(self) -> None:
        last = ChildStatus("stopped")
        self._set("starting")
        try:
            self._keep_running()
        except ModelError as error:
            last = ChildStatus("failed", str(error))
        except BaseException as error:
            last = ChildStatus("failed", f"the supervisor broke: {type(error).__name__}: {error}")
            raise
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._set(last.state, last.message)

    def _keep_running(self) -> None:
        """Start the process as often as it takes; return when stopped, raise when it is hopeless."""
        rules = self._supervision
        crashes: deque[float] = deque()
        was_ready = False
        while not self._stopping.is_set():
            ready, why = self._live()
            if self._stopping.is_set():
                return
            if not ready and not was_ready:
                raise EndpointError("the engine process did not start", why=why)
            was_ready = True
            now = time.monotonic()
            crashes.append(now)
            while now - crashes[0] > rules.crash_window_s:
                crashes.popleft()
            if len(crashes) > rules.max_crashes:
                raise EndpointError(
                    f"the engine process died {len(crashes)} times in {rules.crash_window_s:g} s and is given up",
                    why=why,
                )
            self._set("restarting", why)
            self._stopping.wait(min(rules.first_pause_s * 2 ** (len(crashes) - 1), rules.longest_pause_s))

    def _live(self) -> tuple[bool, str]:
        """Run one process to its end; return whether it was ever ready, and how it ended."""
        run = ChildRun(self._command_line(), child_environment(), self.log_file)
        with self._changed:
            self._run = run
        try:
            ready, why = attend(run, self._supervision, self._stopping, self._tell, self._open)
        finally:
            with self._changed:
                endpoint, self._endpoint = self._endpoint, None
            run.stop()
            if endpoint is not None:
                endpoint.close()
        return ready, why or last_words(run) or run.how_it_ended()

    def _tell(self, message: str) -> None:
        self._set(self._status.state, message)

    def _open(self, run: ChildRun, name: str) -> None:
        with self._changed:
            self._endpoint = Endpoint(run.url, name, run.token, timeouts=_TIMEOUTS, media_dir=self._folder)
        self._set("ready")

    def _command_line(self) -> list[str]:
        own = ("--model", self._model, "--port", "0", "--media-dir", str(self._folder), "--grace", "0", "--with-parent")
        return [*self._command, *own, *self._arguments]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _make_room(log_file: Path) -> None:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > _MAX_LOG_BYTES:
        log_file.replace(log_file.with_name(log_file.name + ".1"))


class ChildEndpoint:
    """The `ChatModel` of an `EngineProcess`, whichever process that is at the moment."""

    def __init__(self, process: EngineProcess) -> None:
        self._process = process

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Wait until the process is ready, then yield its answer as `Endpoint.stream` does.

        Raises `EngineDiedError` when the process ends in the middle, within a second of that; the
        next request waits for the process that replaces it.
        """
        cancel = cancel or threading.Event()
        ready = self._process.wait_for_run(cancel)
        if ready is None:
            yield Delta(finish="cancelled", usage=Usage())
            return
        run, endpoint = ready
        try:
            yield from endpoint.stream(messages, options, cancel)
        except EndpointError as error:
            refused = getattr(error.__cause__, "status_code", 500) < 500
            if refused or not run.ended(_DEATH_SEEN_S):
                raise
            raise EngineDiedError(
                "the engine process ended in the middle of the answer",
                why=run.how_it_ended(),
                remedy="ask again: it is being started anew",
            ) from error

    def card(self) -> ModelCard:
        """Wait until the process is ready, and ask what it says about its model."""
        return self._process.wait_ready()
