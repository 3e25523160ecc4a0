"""Tasks of a person, done in real programs by the built-in checkpoint, as ``python -m tests.x11.tasks`` does them all.

Here only some of the twenty, since each takes looks of seconds on two cores; ``DESKHAND_ALL_DRILLS=1`` does all.
"""

import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

from tests.x11.tasks.__main__ import ALL, REQUIRED, results
from tests.x11.tasks.site import open_site
from tests.x11.tasks.task import RUNBOOKS, builtin_eyes

EVERY = bool(os.environ.get("DESKHAND_ALL_DRILLS"))
CHOSEN = tuple(task.name for task in ALL) if EVERY else ("editor_save_as", "web_login")
"""An editor with save-as, a page with a secret."""
FAILURES_ALLOWED = len(ALL) - REQUIRED if EVERY else 1


def test_there_are_twenty_tasks_on_three_applications_and_on_pages() -> None:
    assert len(ALL) == 20
    assert REQUIRED == 18
    assert {task.program for task in ALL} == {"galculator", "mousepad", "zenity", "Chromium"}
    assert {task.name for task in ALL} == {path.stem for path in RUNBOOKS.iterdir()}
    assert all(task.runbook().instructions for task in ALL)


@pytest.mark.timeout(1800)
def test_the_builtin_checkpoint_does_what_a_person_has_written(display: str, tmp_path: Path) -> None:
    missing = [name for name in ("galculator", "mousepad", "zenity", "chromium") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if not list(Path("/usr/lib").glob("*/girepository-1.0/Atspi-2.0.typelib")):
        pytest.skip("the bindings of AT-SPI are not installed (Debian: gir1.2-atspi-2.0 python3-gi)")
    tasks = [task for task in ALL if task.name in CHOSEN]
    assert len(tasks) == len(CHOSEN)
    with builtin_eyes() as eyes, open_site() as site:
        done = list(results(tasks, display, tmp_path, eyes, site))
    for result in done:
        print(f"{result.task.name}: {result.seconds:.0f} s {result.reason or 'passed'}")
    failed = {result.task.name: result.reason for result in done if not result.passed}
    assert len(failed) <= FAILURES_ALLOWED, failed
