"""The picture view: what is drawn where, at which zoom, and what a click or a key picks."""

import os
import subprocess
import sys

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.theme import tokens_now
from app.ui.widgets.picture import Mark, PictureView, qimage_of

RED, BLUE = "#ff0000", "#0000ff"


def squares(width: int = 400, height: int = 200) -> QImage:
    """Make a red picture with a blue lower right quarter."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, height // 2, width, height))
    return qimage_of(picture)


@pytest.fixture
def view(qtbot: QtBot) -> PictureView:
    made = PictureView()
    qtbot.addWidget(made)
    made.resize(400, 400)
    made.show()
    qtbot.waitExposed(made)
    made.set_image(squares())
    return made


def colour(view: PictureView, x: float, y: float) -> str:
    return view.grab().toImage().pixelColor(round(x), round(y)).name()


def wheel(view: PictureView, at: QPointF, notches: int) -> None:
    buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    delta = QPoint(0, 120 * notches)
    QApplication.sendEvent(
        view, QWheelEvent(at, at, QPoint(), delta, buttons, keys, Qt.ScrollPhase.NoScrollPhase, False)
    )


def test_a_pil_picture_keeps_its_colours_and_its_transparency() -> None:
    """Three bytes a pixel do not fill Qt's padded lines, and alpha stays."""
    odd = Image.new("RGB", (7, 3), RED)
    odd.putpixel((6, 2), (1, 2, 3))
    made = qimage_of(odd)
    assert (made.width(), made.height()) == (7, 3)
    assert made.pixelColor(6, 2).name() == "#010203"
    assert qimage_of(Image.new("RGBA", (2, 2), (9, 9, 9, 0))).pixelColor(0, 0).alpha() == 0
    assert qimage_of(Image.new("L", (2, 2), 7)).pixelColor(1, 1).name() == "#070707"


def test_it_fits_the_picture_in_and_says_so(view: PictureView) -> None:
    """A 400 × 200 picture lies in the middle of a square."""
    assert view.zoom_percent == 100
    assert colour(view, 200, 50) == tokens_now().code_background
    assert colour(view, 50, 150) == RED
    assert colour(view, 300, 280) == BLUE
    assert view.relative_at(QPointF(200, 200)) == (0.5, 0.5)
    assert view.relative_at(QPointF(200, 50)) is None
    assert "400 × 200" in view.accessibleDescription()
    assert view.accessibleName()


def test_the_wheel_zooms_about_the_mouse(view: PictureView) -> None:
    """What is under the mouse stays there."""
    at = QPointF(250, 215)
    before = view.relative_at(at)
    wheel(view, at, 5)
    assert view.zoom_percent > 250
    assert view.relative_at(at) == pytest.approx(before, abs=1e-6)
    wheel(view, at, -30)
    assert view.zoom_percent == 100
    assert view.relative_at(QPointF(200, 200)) == (0.5, 0.5)


def test_keys_zoom_pan_and_fit(view: PictureView, qtbot: QtBot) -> None:
    """Everything works without a mouse."""
    with qtbot.waitSignal(view.zoomed):
        qtbot.keyClick(view, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    for _ in range(5):
        qtbot.keyClick(view, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    seen = view.relative_at(QPointF(200, 200))
    qtbot.keyClick(view, Qt.Key.Key_Right)
    moved = view.relative_at(QPointF(200, 200))
    assert seen is not None
    assert moved is not None
    assert moved[0] > seen[0]
    for _ in range(99):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert colour(view, 399 - 3, 200) in (RED, BLUE)
    qtbot.keyClick(view, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert view.zoom_percent == 100


def test_dragging_pans_and_does_not_pick(view: PictureView, qtbot: QtBot) -> None:
    """The place under the mouse follows it."""
    view.set_picking(True)
    picks: list[tuple[float, float]] = []
    view.picked.connect(lambda x, y: picks.append((x, y)))
    wheel(view, QPointF(200, 200), 6)
    start, end = QPoint(200, 200), QPoint(260, 230)
    held = view.relative_at(QPointF(start))
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert view.relative_at(QPointF(end)) == pytest.approx(held, abs=1e-6)
    assert not picks


def test_a_click_picks_only_when_picking_is_on(view: PictureView, qtbot: QtBot) -> None:
    """The place is relative to the picture, and outside it there is none."""
    picks: list[tuple[float, float]] = []
    view.picked.connect(lambda x, y: picks.append((x, y)))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 150))
    assert not picks
    view.set_picking(True)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 150))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 50))
    assert picks == [(0.25, 0.25)]


