"""What a first start shows: the model finds something on the person's own screen, and what this machine can do."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QDialog, QFrame, QLineEdit, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.machine import MachineCard, ModelsCard
from app.ui.services import Services
from app.ui.show_me import Shown, look_at_screen
from app.ui.tasks import Task
from app.ui.widgets.controls import button, card, heading, hint, row, scroll, subheading
from app.ui.widgets.picture import Mark, PictureView, qimage_of

_PICTURE_PX = 300
_MARGIN_PX = 16


class WelcomeDialog(QDialog):
    """Needs a model only for its button, which waits until one is ready."""

    def __init__(self, services: Services, parent: QWidget) -> None:
        super().__init__(parent)
        self._services = services
        self._task: Task | None = None
        self.setWindowTitle(tr("Welcome to Deskhand"))
        self._size(parent)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 24, 24, 8)
        column.setSpacing(16)
        column.addWidget(heading(tr("Welcome to Deskhand")))
        column.addWidget(
            hint(
                tr(
                    "It sees your screen with a model on your own machine. "
                    "Nothing leaves it unless you choose a server elsewhere."
                )
            )
        )
        column.addWidget(self._try_card())
        self._machine = MachineCard(services)
        self._models = ModelsCard(services)
        column.addWidget(self._machine)
        column.addWidget(self._models)
        column.addStretch(1)
        start = button(tr("Start"), role="primary", name="welcome-start")
        start.clicked.connect(self.accept)
        footer = QWidget()
        foot = QVBoxLayout(footer)
        foot.setContentsMargins(24, 8, 24, 16)
        foot.addWidget(row("stretch", start))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._area = scroll(inner)
        layout.addWidget(self._area, 1)
        layout.addWidget(footer)
        services.engine.changed.connect(self._engine_changed)
        self.finished.connect(self._leave)
        self._engine_changed()
        self.what.setFocus()

    def _size(self, parent: QWidget) -> None:
        scale = self._services.theme.tokens.text_px / 14
        screen = QGuiApplication.primaryScreen().availableGeometry()
        room = parent.size() if parent.isVisible() else screen.size()
        width, height = round(800 * scale), round(740 * scale)
        self.resize(min(width, screen.width() - 40), min(height, max(room.height() - 40, 520), screen.height() - 60))

    def _try_card(self) -> QFrame:
        self.what = QLineEdit()
        self.what.setText(tr("the Start button"))
        self.what.setAccessibleName(tr("What to find on your screen"))
        self.what.setPlaceholderText(tr("Describe something that you see, such as “the clock”"))
        self.go = button(tr("Show me"), icon="search", role="primary", name="show-me")
        self.go.setDefault(True)
        self.go.clicked.connect(self.show_me)
        self.answer = hint("")
        self.answer.setObjectName("show-me-answer")
        self.picture = PictureView()
        self.picture.setMinimumHeight(_PICTURE_PX)
        self.picture.setAccessibleName(tr("Your screen, with what was found"))
        self.picture.hide()
        return card(
            subheading(tr("Try it on your own screen")),
            hint(tr("Takes one picture of your screen, finds what you describe, and marks it. Nothing is clicked.")),
            row(self.what, self.go),
            self.answer,
            self.picture,
            spacing=12,
        )

    def show_me(self) -> None:
        """Take a picture of the screen and find what is described."""
        model, what = self._services.engine.model(), self.what.text().strip()
        if model is None or not what:
            return
        card = self._services.engine.card
        self._busy(tr("Looking for “{what}”…", what=what))
        self._task = self._services.tasks.run(
            lambda cancel: look_at_screen(cancel, model, card, what), done=self._found, failed=self._failed
        )

    def _found(self, shown: Shown) -> None:
        self._task = None
        image = qimage_of(shown.picture)
        self.picture.set_image(image)
        self.picture.show()
        if shown.point_rel is None or shown.point_px is None:
            self.picture.set_marks([])
            said = tr("Not found: {why}", why=shown.why)
        else:
            self.picture.set_marks([Mark("point", (shown.point_rel,), self.what.text().strip())])
            x, y = shown.point_px
            said = tr("Found at {x}, {y} in {seconds:.1f} s.", x=x, y=y, seconds=shown.seconds)
        self.answer.setText(said)
        self._engine_changed(keep=True)
        # The picture has just been shown: its place is known once the layout has been done.
        QTimer.singleShot(0, self._bring_into_view)

    def _bring_into_view(self) -> None:
        self._area.ensureWidgetVisible(self.picture, 0, _MARGIN_PX)

    def _failed(self, error: Exception) -> None:
        self._task = None
        self.answer.setText(str(error))
        self._engine_changed(keep=True)

    def _busy(self, said: str) -> None:
        self.answer.setText(said)
        self.go.setEnabled(False)

    def _engine_changed(self, keep: bool = False) -> None:
        engine = self._services.engine
        can = engine.card is not None and "ground" in engine.card.capabilities
        self.go.setEnabled(engine.state == "ready" and can and self._task is None)
        if keep or self._task is not None:
            return
        match engine.state:
            case "ready" if can:
                self.answer.setText(tr("The model is loaded and ready."))
            case "ready":
                self.answer.setText(tr("The model that is loaded cannot find things on a screen."))
            case "failed":
                self.answer.setText(tr("The engine does not run: {why}", why=engine.message))
            case "none":
                self.answer.setText(tr("No model loaded"))
            case _:
                self.answer.setText(tr("The model is being loaded…"))

    def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._machine.stop()
        self._models.stop()
        self._services.settings.change(welcomed=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Enter in the field show what is described, and end nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.what.hasFocus():
            self.show_me()
            return
        super().keyPressEvent(event)
