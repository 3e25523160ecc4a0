"""Coordinates: each map has its inverse, and no point leaves the picture or lands where nothing is shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.coords import (
    crop_around,
    from_crop,
    layout_change,
    logical_to_physical,
    monitor_at,
    physical_to_logical,
    pixel_to_relative,
    place,
    relative_to_pixel,
    resolve,
    to_relative,
)
from agent.types import Click, Drag, Frame, Hotkey, Monitor, Move, Point, Rect, RelPoint, Scroll, Unreadable, Wait

sizes = st.integers(1, 8192)
origins = st.integers(-8192, 8192)
unit = st.floats(0, 1)
SCALES = (1.0, 1.25, 1.5, 1.75, 2.0, 3.0)


@st.composite
def rects(draw: st.DrawFn) -> Rect:
    left, top = draw(origins), draw(origins)
    return Rect(left, top, left + draw(sizes), top + draw(sizes))


@st.composite
def pixels_in_rects(draw: st.DrawFn) -> tuple[Point, Rect]:
    rect = draw(rects())
    x = draw(st.integers(rect.left, rect.right - 1))
    y = draw(st.integers(rect.top, rect.bottom - 1))
    return Point(x, y), rect


def _frame(rect_px: Rect, *monitors: Rect) -> Frame:
    bgrx = np.zeros((rect_px.height, rect_px.width, 4), np.uint8)
    listed = tuple(Monitor(str(n), f"monitor {n}", rect) for n, rect in enumerate(monitors))
    return Frame(bgrx, rect_px, listed, 0.0, "test")


@given(pixels_in_rects())
def test_a_pixel_survives_the_way_through_relative(case: tuple[Point, Rect]) -> None:
    point, rect = case
    assert place(to_relative(point, rect), rect) == point


@given(unit, unit, rects())
def test_every_relative_point_is_placed_inside(x: float, y: float, rect: Rect) -> None:
    assert rect.contains(place(RelPoint(x, y), rect))


@given(unit, unit, sizes, sizes)
def test_a_relative_point_is_at_most_half_a_pixel_from_its_pixel(x: float, y: float, width: int, height: int) -> None:
    x_back, y_back = pixel_to_relative(*relative_to_pixel(x, y, width, height), width, height)
    assert abs(x_back - x) * width <= 0.5 + 1e-9
    assert abs(y_back - y) * height <= 0.5 + 1e-9


@given(unit, unit, unit, unit, st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 4000))
def test_a_crop_lies_inside_and_maps_back(
    x: float, y: float, u: float, v: float, width: int, height: int, crop_width: int, crop_height: int
) -> None:
    whole = Rect(0, 0, width, height)
    crop = crop_around(x, y, whole, crop_width, crop_height)
    assert crop.intersection(whole) == crop
    assert (crop.width, crop.height) == (min(crop_width, width), min(crop_height, height))
    x_rel, y_rel = from_crop(u, v, crop, width, height)
    assert (x_rel * width - crop.left) / crop.width == pytest.approx(u, abs=1e-6)
    assert (y_rel * height - crop.top) / crop.height == pytest.approx(v, abs=1e-6)


@given(pixels_in_rects(), st.sampled_from(SCALES), st.floats(-4000, 4000), st.floats(-4000, 4000))
def test_a_pixel_survives_the_way_through_logical(
    case: tuple[Point, Rect], scale: float, left: float, top: float
) -> None:
    point, rect = case
    corner = Point(rect.left, rect.top)
    x, y = physical_to_logical(point, (left, top), corner, scale)
    assert logical_to_physical(x, y, (left, top), corner, scale) == point


def test_logical_screens_are_mapped_each_for_itself() -> None:
    """The measured case: LEFT and RIGHT 1920 wide at factor 1.5, where origins stay physical and sizes shrink."""
    assert logical_to_physical(1279.9, 719.9, (0, 0), Point(0, 0), 1.5) == Point(1919, 1079)
    assert logical_to_physical(1920, 0, (1920, 0), Point(1920, 0), 1.5) == Point(1920, 0)
    assert logical_to_physical(1921, 2, (1920, 0), Point(1920, 0), 1.5) == Point(1921, 3)


@pytest.mark.parametrize("value", [-0.001, 1.001, float("nan"), float("inf"), 540.0])
def test_relative_points_cannot_lie_outside(value: float) -> None:
    with pytest.raises(ValueError, match="relative to the screenshot"):
        RelPoint(value, 0.5)
    with pytest.raises(ValueError, match="relative to the screenshot"):
        RelPoint(0.5, value)


LEFT, RIGHT = Rect(-1920, 0, 0, 1080), Rect(0, -200, 2560, 1240)
DESKTOP = Rect(-1920, -200, 2560, 1240)


def test_actions_are_resolved_to_the_virtual_desktop() -> None:
    frame = _frame(DESKTOP, LEFT, RIGHT)
    target = to_relative(Point(-1, 1079), DESKTOP)
    other = to_relative(Point(2559, -200), DESKTOP)
    assert resolve(Click(target, "right", 2, ("ctrl",)), frame) == Click(Point(-1, 1079), "right", 2, ("ctrl",))
    assert resolve(Move(other), frame) == Move(Point(2559, -200))
    assert resolve(Drag(target, other), frame) == Drag(Point(-1, 1079), Point(2559, -200))
    assert resolve(Drag(None, other), frame) == Drag(None, Point(2559, -200))
    assert resolve(Scroll(None, -5), frame) == Scroll(None, -5)
    assert resolve(Click(None), frame) == Click(None)
    assert resolve(Hotkey(("ctrl", "c")), frame) == Hotkey(("ctrl", "c"))
    assert resolve(Wait(1.0), frame) == Wait(1.0)


def test_a_point_in_a_gap_between_monitors_is_not_clicked() -> None:
    frame = _frame(DESKTOP, LEFT, RIGHT)
    gap = to_relative(Point(-1000, -100), DESKTOP)
    assert monitor_at(Point(-1000, -100), frame.monitors) is None
    for action in (Click(gap), Move(gap), Drag(gap, RelPoint(0.9, 0.5)), Drag(None, gap), Scroll(gap, 1)):
        answer = resolve(action, frame)
        assert isinstance(answer, Unreadable)
        assert "gap" in answer.reason


@given(unit, unit)
def test_resolved_points_always_lie_on_a_monitor(x: float, y: float) -> None:
    frame = _frame(Rect(-40, -20, 60, 40), Rect(-40, 0, 0, 20), Rect(0, -20, 60, 40))
    action = resolve(Click(RelPoint(x, y)), frame)
    if isinstance(action, Click):
        assert action.at is not None
        assert monitor_at(action.at, frame.monitors) is not None


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_frames_show_their_pixels_as_rgb_everywhere(width: int, height: int, seed: int) -> None:
    bgrx = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    frame = Frame(bgrx.copy(), Rect(-7, 5, -7 + width, 5 + height), (), 0.0, "test")
    assert np.array_equal(frame.pixels, bgrx[:, :, [2, 1, 0]])
    assert np.array_equal(np.asarray(frame.image()), frame.pixels)
    assert frame.image().size == frame.size_px
    part = frame.crop(Rect(-7 + width // 2, 0, 1000, 5 + (height + 1) // 2))
    assert part.origin_px == Point(-7 + width // 2, 5)
    assert np.array_equal(np.asarray(part.image()), frame.pixels[: (height + 1) // 2, width // 2 :])


def test_frames_cannot_be_changed_or_mismatched() -> None:
    frame = _frame(Rect(0, 0, 4, 3))
    with pytest.raises(ValueError, match="read-only"):
        frame.bgrx[0, 0] = 1
    with pytest.raises(ValueError, match="not the BGRX pixels"):
        Frame(np.zeros((3, 4, 3), np.uint8), Rect(0, 0, 4, 3), (), 0.0, "test")
    with pytest.raises(ValueError, match="outside the frame"):
        frame.crop(Rect(10, 10, 20, 20))


ONE, TWO = Monitor("1", "DP-1", LEFT), Monitor("2", "DP-2", RIGHT)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ((ONE, TWO), ""),
        ((TWO, ONE), ""),
        ((ONE,), "monitor DP-2 was taken away"),
        ((ONE, TWO, Monitor("3", "DP-3", Rect(0, 1240, 100, 1340))), "monitor DP-3 was added"),
        ((ONE, Monitor("2", "DP-2", Rect(0, 0, 2560, 1440))), "monitor DP-2 moved from 0,-200 to 0,0"),
        ((ONE, Monitor("2", "DP-2", Rect(0, -200, 1920, 880))), "monitor DP-2 went from 2560×1440 to 1920×1080 pixels"),
        ((Monitor("1", "DP-1", LEFT, 2.0), TWO), "the scale of monitor DP-1 went from 1 to 2"),
        ((), "monitor DP-1 was taken away; monitor DP-2 was taken away"),
    ],
)
def test_a_frame_of_other_monitors_is_not_clicked_on(now: tuple[Monitor, ...], said: str) -> None:
    frame = Frame(np.zeros((DESKTOP.height, DESKTOP.width, 4), np.uint8), DESKTOP, (ONE, TWO), 0.0, "test")
    assert layout_change(frame.monitors, now) == said
    point = to_relative(Point(5, 5), DESKTOP)
    for action in (Click(point), Move(point), Drag(None, point), Scroll(point, -1)):
        answer = resolve(action, frame, now)
        if said:
            assert isinstance(answer, Unreadable)
            assert answer.reason == f"{said} since the screen was looked at; look again"
        else:
            assert answer == resolve(action, frame)
    # What has no place on the screen needs none.
    assert resolve(Hotkey(("ctrl", "c")), frame, now) == Hotkey(("ctrl", "c"))
    assert resolve(Click(None), frame, now) == Click(None)
