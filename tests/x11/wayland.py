"""A real Wayland desktop without a monitor: sway, with two headless outputs of unlike scale."""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.x11.conftest import START_LIMIT_S, stop

_CONFIG = """\
xwayland disable
output HEADLESS-1 resolution 800x600 position 0 0 scale 1
output HEADLESS-2 resolution 1000x700 position 800 0 scale 2
default_border none
for_window [title="HEADLESS-1"] move container to output HEADLESS-1, fullscreen enable
for_window [title="HEADLESS-2"] move container to output HEADLESS-2, fullscreen enable
exec sh -c 'echo $WAYLAND_DISPLAY $SWAYSOCK > ready.new && mv ready.new ready'
"""
_NOBODY = 65534
OUTPUTS = {"HEADLESS-1": (800, 600), "HEADLESS-2": (1000, 700)}


@dataclass(frozen=True, slots=True)
class Sway:
    """A running desktop; ``environment`` is what programs inside it are started with."""

    home: Path
    environment: dict[str, str]

    def command(self, *words: str) -> None:
        """Give sway a command."""
        subprocess.run(["swaymsg", *words], env=self.environment, check=True, capture_output=True, timeout=30)


@contextmanager
def sway() -> Iterator[Sway]:
    """Start sway, or skip the test with the reason."""
    for program, package in (("sway", "sway"), ("grim", "grim")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: {package})")
    home = Path(tempfile.mkdtemp(prefix="deskhand-sway-"))
    (home / "config").write_text(_CONFIG)
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "LC_ALL": "C.UTF-8"}
    headless = {
        "WLR_BACKENDS": "headless",
        "WLR_HEADLESS_OUTPUTS": "2",
        "WLR_LIBINPUT_NO_DEVICES": "1",
        "WLR_RENDERER": "pixman",
        "XDG_CURRENT_DESKTOP": "sway",
    }
    options: dict[str, object] = {}
    if os.getuid() == 0:
        # sway refuses to run as root.
        os.chown(home, _NOBODY, _NOBODY)
        options = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(  # pyright: ignore[reportCallIssue]  # the options are those of this call
            ["sway", "-c", str(home / "config")],
            cwd=home,
            env=base | headless,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **options,  # pyright: ignore[reportArgumentType]
        )
    try:
        end = time.monotonic() + START_LIMIT_S
        while not (home / "ready").exists():
            if process.poll() is not None or time.monotonic() > end:
                pytest.skip(f"sway does not run here: {(home / 'log').read_text()[-300:]}")
            select.select([], [], [], 0.02)
        display, control = (home / "ready").read_text().split()
        yield Sway(home, base | {"WAYLAND_DISPLAY": display, "SWAYSOCK": control})
    finally:
        stop(process)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def covered(desktop: Sway) -> Iterator[None]:
    """Cover all of its monitors with known noise; see `tests.x11.wayland_program`."""
    program = Path(__file__).with_name("wayland_program.py")
    process = subprocess.Popen(
        [sys.executable, str(program)],
        env=desktop.environment | {"QT_QPA_PLATFORM": "wayland"},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        with process.stdin:
            yield
    finally:
        stop(process)
