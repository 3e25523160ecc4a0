"""The real application on a real desktop: every page by keyboard, every control by name, and the engine killed."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.ui.drive import Drive, pages_of, photograph
from tests.app.ui.tour import Tour
from tests.app.ui.tour_data import seed

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
    made = Drive(tmp_path, load_at_start=False, welcomed=True)
    seed(made.data)
    with made:
        yield made


INSIDE = {
    "Agent": ("Goal", "Past runs"),
    "Batch": ("Open",),
    "Models": ("Local server", "Other servers", "Add a server…"),
}
"""What is clicked on a page, one after the other, to see all of it."""


def test_a_screen_reader_is_told_the_name_of_every_control(drive: Drive, tmp_path: Path) -> None:
    tour = Tour(drive, tmp_path, "names")
    seen: dict[str, int] = {}
    nameless: list[str] = []

    def look(where: str) -> None:
        controls = [node for node in drive.nodes() if node.role in CONTROLS and "FOCUSABLE" in node.states]
        seen[where] = len(controls)
        nameless.extend(f"{where}: {node.role} at {node.box_px}" for node in controls if not (node.name or node.label))

    for number, page in enumerate(pages_of(drive), 1):
        drive.keys("ctrl", str(number))
        drive.until(lambda page=page: drive.says(f"{page} – Deskhand"), page)
        look(page)
        for name in INSIDE.get(page, ()):
            assert tour.click(name), f"{page} has no {name}"
            drive.picture()  # waits until what was asked for is there
            look(f"{page}, {name}")
        drive.keys("escape")
    drive.keys("ctrl", "4")  # the settings have a button of the same name behind the sheet
    drive.keys("ctrl", "/")
    drive.until(lambda: drive.says("Keys and help"), "the sheet of keys")
    drive.picture()
    look("Help")
    assert tour.click("Logs")
    drive.until(lambda: drive.says("Copy what is shown"), "the logs", 20.0)
    look("Logs")
    assert {"Models", "Settings"} <= set(seen)
    assert all(count >= 7 for count in seen.values()), seen
    assert not nameless


def test_the_welcome_finds_a_button_of_the_real_screen_and_the_tour_is_photographed(tmp_path: Path) -> None:
    pictures = photograph(tmp_path, "dark", 2.0)
    assert len(pictures) >= 5
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
