"""The list of a run's steps; it follows the run until the person chooses a step."""

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.translate import tr
from app.ui.agent.delegate import StepDelegate
from app.ui.agent.timeline import TimelineModel


class StepList(QListView):
    """``chosen`` carries the index of the step to be looked at."""

    chosen = Signal(QModelIndex)

    def __init__(self, model: TimelineModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(StepDelegate(self))
        self.setAccessibleName(tr("Steps of the run"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(False)
        self.setMinimumWidth(260)
        self.selectionModel().currentChanged.connect(self._current_changed)
        model.dataChanged.connect(self._row_changed)

    def follow(self) -> None:
        """Go to the last step, unless the person looks at an earlier one."""
        last = self.model().rowCount() - 1
        if last < 0:
            return
        place = self.currentIndex().row()
        index = self.model().index(last, 0)
        if place == last:
            self.chosen.emit(index)
            self.scrollToBottom()
        elif place < 0 or place == last - 1:
            self.setCurrentIndex(index)
            self.scrollToBottom()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Wrap the words anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current)

    def _row_changed(self) -> None:
        # A row grows with what is known of its step.
        self.scheduleDelayedItemsLayout()
