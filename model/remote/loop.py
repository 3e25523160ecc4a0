"""A background event loop: blocking callers that can let go of a connection at any moment."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from model.errors import EndpointError

_T = TypeVar("_T")


class LoopThread:
    """Run coroutines for other threads, on one daemon thread that starts with the first of them.

    A coroutine that waits for the network can be cancelled at once, which a thread blocked in
    ``recv`` cannot; that is the whole reason for this class.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._at_end: list[Callable[[], Awaitable[None]]] = []

    def submit(self, coroutine: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Begin a coroutine; cancelling the future cancels it. Raises `EndpointError` after `close`."""
        with self._lock:
            if self._closed:
                coroutine.close()
                raise EndpointError(f"{self._name} has been closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._run, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def at_end(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have ``close`` awaited on the loop when it ends."""
        self._at_end.append(close)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._wind_up())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _wind_up(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for close in self._at_end:
            await close()

    def close(self) -> None:
        """Cancel what runs and end the thread."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            if thread is not threading.current_thread():
                thread.join()
