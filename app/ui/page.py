"""What a page of the window is, and which there are."""

from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.ui.services import Services


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page by name; its module is imported when it is first shown. ``title`` is translated when it is drawn."""

    name: str
    module: str
    type_name: str


PAGES = (
    PageEntry("chat", "app.ui.chat.page", "ChatPage"),
    PageEntry("agent", "app.ui.agent.page", "AgentPage"),
    PageEntry("batch", "app.ui.batch.page", "BatchPage"),
    PageEntry("models", "app.ui.models.page", "ModelsPage"),
    PageEntry("settings", "app.ui.settings.page", "SettingsPage"),
)


class Page(QWidget):
    """One page. It is made when it is first shown, in the window's thread, and lives as long as the window."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services

    def shown(self) -> None:
        """Refresh what is cheap: the page has become visible."""

    def closing(self) -> None:
        """Stop work and save drafts, within a second: the application ends."""
