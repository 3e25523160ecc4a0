"""Take screens of real Debian applications under Xvfb, with boxes from AT-SPI.

One command a split; `packages` says what to install first::

    python -m model.nano.desktop_apps --packages | xargs apt-get install -y --no-install-recommends
    python -m model.nano.desktop_apps --split test --out build/nano/apps-test
    python -m model.nano.desktop_apps --split train --out build/nano/apps-train

Nothing touches a desktop that a person uses: each application gets a display, a bus and a home of its own. Where
characters stand is not known here, so the screens have no glyphs.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from model.errors import InputError, ModelError, ResourceError
from model.nano.app_session import AppSession
from model.nano.atspi_read import Node, to_elements
from model.nano.corpus import write_screen
from model.nano.elements import Screen
from model.nano.page_style import families
from model.nano.page_text import Words
from model.nano.split import TEST_APPLICATIONS, TRAIN_APPLICATIONS, Split
from model.nano.visible import cuts_text, grey, keep_visible

_NEEDED = ("xvfb", "openbox", "xdotool", "dbus-daemon", "at-spi2-core", "gir1.2-atspi-2.0", "python3-gi", "libx11-6")
_THEMES: dict[Split, tuple[str, ...]] = {
    "test": ("Adwaita", "Adwaita:dark", "HighContrast", "Greybird"),
    "train": ("Arc", "Arc-Dark", "Numix", "Materia-light", "Breeze", "Breeze-Dark", "Greybird-dark", "Raleigh"),
}
_THEME_PACKAGES = ("gnome-themes-extra", "greybird-gtk-theme", "arc-theme", "numix-gtk-theme", "materia-gtk-theme")
_FRAMES: dict[Split, tuple[str, ...]] = {
    "test": ("Clearlooks", "Onyx"),
    "train": ("Bear2", "Natura", "Mikachu", "Orang", "Artwiz-boxed"),
}
"""Openbox's themes for title bars."""
_UNDER: dict[Split, tuple[str, ...]] = {"test": ("galculator", "mousepad"), "train": ("l3afpad", "speedcrunch")}
"""What may stand below the application that is shown."""
_DRAWN_BY_LISTS = frozenset({"cell", "tree_item", "list_item"})
_SIZES_PX = ((1280, 800), (1024, 768), (1366, 768), (1024, 640), (1440, 900), (1920, 1080), (1280, 720))


@dataclass(frozen=True, slots=True)
class Application:
    """A program: its package, how it is started, and keys that open something.

    ``{text}`` and ``{folder}`` in a command are a file and a folder of a made-up home, ``{word}`` is a random word.
    """

    name: str
    package: str
    commands: tuple[str, ...]
    keys: tuple[str, ...] = ()


def _zenity(*arguments: str) -> tuple[str, ...]:
    return tuple(f"zenity {a}" for a in arguments)


