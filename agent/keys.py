"""The names of keys: one canonical name each, and the other spellings that models use.

The names are pyautogui's where it has one, because that is what models are trained to write. A key
that types one character is named by that character.
"""

import unicodedata

FUNCTION_KEYS = tuple(f"f{n}" for n in range(1, 25))

NAMED_KEYS = frozenset(
    {
        *("enter", "tab", "space", "backspace", "delete", "insert", "escape"),
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
        *("ctrl", "shift", "alt", "altgr", "super", "menu"),
        *("capslock", "numlock", "scrolllock", "printscreen", "pause"),
        *("volumeup", "volumedown", "volumemute", "playpause", "nexttrack", "prevtrack"),
        *FUNCTION_KEYS,
    }
)

_ALIASES = {
    "return": "enter",
    "esc": "escape",
    "del": "delete",
    "ins": "insert",
    "back": "backspace",
    "spacebar": "space",
    " ": "space",
    "\n": "enter",
    "\r": "enter",
    "\t": "tab",
    "pgup": "pageup",
    "prior": "pageup",
    "pgdn": "pagedown",
    "next": "pagedown",
    "arrowup": "up",
    "arrowdown": "down",
    "arrowleft": "left",
    "arrowright": "right",
    "control": "ctrl",
    "ctrlleft": "ctrl",
    "ctrlright": "ctrl",
    "shiftleft": "shift",
    "shiftright": "shift",
    "altleft": "alt",
    "altright": "altgr",
    "option": "alt",
    "optionleft": "alt",
    "optionright": "altgr",
    "win": "super",
    "winleft": "super",
    "winright": "super",
    "windows": "super",
    "meta": "super",
    "cmd": "super",
    "command": "super",
    "apps": "menu",
    "contextmenu": "menu",
    "prntscrn": "printscreen",
    "prtsc": "printscreen",
    "prtscr": "printscreen",
    "printscrn": "printscreen",
    "print": "printscreen",
    "plus": "+",
    "minus": "-",
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "decimal": ".",
    "comma": ",",
    "period": ".",
}


def is_key(name: str) -> bool:
    """Say whether this is a key's canonical name."""
    return name in NAMED_KEYS or _is_character(name)


def canonical_key(spelling: str) -> str | None:
    """Return the canonical name of a key as a model spells it (``Return``, ``page_down``), or None.

    A single letter keeps its case: ``A`` is the key with Shift, as pyautogui presses it.
    """
    if _is_character(spelling):
        return spelling
    if spelling in _ALIASES:
        return _ALIASES[spelling]
    name = spelling.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    name = _ALIASES.get(name, name)
    return name if name in NAMED_KEYS or _is_character(name) else None


def _is_character(name: str) -> bool:
    return len(name) == 1 and name != " " and unicodedata.category(name)[0] in "LMNPS"
