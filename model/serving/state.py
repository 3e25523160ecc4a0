"""What the server knows at run time: the model, its state, and the answers in the making."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from model.chat import ChatModel
from model.errors import InputError, ResourceError
from model.serving.pull import Pull, StartStream
from model.wire import Json
from model.wire.card import ModelCard
from model.wire.errors import RequestError
from model.wire.pictures import PictureLimits

State = Literal["loading", "ready", "failed", "stopping"]

_MIB = 1 << 20
# What torch says when the device's context is lost: nothing in this process can use it again.
_LOST_DEVICE = ("AcceleratorError", "CUDA error")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How to serve. ``token`` None means that anyone who can connect may ask.

    ``media_dirs`` are the folders that ``file://`` pictures may lie in. ``max_in_flight`` counts
    requests being answered or waiting for their turn; more are told to come back. Times are in
    seconds: for a body to arrive, for a reader to take what is written, between signs of life on a
    quiet stream, for running answers to finish when the server stops.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    media_dirs: tuple[Path, ...] = ()
    max_body_bytes: int = 64 * _MIB
    max_in_flight: int = 128
    pictures: PictureLimits = field(default_factory=PictureLimits)
    body_timeout_s: float = 60.0
    write_timeout_s: float = 60.0
    heartbeat_s: float = 5.0
    shutdown_grace_s: float = 5.0

    def __post_init__(self) -> None:
        if self.token == "":
            raise InputError("the token is empty", remedy="give one, or none at all for a server without")
        if self.token is not None and not self.token.isascii():
            raise InputError(
                "the token holds characters that no HTTP header can", remedy="use ASCII letters and digits"
            )


class Service:
    """The one model of a server and the requests on it.

    `ready` and `fail` may be called from any thread, the rest belongs to the event loop.
    """

    def __init__(self, model: ChatModel | None, card: ModelCard, settings: ServeSettings) -> None:
        self.card = card
        self.settings = settings
        self.error: BaseException | None = None
        self.on_fail: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._model = model
        self._stopping = False
        self._in_flight = 0
        self._running: set[Pull] = set()

    @property
    def state(self) -> State:
        """Say whether requests can be answered."""
        if self.error is not None:
            return "failed"
        if self._stopping:
            return "stopping"
        return "loading" if self._model is None else "ready"

    def ready(self, model: ChatModel, card: ModelCard) -> None:
        """Serve this model from now on."""
        self.card = card
        self._model = model

    def card_now(self) -> ModelCard:
        """Return the card with what the model holds of a GPU at this moment, where it says so."""
        ask = getattr(self._model, "gpu_memory", None)
        held = ask() if ask is not None else None
        return replace(self.card, gpu_used_bytes=held[0], gpu_total_bytes=held[1]) if held else self.card

    def check_ready(self) -> None:
        """Raise `RequestError` (503) unless requests can be answered."""
        if self.state != "ready":
            raise self._unavailable()

    def fail(self, error: BaseException) -> None:
        """Give up: refuse everything, and have the server end with this error."""
        self.error = error
        self.on_fail()

    def health(self) -> Json:
        """Describe the state; ``active`` counts the answers that the engine is working on."""
        return {
            "status": self.state,
            "model": self.card.id,
            "active": len(self._running),
            "in_flight": self._in_flight,
        }

    def admit(self) -> Callable[[], None]:
        """Take a place in the queue; return what gives it back, from any thread, once.

        Raises `RequestError`: 503 when no model is ready, 429 when the queue is full.
        """
        self.check_ready()
        with self._lock:
            if self._in_flight >= self.settings.max_in_flight:
                raise RequestError(
                    f"{self._in_flight} requests are waiting already",
                    remedy="try again in a moment",
                    status=429,
                    code="queue_full",
                    headers={"Retry-After": "1"},
                )
            self._in_flight += 1
        left = threading.Event()

        def leave() -> None:
            with self._lock:
                if not left.is_set():
                    left.set()
                    self._in_flight -= 1

        return leave

    def _unavailable(self) -> RequestError:
        state = self.state
        return RequestError(
            f"the model is {'still ' if state == 'loading' else ''}{state}",
            why=str(self.error or ""),
            remedy="try again when GET /health says ready" if state == "loading" else "start the server again",
            status=503,
            code=f"model_{state}",
            headers={"Retry-After": "2"},
        )

    def generate(self, start: Callable[[ChatModel], StartStream], leave: Callable[[], None]) -> Pull:
        """Begin an answer; ``leave`` is called when its thread is through with it."""
        if self._model is None or self.state != "ready":
            raise self._unavailable()

        def on_end(error: BaseException | None) -> None:
            with self._lock:
                self._running.discard(pull)
            leave()
            if error is not None and _device_is_lost(error):
                self.fail(error)

        pull = Pull(start(self._model), on_end)
        with self._lock:
            self._running.add(pull)
        pull.start()
        return pull

    def refuse(self) -> None:
        """Take no more requests; those that run go on."""
        self._stopping = True

    def stop_all(self) -> None:
        """Cancel every running answer and tell its reader why."""
        for pull in self._all_running():
            pull.stop(self._unavailable())

    def join(self, timeout_s: float) -> bool:
        """Wait for the engine to let go of every answer; return whether it has."""
        ended = [pull.join(timeout_s) for pull in self._all_running()]
        return all(ended)

    def _all_running(self) -> tuple[Pull, ...]:
        with self._lock:
            return tuple(self._running)


def _device_is_lost(error: BaseException) -> bool:
    if isinstance(error, ResourceError):
        return False
    chain = (error, error.__cause__)
    return any(mark in f"{type(step).__name__} {step}" for step in chain for mark in _LOST_DEVICE)
