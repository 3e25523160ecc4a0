"""One connection to an X server, with the few conveniences that XCB leaves to its users."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import xcffib
import xcffib.randr
import xcffib.shape
import xcffib.xfixes
import xcffib.xkb
import xcffib.xproto as xp
import xcffib.xtest

from agent.errors import AgentError

_EXTENSIONS = {
    "RANDR": xcffib.randr.key,
    "SHAPE": xcffib.shape.key,
    "XFIXES": xcffib.xfixes.key,
    "XKEYBOARD": xcffib.xkb.key,
    "XTEST": xcffib.xtest.key,
}
_MAX_PROPERTY_WORDS = 1 << 26


@contextmanager
def x_errors_as(error: type[AgentError], what: str) -> Iterator[None]:
    """Turn what an X server refuses, or its loss, into an error of ours."""
    try:
        yield
    except xcffib.XcffibException as cause:
        lost = isinstance(cause, xcffib.ConnectionException)
        why = "the connection to the X server is lost" if lost else f"the X server answered {type(cause).__name__}"
        raise error(what, why=why, remedy="is the desktop session still there?" if lost else "try again") from cause


class XConnection:
    """A connection with its root window, atoms, properties and extensions.

    Raises AgentError when there is no server to connect to. Requests that the server answers with an
    error raise `xcffib.ProtocolException`; a lost server raises `xcffib.ConnectionException`.
    """

    def __init__(self, display: str | None = None) -> None:
        self.display = display or os.environ.get("DISPLAY", "")
        if not self.display:
            wayland = os.environ.get("WAYLAND_DISPLAY")
            raise AgentError(
                "there is no X server to work with",
                why=f"DISPLAY is not set{', as this is a Wayland session' if wayland else ''}",
                remedy="log into an X11 (Xorg) session" if wayland else "run this inside a desktop session",
            )
        try:
            self.connection = xcffib.Connection(self.display)
        except xcffib.ConnectionException as error:
            raise AgentError(
                f"cannot connect to the X server {self.display}",
                why="nothing answers there, or it refuses this user",
                remedy="check DISPLAY and XAUTHORITY",
            ) from error
        # xcffib builds its protocol objects at run time; its own stubs know none of their members.
        self.core: Any = self.connection.core
        setup: Any = self.connection.get_setup()
        self.setup = setup
        self.root: int = setup.roots[self.connection.pref_screen].root
        self._atoms: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._extensions: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calling it again does nothing."""
        self.connection.disconnect()

    def has_extension(self, name: str) -> bool:
        """Ask the server whether it has an extension."""
        return bool(self.core.QueryExtension(len(name), name).reply().present)

    def extension(self, name: str) -> Any:
        """Return an extension's requests. Raises AgentError if the server lacks it."""
        if name not in self._extensions:
            # A request to a missing extension would close the connection, so ask before.
            if not self.has_extension(name):
                raise AgentError(f"the X server {self.display} lacks the extension {name}")
            self._extensions[name] = self.connection(_EXTENSIONS[name])
        return self._extensions[name]

    def atom(self, name: str) -> int:
        """Return the number of a name."""
        if name not in self._atoms:
            self._atoms[name] = self.core.InternAtom(False, len(name), name).reply().atom
        return self._atoms[name]

    def atom_name(self, atom: int) -> str:
        """Return the name of a number."""
        if atom not in self._names:
            self._names[atom] = self.core.GetAtomName(atom).reply().name.to_string()
        return self._names[atom]

    def read_property(self, window: int, name: str, *, delete: bool = False) -> tuple[str, int, bytes] | None:
        """Return a property's type, its format in bits and its bytes, or None if it is not set."""
        reply = self.core.GetProperty(delete, window, self.atom(name), xp.GetPropertyType.Any, 0, _MAX_PROPERTY_WORDS)
        answer = reply.reply()
        if answer.type == 0:
            return None
        return self.atom_name(answer.type), answer.format, answer.value.buf()

    def read_cardinals(self, window: int, name: str) -> tuple[int, ...]:
        """Return a property's 32-bit numbers; none if it is not set."""
        found = self.read_property(window, name)
        if found is None or found[1] != 32:
            return ()
        return struct.unpack(f"={len(found[2]) // 4}I", found[2])

    def write_property(self, window: int, name: str, type_: str, format_bits: int, data: bytes) -> None:
        """Set a property."""
        self.core.ChangeProperty(
            xp.PropMode.Replace,
            window,
            self.atom(name),
            self.atom(type_),
            format_bits,
            len(data) // (format_bits // 8),
            data,
        )

    def hidden_window(self, event_mask: int = 0) -> int:
        """Make a window that is never shown, to own selections and to receive properties."""
        window = self.connection.generate_id()
        self.core.CreateWindow(
            0, window, self.root, -1, -1, 1, 1, 0, xp.WindowClass.InputOnly, 0, xp.CW.EventMask, [event_mask]
        )
        return window

    def client_of(self, resource: int) -> int:
        """Return what all resources of one client have in common."""
        return resource & ~self.setup.resource_id_mask

    def sync(self) -> None:
        """Return when the server has carried out everything sent so far."""
        self.core.GetInputFocus().reply()
