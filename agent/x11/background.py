"""A thread that sits at an X connection: it waits for events, can be woken, and ends when it is told to."""

import os
import select
import threading
from collections.abc import Callable

from agent.x11.connection import XConnection


class Background:
    """Runs ``work`` in a thread of its own from `start` until `close`, which also closes the connection.

    ``work`` has to look at `closing` each time `wait` has returned.
    """

    def __init__(self, x: XConnection, work: Callable[[], None], name: str) -> None:
        self._x = x
        self.closing = False
        self._woken, self._waker = os.pipe()
        self._thread = threading.Thread(target=work, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self, limit_s: float | None, *more: int) -> None:
        """Return when the server, one of ``more`` descriptors or `close` has something to say, or after the limit.

        Events that came along with an answer are in the queue already: no descriptor tells of them.
        """
        select.select([self._x.connection.get_file_descriptor(), self._woken, *more], [], [], limit_s)

    def close(self) -> None:
        """Let the work end, and wait for it; calling it again does nothing."""
        if self.closing:
            return
        self.closing = True
        os.write(self._waker, b"x")
        self._thread.join()
        os.close(self._waker)
        os.close(self._woken)
        self._x.close()
