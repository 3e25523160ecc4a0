"""Capture without a screen: the choice of handlers, and the layouts that an X server cannot have."""

import itertools
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture.grim import read_ppm
from agent.capture.native import NativeCapture
from agent.capture.portal import cut
from agent.capture.screen import Screen, open_screen
from agent.capture.wayland import WaylandDesktop, WaylandOutput
from agent.coords import logical_layout_to_pixels
from agent.errors import CaptureError
from agent.types import Frame, Monitor, Rect


class _Size(NamedTuple):
    width: int
    height: int


class _Shot(NamedTuple):
    raw: bytearray
    size: _Size


class _Mss:
    """mss's documented interface over a made-up desktop, whose pixels tell their own position."""

    def __init__(self, *monitors: dict[str, Any], pixels_per_unit: int = 1) -> None:
        self.monitors = [{}, *monitors]
        self._scale = pixels_per_unit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def grab(self, box: tuple[int, int, int, int]) -> _Shot:
        left, top, right, bottom = (edge * self._scale for edge in box)
        y, x = np.mgrid[top:bottom, left:right]
        bgrx = np.stack([x & 255, y & 255, (x >> 8) & 255, 0 * x], axis=2).astype(np.uint8)
        return _Shot(bytearray(bgrx.tobytes()), _Size(right - left, bottom - top))


def _listed(left: int, top: int, width: int, height: int, **more: Any) -> dict[str, Any]:
    return {"left": left, "top": top, "width": width, "height": height, **more}


def _assert_shows_itself(frame: Frame) -> None:
    assert frame.pixels[0, 0].tolist() == [
        (frame.rect_px.left >> 8) & 255,
        frame.rect_px.top & 255,
        frame.rect_px.left & 255,
    ]


def test_monitors_left_of_and_above_the_origin_keep_their_place() -> None:
    fake = _Mss(_listed(0, 0, 300, 200, name="A", is_primary=True), _listed(-400, -50, 400, 300, name="B"))
    screen = Screen(NativeCapture("win32", lambda: fake))
    assert [(m.name, m.rect_px, m.is_primary) for m in screen.monitors()] == [
        ("A", Rect(0, 0, 300, 200), True),
        ("B", Rect(-400, -50, 0, 250), False),
    ]
    frame = screen.grab()
    assert frame.rect_px == Rect(-400, -50, 300, 250)
    for part in (None, screen.monitors()[1], Rect(-7, -3, 20, 10), Rect(-10_000, -10_000, -390, -40)):
        _assert_shows_itself(screen.grab(part))


def test_points_of_macos_become_pixels() -> None:
    fake = _Mss(_listed(0, 0, 300, 200), _listed(-100, 0, 100, 200), pixels_per_unit=2)
    screen = Screen(NativeCapture("darwin", lambda: fake))
    assert [(m.rect_px, m.scale) for m in screen.monitors()] == [
        (Rect(0, 0, 600, 400), 2.0),
        (Rect(-200, 0, 0, 400), 2.0),
    ]
    odd = screen.grab(Rect(-199, 1, 6, 4))
    assert odd.rect_px == Rect(-199, 1, 6, 4)
    _assert_shows_itself(odd)


