"""What pyautogui calls our keys on Windows and macOS, and which text it types right."""

_RENAMED = {
    "win32": {"super": "win", "menu": "apps", "altgr": "altright"},
    "darwin": {"super": "command", "alt": "option", "altgr": "optionright", "backspace": "delete"},
}
_ABSENT = {
    "win32": frozenset[str](),
    "darwin": frozenset({"menu", "insert", "printscreen", "pause", "scrolllock", "numlock", "delete"}),
}
"""What Macs have no key for; pyautogui's "delete" there deletes backwards."""

PASTE = {"win32": ("ctrl", "v"), "darwin": ("super", "v")}


def native_key(key: str, system: str) -> str | None:
    """Return pyautogui's name for a key of `agent.keys`, or None if the system has no such key."""
    if key in _ABSENT[system]:
        return None
    return _RENAMED[system].get(key, key)


def typed_by_keys(line: str, system: str, *, secret: bool) -> bool:
    """Say whether a line goes in key by key; every other line is pasted.

    On Windows, keys are looked up in the active layout, but what they cannot type is dropped in silence: only
    letters, digits and spaces are left to them. On macOS they are those of an American keyboard whatever the
    layout is. A secret never goes to the clipboard, so it has to be ASCII; see `NativeHands` for what is not.
    """
    if secret:
        return True
    return system == "win32" and all(char.isascii() and (char.isalnum() or char == " ") for char in line)
