"""Look for described elements: each once a frame, and with "not there" kept apart from "not understood"."""

import threading
from typing import Literal

from agent.episode import Eyes
from agent.locate import Location
from agent.types import Frame
from model.grounding import NotThere

Sight = Literal["shown", "not shown", "unsure"]


class RememberingEyes:
    """Eyes that keep what they found in the latest frame.

    Planner and loop share one: what the planner looked for before a step is not looked for again when
    the step is done on the same frame.
    """

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._frame: Frame | None = None
        self._found: dict[str, Location] = {}

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Return where it is, asking at most once a frame and description; what was cancelled is not kept."""
        if frame is not self._frame:
            self._frame, self._found = frame, {}
        known = self._found.get(description)
        if known is None:
            known = self._eyes.find(frame, description, cancel)
            if not cancel.is_set():
                self._found[description] = known
        return known


def sight(location: Location) -> Sight:
    """Say what a look tells; an answer that nobody understands is no proof that something is absent."""
    if location.found:
        return "shown"
    if location.looks and not isinstance(location.looks[-1].answer, NotThere):
        return "unsure"
    return "not shown"
