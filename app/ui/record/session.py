"""One recording: our window leaves, a small box says that it records, and afterwards the steps are looked over."""

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from agent.types import Point
from app.translate import tr
from app.ui.agent.overlay_windows import ControlBox
from app.ui.agent.screens import map_of
from app.ui.record.review import ReviewDialog
from app.ui.record.taken import Taken
from app.ui.record.watch import HandWatch
from app.ui.services import Services
from model.errors import ModelError

_GONE_MS = 250
"""Until whoever lay below our window has been drawn: the first click needs a picture without us."""


class Recording(QObject):
    """``made`` carries the steps as text, once the person has named every target."""

    made = Signal(str)
    _broke = Signal(str)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._window: QWidget | None = None
        self._watch: HandWatch | None = None
        self._box: ControlBox | None = None
        self.review: ReviewDialog | None = None
        self._ours = (0, 0, 0, 0)
        self._gone = QTimer(self)
        self._gone.setSingleShot(True)
        self._gone.setInterval(_GONE_MS)
        self._gone.timeout.connect(self._begin)
        self._broke.connect(self._broken, Qt.ConnectionType.QueuedConnection)

    @property
    def is_on(self) -> bool:
        """Whether it records."""
        return self._watch is not None

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What was done so far."""
        return self._watch.taken if self._watch is not None else ()

    def start(self, window: QWidget) -> None:
        """Begin with ``window`` off the screen, or say why not."""
        if self._watch is not None or self.review is not None or self._gone.isActive():
            return
        self._window = window
        window.hide()
        self._gone.start()

    def _begin(self) -> None:
        self._box = box = ControlBox()
        box.say(tr("Recording: do it once by hand"))
        box.pause.hide()
        box.back.hide()
        box.stop_asked.connect(self.stop)
        screen = QGuiApplication.primaryScreen()
        box.put_into(screen.availableGeometry())
        map_ = map_of(screen)
        corner = map_.to_physical(box.x(), box.y())
        size = box.size() * map_.scale
        self._ours = (corner.x_px, corner.y_px, corner.x_px + size.width(), corner.y_px + size.height())
        try:
            self._watch = HandWatch(self._is_ours, self._broke.emit)
        except ModelError as error:
            self._services.notify("error", str(error))
            self._end()
            return
        box.show()
        box.raise_()

    def stop(self) -> None:
        """End, and look the steps over."""
        window = self._window
        told = self._watch is not None and self._watch.programs_tell is True
        taken = self._end()
        if not taken:
            self._services.notify("info", tr("Nothing was clicked or typed."))
            return
        self.review = review = ReviewDialog(self._services, taken, window, told)
        review.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        review.made.connect(self.made)
        review.finished.connect(self._reviewed)
        review.open()

    def close(self) -> None:
        """End without a word: the application ends."""
        self._gone.stop()
        self._end()

    def _end(self) -> tuple[Taken, ...]:
        taken: tuple[Taken, ...] = ()
        if self._watch is not None:
            self._watch.close()
            taken = self._watch.taken
            self._watch = None
        if self._window is not None:
            self._window.show()
            self._window.raise_()
            self._window.activateWindow()
            self._window = None
        if self._box is not None:
            self._box.hide()
            self._box.deleteLater()
            self._box = None
        return taken

    def _reviewed(self, _result: int) -> None:
        self.review = None

    def _broken(self, why: str) -> None:
        self._services.notify("warning", tr("The recording ended: {why}", why=why))
        self.stop()

    def _is_ours(self, at: Point) -> bool:
        left, top, right, bottom = self._ours
        return left <= at.x_px < right and top <= at.y_px < bottom
