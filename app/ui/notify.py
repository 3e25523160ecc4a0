"""Messages to the person, from any thread: kept in the log, shown by the window."""

import logging

from PySide6.QtCore import QObject, Signal

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_log = logging.getLogger("deskhand.notice")


class Notifier(QObject):
    """Call it with a level ("info", "warning", "error") and a message; ``told`` carries both to the window."""

    told = Signal(str, str)

    def __call__(self, level: str, message: str) -> None:
        """Tell the person something."""
        _log.log(_LEVELS.get(level, logging.INFO), "%s", message)
        self.told.emit(level, message)