APPLICATIONS = (
    Application("galculator", "galculator", ("galculator",)),
    Application("mousepad", "mousepad", ("mousepad {text}",), ("ctrl+o", "ctrl+f", "ctrl+h")),
    Application(
        "zenity",
        "zenity",
        _zenity(
            "--question --text 'Delete the file {word}?' --title Question",
            "--entry --text 'Name of the {word}' --title Rename",
            "--forms --text Account --add-entry Name --add-entry Street --add-password Password",
            "--list --checklist --column Use --column Item --column Price TRUE {word} 12 FALSE Milk 2",
            "--file-selection --title 'Open a file'",
            "--calendar --title Date --text 'Choose a day'",
            "--password --username",
            "--scale --text Volume --value 40",
            "--warning --text 'The disk {word} is almost full' --title Warning",
            "--color-selection",
        ),
    ),
    Application("thunar", "thunar", ("thunar {folder}",), ("ctrl+l",)),
    Application("featherpad", "featherpad", ("featherpad {text}",), ("ctrl+f",)),
    Application("gucharmap", "gucharmap", ("gucharmap",), ("ctrl+f",)),
    Application("atril", "atril", ("atril",), ("ctrl+o",)),
    Application("qalculate-gtk", "qalculate-gtk", ("qalculate-gtk",)),
    Application("geany", "geany", ("geany {text}",), ("ctrl+f", "ctrl+alt+p")),
    Application("pluma", "pluma", ("pluma {text}",), ("ctrl+f", "ctrl+h", "ctrl+o")),
    Application("xarchiver", "xarchiver", ("xarchiver",), ("ctrl+o",)),
    Application("transmission", "transmission-gtk", ("transmission-gtk",), ("ctrl+o",)),
    Application("l3afpad", "l3afpad", ("l3afpad {text}",), ("ctrl+f", "ctrl+o")),
    Application(
        "xfce4-settings",
        "xfce4-settings",
        (
            "xfce4-mouse-settings",
            "xfce4-keyboard-settings",
            "xfce4-appearance-settings",
            "xfce4-accessibility-settings",
        ),
    ),
    Application("gtk3-examples", "gtk-3-examples", ("gtk3-widget-factory", "gtk3-demo")),
    Application("dconf-editor", "dconf-editor", ("dconf-editor",)),
    Application("speedcrunch", "speedcrunch", ("speedcrunch",)),
    Application("qpdfview", "qpdfview", ("qpdfview",), ("ctrl+o",)),
    Application("meld", "meld", ("meld",), ("ctrl+n",)),
)


def applications(split: Split) -> list[Application]:
    """List the applications of one side of the split."""
    names = TEST_APPLICATIONS if split == "test" else TRAIN_APPLICATIONS
    return [a for a in APPLICATIONS if a.name in names]


def app_screens(application: Application, split: Split, look: int, seed: int) -> Iterator[Screen]:
    """Start an application in its ``look``-th theme, size and place, and yield what it shows, menu after menu.

    Raises `ResourceError` when it opens no window in time.
    """
    rng = Random(f"{split}/{seed}/{application.name}/{look}")  # noqa: S311 - a repeatable choice, not a secret
    theme = _THEMES[split][look % len(_THEMES[split])]
    size_px = rng.choice(_SIZES_PX)
    for template in application.commands:
        with tempfile.TemporaryDirectory(prefix="deskhand-home-", ignore_cleanup_errors=True) as home:
            command = _furnish(template, Path(home), rng)
            source = f"app:{application.name}:{theme}"
            font = f"{rng.choice(_fonts(split))} {rng.choice((9, 10, 11, 12))}"
            text_scale = rng.choice(("1", "1", "1", "1.25", "1.5"))
            with AppSession(Path(home), size_px, theme, rng.choice(_FRAMES[split]), font, text_scale) as session:
                session.paint(f"#{rng.randrange(1 << 24):06x}")
                if rng.random() < 0.3:
                    # Some programs open no second window beside their first.
                    session.start(rng.choice([u for u in _UNDER[split] if u != application.name]))
                    session.place(rng)
                below = {n.name for n in session.nodes() if n.parent == -1}
                session.start(command)
                session.place(rng)
                yield from _visit(session, application, source, below)


def _fonts(split: Split) -> list[str]:
    # Programmers' fonts join characters into arrows, which are then no longer what the tree says.
    return [family for family in families(split) if not family.endswith((" Code", " Mono"))]


def _visit(session: AppSession, application: Application, source: str, below: set[str]) -> Iterator[Screen]:
    """Take the first screen, then one for each menu and key; menus of windows named in ``below`` stay closed."""
    seen: set[bytes] = set()
    nodes = session.nodes()
    first = _screen(session, nodes, source, seen)
    if first is not None:
        yield first
    # Qt calls what stands in a menu bar an item.
    titled = [n for n in nodes if n.role in ("menu", "menu item") and n.parent >= 0]
    titles = [n for n in titled if nodes[n.parent].role == "menu bar"]
    for title in [t for t in titles if _window_name(t, nodes) not in below][:6]:
        session.act(title.ident)
        opened = _screen(session, session.nodes(), source, seen)
        if opened is not None:
            yield opened
        session.press("Escape")
        session.press("Escape")
        # A node's number holds for the last list only.
        session.nodes()
    for keys in application.keys:
        session.press(keys)
        opened = _screen(session, session.nodes(), source, seen)
        if opened is not None:
            yield opened
        session.press("Escape")


