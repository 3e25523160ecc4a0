import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from model.chat import ChatModel, Delta, GenerateOptions, complete, message
from model.child import ChildStatus, EngineProcess, Supervision
from model.dummy import make_dummy
from model.errors import EndpointError, EngineDiedError
from model.remote.frames import sweep
from model.serving.arguments import TOKEN_VARIABLE
from tests.model.wire_samples import png

HI = [message("user", "hi")]
SHORT = GenerateOptions(max_tokens=4, temperature=0)
LONG = GenerateOptions(max_tokens=5000, temperature=0)
PACED = (sys.executable, "-m", "tests.model.paced_server")
TINY = ("--device", "cpu", "--dtype", "float32")


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test its own folder for temporary files, so that it can see what is left there."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture(autouse=True)
def nothing_is_left_behind(temporary_folder: Path) -> Iterator[None]:
    # Other modules' servers may still stand, when all tests run in one process.
    threads, children = set(threading.enumerate()), set(psutil.Process().children())
    yield
    _until(lambda: not set(psutil.Process().children()) - children)
    _until(lambda: set(threading.enumerate()) <= threads)
    assert list(temporary_folder.iterdir()) == []


def paced(log: Path, **changes: object) -> EngineProcess:
    settings = {"supervision": Supervision(first_pause_s=0.01), "command": PACED, "log_file": log / "engine.log"}
    return EngineProcess(**(settings | changes))  # pyright: ignore[reportArgumentType]


# --- the real engine ----------------------------------------------------------------------------


def test_kill_minus_nine_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    """The caller gets a typed error within a second, and the next request works."""
    checkpoint = make_dummy(tmp_path / "tiny")
    seen: list[ChildStatus] = []
    process = EngineProcess(str(checkpoint), TINY, log_file=tmp_path / "engine.log", on_status=seen.append)
    with process:
        assert process.wait_ready(120).id == "tiny"
        model = process.endpoint()
        first = complete(model, [message("user", png((60, 40)), "what?")], SHORT)
        stream = model.stream(HI, LONG)
        next(stream)
        victim = process.pid
        assert victim is not None
        killed = time.monotonic()  # the one time that is asserted: "within a second" is what was asked for
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(EngineDiedError, match="SIGKILL") as caught:
            list(stream)
        assert time.monotonic() - killed < 1
        assert "ask again" in caught.value.remedy
        again = complete(model, [message("user", png((60, 40)), "what?")], SHORT)
        assert again.text == first.text
        assert process.pid not in (None, victim)
    assert [status.state for status in seen if not status.message.startswith("loading")].count("ready") == 2
    assert "restarting" in {status.state for status in seen}
    assert seen[-1].state == process.status.state == "stopped"
    assert any("loading 100%" in status.message for status in seen)


def test_a_checkpoint_that_cannot_be_loaded_is_said_so_and_not_tried_again(tmp_path: Path) -> None:
    with EngineProcess(str(tmp_path / "none"), TINY, log_file=tmp_path / "engine.log") as process:
        with pytest.raises(EndpointError, match="did not start") as caught:
            process.wait_ready(120)
        assert str(tmp_path / "none") in str(caught.value)
        assert process.status.state == "failed"
        with pytest.raises(EndpointError, match="did not start"):
            complete(process.endpoint(), HI)


# --- the parent ---------------------------------------------------------------------------------

