"""The run in view: its state and controls, what it asks, and the frame with the target on it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from agent.coords import to_relative
from agent.types import Frame, Point, Rect
from app.translate import tr
from app.ui.agent.question import QuestionCard
from app.ui.agent.timeline import Row
from app.ui.widgets.controls import button, hint, label
from app.ui.widgets.flow import flow
from app.ui.widgets.picture import Mark, PictureView


class Stage(QWidget):
    """Emits what the person wants; `AgentPage` does it."""

    pause_asked = Signal()
    stop_asked = Signal()
    over_asked = Signal()
    picked = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = label("", "subheading")
        self.detail = hint("")
        self.pause = button(tr("Pause"), icon="pause")
        self.over = button(tr("Take over"), icon="edit", tip=tr("Pause, and work by hand until you press Resume"))
        self.stop = button(tr("Stop"), icon="stop", role="danger")
        self.question = QuestionCard()
        self.picture = PictureView()
        self.picture.setMinimumHeight(180)
        self._controls = flow(self.pause, self.over, self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(flow(self.state, "stretch", self._controls))
        layout.addWidget(self.detail)
        layout.addWidget(self.question)
        layout.addWidget(self.picture, 1)
        self.pause.clicked.connect(self.pause_asked)
        self.over.clicked.connect(self.over_asked)
        self.stop.clicked.connect(self.stop_asked)
        self.question.pick_toggled.connect(self.picture.set_picking)
        self.picture.picked.connect(self.picked)
        self.show_idle()

    def show_idle(self) -> None:
        """Show that nothing runs."""
        self._controls.setVisible(False)
        self.question.close_question()
        self.state.setText(tr("Ready"))
        self.say(tr("What the agent sees, where it clicks and what came of it show here."))

    def show_running(self) -> None:
        """Show that a run goes on."""
        self._controls.setVisible(True)
        self.over.setEnabled(True)
        self.state.setText(tr("Working"))
        self.say("")
        self.show_paused("")

    def show_paused(self, reason: str) -> None:
        """Show that the run is paused, and why; an empty reason is none."""
        self.state.setText(tr("Paused") if reason else tr("Working"))
        self.pause.setText(tr("Resume") if reason else tr("Pause"))
        self.pause.set_icon("play" if reason else "pause")
        self.say(reason)

    def show_end(self, title: str, message: str) -> None:
        """Show how the run ended."""
        self._controls.setVisible(False)
        self.question.close_question()
        self.state.setText(title)
        self.say(message)

    def say(self, text: str) -> None:
        """Say something under the state."""
        self.detail.setText(text)
        self.detail.setVisible(bool(text))

    def show_row(self, row_: Row, *, after: bool = False) -> None:
        """Show a step's frame: before with its target, or after with what changed."""
        frame = row_.after if after and row_.after is not None else row_.frame
        if frame is None:
            self.picture.set_image(None)
            self.picture.set_marks(())
            return
        self.picture.set_image(image_of(frame))
        if frame is row_.after and after:
            self.picture.set_marks(boxes(frame, row_.changed_px, "success"))
        else:
            self.picture.set_marks(marks(frame, row_.marks.points, row_.marks.boxes_px))


def image_of(frame: Frame) -> QImage:
    """Return a frame as a picture of its own."""
    width, height = frame.size_px
    return QImage(bytes(frame.bgrx), width, height, width * 4, QImage.Format.Format_RGB32)


def marks(frame: Frame, points: Sequence[Point], boxes_px: Sequence[Rect] = ()) -> tuple[Mark, ...]:
    """Return marks for places of the virtual desktop that a frame shows."""
    placed = tuple(
        Mark("point", ((rel.x_rel, rel.y_rel),))
        for rel in (to_relative(p, frame.rect_px) for p in points if _in(p, frame))
    )
    return (*boxes(frame, boxes_px, "accent"), *placed)


def boxes(frame: Frame, rects_px: Sequence[Rect], tone: str) -> tuple[Mark, ...]:
    """Return the parts of a frame as marks."""
    shown = (rect.intersection(frame.rect_px) for rect in rects_px)
    return tuple(Mark("box", _corners(rect, frame.rect_px), tone=tone) for rect in shown if rect is not None)  # pyright: ignore[reportArgumentType]


def _corners(rect: Rect, whole: Rect) -> tuple[tuple[float, float], tuple[float, float]]:
    left, top = (rect.left - whole.left) / whole.width, (rect.top - whole.top) / whole.height
    return (left, top), ((rect.right - whole.left) / whole.width, (rect.bottom - whole.top) / whole.height)


def _in(point: Point, frame: Frame) -> bool:
    return frame.rect_px.contains(point)
