"""Takes a picture of the screen with our window out of the way."""

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from app.translate import tr
from app.ui.services import Services
from app.ui.tasks import Cancel

_GONE_MS = 250
"""What a compositor needs at most to take a hidden window off the screen."""


class ScreenshotTaker(QObject):
    """Hides the window, captures, shows it again. ``taken`` brings a function that gives the picture, for a worker."""

    taken = Signal(object)

    def __init__(self, services: Services, widget: QWidget) -> None:
        super().__init__(widget)
        self._services = services
        self._widget = widget
        self._screen = ""
        self._hidden: QWidget | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_GONE_MS)
        self._timer.timeout.connect(self._capture)

    def ask(self) -> None:
        """Capture; where there are several screens, ask which first."""
        screens = QGuiApplication.screens()
        if len(screens) < 2:
            self.take("")
            return
        menu = QMenu(self._widget)
        for screen in screens:
            menu.addAction(screen.name()).triggered.connect(lambda _on=False, name=screen.name(): self.take(name))
        menu.addAction(tr("All screens")).triggered.connect(lambda _on=False: self.take(""))
        menu.popup(self._widget.mapToGlobal(self._widget.rect().topLeft()))

    def take(self, screen: str) -> None:
        """Capture the screen of this name; "" is all of them."""
        if self._timer.isActive() or self._hidden is not None:
            return
        self._screen = screen
        self._hidden = self._widget.window()
        self._hidden.hide()
        self._timer.start()

    def stop(self) -> None:
        """End the timer, and show the window if it is hidden."""
        self._timer.stop()
        self._show()

    def _capture(self) -> None:
        screen = self._screen

        def capture(_cancel: Cancel) -> object:
            from agent.capture.screen import open_screen

            with open_screen() as opened:
                monitors = [each for each in opened.monitors() if each.name == screen]
                return opened.grab(monitors[0] if monitors else None).image()

        self._services.tasks.run(capture, done=self._done, failed=self._failed)

    def _done(self, picture: object) -> None:
        self._show()
        self.taken.emit(lambda _cancel: picture)

    def _failed(self, error: Exception) -> None:
        self._show()
        self._services.notify("error", str(error))

    def _show(self) -> None:
        window, self._hidden = self._hidden, None
        if window is not None:
            window.show()
            window.raise_()
            window.activateWindow()
