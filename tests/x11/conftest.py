"""A real X server with a window manager, for tests that draw, capture, click and type."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

WIDTH_PX, HEIGHT_PX = 1280, 800
START_LIMIT_S = 60


def start(arguments: list[str], display: str | None, home: Path, **options: object) -> subprocess.Popen[bytes]:
    """Start a program of the session, with a home of its own and nothing of the real desktop."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LD_LIBRARY_PATH")}
    environment = kept | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "NO_AT_BRIDGE": "1", "LC_ALL": "C.UTF-8"}
    if display is not None:
        environment |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "GDK_BACKEND": "x11"}
    options = {"start_new_session": True, **options}
    return subprocess.Popen(arguments, env=environment, cwd=home, **options)  # pyright: ignore[reportCallIssue, reportArgumentType]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program that we started, and what it has started in its session, such as a bus."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@contextlib.contextmanager
def x_server(home: Path) -> Iterator[str]:
    """Run an X server with nothing running in it; skip the test where there is none."""
    pytest.importorskip("xcffib", reason="xcffib is not installed")
    pytest.importorskip("mss", reason="mss is not installed")
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (Debian: xvfb)")
    read_end, write_end = os.pipe()
    # -noreset: without it the server forgets keymap and monitors whenever its last client leaves.
    arguments = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{WIDTH_PX}x{HEIGHT_PX}x24", "-dpi", "96"]
    server = start([*arguments, "-nolisten", "tcp", "-noreset"], None, home, pass_fds=[write_end], stderr=-3)
    os.close(write_end)
    try:
        ready, _, _ = select.select([read_end], [], [], START_LIMIT_S)
        number = os.read(read_end, 16).decode().strip() if ready else ""
        if not number:
            pytest.fail("Xvfb did not start")
        yield f":{number}"
    finally:
        os.close(read_end)
        stop(server)


@contextlib.contextmanager
def window_manager(bare_display: str, home: Path) -> Iterator[str]:
    """Run a window manager in an X server."""
    from agent.x11.connection import XConnection

    if shutil.which("openbox") is None:
        pytest.skip("openbox is not installed (Debian: openbox)")
    manager = start(["openbox", "--sm-disable"], bare_display, home, stderr=-3)
    try:
        with XConnection(bare_display) as x:
            # Root window properties of the manager appear when it is ready; events say that one has changed.
            import xcffib.xproto as xp

            x.core.ChangeWindowAttributes(x.root, xp.CW.EventMask, [xp.EventMask.PropertyChange])
            x.sync()
            while not x.read_cardinals(x.root, "_NET_SUPPORTING_WM_CHECK"):
                x.connection.flush()
                if not select.select([x.connection.get_file_descriptor()], [], [], START_LIMIT_S)[0]:
                    pytest.fail("openbox did not start")
                while x.connection.poll_for_event() is not None:
                    pass
        yield bare_display
    finally:
        stop(manager)


@pytest.fixture(scope="session")
def bare_display(home: Path) -> Iterator[str]:
    """Start an X server with nothing running in it."""
    with x_server(home) as display:
        yield display


@pytest.fixture(scope="session")
def display(bare_display: str, home: Path) -> Iterator[str]:
    """Start a window manager in the X server."""
    with window_manager(bare_display, home) as display:
        yield display
