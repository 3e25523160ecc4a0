"""Key combinations as Qt spells them, for those who watch the keyboard. Imports nothing heavy."""


def stop_keys_of(keys: str) -> tuple[str, ...]:
    """Turn Qt's spelling of a key combination into the watcher's: ``Ctrl+Alt+Esc`` → ctrl, alt, escape."""
    renamed = {"esc": "escape", "meta": "super", "print": "printscreen", "ins": "insert", "del": "delete"}
    return tuple(renamed.get(name, name) for name in keys.lower().split("+") if name)
