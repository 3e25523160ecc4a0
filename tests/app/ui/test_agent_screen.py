"""Where things are on the screen: logical units and pixels, and the region that a person drags."""

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent.types import Point, Rect
from app.ui.agent.screens import map_from
from app.ui.capture.frozen import FrozenScreen

pytestmark = pytest.mark.usefixtures("services")


@pytest.mark.parametrize(
    ("logical", "scale", "point"),
    [
        (QRect(0, 0, 1280, 720), 1.5, Point(1919, 1079)),
        (QRect(1920, 0, 1280, 1440), 1.5, Point(1920, 0)),
        (QRect(1920, 0, 1280, 1440), 1.5, Point(3001, 777)),
        (QRect(-1080, -200, 540, 960), 2.0, Point(-5, 3)),
    ],
)
def test_a_pixel_comes_back_from_logical_units(logical: QRect, scale: float, point: Point) -> None:
    map_ = map_from(logical, scale)
    assert map_.rect_px.contains(point)
    there = map_.to_logical(point)
    assert map_.to_physical(there.x(), there.y()) == point


def frozen(qtbot: QtBot, scale: float = 2.0) -> FrozenScreen:
    picture = QImage(QSize(800, 600), QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.darkGreen)
    made = FrozenScreen(picture, map_from(QRect(0, 0, 400, 300), scale), QApplication.primaryScreen())
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_region_is_dragged_in_physical_pixels(qtbot: QtBot) -> None:
    screen = frozen(qtbot)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(screen.chosen):
        QTest.mousePress(screen, left, none, QPoint(200, 150))
        QTest.mouseMove(screen, QPoint(100, 100))
        QTest.mouseRelease(screen, left, none, QPoint(100, 50))
    assert screen.region == QRect(200, 100, 201, 201)
    assert screen.picture_of_region().size() == QSize(201, 201)
    screen.mark((0.5, 0.5))
    assert screen.marks[0].points[0] == pytest.approx(((200 + 100.5) / 800, (100 + 100.5) / 600))


def test_a_region_is_chosen_by_the_keyboard_alone_and_escape_leaves(qtbot: QtBot) -> None:
    screen = frozen(qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Space)
    for _ in range(3):
        QTest.keyClick(screen, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(screen, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(screen.chosen):
        QTest.keyClick(screen, Qt.Key.Key_Space)
    assert screen.region == QRect(400, 300, 61, 21)
    with qtbot.waitSignal(screen.left):
        QTest.keyClick(screen, Qt.Key.Key_Escape)


def test_a_click_without_a_drag_chooses_nothing(qtbot: QtBot) -> None:
    screen = frozen(qtbot)
    with qtbot.assertNotEmitted(screen.chosen):
        QTest.mouseClick(screen, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(50, 50))
    assert screen.region is None
    with qtbot.waitSignal(screen.chosen):
        QTest.keyClick(screen, Qt.Key.Key_Return)
    assert screen.region == QRect(0, 0, 800, 600)


def test_a_marked_rect_is_drawn_where_it_is() -> None:
    map_ = map_from(QRect(1920, 0, 960, 540), 2.0)
    placed = map_.rect_to_logical(Rect(2020, 100, 2120, 200))
    assert (placed.left(), placed.top(), placed.width(), placed.height()) == (1970, 50, 50, 50)
