"""What every page is given: the parts of the application that are not widgets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.settings import SettingsStore
from app.ui.engine import EngineService
from app.ui.tasks import Tasks
from app.ui.theme import ThemeService


def _nowhere(_page: str) -> None:
    """Stand in for the window where there is none."""


@dataclass(frozen=True, slots=True)
class Services:
    """``notify`` shows a message of level "info", "warning" or "error"; ``show_page`` goes to a page by its name."""

    settings: SettingsStore
    tasks: Tasks
    engine: EngineService
    theme: ThemeService
    data_folder: Path
    notify: Callable[[str, str], None]
    show_page: Callable[[str], None] = _nowhere