def _window_name(node: Node, nodes: list[Node]) -> str:
    while node.parent >= 0:
        node = nodes[node.parent]
    return node.name


def _screen(session: AppSession, nodes: list[Node], source: str, seen: set[bytes]) -> Screen | None:
    """Take a screen, or ``None`` when it looks like one taken before or offers nothing."""
    pixels, windows = session.capture()
    key = pixels.tobytes()
    if key in seen:
        return None
    seen.add(key)
    luminance = grey(pixels)
    claimed = keep_visible(pixels, to_elements(nodes, windows, (pixels.shape[1], pixels.shape[0])))
    # Some lists report the box of one renderer while the text is drawn by another.
    elements = tuple(e for e in claimed if e.role not in _DRAWN_BY_LISTS or not cuts_text(luminance, e.box_px))
    if not elements:
        return None
    return Screen(pixels, elements, np.zeros((0, 3), np.float32), source, 1.0)


def _furnish(template: str, home: Path, rng: Random) -> str:
    """Fill a home with files and return the command with their names in it."""
    words = Words(rng)
    folder = home / "Documents"
    folder.mkdir(parents=True)
    for name in words.distinct(words.file, rng.randint(6, 18)):
        (folder / name).write_text(words.paragraph(), encoding="utf-8")
    for name in words.distinct(words.word, rng.randint(2, 5)):
        (folder / name).mkdir(exist_ok=True)
    text = folder / f"{words.word()}.txt"
    text.write_text("\n".join(words.sentence() for _ in range(rng.randint(2, 14))), encoding="utf-8")
    return template.format(text=text, folder=folder, word=words.word())


def main(arguments: list[str] | None = None) -> int:
    """Take the screens of a split; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.desktop_apps", description="Screens by AT-SPI.")
    parser.add_argument("--split", choices=("train", "test"))
    parser.add_argument("--looks", type=int, default=4, help="themes, sizes and places for each application")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder of the corpus")
    parser.add_argument("--only", nargs="*", help="names of applications, in place of all of the split")
    parser.add_argument("--packages", action="store_true", help="print the Debian packages needed, and end")
    options = parser.parse_args(arguments)
    if options.packages:
        print("\n".join([*_NEEDED, *_THEME_PACKAGES, *(a.package for a in APPLICATIONS)]))
        return 0
    if options.split is None or options.out is None:
        parser.error("--split and --out are needed")
    try:
        return _run(options.split, options.looks, options.seed, options.out, options.only)
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _run(split: Split, looks: int, seed: int, out: Path, only: list[str] | None) -> int:
    missing = [t for t in ("Xvfb", "openbox", "xdotool", "dbus-run-session") if shutil.which(t) is None]
    if missing:
        raise InputError(f"{', '.join(missing)} not found", remedy="install what --packages prints")
    count = 0
    for application in applications(split):
        if (only and application.name not in only) or shutil.which(application.commands[0].split()[0]) is None:
            continue
        for look in range(looks):
            number = 0
            try:
                for number, screen in enumerate(app_screens(application, split, look, seed), 1):
                    write_screen(out, f"{application.name}-{look}-{number:02d}", screen, split)
                    count += 1
            except ResourceError as error:
                print(f"{application.name}: {error}", file=sys.stderr)
            print(f"{application.name}, look {look}: {number} screens", file=sys.stderr)
    print(f"{count} screens", file=sys.stderr)
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
