"""A person at a real terminal (a pseudo-terminal) who says yes, no, stop, or hangs up."""

import os
import pty
import threading
from collections.abc import Iterator
from io import StringIO

import pytest

from agent.episode import Decision
from app.terminal_approver import TerminalApprover
from tests.agent.test_policy import Screen, proposal


class Terminal:
    """Both ends of a pseudo-terminal."""

    def __init__(self) -> None:
        self.person, inside = pty.openpty()
        self.inside = os.fdopen(inside)
        self.shown = StringIO()
        self.approver = TerminalApprover(self.inside, self.shown)

    def type(self, text: str) -> None:
        os.write(self.person, text.encode())


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.inside.close()
    os.close(terminal.person)


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("y\n", Decision("approve")),
        ("what?\nYES\n", Decision("approve")),
        ("n not that one\n", Decision("deny", "not that one")),
        ("stop\n", Decision("stop")),
        ("\n\nn\n", Decision("deny")),
        ("\x04", Decision("stop", "the terminal was closed")),
    ],
)
def test_only_a_plain_yes_approves(terminal: Terminal, typed: str, decision: Decision) -> None:
    terminal.type(typed)
    assert terminal.approver.decide(proposal(Screen()), threading.Event()) == decision
    assert "click at 20,15 on 'OK' in 'notes'" in terminal.shown.getvalue()


def test_a_stop_ends_the_question(terminal: Terminal) -> None:
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    assert terminal.approver.decide(proposal(Screen()), cancel).kind == "stop"


@pytest.mark.parametrize(("typed", "answer"), [("the blue one\n", "the blue one"), ("\n", None)])
def test_a_question_is_answered_or_not(terminal: Terminal, typed: str, answer: str | None) -> None:
    terminal.type(typed)
    assert terminal.approver.answer("Which\x1b[2J one?", threading.Event()) == answer
    assert "\x1b" not in terminal.shown.getvalue()
