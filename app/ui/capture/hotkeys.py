"""Keys that work everywhere on an X11 desktop, whoever has the focus.

On Wayland no program may take keys for itself: there the desktop's own settings bind ``deskhand window
--capture``, which speaks to the window that is open.
"""

import logging
import os
import select
import threading
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

from agent.errors import AgentError
from app.settings import Settings, SettingsStore
from app.ui.agent.keys import stop_keys_of

_log = logging.getLogger(__name__)

_MASKS = {"shift": 1, "ctrl": 4, "alt": 8, "super": 64}
_LOCKS = (0, 2, 16, 18)
"""Caps lock and num lock, in any state: they are modifiers to the server."""

_RELEVANT = sum(_MASKS.values())


class GlobalHotkeys(QObject):
    """``pressed`` carries "capture" or "pause"; follows the settings. Does nothing where there is no X11."""

    pressed = Signal(str)
    _heard = Signal(str)

    def __init__(self, settings: SettingsStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watch: _Watch | None = None
        self._keys: dict[str, str] = {}
        self._heard.connect(self.pressed, Qt.ConnectionType.QueuedConnection)
        self._forget = settings.subscribe(self._changed)
        self._changed(settings.value)

    def close(self) -> None:
        """Let go of the keys."""
        self._forget()
        self._end()

    def _changed(self, value: Settings) -> None:
        keys = {"capture": value.hotkeys.capture, "pause": value.hotkeys.pause}
        if keys == self._keys or QGuiApplication.platformName() != "xcb":
            return
        self._end()
        self._keys = keys
        try:
            self._watch = _Watch(keys, self._heard.emit)
        except AgentError as error:
            _log.info("no key works everywhere: %s", error)

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None


class _Watch:
    """Holds the grabs on a connection and a thread of its own. Raises AgentError where there is no X server."""

    def __init__(self, keys: Mapping[str, str], tell: Callable[[str], None]) -> None:
        from agent.x11.connection import XConnection

        self._wanted = {name: read_keys(spelt) for name, spelt in keys.items()}
        self._tell = tell
        self._x = XConnection()
        self._grabbed: dict[tuple[int, int], str] = {}
        self._woken, self._waker = os.pipe()
        self._grab()
        self._thread = threading.Thread(target=self._run, name="global hotkeys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; the server forgets the grabs with the connection."""
        os.write(self._waker, b"x")
        self._thread.join()
        for end in (self._waker, self._woken):
            os.close(end)
        self._x.close()

    def _run(self) -> None:
        import xcffib

        try:
            while True:
                while (event := self._x.connection.poll_for_event()) is not None:
                    self._handle(event)
                descriptor = self._x.connection.get_file_descriptor()
                if self._woken in select.select([descriptor, self._woken], [], [])[0]:
                    return
        except (xcffib.XcffibException, OSError) as error:
            _log.info("no key works everywhere any more: %s", error)

    def _handle(self, event: object) -> None:
        import xcffib.xproto as xp

        if isinstance(event, xp.KeyPressEvent):
            # xcffib builds the members of an event at run time.
            pressed = (int(getattr(event, "detail", 0)), int(getattr(event, "state", 0)) & _RELEVANT)
            if name := self._grabbed.get(pressed):
                self._tell(name)
        elif isinstance(event, xp.MappingNotifyEvent):
            self._grab()

    def _grab(self) -> None:
        """Take the keys where the map has them now; a key that another program holds is left to it."""
        import xcffib
        import xcffib.xproto as xp

        found = self._places()
        if found == self._grabbed:
            return
        for code, mask in self._grabbed:
            for lock in _LOCKS:
                self._x.core.UngrabKey(code, self._x.root, mask | lock)
        self._grabbed = {}
        for (code, mask), name in found.items():
            try:
                for lock in _LOCKS:
                    asynchronous = xp.GrabMode.Async
                    self._x.core.GrabKeyChecked(
                        True, self._x.root, mask | lock, code, asynchronous, asynchronous
                    ).check()
                self._grabbed[code, mask] = name
            except xcffib.ProtocolException:
                _log.info("another program has the keys of %r already", name)

    def _places(self) -> dict[tuple[int, int], str]:
        first, last = self._x.setup.min_keycode, self._x.setup.max_keycode
        mapping = self._x.core.GetKeyboardMapping(first, last - first + 1).reply()
        width, keysyms = mapping.keysyms_per_keycode, list(mapping.keysyms)
        places: dict[tuple[int, int], str] = {}
        for name, wanted in self._wanted.items():
            if wanted is not None:
                mask, keysym = wanted
                codes = {first + place // width for place, found in enumerate(keysyms) if found == keysym}
                places |= {(code, mask): name for code in codes}
        return places


def read_keys(spelt: str) -> tuple[int, int] | None:
    """Turn Qt's spelling, ``Ctrl+Alt+Space``, into X11's modifiers and keysym; None for what is no combination.

    A key without a modifier would be taken away from every program, so it is none either.
    """
    from agent.hands.keysyms import NAMED, keysym_of

    *modifiers, key = stop_keys_of(spelt) or ("",)
    renamed = {"return": "enter", "pgup": "pageup", "pgdown": "pagedown"}
    key = renamed.get(key, key)
    keysym = NAMED.get(key) or (keysym_of(key) if len(key) == 1 else None)
    if keysym is None or not modifiers or any(name not in _MASKS for name in modifiers):
        return None
    return sum(_MASKS[name] for name in set(modifiers)), keysym
