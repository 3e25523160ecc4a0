"""What the loop asks a desktop about its windows."""

from dataclasses import dataclass
from typing import Protocol

from agent.episode import WindowInfo
from agent.types import Point


@dataclass(frozen=True, slots=True)
class DesktopWindow:
    """A program's window: ``id`` tells it from others with the same title while it is open."""

    id: int
    info: WindowInfo


class Desktop(Protocol):
    """Tell which window an action would reach. Raises AgentError when the desktop does not answer."""

    def active(self) -> DesktopWindow | None:
        """Return the window that gets the keys, or None when nobody can tell."""
        ...

    def at(self, point: Point) -> DesktopWindow | None:
        """Return the window under a point, or None when nobody can tell."""
        ...

    def under_pointer(self) -> DesktopWindow | None:
        """Return the window that the pointer is over, or None when nobody can tell."""
        ...

    def activate(self, window: DesktopWindow) -> bool:
        """Give a window the keys; say whether it has them now."""
        ...
