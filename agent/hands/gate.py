"""The gate that every action and every event passes before it reaches the desktop."""

from typing import Protocol

from agent.types import Click, Drag, Hotkey, Move, Point, Press, Scroll, TypeText

HandAction = Click[Point] | Move[Point] | Drag[Point] | Scroll[Point] | TypeText | Press | Hotkey
"""The actions that hands can do."""


class Gate(Protocol):
    """Decide what may happen. Hands ask it and have no other way; there is no default one."""

    def admit(self, action: HandAction) -> None:
        """Return if this action may be carried out now, once.

        Raises NotPermittedError if not. Called before anything of the action is done.
        """
        ...

    def check(self) -> None:
        """Return if the action may go on.

        Raises StoppedError or PersonActingError if not. Called before each event and during each
        pause, so it has to be quick. Releases are not asked about: they always happen.
        """
        ...
