"""A window of ours in a child process that says JSON lines on standard output and ends with standard input."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.errors import AgentError

_ROOT = Path(__file__).resolve().parents[1]
_END_LIMIT_S = 5.0


class SpeakingChild:
    """Run ``python -m module``; use it in a ``with`` block, which takes the window away.

    ``what`` is what errors call it. Not for Windows, whose pipes cannot be waited for.
    """

    def __init__(self, module: str, what: str, environment: dict[str, str] | None = None) -> None:
        settings = dict(os.environ) if environment is None else environment
        path = os.pathsep.join(filter(None, [str(_ROOT), settings.get("PYTHONPATH", "")]))
        self._what = what
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=settings | {"PYTHONPATH": path},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def next(self, limit_s: float) -> dict[str, Any] | None:
        """Return what it says next, or None when it says nothing in time. Raises AgentError when it has ended."""
        pipe = self._process.stdout
        if pipe is None:
            raise AgentError(f"{self._what} cannot be heard")
        end = time.monotonic() + limit_s
        while b"\n" not in self._rest:
            if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                raise AgentError(
                    f"{self._what} went away",
                    why=f"its process ended with code {self._process.wait()}",
                    remedy="see what it wrote above; python main.py doctor names missing libraries",
                )
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        """Take the window away."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
