"""The proof that our border is in no frame. A camera stands in for desktops that go on showing or fade windows out."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from agent.errors import CaptureError
from agent.types import Frame, Rect
from app.ui.agent.cleared_camera import ClearedCamera
from app.ui.overlay import Overlay

Rgb = tuple[int, int, int]
DESKTOP: Rgb = (20, 60, 90)


class StandInCamera:
    """Shows the border's colour mixed with the desktop's, by how often it has been asked."""

    def __init__(self, rgb: Rgb, share_at: Callable[[int], float]) -> None:
        self._rgb, self._share_at = np.array(rgb), share_at
        self.asked = 0

    def grab(self, part: Rect | None = None, *, allow_black: bool = False) -> Frame:
        share = self._share_at(self.asked)
        self.asked += 1
        rect = part or Rect(0, 0, 100, 100)
        pixels = np.zeros((rect.height, rect.width, 4), np.uint8)
        pixels[:, :, 2::-1] = self._rgb * share + np.array(DESKTOP) * (1 - share)
        return Frame(pixels, rect, (), 0.0, "stand-in")


@pytest.fixture
def overlay(qtbot: QtBot) -> Overlay:
    overlay = Overlay()
    overlay.start()
    return overlay


def grabbed(overlay: Overlay, share_at: Callable[[int], float], qtbot: QtBot) -> Frame | Exception:
    """Capture on a thread, as a run does."""
    answers: list[Frame | Exception] = []
    (_, rgb), *_ = overlay.edges
    camera = ClearedCamera(StandInCamera(rgb, share_at), overlay)

    def work() -> None:
        try:
            answers.append(camera.grab())
        except CaptureError as error:
            answers.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    qtbot.waitUntil(lambda: bool(answers), timeout=20_000)
    thread.join()
    overlay.close()
    return answers[0]


def test_a_border_that_leaves_at_once_is_proved_gone(overlay: Overlay, qtbot: QtBot) -> None:
    assert isinstance(grabbed(overlay, lambda asked: 1.0 if asked == 0 else 0.0, qtbot), Frame)


def test_a_border_that_stays_is_an_error(overlay: Overlay, qtbot: QtBot) -> None:
    assert "our own border is in the picture" in str(grabbed(overlay, lambda asked: 1.0, qtbot))


def test_a_border_that_fades_is_an_error(overlay: Overlay, qtbot: QtBot) -> None:
    shares = (1.0, 0.45, 0.0)
    error = grabbed(overlay, lambda asked: shares[min(asked, 2)], qtbot)
    assert "ghost" in str(error)
    assert "compositor" in str(error)


def test_a_border_that_nobody_can_see_proves_nothing_and_stops_nothing(overlay: Overlay, qtbot: QtBot) -> None:
    assert isinstance(grabbed(overlay, lambda asked: 0.0, qtbot), Frame)
