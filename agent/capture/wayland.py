"""What a Wayland desktop tells everybody: its monitors, and which of its ways of capturing there are.

The protocol's few messages that this needs are spoken here, over the desktop's socket; no library is loaded.
"""

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.coords import logical_layout_to_pixels
from agent.errors import CaptureError
from agent.types import Monitor, Rect

_LIMIT_S = 5.0
_DISPLAY, _REGISTRY = 1, 2
_GET_REGISTRY, _SYNC, _BIND, _GET_XDG_OUTPUT = 1, 0, 0, 1
_HEADER = struct.Struct("=IHH")
_OUTPUT, _OUTPUT_MANAGER = "wl_output", "zxdg_output_manager_v1"


@dataclass(frozen=True, slots=True)
class WaylandOutput:
    """One monitor: its name, its place in the desktop's logical units, and the size of its own picture in pixels."""

    name: str
    logical: Rect
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class WaylandDesktop:
    """The monitors, and the names of the protocols that the desktop speaks."""

    outputs: tuple[WaylandOutput, ...]
    protocols: frozenset[str]

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors in pixels; see `agent.coords.logical_layout_to_pixels` for unlike scales."""
        rects = logical_layout_to_pixels([(output.logical, output.size_px) for output in self.outputs])
        return tuple(
            Monitor(output.name, output.name, rect, rect.width / output.logical.width, is_primary=n == 0)
            for n, (output, rect) in enumerate(zip(self.outputs, rects, strict=True))
        )


def wayland_socket() -> Path | None:
    """Return the socket of the Wayland desktop that this process belongs to; None outside of one."""
    name = os.environ.get("WAYLAND_DISPLAY")
    return Path(os.environ.get("XDG_RUNTIME_DIR", "/"), name) if name else None


def read_desktop() -> WaylandDesktop:
    """Ask the Wayland desktop. Raises CaptureError outside of one, and when it does not answer."""
    path = wayland_socket()
    if path is None:
        raise CaptureError("this is no Wayland session", why="WAYLAND_DISPLAY is not set")
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(_LIMIT_S)
            wire.connect(str(path))
            return _Conversation(wire).desktop()
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise CaptureError(
            f"the Wayland desktop at {path} does not answer", why=str(error), remedy="run this inside the session"
        ) from error


class _Conversation:
    """Requests and events, just those that tell of monitors."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._next_id = _REGISTRY + 1
        self._rest = b""
        self._globals: dict[str, list[tuple[int, int]]] = {}
        self._facts: dict[int, dict[str, Any]] = {}
        self._extended: dict[int, int] = {}

    def desktop(self) -> WaylandDesktop:
        self._send(_DISPLAY, _GET_REGISTRY, struct.pack("=I", _REGISTRY))
        self._round()
        for name, version in self._globals.get(_OUTPUT, []):
            self._facts[self._bind(name, _OUTPUT, min(version, 4))] = {}
        for name, version in self._globals.get(_OUTPUT_MANAGER, [])[:1]:
            manager = self._bind(name, _OUTPUT_MANAGER, min(version, 3))
            for output in self._facts:
                extended = self._new_id()
                self._extended[extended] = output
                self._send(manager, _GET_XDG_OUTPUT, struct.pack("=II", extended, output))
        self._round()
        outputs = tuple(_output(n, facts) for n, facts in enumerate(self._facts.values(), 1))
        if not outputs:
            raise CaptureError("the Wayland desktop has no monitor")
        return WaylandDesktop(outputs, frozenset(self._globals))

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _bind(self, name: int, interface: str, version: int) -> int:
        bound, text = self._new_id(), interface.encode() + b"\0"
        padded = text + b"\0" * (-len(text) % 4)
        self._send(_REGISTRY, _BIND, struct.pack("=II", name, len(text)) + padded + struct.pack("=II", version, bound))
        return bound

    def _send(self, target: int, opcode: int, body: bytes) -> None:
        self._wire.sendall(_HEADER.pack(target, opcode, _HEADER.size + len(body)) + body)

    def _round(self) -> None:
        """Take in everything until the desktop has answered what was sent so far."""
        callback = self._new_id()
        self._send(_DISPLAY, _SYNC, struct.pack("=I", callback))
        for target, opcode, body in self._events():
            if target == callback:
                return
            if target == _DISPLAY and opcode == 0:
                raise CaptureError("the Wayland desktop refused to tell of its monitors", why=_text(body, 8)[0])
            self._take(target, opcode, body)

    def _take(self, target: int, opcode: int, body: bytes) -> None:
        if target == _REGISTRY and opcode == 0:
            interface, end = _text(body, 4)
            self._globals.setdefault(interface, []).append((*struct.unpack_from("=I", body), _number(body, end)))
        elif target in self._facts:
            facts = self._facts[target]
            if opcode == 0:
                facts["place"] = struct.unpack_from("=ii", body)
                _, after_make = _text(body, 20)
                facts["turned"] = bool(_number(body, _text(body, after_make)[1]) % 2)
            elif opcode == 1 and _number(body, 0) & 1:
                facts["mode"] = struct.unpack_from("=ii", body, 4)
            elif opcode == 3:
                facts["scale"] = _number(body, 0)
            elif opcode == 4:
                facts["name"] = _text(body, 0)[0]
        elif target in self._extended:
            facts = self._facts[self._extended[target]]
            if opcode == 0:
                facts["place"] = struct.unpack_from("=ii", body)
            elif opcode == 1:
                facts["size"] = struct.unpack_from("=ii", body)
            elif opcode == 3:
                facts.setdefault("name", _text(body, 0)[0])

    def _events(self) -> Iterator[tuple[int, int, bytes]]:
        while True:
            while len(self._rest) >= _HEADER.size:
                target, opcode, size = _HEADER.unpack_from(self._rest)
                if size < _HEADER.size:
                    raise OSError("it sent a message without a length")
                if len(self._rest) < size:
                    break
                body, self._rest = self._rest[_HEADER.size : size], self._rest[size:]
                yield target, opcode, body
            chunk = self._wire.recv(65536)
            if not chunk:
                raise OSError("it closed the connection")
            self._rest += chunk


def _output(number: int, facts: dict[str, Any]) -> WaylandOutput:
    width, height = facts.get("mode", (0, 0))
    if width < 1 or height < 1:
        raise CaptureError(f"the Wayland desktop does not tell the size of monitor {number}")
    size_px = (height, width) if facts.get("turned") else (width, height)
    scale = max(1, facts.get("scale", 1))
    logical_width, logical_height = facts.get("size", (size_px[0] // scale, size_px[1] // scale))
    left, top = facts.get("place", (0, 0))
    logical = Rect(left, top, left + max(1, logical_width), top + max(1, logical_height))
    return WaylandOutput(facts.get("name", f"monitor {number}"), logical, size_px)


def _number(body: bytes, at: int) -> int:
    return struct.unpack_from("=I", body, at)[0]


def _text(body: bytes, at: int) -> tuple[str, int]:
    """Return a text and where it ends; its length is counted with the zero at its end, and padded to words."""
    length = _number(body, at)
    return body[at + 4 : at + 3 + length].decode(), at + 4 + length + -length % 4
