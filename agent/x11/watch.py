"""Watch an X server for what stops or pauses a run: the stop keys, a screen corner, a person's hands."""

import math
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import xcffib

from agent.errors import AgentError
from agent.hands.keysyms import MODIFIERS
from agent.stop import PERSON, StopSwitch
from agent.types import Monitor, Point
from agent.x11.background import Background
from agent.x11.connection import XConnection, x_errors_as
from agent.x11.monitors import is_xwayland, read_monitors
from agent.x11.raw_input import RawEvent, RawInput

Corner = Literal["top left", "top right", "bottom left", "bottom right"]

_KEYSYMS: dict[str, tuple[int, ...]] = {
    **MODIFIERS,
    "escape": (0xFF1B,),
    "pause": (0xFF13, 0xFF6B),
    "scrolllock": (0xFF14,),
    "printscreen": (0xFF61,),
    "insert": (0xFF63,),
    "delete": (0xFFFF,),
    "home": (0xFF50,),
    "end": (0xFF57,),
    "space": (0x20,),
    **{f"f{n}": (0xFFBE + n - 1,) for n in range(1, 25)},
    **{char: (ord(char), ord(char.upper())) for char in "abcdefghijklmnopqrstuvwxyz0123456789"},
}
_MONITORS_FRESH_S = 2.0
_MOTION_WITHIN_MS = 500
_IDLE_S = 0.1


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What to watch for. The stop keys count together, whoever presses them; other keys may be down, too.

    ``corner`` is that of the desktop's outline, ``corner_px`` its size; None watches none. ``motion_events``
    within half a second are a person's movement, fewer are a desk that was bumped. After
    ``resume_after_s`` without a person's hands, a pause of theirs ends; None leaves that to somebody else.
    """

    stop_keys: tuple[str, ...] = ("ctrl", "shift", "escape")
    corner: Corner | None = "top left"
    corner_px: int = 2
    person: bool = True
    motion_events: int = 3
    resume_after_s: float | None = None

    def __post_init__(self) -> None:
        for key in self.stop_keys:
            if key not in _KEYSYMS:
                raise ValueError(f"{key!r} cannot be a stop key; there are {', '.join(_KEYSYMS)}")


class X11Watcher:
    """Watches on a thread and a connection of its own, from the start until it is closed.

    When it cannot go on watching, it stops the run. Raises AgentError when it cannot begin to, and when
    the keyboard lacks a stop key.
    """

    def __init__(self, switch: StopSwitch, display: str | None = None, options: WatchOptions = WatchOptions()) -> None:
        self._switch = switch
        self._options = options
        self._x = XConnection(display)
        try:
            with x_errors_as(AgentError, "a person's hands cannot be watched"):
                if is_xwayland(self._x):
                    raise AgentError(
                        "a person's hands cannot be watched here",
                        why="this X server is XWayland, which hears only of its own windows",
                        remedy="log into an X11 (Xorg) session",
                    )
                self._raw = RawInput(self._x)
                self._stop_codes = self._read_stop_codes()
                self._pressed = self._raw.pressed_keys()
        except AgentError:
            self._x.close()
            raise
        self._monitors: tuple[Monitor, ...] = ()
        self._monitors_at_s = -math.inf
        self._motions: deque[int] = deque(maxlen=max(1, options.motion_events))
        self._background = Background(self._x, self._run, "x11-watch")
        self._background.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching; calling it again does nothing."""
        self._background.close()

    def _run(self) -> None:
        why = "the watch over the mouse and the keyboard broke down"
        try:
            while not self._background.closing:
                # First what came along with an answer: it is in the queue, and the socket tells nothing of it.
                for event in self._raw.events():
                    self._handle(event)
                if self._raw.keymap_changed:
                    self._raw.keymap_changed = False
                    self._stop_codes = self._read_stop_codes(self._stop_codes)
                    continue
                self._resume_when_quiet()
                self._sleep()
        except (xcffib.XcffibException, AgentError) as error:
            why = f"{why}: {type(error).__name__} {error}".rstrip()
        finally:
            # A run that cannot be stopped any more by hand does not go on.
            if not self._background.closing:
                self._switch.stop(why)

    def _sleep(self) -> None:
        # Handling may have asked the server, and its answer brought events along that no select would tell of.
        waiting = self._options.resume_after_s is not None and self._switch.paused
        self._background.wait(_IDLE_S if waiting else None)

    def _handle(self, event: RawEvent) -> None:
        if event.kind == "key down":
            self._pressed.add(event.detail)
            if all(codes & self._pressed for codes in self._stop_codes) and self._stop_codes:
                self._switch.stop(f"{'+'.join(self._options.stop_keys)} was pressed")
        elif event.kind == "key up":
            self._pressed.discard(event.detail)
        if not event.by_person:
            return
        if event.kind == "motion":
            self._handle_motion(event)
        elif event.kind in ("key down", "button down"):
            self._person_acts("a person pressed a key" if event.kind == "key down" else "a person pressed a button")

    def _handle_motion(self, event: RawEvent) -> None:
        self._motions.append(event.time_ms)
        if self._options.corner is not None and self._in_corner(self._options.corner):
            self._switch.stop(f"the mouse was moved into the {self._options.corner} corner")
        many = len(self._motions) == self._motions.maxlen
        if many and (event.time_ms - self._motions[0]) & 0xFFFFFFFF <= _MOTION_WITHIN_MS:
            self._person_acts("a person moved the mouse")

    def _person_acts(self, reason: str) -> None:
        if self._options.person:
            self._switch.person_acts(reason)

    def _resume_when_quiet(self) -> None:
        after_s = self._options.resume_after_s
        if after_s is not None and self._switch.paused and self._switch.quiet_s >= after_s:
            self._switch.resume(PERSON)

    def _in_corner(self, corner: Corner) -> bool:
        """Say whether the pointer is in the corner of a monitor that no other one lies beside."""
        answer = self._x.core.QueryPointer(self._x.root).reply()
        if time.monotonic() - self._monitors_at_s > _MONITORS_FRESH_S:
            self._monitors, self._monitors_at_s = read_monitors(self._x), time.monotonic()
        return in_corner(Point(answer.root_x, answer.root_y), corner, self._options.corner_px, self._monitors)

    def _read_stop_codes(self, before: tuple[frozenset[int], ...] = ()) -> tuple[frozenset[int], ...]:
        """Return for each stop key the keycodes that have it in any layout."""
        first, last = self._x.setup.min_keycode, self._x.setup.max_keycode
        mapping = self._x.core.GetKeyboardMapping(first, last - first + 1).reply()
        width, keysyms = mapping.keysyms_per_keycode, list(mapping.keysyms)
        found: list[frozenset[int]] = []
        for n, key in enumerate(self._options.stop_keys):
            places = (place for place, keysym in enumerate(keysyms) if keysym in _KEYSYMS[key])
            codes = frozenset(first + place // width for place in places)
            if not codes and not before:
                raise AgentError(f"the keyboard has no key {key!r} to stop with", remedy="choose other stop keys")
            found.append(codes or before[n])
        return tuple(found)


def in_corner(point: Point, corner: Corner, size_px: int, monitors: tuple[Monitor, ...]) -> bool:
    """Say whether a point is in a corner of a monitor beyond which the desktop ends in both directions."""
    top, left = corner.startswith("top"), corner.endswith("left")
    for rect in (monitor.rect_px for monitor in monitors if monitor.rect_px.contains(point)):
        from_x = point.x_px - rect.left if left else rect.right - 1 - point.x_px
        from_y = point.y_px - rect.top if top else rect.bottom - 1 - point.y_px
        if from_x >= size_px or from_y >= size_px:
            continue
        beside = Point(rect.left - 1 if left else rect.right, point.y_px)
        beyond = Point(point.x_px, rect.top - 1 if top else rect.bottom)
        if not any(other.rect_px.contains(beside) or other.rect_px.contains(beyond) for other in monitors):
            return True
    return False
