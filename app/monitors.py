"""Which part of the desktop a command is to look at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.types import Monitor, Rect


def monitor_named(name: str, monitors: "Sequence[Monitor]") -> "Monitor":
    """Return a monitor by its name, id or number from 1. Raises InputError naming those that there are."""
    from model.errors import InputError

    for number, monitor in enumerate(monitors, 1):
        if name in (monitor.name, monitor.id, str(number)):
            return monitor
    known = ", ".join(f"{number} ({monitor.name})" for number, monitor in enumerate(monitors, 1))
    raise InputError(f"there is no monitor {name!r}", remedy=f"there are {known}")


def area_of(name: str | None, capture: str | None = None) -> "Rect | None":
    """Return the rectangle of the named monitor, or None for all of the desktop.

    Raises CaptureError where the screen cannot be captured, so that nobody waits for a model in vain.
    """
    from agent.capture.screen import open_screen

    with open_screen(capture) as screen:
        monitors = screen.monitors()
        return None if name is None else monitor_named(name, monitors).rect_px
