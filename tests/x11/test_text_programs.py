"""Text entry into real programs of other toolkits: a GTK editor, Chromium and a terminal."""

import os
import select
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

from agent.errors import HandsError
from agent.hands.selection import Selection
from agent.hands.x11 import X11Hands
from agent.types import Hotkey, Press, TypeText
from agent.x11.connection import XConnection
from agent.x11.windows import focused_window
from tests.x11.conftest import start, stop
from tests.x11.programs import LIMIT_S, focus
from tests.x11.test_hands import OpenGate

START_LIMIT_S = 60.0
TEXTS = [
    "<html> & \"quoted\" '|' ~`^",
    "naïve café, façade – „Zitat“ … €",
    "Съешь ещё ξεσκεπάζω",
    "中文字符 日本語 한국어",
    "السلام שלום",
    "  👍🏽 👨‍👩‍👧 🇩🇪  ",
]
PAGE = """<!doctype html><meta charset="utf-8"><title>loading</title>
<body onload="document.querySelector('textarea').focus(); document.title = 'ready'">
<textarea rows="20" cols="60"></textarea>"""


@pytest.fixture(scope="module")
def hands(display: str) -> Iterator[X11Hands]:
    with X11Hands(OpenGate(), display) as hands:
        yield hands


def _wait_for_window(display: str, words: str) -> None:
    """Wait until a window has the focus whose class and title hold the words."""
    end = time.monotonic() + START_LIMIT_S
    found = None
    with XConnection(display) as x:
        while time.monotonic() < end:
            found = focused_window(x)
            if found is not None and all(word in f"{found.app_class} {found.title}" for word in words.split()):
                return
            select.select([], [], [], 0.05)
    pytest.fail(f"no window {words!r} got the focus, but {found}")


def _copied(display: str, hands: X11Hands) -> str:
    """Return what the program itself copies when told to select all and copy."""
    with XConnection(display) as x:
        x.core.SetSelectionOwner(0, x.atom("CLIPBOARD"), 0)
        x.sync()
    selection = Selection(display)
    try:
        hands.perform(Hotkey(("ctrl", "a")))
        hands.perform(Hotkey(("ctrl", "c")))
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            try:
                content = selection.read(2.0)
            except HandsError:
                continue
            if content:
                return content["UTF8_STRING"].data.decode()
            select.select([], [], [], 0.02)
        return ""
    finally:
        selection.close()


def _assert_every_text_arrives(display: str, hands: X11Hands) -> None:
    for text in TEXTS:
        for secret in (False, True):
            hands.perform(Hotkey(("ctrl", "a")))
            hands.perform(Press("delete"))
            hands.perform(TypeText(text, secret))
            assert _copied(display, hands) == text


def test_a_gtk_editor_gets_the_text(display: str, home: Path, hands: X11Hands) -> None:
    if shutil.which("mousepad") is None:
        pytest.skip("mousepad is not installed")
    editor = start(["dbus-run-session", "mousepad", "--disable-server"], display, home)
    try:
        _wait_for_window(display, "Mousepad Untitled")
        _assert_every_text_arrives(display, hands)
    finally:
        stop(editor)


def test_a_web_page_gets_the_text(display: str, home: Path, hands: X11Hands) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    page = home / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    options = ["--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={home}/chromium"]
    browser = start(["dbus-run-session", "chromium", *options, f"--app=file://{page}"], display, home, stderr=-3)
    try:
        _wait_for_window(display, "Chromium ready")
        _assert_every_text_arrives(display, hands)
    finally:
        stop(browser)


@pytest.mark.parametrize("text", ["echo <tag> | cat", "naïve 漢字 😀", "Ελλάδα; Россия"])
def test_a_terminal_gets_the_text(display: str, home: Path, tmp_path: Path, hands: X11Hands, text: str) -> None:
    if shutil.which("lxterminal") is None:
        pytest.skip("lxterminal is not installed")
    pipe, script = tmp_path / "pipe", tmp_path / "script"
    os.mkfifo(pipe)
    script.write_text(f"#!/bin/sh\nexec >{pipe}\necho ready\nIFS= read -r line\nprintf '%s\\n' \"$line\"\n")
    script.chmod(0o755)
    arguments = ["dbus-run-session", "lxterminal", "--no-remote", "--title=terminal", "-e", str(script)]
    terminal = start(arguments, display, home)
    heard = os.fdopen(os.open(pipe, os.O_RDWR), "rb", buffering=0)
    try:
        assert _line(heard) == "ready"
        focus(display, "terminal")
        hands.perform(TypeText(text + "\n"))
        assert _line(heard) == text
    finally:
        heard.close()
        stop(terminal)


def _line(pipe: IO[bytes]) -> str:
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([pipe], [], [], 30)[0]:
            pytest.fail(f"heard only {line!r}")
        line += pipe.read(1)
    return line.decode().removesuffix("\n")
