"""One capture from the frozen screen to the answer. There is one at a time."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect, QRectF
from PySide6.QtGui import QCursor, QImage
from PySide6.QtWidgets import QWidget

from agent.capture.screen import open_screen
from agent.types import Frame
from app.translate import tr
from app.ui.agent.screens import screen_maps
from app.ui.agent.stage import image_of
from app.ui.capture.frozen import FrozenScreen
from app.ui.capture.panel import AskPanel
from app.ui.services import Services
from app.ui.tasks import Cancel

_GONE_S = 0.25
_NAME = "deskhand capture"


def start(services: Services, window: QWidget | None, on_done: Callable[[QImage], None] | None) -> None:
    """Begin a capture; with one under way already, that one comes to the front."""
    running = services.tasks.findChild(CaptureSession, _NAME)
    if running is not None:
        running.come_forward()
        return
    CaptureSession(services, window, on_done).begin()


class CaptureSession(QObject):
    """Lives until the person has an answer and closes it, or gives up."""

    def __init__(self, services: Services, window: QWidget | None, on_done: Callable[[QImage], None] | None) -> None:
        super().__init__(services.tasks)
        self.setObjectName(_NAME)
        self._services = services
        # From the keyboard, our window may be what the person asks about; from a button in it, it is in the way.
        hides = window is not None and window.isVisible() and (on_done is not None or window.isActiveWindow())
        self._window = window if hides else None
        self._on_done = on_done
        self.screens: list[FrozenScreen] = []
        self.panel: AskPanel | None = None

    def begin(self) -> None:
        """Take our window away and capture the desktop."""
        if self._window is not None:
            self._window.hide()
        wait_s = _GONE_S if self._window is not None else 0.0

        def work(cancel: Cancel) -> Frame:
            cancel.event.wait(wait_s)  # until whoever lay below has been drawn
            with open_screen() as screen:
                return screen.grab(allow_black=True)

        self._services.tasks.run(work, done=self._freeze, failed=self._failed)

    def come_forward(self) -> None:
        """Bring the frozen screens to the front again."""
        for each in self.screens:
            each.raise_()

    def end(self) -> None:
        """Take everything away and bring our window back."""
        if self.panel is not None:
            self.panel.stop()
        for each in self.screens:
            each.releaseKeyboard()
            each.hide()
            each.deleteLater()
        self.screens.clear()
        self.panel = None
        if self._window is not None:
            self._window.show()
            self._window = None
        self.setObjectName("")
        self.deleteLater()

    def _freeze(self, frame: Frame) -> None:
        whole = image_of(frame)
        left, top = frame.rect_px.left, frame.rect_px.top
        active: FrozenScreen | None = None
        for screen, map_ in screen_maps():
            rect = map_.rect_px
            part = whole.copy(QRect(rect.left - left, rect.top - top, rect.width, rect.height))
            frozen = FrozenScreen(part, map_, screen)
            frozen.chosen.connect(self._chosen)
            frozen.left.connect(self.end)
            frozen.begun.connect(self._begun)
            self.screens.append(frozen)
            frozen.showFullScreen()
            frozen.raise_()
            if active is None or map_.logical.contains(QCursor.pos()):
                active = frozen
        if active is not None:
            active.activateWindow()
            active.setFocus()

    def _begun(self) -> None:
        """Clear the other monitors: a region is begun on one of them only."""
        for each in self.screens:
            if each is not self.sender():
                each.clear()

    def _chosen(self, _region: QRect) -> None:
        chosen = self.sender()
        if not isinstance(chosen, FrozenScreen):
            return
        picture = chosen.picture_of_region()
        if self._on_done is not None:
            done = self._on_done
            self.end()
            done(picture)
            return
        chosen.fix()
        self.panel = panel = AskPanel(self._services, picture, chosen)
        panel.placed.connect(chosen.mark)
        panel.closed.connect(self.end)
        panel.show()
        panel.put_beside(chosen.region_on_widget(), QRectF(chosen.rect()))
        panel.question.setFocus()

    def _failed(self, error: Exception) -> None:
        self._services.notify("error", tr("The screen cannot be captured: {why}", why=error))
        self.end()
