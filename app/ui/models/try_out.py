"""“Test this model”: three targets on a sample picture are located, and the miss is told in pixels."""

from dataclasses import dataclass

from PIL import Image
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from agent.locate import LocateOptions, locate
from app.samples import Target, sample
from app.translate import tr
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import hint, label, restyle
from app.ui.widgets.picture import Mark, PictureView, qimage_of
from model.chat import ChatModel
from model.wire.card import ModelCard

MOST_TARGETS = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """One target: where it was found, how far off in pixels (0 on it, None nowhere), and how long that took."""

    number: int
    point_rel: tuple[float, float] | None
    error_px: float | None
    seconds: float


def try_targets(cancel: Cancel, model: ChatModel, card: ModelCard) -> list[Tried]:
    """Locate the targets, reporting each as it is done; raise what the model raises."""
    path, targets = sample()
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    options = LocateOptions.of(card)
    found: list[Tried] = []
    for number, target in enumerate(targets[:MOST_TARGETS]):
        if cancel.is_set:
            break
        place = locate(model, picture, target.instruction, options, cancel.event)
        error = target.distance_px(*place.point_px) if place.point_px else None
        found.append(Tried(number, place.point_rel, error, place.ms / 1000))
        cancel.report(found[-1])
    return found


class TryOut(QDialog):
    """Shows the sample, the targets, and what the model makes of them."""

    def __init__(self, services: Services, model: ChatModel, card: ModelCard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Test of {name}", name=card.id))
        self.setMinimumSize(640, 480)
        self.resize(860, 700)
        path, targets = sample()
        self.targets: list[Target] = targets[:MOST_TARGETS]
        self.tried: list[Tried] = []
        self.picture = PictureView()
        self.picture.setAccessibleName(tr("Sample picture"))
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        self._size_px = image.size
        self.picture.set_image(qimage_of(image))
        self.verdict = label(tr("Locating three targets…"), "subheading")
        self.results = [label(tr("waiting…"), "muted") for _target in self.targets]
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setColumnStretch(0, 1)
        for line, target in enumerate(self.targets):
            asked = label(target.instruction)
            asked.setProperty("data", True)
            asked.setWordWrap(True)
            self._grid.addWidget(asked, line, 0)
            self._grid.addWidget(self.results[line], line, 1)
        buttons = QDialogButtonBox()
        buttons.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        column.addWidget(self.verdict)
        column.addWidget(hint(tr("A green box is the target, a ring the answer.")))
        column.addWidget(self.picture, 1)
        column.addLayout(self._grid)
        column.addWidget(buttons)
        self._mark()
        self._task: Task | None = services.tasks.run(
            lambda cancel: try_targets(cancel, model, card), done=self._done, failed=self._failed, progress=self._one
        )

    def reject(self) -> None:
        """Close, and wait for nothing any more."""
        if self._task is not None:
            self._task.cancel()
        super().reject()

    def _one(self, tried: object) -> None:
        if not isinstance(tried, Tried):
            return
        self.tried.append(tried)
        result = self.results[tried.number]
        seconds = f"{tried.seconds:.1f}"
        if tried.error_px is None:
            result.setText(tr("not found, {seconds} s", seconds=seconds))
        elif tried.error_px == 0:
            result.setText(tr("on the target, {seconds} s", seconds=seconds))
        else:
            result.setText(tr("{error} px off, {seconds} s", error=f"{tried.error_px:.0f}", seconds=seconds))
        restyle(result, "success" if tried.error_px == 0 else "danger")
        self._mark()

    def _done(self, tried: list[Tried]) -> None:
        hits = sum(each.error_px == 0 for each in tried)
        self.verdict.setText(tr("{hits} of {count} targets hit", hits=hits, count=len(self.targets)))
        restyle(self.verdict, "subheading")

    def _failed(self, error: Exception) -> None:
        self.verdict.setText(str(error))
        self.verdict.setProperty("data", True)
        self.verdict.setWordWrap(True)

    def _mark(self) -> None:
        width, height = self._size_px
        marks = [
            Mark(
                "box", ((box[0] / width, box[1] / height), (box[2] / width, box[3] / height)), str(line + 1), "success"
            )
            for line, box in enumerate(target.box_px for target in self.targets)
        ]
        marks += [
            Mark("point", (each.point_rel,), "", "accent" if each.error_px == 0 else "danger")
            for each in self.tried
            if each.point_rel is not None
        ]
        self.picture.set_marks(marks)
