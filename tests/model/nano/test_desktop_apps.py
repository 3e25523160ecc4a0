"""What accessibility trees claim is believed only where it can be seen."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from model.nano.atspi_read import Node, to_elements, to_nodes
from model.nano.desktop_apps import APPLICATIONS, applications, main
from model.nano.elements import Element
from model.nano.split import TEST_APPLICATIONS, TRAIN_APPLICATIONS
from model.nano.x_windows import XWindow

_SIZE_PX = (800, 600)
_SHOWN = frozenset({"SHOWING", "VISIBLE", "ENABLED", "SENSITIVE"})
_FRAME = Node(0, -1, "frame", "Editor", "", "", _SHOWN, (100, 100, 500, 400))
_WINDOW = XWindow(7, (99, 80, 501, 401), False)


def _node(ident: int, role: str, name: str, box: tuple[float, float, float, float], parent: int = 0) -> Node:
    return Node(ident, parent, role, name, "", "", _SHOWN, box)


def _texts(elements: list[Element]) -> set[str]:
    return {e.text for e in elements}


def test_a_button_is_read_with_its_window() -> None:
    button = _node(1, "push button", "Save as", (110, 350, 200, 380))
    (element,) = to_elements([_FRAME, button], [_WINDOW], _SIZE_PX)
    assert element == Element("button", (110, 350, 200, 380), "Save as", container="Editor", container_kind="window")


def test_what_another_window_covers_is_left_out() -> None:
    nodes = [
        _FRAME,
        _node(1, "push button", "Save", (110, 350, 200, 380)),
        _node(2, "push button", "Quit", (300, 350, 390, 380)),
    ]
    above = XWindow(9, (150, 300, 250, 360), True)
    assert _texts(to_elements(nodes, [_WINDOW, above], _SIZE_PX)) == {"Quit"}
    assert _texts(to_elements(nodes, [above, _WINDOW], _SIZE_PX)) == {"Save", "Quit"}


def test_an_open_menu_belongs_to_its_own_window_and_counts_its_items() -> None:
    bar = _node(1, "menu bar", "", (100, 100, 500, 125))
    file = _node(2, "menu", "File", (100, 100, 140, 125), parent=1)
    items = [
        _node(3 + i, "menu item", n, (100, 125 + 25 * i, 260, 150 + 25 * i), 2) for i, n in enumerate(("New", "Open"))
    ]
    below = _node(5, "push button", "Hidden", (110, 130, 200, 160))
    popup = XWindow(9, (100, 125, 260, 175), True)
    found = to_elements([_FRAME, bar, file, *items, below], [_WINDOW, popup], _SIZE_PX)
    assert [(e.text, e.role, e.position) for e in found] == [
        ("File", "menu", 1),
        ("New", "menu_item", 1),
        ("Open", "menu_item", 2),
    ]
    assert found[1].group == "File"


def test_a_toolbar_button_without_room_for_its_name_is_an_icon() -> None:
    bar = _node(1, "tool bar", "", (100, 130, 500, 170))
    save = _node(2, "push button", "Save", (110, 135, 142, 167), parent=1)
    vague = _node(3, "push button", "Frobnicate", (150, 135, 182, 167), parent=1)
    (element,) = to_elements([_FRAME, bar, save, vague], [_WINDOW], _SIZE_PX)
    assert (element.role, element.icon, element.text) == ("icon_button", "save", "")


def test_elements_that_lie_over_each_other_are_both_left_out() -> None:
    one, two = (_node(i, "push button", f"Button {i}", (110, 350, 200, 380)) for i in (1, 2))
    assert to_elements([_FRAME, one, two], [_WINDOW], _SIZE_PX) == []


def test_a_label_that_spells_its_button_or_tab_is_one_element_and_a_page_keeps_its_labels() -> None:
    tab = _node(1, "page tab", "Mouse", (110, 130, 180, 155))
    own = _node(2, "label", "Mouse", (115, 133, 175, 152), parent=1)
    page = _node(3, "label", "Speed:", (120, 200, 180, 220), parent=1)
    button = _node(4, "push button", "Reset", (120, 300, 200, 330), parent=1)
    inner = _node(5, "label", "Reset", (130, 305, 190, 325), parent=4)
    found = to_elements([_FRAME, tab, own, page, button, inner], [_WINDOW], _SIZE_PX)
    assert [(e.role, e.text) for e in found] == [("tab", "Mouse"), ("label", "Speed:"), ("button", "Reset")]


def test_what_does_not_show_or_leaves_the_screen_is_left_out() -> None:
    hidden = replace(_node(1, "push button", "Save", (110, 350, 200, 380)), states=frozenset({"VISIBLE"}))
    outside = _node(2, "push button", "Quit", (760, 350, 850, 380))
    assert to_elements([_FRAME, hidden, outside], [_WINDOW, XWindow(8, (0, 0, 900, 600), False)], _SIZE_PX) == []


def test_a_field_takes_its_caption_and_content() -> None:
    answer = [
        {
            "id": 0,
            "parent": -1,
            "role": "dialog",
            "name": "Ask",
            "text": "",
            "label": "",
            "states": list(_SHOWN),
            "box": [100, 100, 400, 300],
        },
        {
            "id": 1,
            "parent": 0,
            "role": "text",
            "name": "",
            "text": "Oslo",
            "label": "Town:",
            "states": list(_SHOWN),
            "box": [200, 150, 150, 30],
        },
    ]
    (element,) = to_elements(to_nodes(answer), [_WINDOW], _SIZE_PX)
    assert (element.role, element.text, element.label, element.container_kind) == (
        "text_field",
        "Oslo",
        "Town",
        "dialog",
    )


def test_every_application_of_the_split_is_known() -> None:
    assert {a.name for a in applications("test")} == set(TEST_APPLICATIONS)
    assert {a.name for a in applications("train")} == set(TRAIN_APPLICATIONS)
    assert {a.name for a in APPLICATIONS} == {*TEST_APPLICATIONS, *TRAIN_APPLICATIONS}


def test_packages_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--packages"]) == 0
    assert {"xvfb", "galculator", "gir1.2-atspi-2.0"} <= set(capsys.readouterr().out.split())


def _missing_programs() -> str:
    names = ("Xvfb", "openbox", "xdotool", "dbus-run-session", "galculator")
    absent = [n for n in names if shutil.which(n) is None]
    python = Path("/usr/bin/python3")
    if not python.exists() or subprocess.run([python, "-c", "import gi"], capture_output=True, check=False).returncode:
        absent.append("python3-gi")
    return ", ".join(absent)


@pytest.mark.skipif(bool(_missing_programs()), reason=f"not installed: {_missing_programs()}")
def test_a_real_calculator_gives_its_keys(tmp_path: Path) -> None:
    from model.nano.corpus import read_corpus

    assert main(["--split", "test", "--only", "galculator", "--looks", "1", "--out", str(tmp_path)]) == 0
    first = next(read_corpus(tmp_path))
    keys = {e.text: e.box_px for e in first.elements if e.role == "button"}
    assert {"7", "8", "9", "+", "="} <= set(keys)
    assert keys["7"][2] <= keys["8"][0] + 1
    assert keys["8"][2] <= keys["9"][0] + 1
