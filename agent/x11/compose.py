"""Characters that several keys make: dead keys and the compose key, by the rules of the person's language.

The rules are those of libxkbcommon, which Qt and GTK use as well, so what is read here is what they type.
"""

import ctypes
import os
from typing import Any

_LIBRARY = "libxkbcommon.so.0"
_FALLBACK = "en_US.UTF-8"
_NOTHING, _COMPOSING, _COMPOSED = 0, 1, 2
_CRITICAL = 10
_MAX_BYTES = 64


class Composer:
    """Follows the keys of one person; `feed` it each key press that is no modifier.

    Without the library or its rules nothing is ever composed; ``works`` says so.
    """

    def __init__(self) -> None:
        self._state: Any = None
        library = _load()
        if library is None:
            return
        self._library = library
        self._context = library.xkb_context_new(0)
        library.xkb_context_set_log_level(self._context, _CRITICAL)
        for locale in (_locale(), _FALLBACK):
            self._table = library.xkb_compose_table_new_from_locale(self._context, locale.encode(), 0)
            if self._table:
                self._state = library.xkb_compose_state_new(self._table, 0)
                return

    @property
    def works(self) -> bool:
        """Whether there are rules to compose by."""
        return bool(self._state)

    def feed(self, keysym: int) -> str | None:
        """Take a key. Return what it completes, "" in the middle or when it fits nothing, None if it stands alone."""
        if not self._state:
            return None
        self._library.xkb_compose_state_feed(self._state, keysym)
        status = self._library.xkb_compose_state_get_status(self._state)
        if status == _NOTHING:
            return None
        if status == _COMPOSING:
            return ""
        text = ctypes.create_string_buffer(_MAX_BYTES)
        if status == _COMPOSED:
            self._library.xkb_compose_state_get_utf8(self._state, text, _MAX_BYTES)
        self._library.xkb_compose_state_reset(self._state)
        return text.value.decode("utf-8", "replace")

    def close(self) -> None:
        """Free the rules; calling it again does nothing."""
        if self._state:
            self._library.xkb_compose_state_unref(self._state)
            self._library.xkb_compose_table_unref(self._table)
            self._library.xkb_context_unref(self._context)
            self._state = None


def _load() -> Any:
    try:
        library: Any = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    pointer = ctypes.c_void_p
    for name, answer, *takes in (
        ("xkb_context_new", pointer, ctypes.c_int),
        ("xkb_context_set_log_level", None, pointer, ctypes.c_int),
        ("xkb_context_unref", None, pointer),
        ("xkb_compose_table_new_from_locale", pointer, pointer, ctypes.c_char_p, ctypes.c_int),
        ("xkb_compose_table_unref", None, pointer),
        ("xkb_compose_state_new", pointer, pointer, ctypes.c_int),
        ("xkb_compose_state_unref", None, pointer),
        ("xkb_compose_state_feed", ctypes.c_int, pointer, ctypes.c_uint32),
        ("xkb_compose_state_get_status", ctypes.c_int, pointer),
        ("xkb_compose_state_get_utf8", ctypes.c_int, pointer, ctypes.c_char_p, ctypes.c_size_t),
        ("xkb_compose_state_reset", None, pointer),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = answer, takes
    return library


def _locale() -> str:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := os.environ.get(name):
            return value
    return _FALLBACK
