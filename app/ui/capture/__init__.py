"""Ask about a part of the screen: it is frozen, a region is chosen, and the answer stands beside it.

Nothing heavy is imported until somebody captures.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from app.ui.services import Services


def begin(services: "Services", window: "QWidget") -> None:
    """Freeze the screen and let the person ask about a region; while that goes on, another call does nothing."""
    from app.ui.capture.session import start

    start(services, window, None)


def capture_region(services: "Services", on_done: "Callable[[QImage], None]", window: "QWidget | None" = None) -> None:
    """Freeze the screen, let the person choose a region and hand its pixels over; nothing is handed over on Escape.

    ``window`` is taken off the screen meanwhile.
    """
    from app.ui.capture.session import start

    start(services, window, on_done)
