"""Our own command line in a process of its own, for what needs torch. Everything here blocks. Knows no Qt."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import CancelledByCallerError, ModelError

if TYPE_CHECKING:
    from app.ui.tasks import Cancel

_ROOT = Path(__file__).resolve().parents[3]
_TICK_S = 0.1
_PERCENT = re.compile(r"(\d{1,3})%")
_KEPT_LINES = 20


def run_command(cancel: "Cancel", *arguments: str, on_share: Callable[[float], None] | None = None) -> str:
    """Run ``deskhand …`` to its end and return what it prints; ``on_share`` hears how much of 1 is done.

    Raises `CancelledByCallerError`, after the process has been ended, and `ModelError` with its last words.
    """
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, str(_ROOT / "main.py"), *arguments],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:
        out: list[str] = []
        readers = [
            threading.Thread(target=lambda: out.append(process.stdout.read() if process.stdout else "")),
            threading.Thread(target=lambda: _listen(process, said, on_share)),
        ]
        for reader in readers:
            reader.start()
        while True:
            try:
                process.wait(_TICK_S)
                break
            except subprocess.TimeoutExpired:
                if cancel.is_set:
                    process.kill()
        for reader in readers:
            reader.join()
    if cancel.is_set:
        raise CancelledByCallerError("it was cancelled")
    if process.returncode:
        raise ModelError((said[-1] if said else f"exit code {process.returncode}").removeprefix("deskhand: "))
    return "".join(out)


def _listen(process: "subprocess.Popen[str]", said: list[str], on_share: Callable[[float], None] | None) -> None:
    for line in process.stderr or ():
        if line.strip():
            said.append(line.strip())
            del said[:-_KEPT_LINES]
        if on_share is not None and (found := _PERCENT.search(line)):
            on_share(int(found[1]) / 100)
