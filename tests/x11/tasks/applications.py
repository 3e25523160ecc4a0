"""Tasks in a calculator, an editor and dialogs of GTK."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.x11.tasks.programs import accessible_program, program
from tests.x11.tasks.task import Desk, Judge, Task

NOTE = "Meeting on Monday: bring the café menu"
PETS = "The cat sat on the mat.\nA cat may look at a king.\nNo dogs here.\n"


def calculator(wanted: str, theme: str = "Adwaita") -> Callable[[Desk], AbstractContextManager[Judge]]:
    """Judge the calculator by what it says that its display shows."""

    @contextmanager
    def stage(desk: Desk) -> Iterator[Judge]:
        with accessible_program(["galculator"], desk, "galculator", theme, "DejaVu Sans 11") as calculator:

            def judge() -> str:
                shown = [text.strip() for text in calculator.texts()]
                return "" if any(wanted in text.split() for text in shown) else f"the display shows {shown[:3]}"

            yield judge

    return stage


def editor(file: str, wanted: str, before: str | None = None, font: str = "DejaVu Sans 10"):  # noqa: ANN201
    """Judge the editor by the file in the end; with ``before`` it is open from the start."""

    @contextmanager
    def stage(desk: Desk) -> Iterator[Judge]:
        path = desk.home / file
        opened = []
        if before is not None:
            path.write_text(before, encoding="utf-8")
            opened = [str(path)]
        with program(["mousepad", "--disable-server", *opened], desk, "Mousepad", font=font):
            yield lambda: content_differs(path, wanted)

    return stage


def content_differs(path: Path, wanted: str) -> str:
    """Say how a file differs from what it should hold, the newline at its end apart."""
    if not path.exists():
        return f"there is no {path.name}"
    found = path.read_text(encoding="utf-8")
    return "" if found.rstrip("\n") == wanted.rstrip("\n") else f"{path.name} holds {found[:80]!r}"


def dialog(
    arguments: list[str],
    window: str,
    wanted: str,
    code: int = 0,
    theme: str = "Adwaita",
    files: tuple[str, ...] = (),
) -> Callable[[Desk], AbstractContextManager[Judge]]:
    """Judge a dialog by what it prints and how it ends. ``{home}`` is where it starts and its files are."""

    @contextmanager
    def stage(desk: Desk) -> Iterator[Judge]:
        for name in files:
            (desk.home / name).write_text("1,2\n", encoding="utf-8")
        with program(["zenity", *arguments], desk, window, theme) as process:

            def judge() -> str:
                try:
                    process.wait(3)
                except subprocess.TimeoutExpired:
                    return "the dialog is still open"
                assert process.stdout is not None
                said = process.stdout.read().decode().strip()
                expected = wanted.format(home=desk.home)
                if (said, process.returncode) == (expected, code):
                    return ""
                return f"the dialog said {said!r} and ended with {process.returncode}"

            yield judge

    return stage


FORM = ["--forms", "--title=New contact", "--text=Who is it?", "--add-entry=First name", "--add-entry=Last name"]
LIST = [
    "--list",
    "--checklist",
    "--title=Fruits",
    "--text=Which fruits do you like?",
    "--column=Like",
    "--column=Fruit",
]
QUESTION = ["--question", "--title=Printer", "--text=Install the printer now?"]
FILES = ("budget.csv", "letter.odt", "holiday.jpg", "minutes.txt")

TASKS = (
    Task("calculator_add", "galculator", calculator("15")),
    Task("calculator_scientific", "galculator", calculator("42", "Adwaita:dark")),
    Task("editor_save_as", "mousepad", editor("notes.txt", NOTE)),
    Task("editor_replace", "mousepad", editor("pets.txt", PETS.replace("cat", "dog"), PETS, "DejaVu Sans 11")),
    Task("dialog_save_file", "zenity", dialog(["--file-selection", "--save"], "zenity", "{home}/report.pdf")),
    Task("dialog_open_file", "zenity", dialog(["--file-selection"], "zenity", "{home}/budget.csv", files=FILES)),
    Task(
        "dialog_form",
        "zenity",
        dialog([*FORM, "--add-entry=E-mail"], "New contact", "Grace|Hopper|grace@example.org", theme="HighContrast"),
    ),
    Task(
        "dialog_list",
        "zenity",
        dialog([*LIST, *(word for name in ("Apple", "Pear", "Plum", "Cherry") for word in ("FALSE", name)),
                "--height=360"], "Fruits", "Pear|Cherry", theme="Adwaita:dark"),
    ),
    Task("dialog_question", "zenity", dialog(QUESTION, "Printer", "", 1)),
)  # fmt: skip
