"""The real application on a real desktop: every page by keyboard, every control by name, and the engine killed."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.ui.drive import Drive, pages_of, photograph

CONTROLS = {
    "push button",
    "button",
    "toggle button",
    "check box",
    "radio button",
    "combo box",
    "text",
    "entry",
    "password text",
    "spin button",
    "slider",
    "page tab",
    "menu item",
    "link",
    "table",
    "tree table",
    "list",
}


def _lacking() -> str:
    for program in ("Xvfb", "openbox", "dbus-run-session"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    asked = "import gi; gi.require_version('Atspi', '2.0')"
    done = subprocess.run(["/usr/bin/python3", "-c", asked], capture_output=True, check=False)
    return "" if done.returncode == 0 else "the system's Python has no Atspi (Debian: gir1.2-atspi-2.0 python3-gi)"


LACKING = _lacking()
pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    with Drive(tmp_path, load_at_start=False, welcomed=True) as made:
        yield made


def test_a_screen_reader_is_told_the_name_of_every_control(drive: Drive) -> None:
    seen: dict[str, int] = {}
    nameless: list[str] = []
    for number, page in enumerate(pages_of(drive), 1):
        drive.keys("ctrl", str(number))
        drive.until(lambda page=page: drive.says(f"{page} – Deskhand"), page)
        controls = [node for node in drive.nodes() if node.role in CONTROLS and "FOCUSABLE" in node.states]
        seen[page] = len(controls)
        nameless += [f"{page}: {node.role} at {node.box_px}" for node in controls if not (node.name or node.label)]
    assert "Settings" in seen
    assert all(count >= 7 for count in seen.values()), seen
    assert not nameless


def test_the_welcome_finds_a_button_of_the_real_screen_and_the_tour_is_photographed(tmp_path: Path) -> None:
    pictures = photograph(tmp_path, "dark", 2.0)
    assert len(pictures) >= 5
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
