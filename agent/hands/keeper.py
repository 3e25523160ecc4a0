"""Keep a clipboard's content alive after those who put it there: ``python -m agent.hands.keeper``.

X11 has no other way: a content lives as long as the process that offers it. The keeper ends when
somebody else copies something, or with the X server.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import xcffib

from agent.errors import AgentError, HandsError
from agent.hands.selection import Content, Item, Selection

_READY = b"ready\n"
_START_LIMIT_S = 30.0
_LOOK_EVERY_S = 3600.0


def keep(display: str, content: Content) -> None:
    """Start a keeper and return when it owns the clipboard. Raises HandsError if it does not come to."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "agent.hands.keeper", display],
            input=_packed(content),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
            timeout=_START_LIMIT_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HandsError("the clipboard could not be put back as it was", why=str(error)) from error
    if answer != _READY:
        raise HandsError("the clipboard could not be put back as it was", why="its keeper did not start")


def main(display: str) -> int:
    """Serve what comes from standard input until the clipboard belongs to somebody else."""
    content = _unpacked(sys.stdin.buffer.read())
    if os.fork():
        return 0  # who started us waits for this process and for the end of the other's output, no longer
    try:
        selection = Selection(display)
        selection.offer(content)
    except AgentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    try:
        while selection.owned:
            selection.serve(_LOOK_EVERY_S)
    except xcffib.ConnectionException:
        return 0
    return 0


def _packed(content: Content) -> bytes:
    forms = {
        name: [item.type, item.format_bits, base64.b64encode(item.data).decode()] for name, item in content.items()
    }
    return json.dumps(forms).encode()


def _unpacked(data: bytes) -> Content:
    return {name: Item(type_, bits, base64.b64decode(text)) for name, (type_, bits, text) in json.loads(data).items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