class _Handler:
    def __init__(self, name: str, reason: str | None, value: int = 9) -> None:
        self.name, self._reason, self._value = name, reason, value

    def unavailable(self) -> str | None:
        return self._reason

    def monitors(self) -> tuple[Monitor, ...]:
        return (Monitor("1", "one", Rect(0, 0, 40, 30)),)

    def grab(self, rect_px: Rect | None) -> Frame:
        bgrx = np.zeros((30, 40, 4), np.uint8)
        bgrx[-1, -1] = self._value
        return Frame(bgrx, Rect(0, 0, 40, 30), self.monitors(), 0.0, self.name)

    def notes(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        pass


def test_the_first_handler_that_works_is_used() -> None:
    handlers = [_Handler("a", "no server"), _Handler("b", None), _Handler("c", None)]
    assert open_screen(handlers=handlers).handler.name == "b"
    assert open_screen("c", handlers).handler.name == "c"


def test_every_reason_is_told_when_none_works() -> None:
    handlers = [_Handler("a", "no server"), _Handler("b", "no portal")]
    with pytest.raises(CaptureError, match="a: no server; b: no portal"):
        open_screen(handlers=handlers)
    with pytest.raises(CaptureError, match=r"b: no portal\.$"):
        open_screen("b", handlers)
    with pytest.raises(CaptureError, match="no way of capture called 'x'"):
        open_screen("x", handlers)


def test_one_lit_pixel_is_not_black() -> None:
    assert Screen(_Handler("a", None, 1)).grab().pixels.any()
    with pytest.raises(CaptureError, match="entirely black"):
        Screen(_Handler("a", None, 0)).grab()


@pytest.mark.parametrize(
    ("places", "rects"),
    [
        ([(Rect(0, 0, 1920, 1080), (1920, 1080))], [Rect(0, 0, 1920, 1080)]),
        ([(Rect(0, 0, 911, 512), (1366, 768))], [Rect(0, 0, 1366, 768)]),
        (
            [(Rect(-960, 0, 0, 540), (1920, 1080)), (Rect(0, 0, 960, 540), (1920, 1080))],
            [Rect(-1920, 0, 0, 1080), Rect(0, 0, 1920, 1080)],
        ),
        (
            [(Rect(0, 0, 1280, 800), (1280, 800)), (Rect(1280, 0, 2080, 600), (1600, 1200))],
            [Rect(0, 0, 1280, 800), Rect(1280, 0, 2880, 1200)],
        ),
        (
            [(Rect(0, 0, 1000, 500), (1000, 500)), (Rect(200, 500, 700, 800), (1000, 600))],
            [Rect(0, 0, 1000, 500), Rect(200, 500, 1200, 1100)],
        ),
    ],
)
def test_logical_layouts_become_pixels(places: list[tuple[Rect, tuple[int, int]]], rects: list[Rect]) -> None:
    assert logical_layout_to_pixels(places) == rects


_spans = st.tuples(st.integers(200, 3000), st.integers(200, 2000), st.sampled_from([1.0, 1.25, 1.5, 1.75, 2.0, 3.0]))


@given(st.lists(_spans, min_size=1, max_size=4), st.integers(-2000, 2000), st.booleans())
def test_monitors_in_pixels_keep_their_size_and_order_and_never_overlap(
    monitors: list[tuple[int, int, float]], begin: int, stacked: bool
) -> None:
    places: list[tuple[Rect, tuple[int, int]]] = []
    at = begin
    for width, height, scale in monitors:
        left, top = (17 * len(places), at) if stacked else (at, 17 * len(places))
        places.append((Rect(left, top, left + width, top + height), (round(width * scale), round(height * scale))))
        at += height if stacked else width
    rects = logical_layout_to_pixels(places)
    assert [(rect.width, rect.height) for rect in rects] == [size for _, size in places]
    for one, other in itertools.pairwise(rects):
        assert one.intersection(other) is None
        assert one.bottom <= other.top if stacked else one.right <= other.left


@pytest.mark.parametrize(
    "data",
    [b"", b"P5\n1 1\n255\nx", b"P6\n2 2\n255\n" + bytes(11), b"P6\n1 1\n65535\n" + bytes(6), b"P6\n1 x\n255\n"],
)
def test_half_a_picture_is_no_picture(data: bytes) -> None:
    with pytest.raises(CaptureError, match="not a whole picture"):
        read_ppm(data)


def test_a_whole_picture_is_read_whatever_its_pixels() -> None:
    pixels = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3)
    assert np.array_equal(read_ppm(b"P6\n3 5\n255\n" + pixels.tobytes()), pixels)
    assert read_ppm(b"P6\n1 1\n255\n\n \n").tolist() == [[[10, 32, 10]]]


def _desktop(*outputs: tuple[str, Rect, tuple[int, int]]) -> WaylandDesktop:
    return WaylandDesktop(tuple(WaylandOutput(*output) for output in outputs), frozenset())


def test_one_picture_of_a_desktop_of_fractional_scale_is_cut_without_scaling() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (768, 1366, 3), np.uint8)
    pictures, scaled = cut(pixels, _desktop(("A", Rect(0, 0, 911, 512), (1366, 768))))
    assert scaled == ()
    assert np.array_equal(pictures["A"], pixels)


def test_a_picture_that_fits_no_scale_is_refused() -> None:
    with pytest.raises(CaptureError, match="does not fit into it"):
        cut(np.zeros((100, 300, 3), np.uint8), _desktop(("A", Rect(0, 0, 911, 512), (1366, 768))))
