import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from model.dummy import make_dummy
from model.wire import Json
from tests.model.serving import HI


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("checkpoint") / "tiny")


class Started:
    """``python -m model.serve`` and what it has announced."""

    def __init__(self, *arguments: str, module: str = "model.serve", environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def until(self, name: str) -> Json:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError(f"it ended without saying {name}: {self.process.communicate()[1]}")

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_process_announces_itself_and_ends_when_asked(checkpoint: Path, number: signal.Signals, code: int) -> None:
    arguments = ("--model", str(checkpoint), "--dtype", "float32", "--device", "cpu", "--port", "0", "--grace", "0.2")
    with Started(*arguments) as started:
        listening = started.until("listening")
        ready = started.until("ready")
        assert ready["port"] == listening["port"] > 0
        url = f"http://127.0.0.1:{ready['port']}/v1"
        with openai.OpenAI(base_url=url, api_key=listening["token"], max_retries=0) as client:
            stream = client.chat.completions.create(
                model=ready["model"], messages=HI, max_tokens=3000, temperature=0, stream=True
            )
            next(iter(stream))
            started.process.send_signal(number)
            with pytest.raises(openai.APIError, match="stopping"):
                list(stream)
        assert started.process.wait(60) == code
        assert started.process.stderr is not None
        assert "Traceback" not in started.process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--model", "/nowhere/at/all", "--port", "0", "--offline"), 2, "/nowhere/at/all"),
        (("--host", "0.0.0.0", "--no-token"), 2, "no token"),
        (("--host", "256.1.1.1"), 4, "cannot listen"),
        (("--media-dir", "/nowhere/at/all"), 2, "not a folder"),
        (("--token", ""), 2, "token is empty"),
        (("--token", "x", "--no-token"), 2, "contradict"),
        (("--max-images", "0"), 2, "--max-images"),
        (("--port", "70000"), 2, "--port"),
    ],
)
def test_what_cannot_be_served_ends_in_one_line(arguments: tuple[str, ...], code: int, why: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "model.serve", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    failed = json.loads(ended.stdout.splitlines()[-1])
    assert (ended.returncode, failed["event"], failed["exit_code"]) == (code, "failed", code)
    assert why in failed["message"]
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "model.serve", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 4
    assert f"127.0.0.1:{port}" in ended.stderr


def test_the_arguments_are_known_without_torch_or_a_web_library() -> None:
    heavy = {"torch", "starlette", "uvicorn", "openai"}
    code = f"import sys, model.serving.arguments; sys.exit(bool({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_process_that_is_still_loading_ends_when_asked() -> None:
    environment = {"PACED_SERVER": "hang-loading"}
    with Started("--port", "0", module="tests.model.paced_server", environment=environment) as started:
        started.until("progress")
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(30) == 0


def test_a_person_at_a_terminal_reads_words() -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "tests.model.paced_server", "--port", "0"], stdout=theirs)
    os.close(theirs)
    shown = ""
    while "ready" not in shown:
        shown += os.read(ours, 1024).decode()
    process.terminate()
    process.wait(30)
    os.close(ours)
    listening, progress, ready = shown.split("\r\n")[:3]
    assert listening.startswith("listening on http://127.0.0.1:")
    assert (progress, ready) == ("loading 50%", "ready: paced")
