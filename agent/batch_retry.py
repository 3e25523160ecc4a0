"""Ask a server again when it is busy, breaks off or answers nonsense, ever later and never in step with others."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar, overload

from model.chat import ChatModel, Delta, GenerateOptions, Message
from model.errors import EndpointError

T = TypeVar("T")
_TRY_AGAIN_4XX = frozenset({408, 409, 425, 429})
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask again and how long to wait: from half to the whole of a pause that doubles each time.

    A server that names the pause itself (Retry-After) is given that much, ``longest_asked_s`` at most.
    """

    retries: int = 6
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    longest_asked_s: float = 300.0


class Patient:
    """A `ChatModel` that asks another one again until it has a whole answer, or the patience ends.

    What no repetition mends (a refused key, a wrong address, a request that the server rejects) is raised at
    once. ``retried`` counts the repetitions so far. Answers come in one piece, so none comes twice.
    """

    def __init__(
        self, model: ChatModel, patience: Patience = Patience(), chance: Callable[[], float] = random.random
    ) -> None:
        self.retried = 0
        self._model = model
        self._patience = patience
        self._chance = chance
        self._lock = threading.Lock()

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Yield a whole answer."""

        def ask() -> list[Delta]:
            return list(self._model.stream(messages, options, cancel))

        yield from patiently(ask, self._patience, self._count, cancel, self._chance) or [Delta(finish="cancelled")]

    def _count(self) -> None:
        with self._lock:
            self.retried += 1


@overload
def patiently(ask: Callable[[], T], patience: Patience) -> T: ...


@overload
def patiently(
    ask: Callable[[], T],
    patience: Patience,
    on_retry: Callable[[], None],
    cancel: threading.Event | None,
    chance: Callable[[], float] = ...,
) -> T | None: ...


def patiently(
    ask: Callable[[], T],
    patience: Patience,
    on_retry: Callable[[], None] = lambda: None,
    cancel: threading.Event | None = None,
    chance: Callable[[], float] = random.random,
) -> T | None:
    """Call ``ask`` until it raises no `EndpointError` that may pass; None when ``cancel`` was set in between."""
    for attempt in itertools.count():
        try:
            return ask()
        except EndpointError as error:
            if attempt >= patience.retries or not _may_pass(error):
                raise
            asked_s = _asked_pause_s(error)
        on_retry()
        longest_s = min(patience.longest_pause_s, patience.first_pause_s * 2**attempt)
        pause_s = longest_s * (0.5 + chance() / 2)
        _wait(pause_s if asked_s is None else max(pause_s, min(asked_s, patience.longest_asked_s)), cancel)
        if cancel is not None and cancel.is_set():
            return None
    raise AssertionError


def _may_pass(error: EndpointError) -> bool:
    status = getattr(error.__cause__, "status_code", None)
    return not isinstance(status, int) or not 400 <= status < 500 or status in _TRY_AGAIN_4XX


def _asked_pause_s(error: EndpointError) -> float | None:
    """Return the pause that the answer's Retry-After names, in seconds or as a date."""
    headers = getattr(getattr(error.__cause__, "response", None), "headers", None)
    named = headers.get("retry-after") if headers is not None else None
    if named is None:
        return None
    try:
        return max(0.0, float(named))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(named).timestamp() - time.time())
    except ValueError:
        return None


def _wait(pause_s: float, cancel: threading.Event | None) -> None:
    # In small steps: the event may be one that others set, which its own wait does not notice.
    until = time.monotonic() + pause_s
    while (left_s := until - time.monotonic()) > 0 and not (cancel is not None and cancel.is_set()):
        time.sleep(min(left_s, _POLL_S))
