"""Charts: what they say to those who cannot see, what they draw, and what choosing a bar gives."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import tokens_now
from app.ui.widgets.charts import Bar, BarChart, Histogram, HistogramChart


def filled(widget: QWidget) -> int:
    """Count the pixels in the colour of bars."""
    image = widget.grab().toImage()
    wanted = QColor(tokens_now().accent).rgb()
    return sum(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


@pytest.fixture
def chart(qtbot: QtBot) -> BarChart:
    made = BarChart("Right answers by application", choosable=True)
    qtbot.addWidget(made)
    made.set_bars([Bar("word", 1.0, "(4/4)", 0.5, 1.0), Bar("gimp", 0.25, "(1/4)", 0.05, 0.7, name="GIMP")])
    made.resize(400, made.sizeHint().height())
    made.show()
    qtbot.waitExposed(made)
    return made


def test_bars_are_drawn_and_told(chart: BarChart) -> None:
    assert chart.accessibleName() == "Right answers by application"
    assert chart.accessibleDescription() == "word: 100% (4/4); gimp: 25% (1/4)"
    chart.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the frame of the focus has the colour of bars
    chart.clearFocus()
    before = filled(chart)
    chart.set_bars([Bar("word", 0.1, "(1/10)"), Bar("gimp", 0.1, "(1/10)")])
    assert 0 < filled(chart) < before / 3
    chart.set_bars([])
    assert chart.accessibleDescription() == "nothing yet"
    assert filled(chart) == 0


def test_a_bar_is_chosen_by_mouse_and_by_keyboard(chart: BarChart, qtbot: QtBot) -> None:
    with qtbot.waitSignal(chart.chosen) as chosen:
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(50, 5))
    assert chosen.args == ["word"]
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    with qtbot.waitSignal(chart.chosen) as chosen:
        qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert chosen.args == ["GIMP"]


def test_a_histogram_is_drawn_and_told(qtbot: QtBot) -> None:
    made = HistogramChart("Seconds a row")
    qtbot.addWidget(made)
    made.resize(300, 120)
    assert filled(made) == 0
    made.set_histogram(Histogram((0, 1, 2), (3, 1), ((0.5, "half within 0.5 s"),), "0 s", "2 s"))
    assert filled(made) > 1000
    assert made.accessibleDescription() == "half within 0.5 s"
