"""How a person in the window answers a run that waits on another thread: approve, deny, correct, or a word. No Qt."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from agent.coords import relative_to_pixel
from agent.episode import Decision, Event, Eyes, Proposal, Verified
from agent.locate import Location
from agent.stop import StopSwitch
from agent.types import Frame

CORRECTION = "correction"
"""Who pauses a run for the moment in which a target is put right."""

_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Corrected:
    """Not there: here. The place is relative to the frame that was shown."""

    x_rel: float
    y_rel: float


Answer = Decision | Corrected


class Corrections:
    """Where a person said that described elements are, until the step is done. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, tuple[float, float]] = {}

    def put(self, description: str, place: tuple[float, float]) -> None:
        """Remember a place."""
        with self._lock:
            self._places[description] = place

    def place(self, description: str) -> tuple[float, float] | None:
        """Return the place of an element, relative to the frame."""
        with self._lock:
            return self._places.get(description)

    def listen(self, event: Event) -> None:
        """Forget everything once a step is done; a listener of the run."""
        if isinstance(event, Verified):
            with self._lock:
                self._places.clear()


class CorrectableEyes:
    """Eyes that a person's word outranks; implements `agent.episode.Eyes`."""

    def __init__(self, eyes: Eyes, corrections: Corrections) -> None:
        self._eyes = eyes
        self._corrections = corrections

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Return where the person said that it is, or what the eyes find."""
        place = self._corrections.place(description)
        if place is None:
            return self._eyes.find(frame, description, cancel)
        return Location(True, relative_to_pixel(*place, *frame.size_px), place, (), 0.0)


class CorrectingSwitch(StopSwitch):
    """A switch for which a correction breaks a step off as a person's hand does, and is over once that is noticed.

    So the step is aimed anew, and what is aimed at the corrected place is a new proposal, which is ruled on
    like any other.
    """

    def wait_for_resume(self, limit_s: float | None = None) -> bool:
        """Let a correction take effect, and wait for whoever else pauses. Raises StoppedError."""
        self.resume(CORRECTION)
        return super().wait_for_resume(limit_s)


class WindowApprover:
    """A person in front of the window; implements `agent.episode.Approver`.

    ``ask`` and ``ask_words`` show the question, ``over`` takes it away again before the run goes on; all
    are called on the run's thread.
    """

    def __init__(
        self,
        switch: StopSwitch,
        corrections: Corrections,
        ask: Callable[[Proposal], None],
        ask_words: Callable[[str], None],
        over: Callable[[], None],
    ) -> None:
        self._switch = switch
        self._corrections = corrections
        self._ask = ask
        self._ask_words = ask_words
        self._over = over
        self._answers: queue.SimpleQueue[Answer | str | None] = queue.SimpleQueue()

    def give(self, answer: Answer | str | None) -> None:
        """Hand an answer over; from the window's thread."""
        self._answers.put(answer)

    def decide(self, proposal: Proposal, cancel: threading.Event) -> Decision:
        """Ask about a proposal and wait for the answer."""
        self._drop_old()
        self._ask(proposal)
        answer = self._wait(cancel)
        self._over()
        if isinstance(answer, Corrected):
            return self._correct(proposal, answer)
        return answer if isinstance(answer, Decision) else Decision("deny", "nobody answered")

    def answer(self, question: str, cancel: threading.Event) -> str | None:
        """Ask a question of the planner's; None when the person gives no answer."""
        self._drop_old()
        self._ask_words(question)
        answer = self._wait(cancel)
        self._over()
        return answer if isinstance(answer, str) and answer.strip() else None

    def _correct(self, proposal: Proposal, answer: Corrected) -> Decision:
        place = f"x={answer.x_rel:.4f}, y={answer.y_rel:.4f}"
        said = Decision("deny", f"not there; the right place is at {place}, relative to the screenshot")
        element = proposal.element.partition(" → ")[0]
        if not element:
            return said
        self._corrections.put(element, (answer.x_rel, answer.y_rel))
        # Whoever reads the decision checks the switch first; should that fail, the decision is still a no.
        self._switch.pause("the person showed where it is", CORRECTION)
        return said

    def _drop_old(self) -> None:
        """Forget an answer to a question that is over."""
        while not self._answers.empty():
            self._answers.get_nowait()

    def _wait(self, cancel: threading.Event) -> Answer | str | None:
        while not cancel.is_set():
            try:
                return self._answers.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                continue
        return None
