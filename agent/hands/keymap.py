"""The live keyboard map: which keys, held together, type which symbol right now.

Guessing that Shift is "the upper row" is what turns ``<`` into ``>``. Here each key's own type says
which modifiers lead to which level, as the X Keyboard Extension defines it.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import xcffib.xkb as xkb

from agent.errors import HandsError
from agent.hands.keysyms import (
    LEVEL3_SHIFT,
    LEVEL5_SHIFT,
    MODE_SWITCH,
    NAMED,
    SHIFT_L,
    char_of,
    keysym_of,
)
from agent.x11.connection import XConnection

CORE_KEYBOARD = 0x100
LOCK = 0x02
MAX_GROUPS = 4
_PARTS = xkb.MapPart.KeyTypes | xkb.MapPart.KeySyms | xkb.MapPart.ModifierMap


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key and the modifier keys to hold for it, as keycodes.

    ``group`` is the layout that has to be active, or None for the one that is.
    """

    keycode: int
    held: tuple[int, ...] = ()
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Keymap:
    """What the keys type, with no Caps Lock.

    ``strokes`` leads from keysyms, also of layouts that are not active; ``characters`` leads from
    characters of the active layout only; ``spare`` are keycodes without any symbol.
    """

    strokes: dict[int, Stroke]
    characters: dict[str, Stroke]
    spare: tuple[int, ...]

    def has_key(self, name: str) -> bool:
        """Say whether a key has this name of `agent.keys`."""
        return self._find(name) is not None

    def key(self, name: str) -> Stroke:
        """Return the stroke for a key's name. Raises HandsError if no key has it."""
        stroke = self._find(name)
        if stroke is None:
            raise HandsError(
                f"this keyboard layout has no key {name!r}", remedy="use another key, or type the character as text"
            )
        return stroke

    def _find(self, name: str) -> Stroke | None:
        if name in NAMED:
            return self.strokes.get(NAMED[name])
        return self.characters.get(name) or self.strokes.get(keysym_of(name))


def open_xkb(x: XConnection) -> Any:
    """Return the X Keyboard Extension's requests, agreed on with the server."""
    extension = x.extension("XKEYBOARD")
    extension.UseExtension(1, 0).reply()
    return extension


def read_keymap(x: XConnection) -> Keymap:
    """Read the map and the active group from the server.

    It takes about 6 ms, so read it for each action: people switch layouts at any time.
    """
    extension = open_xkb(x)
    state = extension.GetState(CORE_KEYBOARD).reply()
    keys = Keys(extension.GetMap(CORE_KEYBOARD, _PARTS, *[0] * 16).reply(), state.lockedMods & ~LOCK)
    holds = keys.holdable(state.group)
    here = keys.strokes(state.group, holds)
    characters: dict[str, Stroke] = {}
    for keysym, stroke in here.items():
        char = char_of(keysym)
        if char is not None and (char not in characters or keysym == keysym_of(char)):
            characters[char] = stroke
    # A hotkey's letter may only be in another layout than the active one: Latin letters beside a Cyrillic one.
    strokes = dict(here)
    for group in range(MAX_GROUPS):
        for keysym, stroke in keys.strokes(group, {}).items():
            strokes.setdefault(keysym, replace(stroke, group=group))
    return Keymap(strokes, characters, keys.spare())


def read_keys(x: XConnection) -> "Keys":
    """Read what each key means under any group and modifiers."""
    return Keys(open_xkb(x).GetMap(CORE_KEYBOARD, _PARTS, *[0] * 16).reply())


class Keys:
    """The server's answer, and the rules of the extension for reading it.

    ``bits`` leads from modifier keys to the modifiers that they set.
    """

    def __init__(self, found: Any, locked: int = 0) -> None:
        self._types = found.types_rtrn
        self._keys = {found.firstKeySym + n: key for n, key in enumerate(found.syms_rtrn)}
        self.bits = {entry.keycode: entry.mods for entry in found.modmap_rtrn}
        self._locked = locked

    def strokes(self, group: int, holds: dict[int, int]) -> dict[int, Stroke]:
        """Return the simplest stroke for each keysym of a group; ``holds`` leads from bits to keycodes."""
        found: dict[int, Stroke] = {}
        for bits in (bits for count in range(3) for bits in combinations(holds, count)):
            held, mask = tuple(holds[bit] for bit in bits), self._locked | sum(bits)
            for keycode in self._keys:
                keysym = self.keysym(keycode, group, mask)
                if keysym and keysym not in found:
                    found[keysym] = Stroke(keycode, held)
        return found

    def holdable(self, group: int) -> dict[int, int]:
        """Return the modifiers that choose levels, each with a key that sets it."""
        holds: dict[int, int] = {}
        for keysym in (SHIFT_L, LEVEL3_SHIFT, LEVEL5_SHIFT, MODE_SWITCH):
            for keycode, bits in self.bits.items():
                if bits and not bits & (bits - 1) and self.keysym(keycode, group, 0) == keysym:
                    holds.setdefault(bits, keycode)
        return holds

    def spare(self) -> tuple[int, ...]:
        """Return the keycodes that have no symbol and are no modifier."""
        return tuple(keycode for keycode, key in self._keys.items() if not any(key.syms) and not self.bits.get(keycode))

    def keysym(self, keycode: int, group: int, mask: int) -> int:
        """Return what a key means in a group under a mask of modifiers; 0 is nothing."""
        key = self._keys.get(keycode)
        used = None if key is None else _group_of(key, group)
        if key is None or used is None:
            return 0
        type_ = self._types[key.kt_index[used]]
        level = next(
            (e.level for e in type_.map if e.active and e.mods_mask == mask & type_.mods_mask),
            0,
        )
        return key.syms[used * key.width + level] if level < key.width else 0

    def minds_lock(self, keycode: int, group: int) -> bool:
        """Say whether Caps Lock chooses a key's level; else the program makes its letter a capital."""
        key = self._keys.get(keycode)
        used = None if key is None else _group_of(key, group)
        return key is not None and used is not None and bool(self._types[key.kt_index[used]].mods_mask & LOCK)


def _group_of(key: Any, group: int) -> int | None:
    """Return the group that a key uses when another one than it has is active."""
    count = key.groupInfo & 0x0F
    if count == 0:
        return None
    if group < count:
        return group
    match key.groupInfo & 0xC0:
        case 0x40:
            return count - 1
        case 0x80:
            redirected = (key.groupInfo & 0x30) >> 4
            return redirected if redirected < count else 0
        case _:
            return group % count
