"""The agent's presence on the real screen, and its absence from the agent's own frames."""

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from agent.types import Point, Rect
from app.ui.agent.overlay_windows import BorderWindow, ControlBox, MarkerWindow
from app.ui.agent.screens import ScreenMap, map_at, screen_maps
from app.ui.theme import tokens_now

BACK_AFTER_MS = 400
"""How long after the last capture the border comes back: it blinks once a step, not with every frame."""

REDRAW_S = 0.08
"""How long programs get to draw what our windows had covered."""

_ANSWER_S = 5.0


class Overlay(QObject):
    """A border on every screen, a marker and a control box while a run goes on.

    Made and used in the window's thread; `clear` may be called from any other. ``asides`` are windows
    of ours that leave the screen for the whole run, such as the main window; `show_asides` brings them
    back to ask the person something.
    """

    _clear_asked = Signal(object)

    def __init__(self, asides: tuple[QWidget, ...] = (), parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asides = asides
        self._hidden: list[QWidget] = []
        self._borders: list[tuple[BorderWindow, ScreenMap]] = []
        self._edges: tuple[tuple[Rect, tuple[int, int, int]], ...] = ()
        self._marker: MarkerWindow | None = None
        self._marked = False
        self.box = ControlBox()
        self._on = False
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(BACK_AFTER_MS)
        self._back.timeout.connect(self._come_back)
        self._clear_asked.connect(self._clear_now, Qt.ConnectionType.QueuedConnection)
        self._windows_thread = threading.get_ident()

    @property
    def edges(self) -> tuple[tuple[Rect, tuple[int, int, int]], ...]:
        """The border's top edges in physical pixels of the desktop, each with its colour; from any thread."""
        return self._edges

    @property
    def is_on(self) -> bool:
        """Whether a run is being shown."""
        return self._on

    def start(self) -> None:
        """Show that the agent is acting, and take our own windows out of its way."""
        self._on = True
        self._borders = [(BorderWindow(map_.logical), map_) for _, map_ in screen_maps()]
        self._edges = tuple((_top_edge(map_.rect_px), _marker_rgb()) for _, map_ in self._borders)
        self._marker = MarkerWindow()
        self.hide_asides()
        self._show()

    def end(self) -> None:
        """Take everything off the screen and bring our own windows back."""
        self._on = False
        self._back.stop()
        self._marked = False
        for border, _ in self._borders:
            border.hide()
            border.deleteLater()
        self._borders.clear()
        if self._marker is not None:
            self._marker.hide()
            self._marker.deleteLater()
            self._marker = None
        self.box.hide()
        self.show_asides()

    def close(self) -> None:
        """End for good."""
        self.end()
        self.box.deleteLater()

    def hide_asides(self) -> None:
        """Take our own windows off the screen."""
        for window in self._asides:
            if window.isVisible():
                self._hidden.append(window)
                window.hide()

    def show_asides(self) -> None:
        """Bring our own windows back, in front."""
        for window in self._hidden:
            window.show()
            window.raise_()
            window.activateWindow()
        self._hidden.clear()

    def mark(self, point: Point | None) -> None:
        """Show where a click is about to land; None takes the marker away."""
        self._marked = point is not None
        if self._marker is None:
            return
        map_ = map_at(point, [each for _, each in self._borders]) if point is not None else None
        if point is None or map_ is None:
            self._marker.hide()
            return
        self._marker.put_at(map_.to_logical(point))
        if self._on:
            self._marker.show()
            self._marker.raise_()

    def clear(self) -> None:
        """Return once nothing of ours is on the screen; from another thread.

        Windows come back by themselves a moment after the last call. Raises RuntimeError from the
        window's own thread, which would wait for itself.
        """
        self._leave(_Asked())

    def step_aside(self) -> None:
        """Return once our other windows are off the screen, too: a question is over; from another thread."""
        self._leave(_Asked(asides=True))

    def _leave(self, asked: "_Asked") -> None:
        if threading.get_ident() == self._windows_thread:
            raise RuntimeError("the screen is cleared from another thread than the window's")
        self._clear_asked.emit(asked)
        asked.done.wait(_ANSWER_S)
        if asked.anything:
            # What was below has to be drawn by whoever it belongs to.
            asked.redraw.wait(REDRAW_S)

    def _clear_now(self, asked: "_Asked") -> None:
        # All of it, whatever part is captured: the next capture may be of another, and all of it blinks at once.
        visible = [window for window in self._windows() if window.isVisible()]
        for window in visible:
            window.hide()
        if asked.asides and self._on:
            before = len(self._hidden)
            self.hide_asides()
            asked.anything = len(self._hidden) > before
        if visible or asked.anything:
            asked.anything = True
            QGuiApplication.sync()  # the X server has them off the screen before anybody looks
        if self._on:
            self._back.start()
        asked.done.set()

    def _come_back(self) -> None:
        if self._on:
            self._show()

    def _show(self) -> None:
        for border, _ in self._borders:
            border.show()
            border.raise_()
        screens = screen_maps()
        if screens:
            screen = QGuiApplication.primaryScreen() or screens[0][0]
            self.box.put_into(screen.availableGeometry())
        self.box.show()
        self.box.raise_()
        if self._marked and self._marker is not None:
            self._marker.show()

    def _windows(self) -> list[QWidget]:
        marker = [self._marker] if self._marker is not None else []
        # Not the windows that are only shown while the person is asked: the run waits then.
        return [*(border for border, _ in self._borders), *marker, self.box]


def _top_edge(rect_px: Rect) -> Rect:
    return Rect(rect_px.left, rect_px.top, rect_px.right, rect_px.top + 1)


def _marker_rgb() -> tuple[int, int, int]:
    color = tokens_now().color("marker")
    return color.red(), color.green(), color.blue()


class _Asked:
    """A request from another thread, and the answer to it."""

    def __init__(self, asides: bool = False) -> None:
        self.asides = asides
        self.anything = False
        self.done = threading.Event()
        self.redraw = threading.Event()
