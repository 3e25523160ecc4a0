"""The hands that work here: an X server's, or those of Windows and macOS; a Wayland session has none."""

import sys
from typing import TYPE_CHECKING

from agent.hands.gate import Gate

if TYPE_CHECKING:
    from agent.hands.native import NativeHands
    from agent.hands.x11 import X11Hands


def choose_hands(gate: Gate, display: str | None = None, system: str = sys.platform) -> "X11Hands | NativeHands":
    """Return hands behind a gate.

    Raises AgentError with the reason where there are none: on Wayland, programs may not work other programs,
    and XWayland reaches only some of them.
    """
    if system in ("win32", "darwin"):
        from agent.hands.native import NativeHands

        return NativeHands(gate, system=system)
    from agent.hands.x11 import X11Hands

    return X11Hands(gate, display)
