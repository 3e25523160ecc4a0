"""A person at a terminal who is asked about actions: y, n or stop."""

import select
import sys
import threading
from typing import TextIO

from agent.episode import Decision, Proposal
from agent.told import describe, one_line

_POLL_S = 0.05
_YES, _NO, _STOP = ("y", "yes"), ("n", "no"), ("s", "stop", "q", "quit")


class TerminalApprover:
    """Ask on standard error, read from a terminal; implements `agent.episode.Approver`.

    The end of the input is a stop. Nothing but an explicit yes approves.
    """

    def __init__(self, source: TextIO = sys.stdin, sink: TextIO = sys.stderr) -> None:
        self._source = source
        self._sink = sink

    def decide(self, proposal: Proposal, cancel: threading.Event) -> Decision:
        """Show the proposal and wait for an answer."""
        where = f" in {proposal.window.title!r}" if proposal.window else ""
        what = f" on {proposal.element!r}" if proposal.element else ""
        risks = f" (risk: {', '.join(proposal.risks)})" if proposal.risks else ""
        doubt = f" ({proposal.doubt})" if proposal.doubt else ""
        shown = one_line(f"step {proposal.step}: {describe(proposal.action)}{what}{where}{risks}{doubt}")
        while True:
            answer = self._ask(f"{shown}\n  do it? [y]es, [n]o, [s]top: ", cancel)
            if answer is None:
                return Decision("stop", "the terminal was closed" if not cancel.is_set() else "")
            word, _, rest = answer.strip().partition(" ")
            if word.casefold() in _YES:
                return Decision("approve")
            if word.casefold() in _NO:
                return Decision("deny", rest.strip())
            if word.casefold() in _STOP:
                return Decision("stop", rest.strip())

    def answer(self, question: str, cancel: threading.Event) -> str | None:
        """Ask a question of the planner's; an empty line is no answer."""
        answer = self._ask(f"the run asks: {one_line(question)}\n  answer (empty for none): ", cancel)
        return (answer or "").strip() or None

    def _ask(self, text: str, cancel: threading.Event) -> str | None:
        """Return a line, or None at the end of the input or after a stop."""
        self._sink.write(text)
        self._sink.flush()
        while not cancel.is_set():
            ready, _, _ = select.select([self._source], [], [], _POLL_S)
            if ready:
                return self._source.readline() or None
        self._sink.write("\n")
        return None


def terminal_approver() -> TerminalApprover | None:
    """Return the person at this terminal; None where nobody can be asked."""
    return TerminalApprover() if sys.stdin.isatty() else None
