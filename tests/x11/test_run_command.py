"""``run`` and ``locate`` as a person uses them: the built-in checkpoint, a real form, nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")
pytest.importorskip("PySide6", reason="PySide6 is not installed")

from agent.trace import read_trace
from agent.types import Point, Rect
from tests.x11.programs import Target as Program
from tests.x11.scripts import shown

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 180

RUNBOOK = """\
name: Enter a contact
variables: {name: nobody}
secrets:
  city: {env: SECRET_CITY}
steps:
  - type "${name}" into the Name field
  - type secret city into the City field
  - click the Save button
  - check that "Saved" is shown
"""


@pytest.fixture(scope="module")
def form(display: str, home: Path) -> Iterator[tuple[dict[str, Rect], Program]]:
    with shown("run_target.py", display, home) as running:
        yield running


def deskhand(display: str, home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with nobody at the terminal."""
    environment = {**os.environ, "DISPLAY": display, "DESKHAND_HOME": str(home / "deskhand"), **more}
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_an_element_is_found_on_the_live_screen(
    display: str, home: Path, form: tuple[dict[str, Rect], Program], tmp_path: Path
) -> None:
    marked = tmp_path / "marked.png"
    done = deskhand(display, home, "locate", "the Save button", "--annotate", str(marked))
    assert done.returncode == 0, done.stderr
    x, y = map(int, done.stdout.split())
    assert form[0]["save"].contains(Point(x, y))
    assert marked.exists()


def test_a_runbook_is_done_with_the_built_in_checkpoint(
    display: str, home: Path, form: tuple[dict[str, Rect], Program], tmp_path: Path
) -> None:
    runbook = tmp_path / "contact.yaml"
    runbook.write_text(RUNBOOK, encoding="utf-8")
    arguments = ["run", str(runbook), "--var", "name=Zoë <3", "--yes-i-wrote-this", "--json"]
    done = deskhand(display, home, *arguments, "--trace-folder", str(tmp_path / "runs"), SECRET_CITY="Xanadu-77")
    assert done.returncode == 0, done.stderr
    assert form[1].wait_for("saved") == {"event": "saved", "name": "Zoë <3", "city": "Xanadu-77"}
    said = json.loads(done.stdout)
    assert said["outcome"] == "done"
    folder = Path(said["trace"])
    assert read_trace(folder).ended
    assert "Xanadu" not in (folder / "trace.jsonl").read_text() + done.stdout + done.stderr
    assert "step 3: click the Save button" in done.stderr
    replayed = deskhand(display, home, "replay", str(folder))
    assert replayed.returncode == 0
    assert "done after" in replayed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["click the Cancel button", "--mode", "confirm"], 7, "nobody to ask"),
        (["click the Cancel button", "--mode", "watch"], 7, "watch mode: it would click"),
        (["click the Cancel button", "--max-seconds", "0.01"], 6, "limit of 0.01 seconds"),
    ],
)
def test_how_a_run_ended_is_in_the_exit_code(
    display: str, home: Path, form: tuple[dict[str, Rect], Program], arguments: list[str], code: int, said: str
) -> None:
    done = deskhand(display, home, "run", *arguments)
    assert (done.returncode, said in done.stdout) == (code, True), done


def test_a_check_that_fails_fails_the_run(
    display: str, home: Path, form: tuple[dict[str, Rect], Program], tmp_path: Path
) -> None:
    runbook = tmp_path / "check.yaml"
    runbook.write_text('steps:\n  - do: check that the "Archive" tab is shown\n    timeout_s: 0\n', encoding="utf-8")
    done = deskhand(display, home, "run", str(runbook), "--no-trace")
    assert done.returncode == 1, done
    assert "the check failed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["book me a flight to Rome"], "--planner-endpoint"),
        (["book me a flight to Rome", "--yes-i-wrote-this"], "for steps that a person wrote"),
        (["press Enter", "--var", "name"], "--var"),
        (["nothing.yaml"], "cannot be read"),
        (["press Enter", "--max-steps", "0"], "greater than zero"),
        (["press Enter", "--monitor", "7"], "there is no monitor"),
    ],
)
def test_bad_input_is_said_before_anything_is_done(display: str, home: Path, arguments: list[str], said: str) -> None:
    done = deskhand(display, home, "run", *arguments)
    assert done.returncode == 2, done
    assert said in done.stderr


def test_a_dry_run_prints_the_steps_and_needs_no_screen(home: Path) -> None:
    done = deskhand("", home, "run", 'type "a" into Name, then press Enter', "--dry-run")
    assert (done.returncode, done.stdout.splitlines()) == (0, ['1  type "a" into Name', "2  press Enter"])
