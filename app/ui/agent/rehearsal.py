"""The dry run in the window: our windows leave, the screen is captured once, and each target is looked for."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from agent.capture.screen import open_screen
from agent.runbook.runbook import Runbook
from agent.types import Frame, Rect
from app.translate import tr
from app.ui.agent.look import Look, Sighting, look_for
from app.ui.agent.run import look_options
from app.ui.agent.stage import Stage, image_of
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.picture import Mark
from model.chat import ChatModel
from model.wire.card import ModelCard

_GONE_S = 0.25


class Rehearsal(QObject):
    """One look at a time; the result shows on the stage."""

    def __init__(self, services: Services, stage: Stage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._stage = stage
        self._task: Task | None = None
        self._window: QWidget | None = None
        self._frame: Frame | None = None

    def start(
        self, runbook: Runbook, model: ChatModel, card: ModelCard | None, area_px: Rect | None, window: QWidget
    ) -> None:
        """Look for everything that a runbook needs, on the screen without ``window``."""
        self.cancel()
        self._frame = None
        self._window = window
        self._stage.state.setText(tr("Checking"))
        self._stage.say(tr("Looks for each target on the screen as it is now; nothing is clicked."))
        window.hide()

        def work(cancel: Cancel) -> Look:
            cancel.event.wait(_GONE_S)  # until whoever lay below us has been drawn
            with open_screen() as screen:
                return look_for(runbook, screen, area_px, model, look_options(card), cancel)

        self._task = self._services.tasks.run(work, done=self._done, failed=self._failed, progress=self._show)

    def cancel(self) -> None:
        """End a look that goes on."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._come_back()

    def _show(self, look: object) -> None:
        assert isinstance(look, Look)  # noqa: S101 - nothing else is reported
        self._come_back()
        if look.frame is not self._frame:
            self._frame = look.frame
            self._stage.picture.set_image(image_of(look.frame))
        self._stage.picture.set_marks([mark_of(each) for each in look.sightings if each.place])
        if look.sightings:
            last = look.sightings[-1]
            self._stage.say(tr("Looked for {what}", what=last.description))

    def _done(self, look: Look) -> None:
        self._show(look)
        self._task = None
        found = [each for each in look.sightings if each.place]
        missing = [f"{each.number}. {each.description}" for each in look.sightings if not each.place]
        self._stage.state.setText(
            tr("{found} of {all} targets are on the screen", found=len(found), all=len(look.sightings))
        )
        words = tr("Not there now: {what}", what="; ".join(missing)) if missing else ""
        self._stage.say(words or tr("What later steps open is not there yet; that is no mistake."))

    def _failed(self, error: Exception) -> None:
        self._task = None
        self._come_back()
        self._stage.state.setText(tr("The screen could not be checked"))
        self._stage.say(str(error))

    def _come_back(self) -> None:
        if self._window is not None:
            self._window.show()
            self._window.raise_()
            self._window = None


def mark_of(sighting: Sighting) -> Mark:
    """Return the place of a target with the number of its step."""
    assert sighting.place is not None  # noqa: S101 - only what was found is marked
    return Mark("point", (sighting.place,), label=str(sighting.number))
