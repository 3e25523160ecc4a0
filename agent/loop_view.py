"""What a run sees of the screen: the latest frame, whether it is of this moment, and the windows."""

import numpy as np

from agent.aim import start_of
from agent.capture.screen import is_black
from agent.errors import CaptureError
from agent.hands.gate import HandAction
from agent.loop_parts import Camera
from agent.types import Click, Drag, Frame, Rect, Scroll
from agent.windows import Desktop, DesktopWindow

_STRIP_ROWS = 16
_SAMPLE_PX = 128


class View:
    """The screen through one camera; ``window`` is the one that had the keys when the frame was shown."""

    def __init__(self, camera: Camera, desktop: Desktop | None, area_px: Rect | None) -> None:
        self._camera = camera
        self._desktop = desktop
        self._area_px = area_px
        self.frame: Frame | None = None
        self.window: DesktopWindow | None = None
        self._fresh = False
        self._settled = False

    @property
    def fresh(self) -> bool:
        """Say whether nothing has happened since the frame was captured that could have taken time."""
        return self._fresh

    def age(self) -> None:
        """Note that time has passed: a question, a wait, a pause, an action."""
        self._fresh = False

    def begin_round(self) -> None:
        """Note that a plan is through: only a screen that has just settled is still of this moment."""
        self._fresh = self._fresh and self._settled

    def look(self) -> Frame:
        """Return the frame that was just settled, or a new one; the old one again when it shows the same.

        So neither eyes nor trace do anything twice. Raises CaptureError for a screen that is entirely black.
        """
        if not self._fresh or self.frame is None:
            self._keep(self.grab())
        frame = self.frame
        assert frame is not None  # noqa: S101 - kept above
        self._fresh, self._settled = True, False
        dark = not frame.bgrx[::_SAMPLE_PX, ::_SAMPLE_PX, :3].any()
        if dark and self._area_px is None and is_black(frame):
            raise CaptureError(
                "the captured screen is entirely black",
                why="the screen is off or locked, or the desktop does not let this program look",
                remedy="wake or unlock the screen",
            )
        self.window = self.active()
        return frame

    def settled(self, frame: Frame, *, changed: bool) -> Frame:
        """Take a settled screen for the latest; return the frame that stands for it from now on."""
        if changed:
            self.frame = frame
        kept = self._keep(frame)
        self._fresh = self._settled = True
        return kept

    def grab(self) -> Frame:
        """Capture the part of the desktop that the run works in."""
        # Screens go black for a moment when they change their mode; only a planner must not be shown that.
        return self._camera.grab(self._area_px, allow_black=True)

    def part(self, rect_px: Rect) -> Frame:
        """Capture a part of the virtual desktop as it is now."""
        return self._camera.grab(rect_px, allow_black=True)

    def active(self) -> DesktopWindow | None:
        """Return the window that gets the keys, where that can be told."""
        return self._desktop.active() if self._desktop else None

    def window_of(self, action: HandAction) -> DesktopWindow | None:
        """Return the window that an action would reach."""
        point = start_of(action)
        if self._desktop is None:
            return None
        if point is not None:
            return self._desktop.at(point)
        return self._desktop.under_pointer() if isinstance(action, Click | Scroll | Drag) else self._desktop.active()

    def activate(self, window: DesktopWindow) -> bool:
        """Give a window the keys; say whether it has them now."""
        return self._desktop is not None and self._desktop.activate(window)

    def _keep(self, frame: Frame) -> Frame:
        if self.frame is None or not _identical(self.frame, frame):
            self.frame = frame
        return self.frame


def _identical(one: Frame, other: Frame) -> bool:
    if one is other or one.rect_px != other.rect_px or one.monitors != other.monitors:
        return one is other
    rows = range(0, len(one.bgrx), _STRIP_ROWS)
    return all(np.array_equal(one.bgrx[row : row + _STRIP_ROWS], other.bgrx[row : row + _STRIP_ROWS]) for row in rows)
