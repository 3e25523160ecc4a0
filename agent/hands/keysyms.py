"""X11's numbers for keys: of the named ones, and of those that type a character.

The legacy ranges are those of X.Org's keysymdef.h; characters outside of them have the number
0x01000000 plus their code point.
"""

UNICODE = 0x0100_0000

NAMED = {
    "enter": 0xFF0D,
    "tab": 0xFF09,
    "space": 0x20,
    "backspace": 0xFF08,
    "delete": 0xFFFF,
    "insert": 0xFF63,
    "escape": 0xFF1B,
    "up": 0xFF52,
    "down": 0xFF54,
    "left": 0xFF51,
    "right": 0xFF53,
    "home": 0xFF50,
    "end": 0xFF57,
    "pageup": 0xFF55,
    "pagedown": 0xFF56,
    "ctrl": 0xFFE3,
    "shift": 0xFFE1,
    "alt": 0xFFE9,
    "altgr": 0xFE03,
    "super": 0xFFEB,
    "menu": 0xFF67,
    "capslock": 0xFFE5,
    "numlock": 0xFF7F,
    "scrolllock": 0xFF14,
    "printscreen": 0xFF61,
    "pause": 0xFF13,
    "volumeup": 0x1008_FF13,
    "volumedown": 0x1008_FF11,
    "volumemute": 0x1008_FF12,
    "playpause": 0x1008_FF14,
    "nexttrack": 0x1008_FF17,
    "prevtrack": 0x1008_FF16,
    **{f"f{n}": 0xFFBD + n for n in range(1, 25)},
}

SHIFT_L, LEVEL3_SHIFT, LEVEL5_SHIFT, MODE_SWITCH = 0xFFE1, 0xFE03, 0xFE11, 0xFF7E

MODIFIERS = {
    "ctrl": (0xFFE3, 0xFFE4),
    "shift": (0xFFE1, 0xFFE2),
    "alt": (0xFFE9, 0xFFEA, 0xFFE7, 0xFFE8),
    "super": (0xFFEB, 0xFFEC),
}
"""Both keys of each modifier; Meta counts as Alt."""

_CODECS = {0x100: "iso8859-2", 0x200: "iso8859-3", 0x300: "iso8859-4", 0x500: "iso8859-6", 0xD00: "tis-620"}
"""Ranges whose low byte is that of an encoding, from 0xA1 on."""

_RUNS = {
    0x6A1: "ђѓёєѕіїјљњћќґўџ",
    0x6B1: "ЂЃЁЄЅІЇЈЉЊЋЌҐЎЏ",
    0x6C0: "юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ",
    0x7A1: "ΆΈΉΊΪ",
    0x7A7: "ΌΎΫ",
    0x7AB: "Ώ",
    0x7B1: "άέήίϊΐόύϋΰώ",
    0x7C1: "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣ",
    0x7D4: "ΤΥΦΧΨΩ",
    0x7E1: "αβγδεζηθικλμνξοπρσςτυφχψω",
    0xCE0: "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    0xAA9: "—–",
    0xAAE: "…",
    0xAD0: "‘’“”",
    0xAFD: "‚„",
    0xAC9: "™",
    0x13BC: "ŒœŸ",
    0x20AC: "€",
}


def _legacy() -> dict[int, str]:
    table: dict[int, str] = {}
    unused = (0xDEE, 0xDEF, 0xDFA, 0xDFB)
    for base, codec in _CODECS.items():
        for byte in range(0xA1, 0x100):
            char = bytes([byte]).decode(codec, "ignore")
            # A character that an earlier range has is not in a later one again.
            if char and ord(char) > 0xFF and char not in table.values() and base + byte not in unused:
                table[base + byte] = char
    for start, run in _RUNS.items():
        table.update(enumerate(run, start))
    return table


LEGACY = _legacy()


def char_of(keysym: int) -> str | None:
    """Return the character that a keysym types, or None if it types none that is known here."""
    if 0x20 <= keysym <= 0x7E or 0xA0 <= keysym <= 0xFF:
        return chr(keysym)
    if UNICODE + 0x100 <= keysym <= UNICODE + 0x10FFFF:
        return chr(keysym - UNICODE)
    return LEGACY.get(keysym)


def keysym_of(char: str) -> int:
    """Return the keysym that every toolkit takes for a character."""
    code = ord(char)
    return code if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFF else UNICODE + code