def test_the_keyboard_picks_to_the_pixel(view: PictureView, qtbot: QtBot) -> None:
    """The cross begins in the middle and moves pixel by pixel, with Shift ten at a time."""
    view.set_picking(True)
    for _ in range(3):
        qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(view.picked) as picked:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert picked.args == pytest.approx([197 / 400, 110 / 200])


@pytest.mark.parametrize("notches", [0, 8])
def test_marks_are_as_thick_at_every_zoom(view: PictureView, notches: int) -> None:
    """A box's line is two pixels wide, its inside stays to be seen."""
    view.set_marks([Mark("box", ((0.45, 0.4), (0.55, 0.6)), tone="danger")])
    wheel(view, QPointF(200, 200), notches)
    y = view.place_of(0.5, 0.5).y()
    left = round(view.place_of(0.45, 0.5).x())
    line = [colour(view, x, y) for x in range(left - 6, left + 7)]
    assert 1 <= line.count(tokens_now().danger) <= 2
    assert line[-1] == RED


def test_labels_are_read_to_those_who_cannot_see_and_kept_inside(view: PictureView) -> None:
    """A label at the edge is drawn inside the view."""
    view.set_marks([Mark("point", ((0.999, 0.5),), "the Save button"), Mark("point", ((0.001, 0.5),), "Open")])
    assert "the Save button, Open" in view.accessibleDescription()
    drawn = view.grab().toImage()
    marker = QColor(tokens_now().marker).name()
    filled = [x for x in range(400) if any(drawn.pixelColor(x, y).name() == marker for y in range(160, 190))]
    assert filled[-1] - filled[0] > 100
    assert filled[-1] < 400


def test_a_large_picture_shrunk_keeps_its_thin_lines(view: PictureView) -> None:
    """Every fourth column is black: shrunk eight times it is an even grey, not a pattern."""
    picture = Image.new("L", (3200, 800), 255)
    for x in range(0, 3200, 4):
        picture.paste(0, (x, 0, x + 1, 800))
    view.set_image(qimage_of(picture))
    row = {colour(view, x, 200) for x in range(50, 350, 7)}
    assert all(abs(QColor(name).red() - 191) < 12 for name in row)


def test_the_next_frame_keeps_the_zoom_and_another_size_does_not(view: PictureView) -> None:
    """Frames of a run change in place."""
    wheel(view, QPointF(300, 260), 5)
    zoom = view.zoom_percent
    view.set_image(squares())
    assert view.zoom_percent == zoom
    view.set_image(squares(800, 800))
    assert view.zoom_percent == 50
    view.set_image(None)
    assert view.image is None
    assert view.relative_at(QPointF(200, 200)) is None


DENSE = """
from PySide6.QtWidgets import QApplication
from PIL import Image
app = QApplication([])
from app.ui.widgets.picture import PictureView, qimage_of
view = PictureView()
view.resize(200, 200)
picture = Image.new("L", (400, 400), 255)
for x in range(0, 400, 2):
    picture.paste(0, (x, 0, x + 1, 400))
view.set_image(qimage_of(picture))
drawn = view.grab().toImage()
print(view.zoom_percent, drawn.width(), [drawn.pixelColor(x, 200).red() for x in range(100, 106)])
"""


def test_on_a_dense_screen_every_pixel_is_one_pixel() -> None:
    """At a scale of 2, a 400 px picture in 200 logical px is drawn pixel for pixel, not blurred."""
    environment = {**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    ran = subprocess.run([sys.executable, "-c", DENSE], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "100 400 [0, 255, 0, 255, 0, 255]"


def test_the_picture_is_seen_with_focus_and_labels(view: PictureView) -> None:
    """The frame of the focus is a line, whatever was drawn before it."""
    view.setFocus()
    view.set_marks([Mark("point", ((0.25, 0.25),), "here", tone="success")])
    assert view.hasFocus()
    assert colour(view, 50, 200) == RED
    assert colour(view, 300, 280) == BLUE
