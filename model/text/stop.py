"""Stop strings in streamed text: nothing of a stop string is ever let out."""

from collections.abc import Sequence

from model.errors import InputError


def held_length(text: str, markers: Sequence[str]) -> int:
    """Return how many characters at the end of a text may be the beginning of a marker."""
    longest = max((len(marker) for marker in markers), default=0)
    for length in range(min(longest - 1, len(text)), 0, -1):
        tail = text[-length:]
        if any(len(marker) > length and marker.startswith(tail) for marker in markers):
            return length
    return 0


class StopStrings:
    """Pass text through up to the first stop string.

    The stop string that is complete first wins, of several ending together the longest; so the
    result does not depend on how the text was cut into pushes. Raises `InputError` for an empty
    stop string.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        if "" in stops:
            raise InputError("a stop string is empty", remedy="leave it out")
        self._stops = tuple(stops)
        self._held = ""
        self._hit = False

    @property
    def hit(self) -> bool:
        """Say whether a stop string has come."""
        return self._hit

    def push(self, text: str) -> tuple[str, bool]:
        """Return the text that is certainly before any stop string, and whether one has come.

        After a hit everything is swallowed.
        """
        if self._hit:
            return "", True
        text = self._held + text
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self._held, self._hit = "", True
            _, at = min(found)
            return text[:at], True
        emitted = len(text) - held_length(text, self._stops)
        self._held = text[emitted:]
        return text[:emitted], False

    def flush(self) -> str:
        """Return what was held back, as the text has ended without a stop string."""
        held, self._held = self._held, ""
        return held
