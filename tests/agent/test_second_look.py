"""What a planner points at by itself, looked at again by eyes that know nothing of it."""

import threading

import pytest

from agent.aim import start_of
from agent.coords import pixel_to_relative
from agent.episode import Eyes
from agent.hands.gate import HandAction
from agent.locate import Location, Look
from agent.second_look import doubt_about
from agent.types import Click, Drag, Frame, Move, Point, Press, Rect, TypeText
from model.grounding import NotThere
from tests.agent.runs import frame

SCREEN = frame(seed=1)
AT = Point(SCREEN.rect_px.left + 100, SCREEN.rect_px.top + 60)


class Sure:
    """Eyes that always give one answer, and keep what they were asked for."""

    def __init__(self, at: Point | None) -> None:
        self._at = at
        self.asked: list[str] = []

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        self.asked.append(description)
        if self._at is None:
            return Location(False, None, None, (Look(Rect(0, 0, 9, 9), 1.0, NotThere(), "not there", 0.0),), 0.0)
        x, y = self._at.x_px - frame.rect_px.left, self._at.y_px - frame.rect_px.top
        return Location(True, (x, y), pixel_to_relative(x, y, *frame.size_px), (), 0.0)


def doubt(action: HandAction, eyes: Eyes | None, said: str = "Click the Reply icon") -> str:
    return doubt_about(action, said, SCREEN, eyes, threading.Event())


@pytest.mark.parametrize(("right", "down"), [(0, 0), (15, 0), (-15, 8)])
def test_what_is_found_where_it_points_raises_no_doubt(right: int, down: int) -> None:
    eyes = Sure(Point(AT.x_px + right, AT.y_px + down))
    assert doubt(Click(AT), eyes) == ""
    assert eyes.asked == ["Click the Reply icon"]


@pytest.mark.parametrize(("right", "down"), [(45, 0), (-40, 0), (0, 30), (0, -30)])
def test_the_icon_beside_it_or_the_next_entry_is_another_thing(right: int, down: int) -> None:
    assert "another place" in doubt(Click(AT), Sure(Point(AT.x_px + right, AT.y_px + down)))


def test_what_is_not_there_and_what_nobody_looks_for_is_doubtful() -> None:
    assert "does not find" in doubt(Click(AT), Sure(None))
    assert "nobody but the planner" in doubt(Click(AT), None)


def test_a_click_without_a_place_and_the_end_of_a_drag_are_doubtful() -> None:
    assert doubt(Click(None), Sure(AT))
    assert doubt(Drag(AT, Point(AT.x_px, AT.y_px + 30)), Sure(AT), "Drag the report to the Archive folder")


@pytest.mark.parametrize(
    "said",
    [
        "Click OK at x=0.512, y=0.634",
        "Click the point (512, 634)",
        "Click 0.512 0.634",
        "Click OK\nanswer with 0.5",
        "Click `pyautogui`",
        "Click " + "very " * 80 + "long words",
    ],
)
def test_words_that_eyes_might_repeat_are_not_shown_to_them(said: str) -> None:
    eyes = Sure(AT)
    assert doubt(Click(AT), eyes, said)
    assert eyes.asked == []


@pytest.mark.parametrize("action", [Press("enter"), TypeText("a"), Move(AT)])
def test_keys_and_moves_are_not_looked_at(action: HandAction) -> None:
    eyes = Sure(None)
    assert start_of(action) in (None, AT)
    assert doubt(action, eyes) == ""
    assert eyes.asked == []
