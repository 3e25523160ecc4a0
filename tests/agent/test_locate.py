"""Looking, zooming and believing: `locate` over a model whose answers are written here.

A scripted model stands for the network, which cannot be made to answer wrongly on demand.
"""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agent.coords import Rect, crop_around, from_crop, relative_to_pixel
from agent.locate import LocateOptions, Location, locate
from model.chat import Delta, GenerateOptions, ImagePart, Message
from model.grounding import ABSENT_ANSWER, answer_text


class Eyes:
    """A model that sees where one red pixel of the picture is, and may be told to lie."""

    def __init__(self, answer: Callable[[int, Image.Image], str]) -> None:
        self._answer = answer
        self.shown: list[Image.Image] = []

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        (part,) = [p for m in messages for p in m.parts if isinstance(p, ImagePart)]
        assert isinstance(part.image, Image.Image)
        self.shown.append(part.image)
        yield Delta(text=self._answer(len(self.shown), part.image))
        yield Delta(finish="stop")


def dot(image: Image.Image) -> str:
    """Point at the red dot, as well as three decimals of this picture can say it."""
    box = Image.eval(image.getchannel("G"), lambda v: 255 - v).getbbox()
    if box is None:
        return ABSENT_ANSWER
    return answer_text((box[0] + box[2]) / 2 / image.width, (box[1] + box[3]) / 2 / image.height)


def screen(width: int, height: int, x: int, y: int, side: int = 1) -> Image.Image:
    image = Image.new("RGB", (width, height), (255, 255, 255))
    image.paste((255, 0, 0), (x, y, x + side, y + side))
    return image


def found(location: Location) -> tuple[int, int]:
    assert location.point_px is not None
    return location.point_px


def test_a_sharp_picture_needs_one_look() -> None:
    eyes = Eyes(lambda _n, image: dot(image))
    location = locate(eyes, screen(800, 600, 123, 456, 8), "the dot")
    assert len(eyes.shown) == 1
    assert abs(found(location)[0] - 127) <= 1
    assert abs(found(location)[1] - 460) <= 1


@pytest.mark.parametrize(("x", "y"), [(3, 3), (3836, 2157), (1917, 1078), (100, 2100)])
def test_zooming_finds_a_small_target_of_a_4k_screen_also_at_its_edges(x: int, y: int) -> None:
    eyes = Eyes(lambda _n, image: dot(image))
    location = locate(eyes, screen(3840, 2160, x, y, 2), "the dot")
    assert [image.size for image in eyes.shown] == [(3840, 2160), (1920, 1080), (960, 540)]
    assert abs(found(location)[0] - x) <= 2
    assert abs(found(location)[1] - y) <= 2


def test_an_unreadable_closer_look_keeps_the_answer_before_it() -> None:
    eyes = Eyes(lambda n, image: dot(image) if n == 1 else "I see a dialog.")
    location = locate(eyes, screen(1920, 1080, 960, 540, 4), "the dot")
    assert location.found
    assert abs(found(location)[0] - 962) <= 2


def test_a_closer_look_that_says_not_there_is_believed() -> None:
    eyes = Eyes(lambda n, _image: answer_text(0.5, 0.5) if n == 1 else ABSENT_ANSWER)
    location = locate(eyes, screen(1920, 1080, 0, 0), "the dot")
    assert not location.found
    assert location.point_px is None
    assert "not in the picture" in location.reason


def test_babble_is_not_found_and_quoted() -> None:
    location = locate(Eyes(lambda _n, _i: "x=7, y=9 perhaps?"), screen(300, 200, 1, 1), "the dot")
    assert not location.found
    assert "perhaps" in location.reason


def test_one_look_is_all_when_told() -> None:
    eyes = Eyes(lambda _n, image: dot(image))
    locate(eyes, screen(3840, 2160, 50, 50, 9), "the dot", LocateOptions(max_looks=1))
    assert len(eyes.shown) == 1


sizes = st.integers(1, 8000)
shares = st.floats(0, 1)


@given(sizes, sizes, shares, shares, sizes, sizes)
def test_a_crop_lies_inside_and_maps_back(w: int, h: int, x: float, y: float, cw: int, ch: int) -> None:
    crop = crop_around(x, y, Rect(0, 0, w, h), cw, ch)
    assert (crop.width, crop.height) == (min(cw, w), min(ch, h))
    assert 0 <= crop.left <= crop.right <= w
    assert 0 <= crop.top <= crop.bottom <= h
    # What the crop's middle means is the middle of the crop in the picture.
    x_back, y_back = from_crop(0.5, 0.5, crop, w, h)
    assert x_back * w == pytest.approx((crop.left + crop.right) / 2)
    assert y_back * h == pytest.approx((crop.top + crop.bottom) / 2)
    px, py = relative_to_pixel(x, y, w, h)
    assert 0 <= px < w
    assert 0 <= py < h
    assert crop.left - 1 <= px <= crop.right
    assert crop.top - 1 <= py <= crop.bottom
