"""What a key press means to the program that gets it: a text, or keys that are pressed together."""

from dataclasses import dataclass

from agent.hands.keymap import LOCK, MAX_GROUPS, read_keys
from agent.hands.keysyms import MODIFIERS, NAMED, char_of
from agent.types import Modifier
from agent.x11.compose import Composer
from agent.x11.connection import XConnection
from agent.x11.raw_input import KeyState

_SAID_FIRST: tuple[Modifier, ...] = ("ctrl", "alt", "shift", "super")
"""The order in which people name them: Ctrl+Alt+Shift+S."""

_PAD_CHARS = {
    0xFF80: " ",
    0xFFAA: "*",
    0xFFAB: "+",
    0xFFAC: ",",
    0xFFAD: "-",
    0xFFAE: ".",
    0xFFAF: "/",
    0xFFBD: "=",
    **{0xFFB0 + n: str(n) for n in range(10)},
}
_PAD_NAMES = {
    0xFF89: "tab",
    0xFF8D: "enter",
    0xFF95: "home",
    0xFF96: "left",
    0xFF97: "up",
    0xFF98: "right",
    0xFF99: "down",
    0xFF9A: "pageup",
    0xFF9B: "pagedown",
    0xFF9C: "end",
    0xFF9E: "insert",
    0xFF9F: "delete",
    0xFE20: "tab",
}
"""The number pad's keys without Num Lock, and what Shift makes of Tab."""

_NAMES = {keysym: name for name, keysym in NAMED.items() if name != "space"} | _PAD_NAMES
_MODIFYING = (range(0xFFE1, 0xFFEF), range(0xFE01, 0xFE14), (0xFF7E, 0xFF7F, 0xFF14))
"""Keysyms of keys that type nothing but change what others do: modifiers, locks, switches of the layout."""


@dataclass(frozen=True, slots=True)
class Typed:
    """``text`` is what appears, ``keys`` (canonical names) what is pressed together; a key may mean neither."""

    text: str = ""
    keys: tuple[str, ...] = ()


class KeyReader:
    """Reads one keyboard's keys by its live map; `refresh` after that has changed."""

    def __init__(self, x: XConnection) -> None:
        self._x = x
        self._composer = Composer()
        self.refresh()

    def refresh(self) -> None:
        """Read the map again."""
        self._keys = keys = read_keys(self._x)
        self._bits: dict[Modifier, int] = dict.fromkeys(_SAID_FIRST, 0)
        for keycode, bits in keys.bits.items():
            for name in _SAID_FIRST:
                if keys.keysym(keycode, 0, 0) in MODIFIERS[name]:
                    self._bits[name] |= bits

    def close(self) -> None:
        """Let go of what it holds."""
        self._composer.close()

    def modifiers(self, state: KeyState) -> tuple[Modifier, ...]:
        """Return the modifiers that are held, in the order in which they are said."""
        return tuple(name for name in _SAID_FIRST if state.mods & self._bits[name])

    def modifier_of(self, keycode: int) -> Modifier | None:
        """Return which modifier a key is."""
        keysym = self._keys.keysym(keycode, 0, 0)
        return next((name for name in _SAID_FIRST if keysym in MODIFIERS[name]), None)

    def read(self, keycode: int, state: KeyState) -> Typed:
        """Return what a press of a key means; each press that was made has to be read, in order."""
        keysym = self._keys.keysym(keycode, state.group, state.mods)
        if not keysym or any(keysym in part for part in _MODIFYING):
            return Typed()
        held = self.modifiers(state)
        if not set(held) - {"shift"}:
            made = self._composer.feed(keysym)
            if made is not None:
                return Typed(made)
            char = _PAD_CHARS.get(keysym) or char_of(keysym)
            if char is not None:
                capital = state.mods & LOCK and not self._keys.minds_lock(keycode, state.group)
                return Typed(char.upper() if capital and len(char.upper()) == 1 else char)
        name = _NAMES.get(keysym) or self._name(keycode, state.group)
        return Typed(keys=(*held, name)) if name else Typed()

    def _name(self, keycode: int, group: int) -> str:
        """Name a key by what it does alone; of layouts without Latin letters, by another that has them."""
        names = [self._name_in(keycode, each) for each in (group, *range(MAX_GROUPS))]
        return next((name for name in names if name.isascii() and name), "") or names[0]

    def _name_in(self, keycode: int, group: int) -> str:
        keysym = self._keys.keysym(keycode, group, 0)
        name = _NAMES.get(keysym) or _PAD_CHARS.get(keysym) or char_of(keysym) or ""
        return "space" if name == " " else name.lower() if len(name.lower()) == 1 else name
