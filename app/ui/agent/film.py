"""A recorded run as a film: a strip of its steps, the picture of one, and Play."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.agent.history import THUMB_PX, Picture, Still
from app.ui.theme import tokens_now
from app.ui.widgets.controls import button, hint, icon_button
from app.ui.widgets.flow import flow
from app.ui.widgets.picture import Mark, PictureView

_EACH_MS = 1200


class Film(QWidget):
    """Each step shows twice while it plays: before, with the target, and after, with what changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stills: list[Still] = []
        self._after = False
        self.picture = PictureView()
        self.picture.setAccessibleName(tr("Picture of the step"))
        self.words = hint("")
        self.words.setMinimumHeight(36)
        self.strip = QListWidget()
        self.strip.setAccessibleName(tr("Film strip"))
        self.strip.setViewMode(QListView.ViewMode.IconMode)
        self.strip.setFlow(QListView.Flow.LeftToRight)
        self.strip.setWrapping(False)
        self.strip.setMovement(QListView.Movement.Static)
        self._unit = tokens_now().text_px / 14
        self.strip.setIconSize(QSize(112, 63) * self._unit)
        self.strip.setSpacing(4)
        self.strip.setFixedHeight(round(122 * self._unit))
        self.strip.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.play = button(tr("Play"), icon="play")
        self.side = button(tr("After"))
        self.side.setCheckable(True)
        self.side.setToolTip(tr("Show the screen after the step, with what changed"))
        self.previous = icon_button("chevron-up", tr("Previous step"))
        self.following = icon_button("chevron-down", tr("Next step"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.words)
        layout.addWidget(flow(self.play, self.previous, self.following, "stretch", self.side, spacing=6))
        layout.addWidget(self.strip)
        self._clock = QTimer(self)
        self._clock.setInterval(_EACH_MS)
        self._clock.timeout.connect(self._tick)
        self.strip.currentRowChanged.connect(self._show)
        self.play.clicked.connect(self._play_or_pause)
        self.side.toggled.connect(self._turn)
        self.previous.clicked.connect(self._back)
        self.following.clicked.connect(self._on)
        self.clear()

    @property
    def stills(self) -> list[Still]:
        """The steps that are shown."""
        return self._stills

    def clear(self) -> None:
        """Show nothing."""
        self.show_stills([])

    def show_stills(self, stills: list[Still]) -> None:
        """Show a run from its beginning."""
        self.pause()
        self._stills = stills
        self.strip.blockSignals(True)
        self.strip.clear()
        for still in stills:
            thumb = QPixmap(*THUMB_PX)
            thumb.fill(Qt.GlobalColor.transparent)
            if still.thumb:
                thumb.loadFromData(still.thumb)
            item = QListWidgetItem(QIcon(thumb), still.row.title)
            item.setToolTip(still.row.text)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, still.row.text)
            item.setSizeHint(QSize(124, 94) * self._unit)
            self.strip.addItem(item)
        self.strip.blockSignals(False)
        for made in (self.play, self.side, self.previous, self.following):
            made.setEnabled(bool(stills))
        if stills:
            self.strip.setCurrentRow(0)
        self._show(self.strip.currentRow())

    def pause(self) -> None:
        """Stop playing."""
        self._clock.stop()
        self.play.setText(tr("Play"))
        self.play.set_icon("play")

    def _play_or_pause(self) -> None:
        if self._clock.isActive():
            self.pause()
            return
        if self.strip.currentRow() >= len(self._stills) - 1:
            self.strip.setCurrentRow(0)
        self.side.setChecked(False)
        self._clock.start()
        self.play.setText(tr("Pause"))
        self.play.set_icon("pause")

    def _tick(self) -> None:
        still = self._current()
        if still is not None and still.after is not None and not self.side.isChecked():
            self.side.setChecked(True)
        elif self.strip.currentRow() < len(self._stills) - 1:
            self.side.setChecked(False)
            self._on()
        else:
            self.pause()

    def _on(self) -> None:
        self.strip.setCurrentRow(min(self.strip.currentRow() + 1, len(self._stills) - 1))

    def _back(self) -> None:
        self.strip.setCurrentRow(max(0, self.strip.currentRow() - 1))

    def _turn(self, _on: bool) -> None:
        self._show(self.strip.currentRow())

    def _current(self) -> Still | None:
        place = self.strip.currentRow()
        return self._stills[place] if 0 <= place < len(self._stills) else None

    def _show(self, _place: int) -> None:
        still = self._current()
        if still is None:
            self.picture.set_image(None)
            self.picture.set_marks(())
            self.words.setText("")
            return
        after = self.side.isChecked() and still.after is not None
        picture = still.after if after else still.before
        self.picture.set_image(QImage.fromData(picture.packed) if picture is not None else None)
        self.picture.set_marks(_marks(picture, after=after))
        self.words.setText(still.row.text)


def _marks(picture: Picture | None, *, after: bool) -> list[Mark]:
    if picture is None:
        return []
    tone = "success" if after else "accent"
    boxes = [Mark("box", corners, tone=tone) for corners in picture.boxes]
    return [*boxes, *(Mark("point", (point,)) for point in picture.points)]
