"""Keep our own windows out of what is captured, and prove that they are.

A window's author has to do three things. Register each overlay with an `Exclusion` once it is shown, take
it out again before it is hidden, and let it show a few pixels of a colour that nothing else has: that is what
says whether it is really gone. `agent.x11.own_windows.X11OwnWindows` does the hiding on X11, without the
toolkit's thread; on Windows and macOS the system leaves windows out by itself when it is told to, and on
Wayland an `Exclusion` of the toolkit's has to hide them.

Normal windows, which a window manager looks after, cannot come and go at each capture without taking the
focus along: the application minimises them before a run.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.errors import CaptureError
from agent.types import Frame

if TYPE_CHECKING:
    from agent.capture.screen import Screen

Rgb = tuple[int, int, int]
MARKER_RGB: Rgb = (253, 3, 251)
"""A colour that no theme has; what our windows show of it is looked for in frames."""

_LOOK_EVERY_S = 0.002
_FADED_S = 0.5
_GHOST_LEVELS = 4.0


class Exclusion(Protocol):
    """Takes our own windows off the screen while it is captured. Called from the capturing thread."""

    def hide(self) -> None:
        """Return when no pixel of our windows is captured any more.

        Raises CaptureError when they do not go away; they are put back then.
        """
        ...

    def show(self) -> None:
        """Put back what `hide` took off; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Proof:
    """Our window was seen in the raw pixels, and not in the frame; ``hide_ms`` is what hiding it took."""

    hide_ms: float


def holds_colour(frame: Frame, rgb: Rgb) -> bool:
    """Say whether any pixel of a frame has exactly this colour."""
    return bool(_where(frame, rgb).any())


def prove_exclusion(screen: "Screen", rgb: Rgb = MARKER_RGB, limit_s: float = 5.0) -> Proof:
    """Prove that frames leave our windows out, while one of them shows pixels of a colour.

    Call it at the start, with the overlay on the screen; it takes half a second. Raises CaptureError when the
    window cannot be seen at all, as that proves nothing; when it is in the frame, or still fades out in it; and
    when it does not come back.
    """
    shown = _wait_until(screen, rgb, limit_s, why="it should be on the screen, but its colour is not in the raw pixels")
    began = time.monotonic()
    with screen.without_own_windows():
        hide_ms = (time.monotonic() - began) * 1000
        frame = screen.grab(allow_black=True)
        time.sleep(_FADED_S)
        later = screen.grab(allow_black=True)
    if holds_colour(frame, rgb):
        raise CaptureError(
            "our own window is in the picture of the screen",
            why="it is not registered with what keeps windows out, or it was still shown when this was captured",
            remedy="run without overlays",
        )
    # A compositor may blend a window out: then its colour is gone at once, but a ghost of it is not.
    place = _where(shown, rgb)
    if _distance(frame, place, rgb) + _GHOST_LEVELS < _distance(later, place, rgb):
        raise CaptureError(
            "a ghost of our own window is in the picture of the screen",
            why="the desktop's compositor fades windows out",
            remedy="switch that effect off, or run without overlays",
        )
    _wait_until(screen, rgb, limit_s, why="it was hidden for the capture and has not come back")
    return Proof(hide_ms)


def _where(frame: Frame, rgb: Rgb) -> NDArray[np.bool_]:
    wanted = int.from_bytes(bytes((rgb[2], rgb[1], rgb[0], 0)), "little")
    return (np.ascontiguousarray(frame.bgrx).view("<u4")[:, :, 0] & 0xFFFFFF) == wanted


def _distance(frame: Frame, place: NDArray[np.bool_], rgb: Rgb) -> float:
    """Return by how many levels the pixels of a place differ from a colour, on average."""
    return float(np.abs(frame.pixels[place].astype(np.int16) - np.array(rgb, np.int16)).mean())


def _wait_until(screen: "Screen", rgb: Rgb, limit_s: float, *, why: str) -> Frame:
    end = time.monotonic() + limit_s
    while not holds_colour(frame := screen.handler.grab(None), rgb):
        if time.monotonic() > end:
            raise CaptureError("it cannot be proved that our own windows are left out", why=why)
        time.sleep(_LOOK_EVERY_S)
    return frame
