"""End this process when the one that started it is gone, however that one ended."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

PARENT_VARIABLE = "DESKHAND_PARENT_PID"

_PR_SET_PDEATHSIG = 1
_LAST_WORDS_S = 15.0


def follow_parent(on_gone: Callable[[], None]) -> None:
    """Tie this process's life to its parent's.

    The parent holds the other end of standard input and never writes: its end, on every system,
    is our end of file. ``on_gone`` is then called from a thread, and the process is ended from
    outside Python's usual course if it is still there 15 s later. On Linux the kernel kills us as
    well, which works even if this process hangs.
    """
    if sys.platform == "linux":
        _die_with_parent()
    threading.Thread(target=_wait_for_end_of_input, args=(on_gone,), name="parent-watch", daemon=True).start()


def _wait_for_end_of_input(on_gone: Callable[[], None]) -> None:
    # The descriptor, not sys.stdin: a daemon thread blocked in that object's lock aborts the interpreter's exit.
    try:
        while os.read(0, 1024):
            pass
    except OSError:
        pass
    last = threading.Timer(_LAST_WORDS_S, os._exit, args=(1,))
    last.daemon = True
    last.start()
    on_gone()


def _die_with_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    parent = os.environ.get(PARENT_VARIABLE, "")
    if parent.isdecimal() and os.getppid() != int(parent):
        os._exit(1)  # it died before the kernel was told to watch it
