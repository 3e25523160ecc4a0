"""The program as a process: one window for one person, an orderly end, and what a kill leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ui.instance import command_of, socket_name, tell_running
from model.errors import ModelError

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 60


class Programs:
    """Starts the real program on the offscreen platform, in one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "logs" / "deskhand.log"
        self.environment = {**os.environ, "DESKHAND_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
        self.started: list[subprocess.Popen[bytes]] = []
        (home / "settings.json").write_text('{"load_at_start": false, "welcomed": true}')

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "main.py"), *arguments]
        process = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE)
        self.started.append(process)
        return process

    def window(self) -> subprocess.Popen[bytes]:
        """Start the program and wait until its window has been painted."""
        before = self.lines("started on")
        process = self.start()
        until = time.monotonic() + LIMIT_S
        while self.lines("started on") == before:
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < until, "no window came"
            time.sleep(0.05)
        return process

    def lines(self, part: str) -> int:
        return self.log.read_text().count(part) if self.log.exists() else 0


@pytest.fixture
def programs(home: Path) -> Iterator[Programs]:
    made = Programs(home)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_second_start_talks_to_the_first_and_goes(programs: Programs, home: Path) -> None:
    first = programs.window()
    second = programs.start("window", "--raise")
    assert second.wait(LIMIT_S) == 0
    assert first.poll() is None
    tell_running(home, "raise")
    with pytest.raises(ModelError, match="does not answer"):
        tell_running(home, "delete everything")
    assert first.poll() is None


def test_the_end_of_the_session_is_an_orderly_one(programs: Programs, home: Path) -> None:
    window = programs.window()
    assert (home / "crash" / "running").exists()
    window.send_signal(signal.SIGTERM)
    assert window.wait(LIMIT_S) == 0
    assert not (home / "crash" / "running").exists()
    assert (home / "window.ini").exists()
    assert programs.window().poll() is None
    assert programs.lines("ended from outside") == 0


def test_a_kill_is_said_at_the_next_start_which_works(programs: Programs) -> None:
    window = programs.window()
    window.kill()
    window.wait()
    assert programs.window().poll() is None
    assert programs.lines("ended from outside") == 1


def test_a_window_that_hangs_is_said(programs: Programs) -> None:
    window = programs.window()
    window.send_signal(signal.SIGSTOP)
    second = programs.start()
    assert second.wait(LIMIT_S) == 1
    assert second.stderr is not None
    assert b"runs already, and does not answer" in second.stderr.read()
    window.send_signal(signal.SIGCONT)


def test_folders_do_not_share_a_window(tmp_path: Path) -> None:
    assert socket_name(tmp_path) != socket_name(tmp_path / "other")


@pytest.mark.parametrize("heard", [b"{", b"[]\n", b'{"do": "quit"}\n', b'{"do": 1}\n', b"\xff\n"])
def test_nonsense_is_no_command(heard: bytes) -> None:
    assert command_of(heard) == ""