PARENT = """
import sys, time
from pathlib import Path
from model.child import EngineProcess
process = EngineProcess(log_file=Path(sys.argv[1]), command=sys.argv[2:])
process.start()
process.wait_ready(60)
print(process.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_never_outlives_its_parent(tmp_path: Path, temporary_folder: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), *PACED],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary_folder)},
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(number)
    parent.wait(20)
    parent.stdout.close()
    _until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    sweep(temporary_folder)


def test_the_child_ends_without_the_kernels_help_when_its_input_ends(tmp_path: Path) -> None:
    with paced(tmp_path) as process:
        process.wait_ready(60)
        run = process._run  # the pipe is what other systems have in place of the kernel's signal
        assert run is not None
        assert run._process.stdin is not None
        run._process.stdin.close()
        assert run.ended(20)


def test_a_thread_that_starts_the_process_may_end_before_it(tmp_path: Path) -> None:
    process = paced(tmp_path)
    starter = threading.Thread(target=process.start)
    starter.start()
    starter.join()
    try:
        process.wait_ready(60)
        pid = process.pid
        assert complete(process.endpoint(), HI, SHORT).finish == "length"
        assert process.pid == pid
    finally:
        process.stop()


# --- supervision --------------------------------------------------------------------------------


def test_the_token_and_the_frames_are_private(tmp_path: Path, temporary_folder: Path) -> None:
    with paced(tmp_path) as process:
        process.wait_ready(60)
        assert process.pid is not None
        child = psutil.Process(process.pid)
        token = child.environ()[TOKEN_VARIABLE]
        assert len(token) >= 24
        assert token not in " ".join(child.cmdline())
        (folder,) = temporary_folder.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        complete(process.endpoint(), [message("user", png())], SHORT)
        assert [path for path in folder.rglob("*") if path.is_file()], "pictures travel as files"


def test_a_request_waits_until_the_process_is_ready(tmp_path: Path) -> None:
    with paced(tmp_path) as process:
        assert complete(process.endpoint(), HI, SHORT).finish == "length"


def test_waiting_for_the_process_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACED_SERVER", "hang-loading")
    cancel = threading.Event()
    with paced(tmp_path) as process:
        _until(lambda: process.status.message == "loading 50%")
        arrived: list[Delta] = []
        asking = threading.Thread(target=lambda: arrived.extend(process.endpoint().stream(HI, SHORT, cancel)))
        asking.start()
        cancel.set()
        asking.join(5)
        assert [piece.finish for piece in arrived] == ["cancelled"]
        with pytest.raises(EndpointError, match="not ready yet"):
            process.wait_ready(0.1)


def test_a_process_that_never_gets_ready_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACED_SERVER", "hang-loading")
    process = paced(tmp_path, supervision=Supervision(start_timeout_s=2))
    with process, pytest.raises(EndpointError, match="not ready after 2 s"):
        process.wait_ready(60)


@pytest.mark.parametrize(
    ("manner", "says"),
    [("die-loading", ("exit code 7", "the last words")), ("fail-loading", ("the checkpoint is broken", "truncated"))],
)
def test_a_process_that_dies_while_loading_is_said_so_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manner: str, says: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PACED_SERVER", manner)
    with paced(tmp_path) as process, pytest.raises(EndpointError, match="did not start") as caught:
        process.wait_ready(60)
    for part in says:
        assert part in str(caught.value)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    process = paced(tmp_path, command=("/nowhere/python",))
    with process, pytest.raises(EndpointError, match="/nowhere/python"):
        process.wait_ready(60)


def test_a_process_that_keeps_dying_is_given_up_and_can_be_started_again(tmp_path: Path) -> None:
    with paced(tmp_path, supervision=Supervision(first_pause_s=0.01, max_crashes=2)) as process:
        for _ in range(3):
            process.wait_ready(60)
            _kill(process)
        with pytest.raises(EndpointError, match="died 3 times"):
            process.wait_ready(60)
        process.start()
        assert complete(process.endpoint(), HI, SHORT).finish == "length"


def test_a_process_that_stops_answering_is_replaced(tmp_path: Path) -> None:
    rules = Supervision(health_interval_s=0.1, health_timeout_s=0.3, max_missed=2, first_pause_s=0.01)
    with paced(tmp_path, supervision=rules) as process:
        process.wait_ready(60)
        stopped = process.pid
        assert stopped is not None
        stream = process.endpoint().stream(HI, LONG)
        next(stream)
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(EngineDiedError):
            list(stream)
        process.wait_ready(60)
        assert process.pid not in (None, stopped)
        assert complete(process.endpoint(), HI, SHORT).finish == "length"


def test_a_process_that_has_lost_its_gpu_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACED_SERVER", "lose-device")
    with paced(tmp_path) as process:
        process.wait_ready(60)
        broken = process.pid
        monkeypatch.setenv("PACED_SERVER", "0")
        with pytest.raises(EndpointError, match="illegal memory access"):
            complete(process.endpoint(), HI, SHORT)
        _until(lambda: process.pid not in (None, broken))
        assert complete(process.endpoint(), HI, SHORT).finish == "length"


def test_a_refused_request_leaves_the_process_as_it_is(tmp_path: Path) -> None:
    with paced(tmp_path) as process:
        process.wait_ready(60)
        pid = process.pid
        with pytest.raises(EndpointError, match="temperature") as caught:
            complete(process.endpoint(), HI, GenerateOptions(temperature=9.0))
        assert not isinstance(caught.value, EngineDiedError)
        assert process.pid == pid


def test_many_callers_all_learn_of_the_death_and_all_go_on(tmp_path: Path) -> None:
    results: list[type[BaseException] | str] = []

    def one(model: ChatModel, begun: threading.Barrier) -> None:
        stream = model.stream(HI, LONG)
        next(stream)
        begun.wait(30)
        try:
            list(stream)
        except EndpointError as error:
            results.append(type(error))
        results.append(complete(model, HI, SHORT).finish)

    begun = threading.Barrier(9)
    with paced(tmp_path) as process:
        model = process.endpoint()
        callers = [threading.Thread(target=one, args=(model, begun)) for _ in range(8)]
        for caller in callers:
            caller.start()
        begun.wait(60)
        _kill(process)
        for caller in callers:
            caller.join(60)
    assert sorted(map(str, results)) == sorted(map(str, [EngineDiedError] * 8 + ["length"] * 8))


def test_stopping_ends_running_answers_and_further_requests_are_refused(tmp_path: Path) -> None:
    with paced(tmp_path) as process:
        model = process.endpoint()
        stream = model.stream(HI, LONG)
        next(stream)
        pid = process.pid
        assert pid is not None
        began = time.monotonic()
        process.stop()
        assert time.monotonic() - began < 8
        assert not psutil.pid_exists(pid)
        with pytest.raises(EndpointError):
            list(stream)
        with pytest.raises(EndpointError, match="stopped"):
            complete(model, HI)
        process.stop()
        process.start()
        assert complete(model, HI, SHORT).finish == "length"


def test_the_log_is_kept_apart_and_does_not_grow_without_end(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "engine.log"
    log.parent.mkdir()
    log.write_bytes(b"old\n" * (2 << 20))
    with paced(tmp_path, log_file=log) as process:
        process.wait_ready(60)
    assert log.with_name("engine.log.1").stat().st_size == 8 << 20
    assert log.stat().st_size < 1 << 20


def _kill(process: EngineProcess) -> None:
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _until(lambda: process.pid != pid)


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
