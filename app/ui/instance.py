"""One window for one person and data folder: a second start talks to the first and goes."""

import getpass
import hashlib
import json
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from model.errors import ModelError

COMMANDS = ("raise", "capture")

_WAIT_MS = 3000
_MAX_BYTES = 4096


class Instance(QObject):
    """The right to be the one window; ``asked`` carries what a later start wants, one of `COMMANDS`."""

    asked = Signal(str)

    def __init__(self, data_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        data_folder.mkdir(parents=True, exist_ok=True)
        self._lock = QLockFile(str(data_folder / "window.lock"))
        # The lock says who lives; how old it is says nothing.
        self._lock.setStaleLockTime(0)
        self._name = socket_name(data_folder)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._meet)
        self._heard: dict[QLocalSocket, bytes] = {}

    def claim(self) -> bool:
        """Take the right, or say that another process has it."""
        return self._lock.tryLock(0)

    def listen(self) -> None:
        """Begin to hear later starts. The right is ours, so what lies at the address is a dead process's."""
        QLocalServer.removeServer(self._name)
        if not self._server.listen(self._name):
            raise ModelError(
                "later starts of Deskhand cannot reach this one",
                why=self._server.errorString(),
                remedy="check that the folder for temporary files can be written",
            )

    def release(self) -> None:
        """Give the right back."""
        self._server.close()
        self._lock.unlock()

    def _meet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.setParent(self)
            self._heard[socket] = b""
            socket.readyRead.connect(self._read)
            socket.disconnected.connect(self._leave)
            self._take(socket)

    def _read(self) -> None:
        if isinstance(socket := self.sender(), QLocalSocket):
            self._take(socket)

    def _take(self, socket: QLocalSocket) -> None:
        heard = self._heard.get(socket, b"") + bytes(socket.readAll().data())
        self._heard[socket] = heard[:_MAX_BYTES]
        if b"\n" not in heard:
            return
        self._heard[socket] = b""
        command = command_of(heard)
        socket.write(b"ok\n" if command else b"what?\n")
        socket.flush()
        if command:
            self.asked.emit(command)

    def _leave(self) -> None:
        if isinstance(socket := self.sender(), QLocalSocket):
            self._heard.pop(socket, None)
            socket.deleteLater()


def socket_name(data_folder: Path) -> str:
    """Name the address for a data folder and a person."""
    owner = f"{getpass.getuser()}\n{data_folder.resolve()}"
    return f"deskhand-{hashlib.sha256(owner.encode()).hexdigest()[:20]}"


def command_of(heard: bytes) -> str:
    """Read a line of JSON; empty when it is not one of ours."""
    try:
        said = json.loads(heard.split(b"\n")[0])
    except ValueError:
        return ""
    command = said.get("do") if isinstance(said, dict) else None
    return command if command in COMMANDS else ""


def tell_running(data_folder: Path, command: str) -> None:
    """Tell the window that runs what to do; raise ModelError when it does not answer."""
    socket = QLocalSocket()
    socket.connectToServer(socket_name(data_folder))
    answered = False
    if socket.waitForConnected(_WAIT_MS):
        socket.write(json.dumps({"do": command}).encode() + b"\n")
        socket.flush()
        answered = socket.waitForReadyRead(_WAIT_MS) and bytes(socket.readAll().data()).startswith(b"ok")
    socket.close()
    if not answered:
        raise ModelError(
            "Deskhand runs already, and does not answer",
            why=socket.errorString(),
            remedy="wait a moment; if it hangs, end its process and start it again",
        )
