"""Enter text so that every character arrives: by keys, by paste, or by a key that is lent the symbol.

Keys that the layout has are pressed. A line with other characters is pasted in one go, with the
clipboard saved and put back; where that cannot be (a secret, a program without a paste key, a
clipboard that cannot be saved, a program that did not ask for it), each missing symbol is put on a
spare key for a moment.
"""

import re
import time
from dataclasses import dataclass

from agent.errors import HandsError, PersonActingError
from agent.hands import keeper
from agent.hands.injector import Injector
from agent.hands.keymap import Keymap, Stroke, read_keymap
from agent.hands.keysyms import keysym_of
from agent.hands.selection import Content, Selection, text_content
from agent.x11.connection import XConnection
from agent.x11.windows import focused_window

_PIECES = re.compile(r"[\n\t]|[^\n\t]+")
_KEY_NAMES = {"\n": "enter", "\t": "tab"}

_PASTE = ("ctrl", "v")
_TERMINAL_PASTE = ("ctrl", "shift", "v")
_TERMINALS = (
    *("gnome-terminal", "gnome-terminal-server", "org.gnome.terminal", "kgx", "org.gnome.console", "ptyxis"),
    *("konsole", "yakuake", "xfce4-terminal", "mate-terminal", "lxterminal", "qterminal", "terminator", "tilix"),
    *("guake", "tilda", "terminology", "sakura", "deepin-terminal", "io.elementary.terminal", "pantheon-terminal"),
    *("alacritty", "kitty", "foot", "org.wezfurlong.wezterm", "com.mitchellh.ghostty", "contour", "rio"),
)
_NO_PASTE_KEY = ("xterm", "uxterm", "urxvt", "rxvt", "st", "st-256color", "emacs", "gvim", "vncviewer", "tigervnc")


@dataclass(frozen=True, slots=True)
class TextPace:
    """How long to wait where X11 has no way to ask whether a program is ready.

    ``settle_s``: for a program to learn of a lent key, and again to have used it; 20 ms is the least
    that was measured to work. ``restore_s``: before a lent key loses its symbol.
    """

    settle_s: float = 0.03
    restore_s: float = 0.25
    save_limit_s: float = 1.5
    watchers_s: float = 0.05
    paste_limit_s: float = 1.5
    paste_quiet_s: float = 0.1


def paste_key(app_class: str) -> tuple[str, ...] | None:
    """Return the key that pastes in a program, by its window class, or None if none is known."""
    name = app_class.lower()
    if name in _NO_PASTE_KEY:
        return None
    return _TERMINAL_PASTE if name in _TERMINALS else _PASTE


class TextEntry:
    """Enters text into the window that has the focus."""

    def __init__(self, x: XConnection, injector: Injector, pace: TextPace = TextPace()) -> None:
        self._x = x
        self._injector = injector
        self._pace = pace
        self._client = 0

    def enter(self, text: str, *, secret: bool = False) -> None:
        """Enter text; newlines and tabs are their keys.

        Raises HandsError when a character cannot be entered, and PersonActingError when the focus goes
        to another program on the way: the rest is not typed into something else.
        """
        self._client = self._focused_client()
        with self._injector.without_caps_lock():
            for piece in _PIECES.findall(text):
                keymap = read_keymap(self._x)
                if piece in _KEY_NAMES:
                    self._stroke(keymap.key(_KEY_NAMES[piece]))
                elif all(char in keymap.characters for char in piece):
                    for char in piece:
                        self._stroke(keymap.characters[char])
                elif secret or not self._paste(piece, keymap):
                    self._lend(piece, keymap, secret=secret)

    def _stroke(self, stroke: Stroke) -> None:
        if self._focused_client() != self._client:
            raise PersonActingError("the focus went to another program in the middle of the text")
        with self._injector.in_group(stroke.group), self._injector.holding(stroke.held):
            self._injector.key_down(stroke.keycode)
            self._injector.key_up(stroke.keycode)

    def _focused_client(self) -> int:
        return self._x.client_of(self._x.core.GetInputFocus().reply().focus)

    def _paste(self, text: str, keymap: Keymap) -> bool:
        """Paste a line; return False, with the clipboard as it was, if it has to be entered otherwise."""
        window = focused_window(self._x)
        names = None if window is None else paste_key(window.app_class)
        if names is None or not all(keymap.has_key(name) for name in names):
            return False
        *modifiers, key = (keymap.key(name) for name in names)
        stroke = Stroke(key.keycode, tuple(modifier.keycode for modifier in modifiers), key.group)
        selection = Selection(self._x.display)
        try:
            try:
                saved = selection.read(self._pace.save_limit_s)
            except HandsError:
                return False  # what cannot be saved is not overwritten
            selection.offer(text_content(text))
            try:
                return self._paste_offered(selection, stroke)
            except BaseException:
                selection.withdraw()  # else the program would hang for seconds, waiting for what never comes
                raise
            finally:
                self._put_back(selection, saved)
        finally:
            selection.close()

    def _paste_offered(self, selection: Selection, stroke: Stroke) -> bool:
        # Clipboard histories look at each new content at once; let them, so as not to take them for the program.
        self._serve_until_quiet(selection, self._pace.watchers_s)
        before = len(selection.answered)
        self._stroke(stroke)
        self._x.sync()
        end = time.monotonic() + self._pace.paste_limit_s
        while time.monotonic() < end and selection.owned:
            self._injector.check()
            selection.serve(0.02)
            if any(selection.client_of(window) == self._client for window in selection.answered[before:]):
                self._serve_until_quiet(selection, self._pace.paste_quiet_s)
                return True
        # Somebody else asked after the key: perhaps the program's helper. Entering it twice would be worse.
        return len(selection.answered) > before

    def _serve_until_quiet(self, selection: Selection, quiet_s: float) -> None:
        while selection.serve(quiet_s):
            self._injector.check()

    def _put_back(self, selection: Selection, saved: Content | None) -> None:
        if not selection.owned:
            return  # somebody has copied something meanwhile, which is theirs to keep
        if saved:
            keeper.keep(self._x.display, saved)
        else:
            selection.give_up()

    def _lend(self, text: str, keymap: Keymap, *, secret: bool) -> None:
        spare = keymap.spare
        lent: dict[str, int] = {}
        used: list[int] = []
        try:
            for char in text:
                stroke = keymap.characters.get(char)
                if stroke is None:
                    if char not in lent:
                        if not spare:
                            what = "a character of the secret" if secret else repr(char)
                            raise HandsError(f"{what} cannot be typed", why="the keyboard map has no spare key")
                        # One symbol at a time, the longest unused key first: programs read the map late.
                        keycode = spare[len(used) % len(spare)]
                        lent = {other: code for other, code in lent.items() if code != keycode}
                        lent[char] = keycode
                        used.append(keycode)
                        self._put_symbol(keycode, keysym_of(char))
                        self._injector.pause(self._pace.settle_s)
                    stroke = Stroke(lent[char])
                self._stroke(stroke)
                if char in lent:
                    self._injector.pause(self._pace.settle_s)
        finally:
            if used:
                # Not the gate's pause: the symbols are taken back in any case, once the program has used them.
                time.sleep(self._pace.restore_s)
                for keycode in set(used):
                    self._put_symbol(keycode, 0)

    def _put_symbol(self, keycode: int, keysym: int) -> None:
        # Twice, so that Shift makes no difference; in one group, which then serves all of them.
        self._x.core.ChangeKeyboardMapping(1, keycode, 2, [keysym, keysym])
        self._x.sync()
