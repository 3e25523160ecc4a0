"""Wait until the screen has settled after an action.

Parts that keep moving do not hold it up: a caret is quiet between two blinks, and what has changed again
and again for a second (a spinner, a video) is left out from then on. What was on its way before the action and goes
on from there (a ticker, a sliding bar) is left out from the first, wherever it gets to. If nothing else has
changed yet, the wait goes on for a while: a button may answer late.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.changes import BLOCK_PX, blocks_to_rects, changed_blocks, changed_rects, grown, spread
from agent.types import Frame, Rect

CARET_WIDTH_PX = 8
CARET_HEIGHT_PX = 96
_LATELY_S = 0.5
"""How long ago something on its way may have passed by: what has stayed changed for longer beside it is an effect."""
_LARGER, _MORE_BLOCKS = 2, 4
"""How much larger than what was on its way a change may be that is taken for its going on: a dialog that opens over
a small animation is not."""


@dataclass(frozen=True, slots=True)
class SettleOptions:
    """How long to look. The screen has settled after ``quiet_s`` without a change.

    ``patience_s`` is how long a first effect is waited for, ``limit_s`` how long all of it may take. A
    block of pixels keeps moving when it has changed ``moving_changes`` times over ``moving_span_s``.
    """

    poll_s: float = 0.06
    quiet_s: float = 0.25
    patience_s: float = 2.6
    limit_s: float = 5.0
    moving_changes: int = 3
    moving_span_s: float = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The screen after an action; ``settled`` is false when the limit came first.

    ``moving`` are the blocks that keep moving (bool, as `changed_blocks` has them), ``moving_px`` the same in
    physical pixels of the virtual desktop, and the whole way of what is on its way. ``changed_px`` is what else
    has changed since the frame ``since``, where that has been looked at already. ``stirring`` are the blocks that
    were changing to the last; none when the screen has settled.
    """

    frame: Frame
    settled: bool
    settle_ms: float
    moving: NDArray[np.bool_]
    moving_px: tuple[Rect, ...]
    stirring: NDArray[np.bool_]
    since: Frame | None = None
    changed_px: tuple[Rect, ...] = ()


def settle(
    grab: Callable[[], Frame],
    wait: Callable[[float], None],
    before: Frame | None = None,
    options: SettleOptions = SettleOptions(),
    stirring: NDArray[np.bool_] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Settled:
    """Capture until nothing moves but what always does, and return the last frame.

    With ``before``, the frame from before the action, an effect is waited for: a dead button takes all
    of the patience; ``stirring`` are blocks of it that were changing already. What ``grab`` and ``wait``
    raise (a stop, above all) passes through.
    """
    started = clock()
    frame = grab()
    history = _History(frame, options, stirring)
    if before is not None and stirring is not None and stirring.any():
        history.add(before, frame, 0.0)
    quiet_since = started
    while True:
        now = clock()
        if now - quiet_since >= options.quiet_s:
            rects = None if before is None else _changed(before, frame, history.moving(now - started))
            if now - started >= options.patience_s or rects is None or not all(map(is_caret, rects)):
                settled = history.result(frame, True, now - started)
                return settled if rects is None else replace(settled, since=before, changed_px=rects)
        if now - started >= options.limit_s:
            return history.result(frame, False, now - started)
        wait(options.poll_s)
        previous, frame = frame, grab()
        if history.add(previous, frame, clock() - started):
            quiet_since = clock()


class _History:
    """How often, and over how long, each block of the screen has changed."""

    def __init__(self, frame: Frame, options: SettleOptions, stirring: NDArray[np.bool_] | None) -> None:
        self._options = options
        self._reset(frame)
        if stirring is not None and stirring.shape == self._moving.shape:
            self._stirring = stirring
            self._on_its_way = stirring.copy()
            self._limit = _LARGER * int(np.count_nonzero(stirring)) + _MORE_BLOCKS

    def _reset(self, frame: Frame) -> None:
        shape = changed_blocks(frame, frame).shape
        self._counts = np.zeros(shape, np.int32)
        self._first_s = np.full(shape, np.inf)
        self._last_s = np.full(shape, -np.inf)
        self._stirring = np.zeros(shape, np.bool_)
        self._on_its_way = np.zeros(shape, np.bool_)
        self._limit = 0
        self._moving = np.zeros(shape, np.bool_)

    def add(self, previous: Frame, frame: Frame, at_s: float) -> bool:
        """Note what has changed; say whether it was more than what keeps moving."""
        if previous.rect_px != frame.rect_px:
            self._reset(frame)
            return True
        changed = changed_blocks(previous, frame)
        self._counts[changed] += 1
        self._first_s[changed] = np.minimum(self._first_s[changed], at_s)
        self._last_s[changed] = at_s
        going_on = spread(changed, self._on_its_way)
        if np.count_nonzero(going_on) <= self._limit:
            self._on_its_way |= going_on
        often = self._counts >= self._options.moving_changes
        lasting = changed & often & (at_s - self._first_s >= self._options.moving_span_s)
        if lasting.any():
            # What turns about a place touches the blocks beside it only now and then.
            self._moving |= grown(lasting)
        return bool((changed & ~self._moving & ~self._on_its_way).any())

    def moving(self, at_s: float) -> NDArray[np.bool_]:
        """Return the blocks that keep moving, that something on its way has just passed, or that it came from.

        What was on its way and has come to rest was stopped: that is an effect like any other.
        """
        lately = self._on_its_way & (at_s - self._last_s <= _LATELY_S)
        return self._moving | lately | (self._stirring & spread(self._on_its_way, lately))

    def result(self, frame: Frame, settled: bool, elapsed_s: float) -> Settled:
        """Return what the wait has come to."""
        left, top = frame.rect_px.left, frame.rect_px.top
        moving = self.moving(elapsed_s)
        # What has changed but once beside it may be an effect, which guards have to see.
        by_itself = self._moving | (self._on_its_way & (self._counts > 1)) | (moving & self._stirring)
        moving_px = tuple(
            Rect(box.left + left, box.top + top, box.right + left, box.bottom + top)
            for box in blocks_to_rects(by_itself, frame.size_px)
        )
        stirring = np.zeros_like(moving) if settled else elapsed_s - self._last_s <= _LATELY_S
        return Settled(frame, settled, elapsed_s * 1000, moving, moving_px, stirring)


def stirring_apart(settled: Settled, rect_px: Rect) -> NDArray[np.bool_]:
    """Return the blocks that were changing to the last, but for those of a part of the virtual desktop.

    What moves at a target may be the target's answer to the pointer.
    """
    blocks = settled.stirring.copy()
    origin = settled.frame.origin_px
    top, bottom = (max(0, y - origin.y_px) for y in (rect_px.top, rect_px.bottom))
    left, right = (max(0, x - origin.x_px) for x in (rect_px.left, rect_px.right))
    blocks[top // BLOCK_PX : -(-bottom // BLOCK_PX), left // BLOCK_PX : -(-right // BLOCK_PX)] = False
    return blocks


def _changed(before: Frame, frame: Frame, moving: NDArray[np.bool_]) -> tuple[Rect, ...] | None:
    """Return what has changed and does not keep moving; None when the frames cannot be compared."""
    if before.rect_px != frame.rect_px:
        return None
    return changed_rects(before, frame, moving)


def is_caret(rect: Rect) -> bool:
    """Say whether a change has the shape of a text caret, which comes and goes by itself."""
    return rect.width <= CARET_WIDTH_PX and 2 * rect.width < rect.height <= CARET_HEIGHT_PX
