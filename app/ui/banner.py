"""The line above a page that says when the engine is in trouble, and what one can do."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.translate import tr
from app.ui.icons import pixmap
from app.ui.services import Services
from app.ui.widgets.controls import button, label


class EngineBanner(QWidget):
    """Shows itself while the engine restarts or has failed."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self.setProperty("role", "banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._picture = QLabel()
        self._words = label("")
        self._words.setWordWrap(True)
        self._words.setObjectName("engine-banner")
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._again = button(tr("Try again"), icon="refresh")
        self._again.clicked.connect(services.engine.restart)
        self._others = button(tr("Choose a model"), role="ghost")
        self._others.clicked.connect(self._choose)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.setSpacing(12)
        for widget in (self._picture, self._words, self._again, self._others):
            layout.addWidget(widget)
        services.engine.changed.connect(self.refresh)
        services.theme.changed.connect(self.refresh)
        self.refresh()

    @property
    def text(self) -> str:
        """What is said."""
        return self._words.text()

    def refresh(self) -> None:
        """Say how the engine is, or go away."""
        engine, tokens = self._services.engine, self._services.theme.tokens
        failed = engine.state == "failed"
        if failed:
            said = tr("The engine does not run: {why}", why=engine.message)
        elif engine.state == "restarting":
            said = tr("The engine stopped and is being started again. Nothing you wrote is lost.")
        else:
            self.hide()
            return
        self._words.setText(said)
        self._words.setAccessibleName(said)
        self._words.setToolTip(engine.message)
        colour = tokens.danger if failed else tokens.warning
        self._picture.setPixmap(pixmap("warning", colour, round(20 * tokens.text_px / 14)))
        self._again.setVisible(failed)
        self._others.setVisible(failed)
        self.show()

    def _choose(self) -> None:
        self._services.show_page("models")
