"""The bridge from a blocking stream of deltas to the event loop: one thread an answer."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator

from model.chat import Delta
from model.errors import ModelError
from model.wire.errors import as_request_error

MAX_WAITING_DELTAS = 1024

_log = logging.getLogger(__name__)

StartStream = Callable[[threading.Event], Iterator[Delta]]


class Pull:
    """One answer being made: a thread pulls the stream, the event loop reads what has come.

    All methods belong to the event loop's thread. A reader that falls `MAX_WAITING_DELTAS` behind
    holds the stream up; one that goes away calls `stop`, after which the stream is cancelled and
    closed in its own thread. ``on_end`` is called there when nothing of the answer runs any more.
    """

    def __init__(self, start: StartStream, on_end: Callable[[BaseException | None], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._room = threading.Condition()
        self._waiting: deque[Delta] = deque()
        self._cancel = threading.Event()
        self._error: BaseException | None = None
        self._ended = False
        self._stopped = False
        self._on_end = on_end
        self._thread = threading.Thread(target=self._run, args=(start,), name="answer", daemon=True)

    def start(self) -> None:
        """Begin to pull the stream."""
        self._thread.start()

    def stop(self, error: Exception | None = None) -> None:
        """Cancel the stream; its reader gets ``error``, or a plain end."""
        with self._room:
            if self._ended or self._stopped:
                return
            self._stopped = True
            self._error = error
            self._waiting.clear()
            self._room.notify_all()
        self._cancel.set()
        self._changed.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; return whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    async def read(self, timeout_s: float) -> list[Delta] | None:
        """Return what has come since the last call, ``[]`` after ``timeout_s`` of nothing, None at the end.

        Raises what the stream raised, as `RequestError`, after everything before it has been read.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return []
        with self._room:
            batch = list(self._waiting)
            self._waiting.clear()
            self._room.notify_all()
            over = self._ended or self._stopped
            if not over:
                self._changed.clear()
        if batch:
            return batch
        if over and self._error is not None:
            raise as_request_error(self._error) from self._error
        return None if over else []

    def _run(self, start: StartStream) -> None:
        error: Exception | None = RuntimeError("the answer's thread was ended")
        try:
            stream = start(self._cancel)
            try:
                for delta in stream:
                    if not self._put(delta):
                        break
            finally:
                close = getattr(stream, "close", None)
                if close is not None:
                    close()
            error = None
        except ModelError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001  the reader gets it, whatever it is
            _log.exception("the engine failed")
            error = raised
        finally:
            self._on_end(error)
            with self._room:
                self._ended = True
                if not self._stopped:
                    self._error = error
            self._wake()

    def _put(self, delta: Delta) -> bool:
        with self._room:
            while len(self._waiting) >= MAX_WAITING_DELTAS and not self._stopped:
                self._room.wait()
            if self._stopped:
                return False
            self._waiting.append(delta)
        self._wake()
        return True

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:  # the loop has been closed: nobody reads any more
            self._cancel.set()
