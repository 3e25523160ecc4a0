"""What a way of capturing the screen has to offer."""

from typing import Protocol, runtime_checkable

from agent.types import Frame, Monitor, Rect


class CaptureHandler(Protocol):
    """One way of capturing; used from one thread at a time.

    Methods other than `unavailable` raise CaptureError when the desktop does not answer as it should.
    """

    name: str

    def unavailable(self) -> str | None:
        """Return why this way cannot be used here, or None if it can; never raises."""
        ...

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors as they are now."""
        ...

    def grab(self, rect_px: Rect | None) -> Frame:
        """Capture a part of the virtual desktop, or all of it; what lies outside is cut off."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Return what a person should know, such as why it is slow here."""
        ...

    def close(self) -> None:
        """Let go of everything; calling it again does nothing."""
        ...


@runtime_checkable
class WindowFinder(Protocol):
    """A handler that can tell where one window is."""

    def window_rect(self, name: str, *, allow_covered: bool) -> Rect:
        """Return where a window is, by its title or number.

        Raises CaptureError when there is none or several, when it is minimised, and, unless that is allowed,
        when something covers a part of it or it reaches beyond the screen.
        """
        ...
