"""What mice and keyboards do, whoever has the focus or a grab, and whether a person or a program does it.

XInput2 reports each raw event with the device that it comes from. What programs inject by XTEST comes
from devices of its own, so a person's hand is told from ours, event by event.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import xcffib
import xcffib.xinput as xi
import xcffib.xproto as xp
from xcffib.ffi import ffi

from agent.errors import AgentError
from agent.hands.keymap import CORE_KEYBOARD, open_xkb
from agent.x11.connection import XConnection

EventKind = Literal["key down", "key up", "button down", "button up", "motion"]

_KINDS: dict[int, EventKind] = {
    13: "key down",
    14: "key up",
    15: "button down",
    16: "button up",
    17: "motion",
}
_MASK = sum(1 << number for number in _KINDS)
_GENERIC_EVENT, _MAPPING_NOTIFY = 35, 34
_ALL_DEVICES, _ALL_MASTERS = 0, 1
_EXTENSION = "XInputExtension"
_HEADER = struct.Struct("=BBHIHHIIHH")
"""Type, extension, sequence, length, kind, master device, time, detail, source device, valuators."""


_XKB_EXTENSION = "XKEYBOARD"
_XKB_KEYBOARD, _XKB_MAP, _XKB_STATE = 0, 1, 2
_XKB_ALL = 1 << _XKB_KEYBOARD | 1 << _XKB_MAP | 1 << _XKB_STATE
_XKB_MODS, _XKB_GROUP = 9, 13
"""Where a state event has the modifiers and the group that are effective."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """What the next key is typed under: ``mods`` is the mask of modifiers, ``group`` the layout."""

    mods: int = 0
    group: int = 0


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One raw event: ``detail`` is the keycode or physical button, ``time_ms`` the server's clock.

    ``state`` is that right before, where `RawInput` was asked for states.
    """

    kind: EventKind
    detail: int
    time_ms: int
    by_person: bool
    state: KeyState = KeyState()


class RawInput:
    """The raw events of all devices, from now on; one thread at a time.

    With ``states`` every event says under which modifiers and layout it came. Raises AgentError when the server
    has no XInput 2.2, since which grabs hide no raw events.
    """

    def __init__(self, x: XConnection, *, states: bool = False) -> None:
        self._x = x
        self._xcb: Any = xcffib.lib
        if not x.has_extension(_EXTENSION):
            raise AgentError(f"the X server {x.display} lacks the extension {_EXTENSION}")
        self._opcode: int = x.core.QueryExtension(len(_EXTENSION), _EXTENSION).reply().major_opcode
        self._xi: Any = x.connection(xi.key)
        version = self._xi.XIQueryVersion(2, 2).reply()
        if (version.major_version, version.minor_version) < (2, 2):
            raise AgentError(f"the X server {x.display} is too old to tell a person's hands from ours")
        self._injecting: dict[int, bool] = {}
        self._read_devices()
        self.keymap_changed = False
        self._xkb_event = -1
        self._state = KeyState()
        if states:
            self._follow_states()
        mask: Any = xi.EventMask.synthetic(_ALL_MASTERS, 1, [_MASK])
        self._xi.XISelectEventsChecked(x.root, 1, [mask]).check()

    def pressed_keys(self) -> set[int]:
        """Return the keycodes that are down now."""
        bits = bytes(self._x.core.QueryKeymap().reply().keys)
        return {code for code in range(8, 256) if bits[code // 8] & (1 << code % 8)}

    def events(self) -> Iterator[RawEvent]:
        """Return what has come so far, without waiting. Sets ``keymap_changed`` when keys mean something else."""
        while (data := self._poll()) is not None:
            kind, extension, _, _, number, _, time_ms, detail, source, _ = _HEADER.unpack_from(data)
            if kind & 0x7F == _MAPPING_NOTIFY:
                self.keymap_changed = True
            elif kind & 0x7F == self._xkb_event:
                if extension == _XKB_STATE:
                    self._state = KeyState(data[_XKB_MODS], data[_XKB_GROUP])
                else:
                    self.keymap_changed = True
            # What another client sends has the high bit set, and is no event of a device.
            elif kind == _GENERIC_EVENT and extension == self._opcode and number in _KINDS:
                yield RawEvent(_KINDS[number], detail, time_ms, not self._is_injecting(source), self._state)

    def _follow_states(self) -> None:
        """Hear of each change of modifiers and layout, in order with the keys: a state asked for later is too late."""
        extension = open_xkb(self._x)
        self._xkb_event = self._x.core.QueryExtension(len(_XKB_EXTENSION), _XKB_EXTENSION).reply().first_event
        extension.SelectEvents(CORE_KEYBOARD, _XKB_ALL, 0, _XKB_ALL, 0, 0, [], is_checked=True).check()
        state = extension.GetState(CORE_KEYBOARD).reply()
        self._state = KeyState(state.mods, state.group)

    def _poll(self) -> bytes | None:
        # xcffib would decode the event itself, and for raw ones reads beyond its end: it takes the mask of
        # axes for their number.
        connection = self._x.connection
        connection.invalid()
        event = self._xcb.xcb_poll_for_event(connection._conn)
        if event == ffi.NULL:
            connection.invalid()
            return None
        try:
            return bytes(ffi.buffer(event, 32))
        finally:
            xcffib.c_free(event)

    def _is_injecting(self, device: int) -> bool:
        if device not in self._injecting:
            self._read_devices()
        # A device that is gone already, or unknown, is taken for a person's: a pause too many harms nobody.
        return self._injecting.setdefault(device, False)

    def _read_devices(self) -> None:
        for info in self._xi.XIQueryDevice(_ALL_DEVICES).reply().infos:
            try:
                marked = self._xi.XIGetProperty(
                    info.deviceid, False, self._x.atom("XTEST Device"), xp.GetPropertyType.Any, 0, 1
                )
                self._injecting[info.deviceid] = bool(marked.reply().num_items)
            except xcffib.ProtocolException:
                continue  # unplugged while we asked
