"""What changed, and the verdict on it; the rectangles are checked against a naive comparison."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.changes import BLOCK_PX, MAX_RECTS, changed_blocks, changed_rects
from agent.hands.gate import HandAction
from agent.settle import Settled
from agent.types import Click, Frame, Hotkey, Move, Point, Press, Rect, TypeText
from agent.verify import verify

SCREEN = Rect(-100, 50, 540, 530)
BUTTON = Rect(0, 100, 80, 130)
ON_BUTTON = Click(Point(40, 115))


def frame(*painted: Rect, rect: Rect = SCREEN, shade: int = 10) -> Frame:
    pixels = np.full((rect.height, rect.width, 4), 200, np.uint8)
    for p in painted:
        pixels[p.top - rect.top : p.bottom - rect.top, p.left - rect.left : p.right - rect.left] = shade
    return Frame(pixels, rect, (), 0.0, "test")


def settled(after: Frame, *moving: Rect, done: bool = True) -> Settled:
    blocks = changed_blocks(frame(rect=after.rect_px), frame(*moving, rect=after.rect_px))
    return Settled(after, done, 300.0, blocks, moving, np.zeros_like(blocks))


rects = st.builds(
    lambda x, y, w, h: Rect(x, y, min(x + w, SCREEN.right), min(y + h, SCREEN.bottom)),
    st.integers(SCREEN.left, SCREEN.right - 1),
    st.integers(SCREEN.top, SCREEN.bottom - 1),
    st.integers(1, 200),
    st.integers(1, 200),
)


@settings(deadline=None)
@given(st.lists(rects, max_size=20))
def test_every_changed_pixel_lies_in_a_rectangle_and_every_rectangle_touches_one_on_each_side(
    painted: list[Rect],
) -> None:
    before, after = frame(), frame(*painted)
    differs = (before.bgrx != after.bgrx).any(axis=2)
    found = changed_rects(before, after)
    assert len(found) <= MAX_RECTS
    covered = np.zeros_like(differs)
    for rect in found:
        left, top = rect.left - SCREEN.left, rect.top - SCREEN.top
        part = differs[top : top + rect.height, left : left + rect.width]
        covered[top : top + rect.height, left : left + rect.width] = True
        assert part[0].any()
        assert part[-1].any()
        assert part[:, 0].any()
        assert part[:, -1].any()
    assert not (differs & ~covered).any()


@settings(deadline=None)
@given(st.integers(0, SCREEN.width - 1), st.integers(0, SCREEN.height - 1), st.integers(0, 2))
def test_one_changed_pixel_is_found(x: int, y: int, channel: int) -> None:
    before = frame()
    pixels = before.bgrx.copy()
    pixels[y, x, channel] ^= 1
    after = Frame(pixels, SCREEN, (), 0.0, "test")
    x_px, y_px = SCREEN.left + x, SCREEN.top + y
    assert changed_rects(before, after) == (Rect(x_px, y_px, x_px + 1, y_px + 1),)
    assert np.argwhere(changed_blocks(before, after)).tolist() == [[y // BLOCK_PX, x // BLOCK_PX]]


def test_the_fourth_byte_means_nothing() -> None:
    before = frame()
    pixels = before.bgrx.copy()
    pixels[..., 3] = 7
    assert changed_rects(before, Frame(pixels, SCREEN, (), 0.0, "test")) == ()


def test_parts_of_frames_compare_where_they_lie() -> None:
    part = Rect(-20, 90, 100, 140)
    assert changed_rects(frame().crop(part), frame(BUTTON).crop(part)) == (BUTTON,)


def test_frames_of_different_places_do_not_compare() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        changed_rects(frame(), frame(rect=Rect(0, 0, 640, 480)))


@pytest.mark.parametrize(
    ("action", "painted", "moving", "kind"),
    [
        (ON_BUTTON, [BUTTON], [], "confirmed"),
        (ON_BUTTON, [Rect(20, 135, 200, 300)], [], "confirmed"),  # a menu that drops below it
        (ON_BUTTON, [Rect(300, 300, 400, 400)], [], "changed elsewhere"),
        (ON_BUTTON, [], [], "no visible effect"),
        (ON_BUTTON, [Rect(300, 300, 332, 332)], [Rect(300, 300, 332, 332)], "no visible effect"),
        (ON_BUTTON, [BUTTON], [BUTTON], "unverifiable"),
        (Press("tab"), [Rect(300, 300, 400, 400)], [], "confirmed"),
        (Press("tab"), [], [], "no visible effect"),
        (TypeText("l"), [Rect(300, 300, 302, 312)], [], "confirmed"),
        (Hotkey(("ctrl", "c")), [], [], "unverifiable"),
        (Move(Point(40, 115)), [], [], "unverifiable"),
        (Move(Point(40, 115)), [BUTTON], [], "confirmed"),
    ],
)
def test_verdicts(action: HandAction, painted: list[Rect], moving: list[Rect], kind: str) -> None:
    verdict = verify(frame(), settled(frame(*painted), *moving), action)
    assert verdict.kind == kind
    assert verdict.evidence


def test_the_target_counts_before_the_point() -> None:
    far = Rect(300, 300, 400, 400)
    assert verify(frame(), settled(frame(far)), TypeText("x"), far).kind == "confirmed"
    assert verify(frame(), settled(frame(far)), TypeText("x"), BUTTON).kind == "changed elsewhere"


def test_a_new_layout_is_unverifiable() -> None:
    assert verify(frame(), settled(frame(rect=Rect(0, 0, 64, 64))), ON_BUTTON).kind == "unverifiable"


def test_the_evidence_says_where_and_whether_it_had_settled() -> None:
    verdict = verify(frame(), settled(frame(BUTTON), done=False), ON_BUTTON)
    assert "80×30 px at 0,100" in verdict.evidence
    assert "still changing after 0.3 s" in verdict.evidence
    assert not verdict.settled
