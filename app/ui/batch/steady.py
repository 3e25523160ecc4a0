"""A model that can be paused between two questions, and that survives the death of the engine's process."""

import threading
from collections.abc import Callable, Iterator, Sequence

from model.chat import ChatModel, Delta, GenerateOptions, Message
from model.errors import EngineDiedError

_POLL_S = 0.1
_DEATHS = 3
"""A question that ends the process so often is not asked again."""


class Gate:
    """Lets questions through, or holds them while paused. Used from many threads."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()

    @property
    def is_paused(self) -> bool:
        """Whether questions are held."""
        return not self._open.is_set()

    def pause(self) -> None:
        """Hold every question that has not been asked yet."""
        self._open.clear()

    def go_on(self) -> None:
        """Let them through."""
        self._open.set()

    def wait(self, cancel: threading.Event | None) -> None:
        """Return once it is open, or ``cancel`` is set."""
        # In small steps: the event may be one that others set, which a wait does not notice.
        while not self._open.wait(_POLL_S) and not (cancel is not None and cancel.is_set()):
            pass


class SteadyModel:
    """A `ChatModel` behind a gate. An answer that the process's death cut off is asked for again, once it is back.

    ``died`` is called, from the asking thread, with each death's reason. Of an answer's pieces only the first sign
    comes as it arrives; the rest comes whole, so that nothing comes twice.
    """

    def __init__(self, model: ChatModel, gate: Gate, died: Callable[[str], None]) -> None:
        self._model = model
        self._gate = gate
        self._died = died

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Wait for the gate, then yield the answer; raise what the model raises, and its third death."""
        deaths = 0
        while True:
            self._gate.wait(cancel)
            if cancel is not None and cancel.is_set():
                yield Delta(finish="cancelled")
                return
            whole: list[Delta] = []
            try:
                for delta in self._model.stream(messages, options, cancel):
                    if not whole and not deaths:
                        yield Delta()
                    whole.append(delta)
            except EngineDiedError as error:
                deaths += 1
                if deaths >= _DEATHS:
                    raise
                self._died(str(error))
                continue
            yield from whole
            return
