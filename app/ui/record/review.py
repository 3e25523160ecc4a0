"""What was recorded, looked over: each target gets a name, and is looked for by it in the picture it was clicked in."""

import math
import operator
from dataclasses import dataclass, replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QSplitter, QVBoxLayout, QWidget

from agent.coords import to_relative
from agent.locate import LocateOptions, locate
from agent.types import Point, Rect
from app.translate import tr
from app.ui.agent.run import look_options
from app.ui.record.same_place import is_same_place
from app.ui.record.secrets import hidden, numbered, settle
from app.ui.record.taken import Taken, element_of
from app.ui.record.writing import said, steps_text
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import button, hint, label, row
from app.ui.widgets.picture import Mark, PictureView
from model.chat import ChatModel


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking for a step's target: where, and how far from the click. ``place`` None is not there.

    ``same`` says that it is the element that was clicked, however far within it.
    """

    number: int
    place: tuple[float, float] | None
    off_px: float
    same: bool


class ReviewDialog(QDialog):
    """``made`` carries the steps as text. ``programs_tell`` says whether programs could be asked for names."""

    made = Signal(str)

    def __init__(
        self, services: Services, taken: tuple[Taken, ...], parent: QWidget | None = None, programs_tell: bool = True
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._taken = settle(list(taken))
        self._found: dict[int, Found] = {}
        self._task: Task | None = None
        self.setWindowTitle(tr("What was recorded"))
        self.resize(860, 560)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Recorded steps"))
        self.list.setWordWrap(True)
        self.picture = PictureView()
        self.words = QLineEdit()
        self.words.setAccessibleName(tr("What is it called?"))
        self.words.setPlaceholderText(tr("What is it called? Such as: the Save button"))
        self.end_words = QLineEdit()
        self.end_words.setAccessibleName(tr("What is it dragged to?"))
        self.end_words.setPlaceholderText(tr("What is it dragged to?"))
        self.state = hint("")
        self.remove = button(tr("Remove step"), icon="trash")
        self.hide_text = button(
            tr("It is a secret"), icon="lock", tip=tr("Forget what was typed; a run reads it from where you keep it")
        )
        self.check = button(tr("Check the names"), icon="search", tip=tr("Look for each target by its name"))
        self.use = button(tr("Use these steps"), icon="check", role="primary")
        self._build(programs_tell)
        self.list.currentRowChanged.connect(self._chosen)
        self.words.textChanged.connect(self._named)
        self.words.returnPressed.connect(self._next)
        self.end_words.textChanged.connect(self._named)
        self.remove.clicked.connect(self._remove)
        self.hide_text.clicked.connect(self._hide_text)
        self.check.clicked.connect(self._check)
        self.use.clicked.connect(self._use)
        self.finished.connect(self._stop)
        self._fill()

    def _build(self, programs_tell: bool) -> None:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.picture, self.words, self.end_words, self.state):
            column.addWidget(widget, 1 if widget is self.picture else 0)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(right)
        split.setSizes([300, 520])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(10)
        layout.addWidget(label(tr("What was recorded"), "subheading"))
        layout.addWidget(hint(tr("Say in words what you clicked. What you typed stands here as you typed it.")))
        if not programs_tell:
            layout.addWidget(hint(tr("Your programs do not tell which fields are for passwords: name those as such.")))
        layout.addWidget(split, 1)
        layout.addWidget(row(self.remove, self.hide_text, "stretch", self.check, self.use))
        for made in (self.remove, self.hide_text, self.check, self.use):
            made.setAutoDefault(False)

    def _fill(self, place: int = -1) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for row_, taken in enumerate(numbered(hidden(self._taken))):
            self.list.addItem(QListWidgetItem(self._line(row_, taken)))
        self.list.blockSignals(False)
        first = next((n for n, taken in enumerate(self._taken) if taken.needs_words), 0)
        self.list.setCurrentRow(min(first if place < 0 else place, len(self._taken) - 1))
        self._refresh()
        if self.words.isVisibleTo(self):
            self.words.setFocus()

    def _chosen(self, place: int) -> None:
        """Show another step; what the one before was called is meant now."""
        chosen = self._taken[place] if 0 <= place < len(self._taken) else None
        if self._settle():
            self._fill(self._taken.index(chosen) if chosen in self._taken else min(place, len(self._taken) - 1))
            return
        self._show(place)

    def _settle(self) -> bool:
        """Forget what was typed into fields with the name of a secret; say whether that was any."""
        before, self._taken = self._taken, settle(self._taken)
        if len(before) == len(self._taken) and all(map(operator.is_, before, self._taken)):
            return False
        self._stop()
        self._found.clear()
        return True

    def _show(self, place: int) -> None:
        taken = self._taken[place] if 0 <= place < len(self._taken) else None
        named = taken is not None and taken.is_named
        self.hide_text.setVisible(taken is not None and taken.kind == "type" and not taken.secret)
        for field, words in ((self.words, "words"), (self.end_words, "end_words")):
            field.blockSignals(True)
            field.setText(getattr(taken, words) if taken is not None else "")
            field.blockSignals(False)
        self.words.setVisible(named)
        self.end_words.setVisible(taken is not None and taken.kind == "drag")
        shot = taken.shot if taken is not None else None
        self.picture.set_image(QImage.fromData(shot.packed) if shot is not None else None)
        self._mark()

    def _mark(self) -> None:
        place = self.list.currentRow()
        taken = self._taken[place] if 0 <= place < len(self._taken) else None
        marks: list[Mark] = []
        if taken is not None and taken.shot is not None:
            points = [point for point in (taken.point, taken.end) if point is not None]
            marks = [
                Mark("point", (_relative(point, taken),)) for point in points if taken.shot.rect_px.contains(point)
            ]
        found = self._found.get(place)
        if found is not None and found.place is not None:
            marks.append(Mark("point", (found.place,), tr("found"), "success" if found.same else "danger"))
        self.picture.set_marks(marks)
        self.state.setText(_told(found))

    def _named(self) -> None:
        place = self.list.currentRow()
        if not 0 <= place < len(self._taken):
            return
        words, end_words = self.words.text(), self.end_words.text()
        self._taken[place] = replace(self._taken[place], words=words, end_words=end_words)
        self._found.pop(place, None)
        for row_, shown in enumerate(numbered(hidden(self._taken))):
            self.list.item(row_).setText(self._line(row_, shown))
        self._mark()
        self._refresh()

    def _line(self, place: int, taken: Taken) -> str:
        found = self._found.get(place)
        return said(taken) if found is None else f"{'✓' if found.same else '✗'} {said(taken)}"

    def _next(self) -> None:
        """Go to the next target without a name."""
        if self._settle():
            self._fill()
        for place, taken in enumerate(self._taken):
            if taken.needs_words:
                self.list.setCurrentRow(place)
                self.words.setFocus()
                return

    def _refresh(self) -> None:
        ready = bool(self._taken) and not any(taken.needs_words for taken in self._taken)
        self.use.setEnabled(ready)
        self.remove.setEnabled(bool(self._taken))
        named = any(map(can_check, self._taken))
        self.check.setEnabled(named and self._services.engine.model() is not None)

    def _remove(self) -> None:
        place = self.list.currentRow()
        if 0 <= place < len(self._taken):
            del self._taken[place]
            self._stop()
            self._found.clear()
            self._fill(place)

    def _hide_text(self) -> None:
        place = self.list.currentRow()
        if 0 <= place < len(self._taken):
            self._taken[place] = replace(self._taken[place], text="", secret=True)
            self._settle()
            self._fill()

    def _check(self) -> None:
        model = self._services.engine.model()
        if model is None:
            return
        self._stop()
        place = self.list.currentRow()
        self._settle()
        self._found.clear()
        self._fill(min(place, len(self._taken) - 1))
        taken, options = tuple(self._taken), look_options(self._services.engine.card)
        self.state.setText(tr("looks"))

        def work(cancel: Cancel) -> None:
            check_names(taken, model, options, cancel)

        self._task = self._services.tasks.run(work, done=self._checked, failed=self._failed, progress=self._one)

    def _one(self, found: object) -> None:
        assert isinstance(found, Found)  # noqa: S101 - nothing else is reported
        self._found[found.number] = found
        shown = numbered(hidden(self._taken))[found.number]
        self.list.item(found.number).setText(self._line(found.number, shown))
        self._mark()

    def _checked(self, _nothing: None) -> None:
        self._task = None
        right = sum(found.same for found in self._found.values())
        self.state.setText(tr("{right} of {all} targets were found by name", right=right, all=len(self._found)))

    def _failed(self, error: Exception) -> None:
        self._task = None
        self.state.setText(str(error))

    def _use(self) -> None:
        self.made.emit(steps_text(tuple(self._taken)))
        self.accept()

    def _stop(self, _result: int = 0) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None


def check_names(taken: tuple[Taken, ...], model: ChatModel, options: LocateOptions, cancel: Cancel) -> None:
    """Look for each named target in the picture it was clicked in and report a `Found` each."""
    for number, each in enumerate(taken):
        if cancel.event.is_set():
            return
        if not can_check(each) or each.shot is None or each.point is None:
            continue
        element, image = element_of(each.words), each.shot.image()
        location = locate(model, image, element.description, options, cancel.event)
        if location.point_px is None:
            cancel.report(Found(number, None, math.inf, False))
            continue
        left, top = each.shot.rect_px.left, each.shot.rect_px.top
        clicked, found = Point(each.point.x_px - left, each.point.y_px - top), Point(*location.point_px)
        told = each.told.box_px if each.told is not None and each.told.is_control else None
        box = None if told is None else Rect(told.left - left, told.top - top, told.right - left, told.bottom - top)
        off_px = math.dist(location.point_px, (clicked.x_px, clicked.y_px))
        cancel.report(Found(number, location.point_rel, off_px, is_same_place(image, clicked, found, box)))


def can_check(taken: Taken) -> bool:
    """Say whether what was done has one target with a name and a picture to look for it in."""
    placed = taken.shot is not None and taken.point is not None
    return placed and taken.kind in ("click", "type") and bool(taken.words.strip())


def _told(found: Found | None) -> str:
    if found is None:
        return ""
    if found.place is None:
        return tr("It is not found by this name; say it in other words.")
    if found.same:
        return tr("Found where you clicked, {px} px off.", px=round(found.off_px))
    return tr("By this name another place is found, {px} px away; say it in other words.", px=round(found.off_px))


def _relative(point: Point, taken: Taken) -> tuple[float, float]:
    assert taken.shot is not None  # noqa: S101 - asked before
    placed = to_relative(point, taken.shot.rect_px)
    return placed.x_rel, placed.y_rel
