"""What a run is made of: everything that the loop uses, behind protocols, and how patient it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.episode import Eyes, Listener, Planner
from agent.guards import Guards
from agent.hands.gate import HandAction
from agent.policy import Policy
from agent.settle import Settled, SettleOptions, settle
from agent.types import Frame, Rect
from agent.windows import Desktop


class Camera(Protocol):
    """Capture the screen; `agent.capture.screen.Screen` is one."""

    def grab(self, part: Rect | None = None, *, allow_black: bool = False) -> Frame:
        """Capture all of the virtual desktop or a part of it. Raises CaptureError."""
        ...


class Hands(Protocol):
    """Carry actions out; `agent.hands.x11.X11Hands` is one. Its gate has to be the run's policy."""

    def perform(self, action: HandAction) -> None:
        """Carry one action out. Raises HandsError, whatever was held is let go."""
        ...


Settle = Callable[
    [Callable[[], Frame], Callable[[float], None], Frame | None, SettleOptions, NDArray[np.bool_] | None], Settled
]
"""Wait until the screen is quiet, as `agent.settle.settle` does."""


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How patient a run is.

    ``settle`` is for the last action of a plan, ``between`` for those before it, ``hover`` for the pointer's
    arrival at a target. ``tries`` is how often one action is aimed anew when the screen changes under it or a
    person breaks it off; ``blink_s`` how long a target that looks different may take to look as it was seen.
    ``max_unreadable`` and ``max_denied`` count in a row.
    """

    settle: SettleOptions = field(default_factory=SettleOptions)
    between: SettleOptions = field(default_factory=lambda: SettleOptions(patience_s=0.6))
    hover: SettleOptions = field(default_factory=lambda: SettleOptions(quiet_s=0.15, patience_s=0.15, limit_s=0.8))
    tries: int = 4
    blink_s: float = 0.8
    max_unreadable: int = 3
    max_denied: int = 3


@dataclass(frozen=True, slots=True)
class LoopParts:
    """A run, ready to go. ``area_px`` is the part of the desktop to work in; None is all of it.

    Without ``guards``, nobody minds going in circles: right for steps that a person wrote.
    """

    planner: Planner
    eyes: Eyes | None
    camera: Camera
    hands: Hands
    policy: Policy
    desktop: Desktop | None = None
    guards: Guards | None = None
    listeners: tuple[Listener, ...] = ()
    area_px: Rect | None = None
    options: LoopOptions = field(default_factory=LoopOptions)
    settle: Settle = settle
