"""One entry, looked into: its picture with what was answered and what is right, and the words."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from agent.datasets.item import Box, Item, Polygon
from app.translate import tr
from app.ui.batch.entry import Entry
from app.ui.batch.source import Source, picture_bytes_of
from app.ui.batch.table import outcome_of
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import hint, icon_button, label, restyle, row
from app.ui.widgets.picture import Mark, PictureView, qimage_of
from model.errors import InputError
from model.image import open_image


class EntryView(QWidget):
    """Shows an entry; pictures are read in a worker, and those nobody waits for any more are dropped."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.entry: Entry | None = None
        self.picture = PictureView()
        self.picture.setAccessibleName(tr("Picture of the row"))
        self.instruction = label("", "subheading")
        self.outcome = label("")
        self.answer = hint("")
        for text in (self.instruction, self.answer):
            text.setWordWrap(True)
            text.setProperty("data", True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.outcome.setWordWrap(True)
        self.outcome.setProperty("data", True)
        self._task: Task | None = None
        self._source: Source | None = None
        self._shown: tuple[Source, object] | None = None
        zoom_in, zoom_out, fit = (
            icon_button("plus", tr("Show larger"), tr("Show larger (+)")),
            icon_button("minus", tr("Show smaller"), tr("Show smaller (-)")),
            icon_button("region", tr("Fit the picture in"), tr("Fit the picture in (0)")),
        )
        zoom_in.clicked.connect(self.picture.zoom_in)
        zoom_out.clicked.connect(self.picture.zoom_out)
        fit.clicked.connect(self.picture.fit)
        self.zoom = label("", "small")
        self.picture.zoomed.connect(self._tell_zoom)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.instruction)
        column.addWidget(self.picture, 1)
        column.addWidget(row(self.outcome, "stretch", self.zoom, zoom_out, fit, zoom_in, spacing=4))
        column.addWidget(self.answer)
        self.show_entry(None, None)

    def show_entry(self, source: Source | None, entry: Entry | None) -> None:
        """Show an entry of a run's input, or none."""
        self.entry, self._source = entry, source
        if entry is None or source is None:
            self._stop()
            self._shown = None
            self.picture.set_image(None)
            self.picture.set_marks(())
            self.instruction.setText(tr("Choose a row to look into it"))
            self.outcome.clear()
            self.answer.clear()
            return
        said, colour = outcome_of(entry)
        self.instruction.setText(entry.instruction or entry.id)
        distance = f" · {entry.distance_px:.0f} px" if entry.distance_px else ""
        where = f" · {entry.point_px[0]}, {entry.point_px[1]}" if entry.point_px else ""
        self.outcome.setText(said + where + distance)
        restyle(self.outcome, colour if colour in ("success", "danger", "warning") else "")
        self.answer.setText(entry.reason or entry.answer.strip()[:400])
        self._load(source, entry)

    def close_picture(self) -> None:
        """Wait for no picture any more."""
        self._stop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _load(self, source: Source, entry: Entry) -> None:
        wanted = (source, entry.image or entry.index)
        if wanted == self._shown:
            self._mark()
            return
        self._stop()
        self._shown = None
        self.picture.set_marks(())
        if entry.status == "bad_row" and entry.image is None:
            self.picture.set_image(None)
            return

        def read(_cancel: Cancel) -> QImage:
            where = entry.image or picture_bytes_of(source, entry.index)
            if where is None:
                raise InputError("the input has no such row any more")
            return qimage_of(open_image(where))

        def there(image: QImage) -> None:
            self._shown = wanted
            self.picture.set_image(image)
            self._mark()
            self._tell_zoom()

        self._task = self.services.tasks.run(read, done=there, failed=self._unreadable)

    def _unreadable(self, error: Exception) -> None:
        self.picture.set_image(None)
        self.answer.setText(str(error))

    def _mark(self) -> None:
        entry, image = self.entry, self.picture.image
        if entry is None or image is None:
            return
        marks: list[Mark] = []
        if entry.item is not None and (target := truth_mark(entry.item, (image.width(), image.height()))):
            marks.append(target)
        if entry.point_rel is not None:
            tone = "danger" if entry.verdict == "wrong" else "accent"
            marks.append(Mark("point", (entry.point_rel,), tr("answer"), tone))
        self.picture.set_marks(marks)

    def _tell_zoom(self) -> None:
        self.zoom.setText(f"{self.picture.zoom_percent} %" if self.picture.image is not None else "")
        self.zoom.setProperty("data", True)


def truth_mark(item: Item, size_px: tuple[int, int]) -> Mark | None:
    """Return the mark of a target on a picture of this size; None where there is no target."""
    width, height = size_px
    match item.target:
        case Box(left, top, right, bottom):
            corners = ((left / width, top / height), (right / width, bottom / height))
            return Mark("box", corners, tr("target"), "success")
        case Polygon(points):
            return Mark("polygon", tuple((x / width, y / height) for x, y in points), tr("target"), "success")
        case _:
            return None
