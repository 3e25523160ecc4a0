"""What works the screen here: how it is captured and why so, and whether mouse and keyboard may be worked."""

import sys
import time
from collections.abc import Iterable, Mapping
from importlib import metadata

from agent.errors import AgentError
from app.diagnostics import Finding


def screen_findings() -> Iterable[Finding]:
    """Look at capture, hands and the packages that may be in their way; nothing is pressed and nobody is asked."""
    yield from _capture()
    yield _hands()
    yield from xlib_findings(_installed("python3-xlib", "python-xlib"))


def _capture() -> Iterable[Finding]:
    from agent.capture.screen import default_handlers

    passed_over: list[str] = []
    for handler in default_handlers():
        reason = handler.unavailable()
        if reason is not None:
            handler.close()
            passed_over.append(f"{handler.name}: {reason.rstrip('.')}")
            continue
        try:
            yield _measured(handler.name, passed_over)
        except AgentError as error:
            yield Finding("screen capture", "warning", f"{handler.name}: {error.what}. {error.why}", error.remedy)
        finally:
            handler.close()
        return
    yield Finding(
        "screen capture",
        "warning",
        f"the screen cannot be captured here. {'; '.join(passed_over)}",
        "start it in a desktop session; pictures of screens can be read without one",
    )


def _measured(name: str, passed_over: list[str]) -> Finding:
    from agent.capture.screen import is_black, open_screen

    with open_screen(name) as screen:
        monitors = ", ".join(
            f"{monitor.name} {monitor.rect_px.width}×{monitor.rect_px.height} at scale {monitor.scale:g}"
            for monitor in screen.monitors()
        )
        why = f" ({'; '.join(passed_over)})" if passed_over else ", the first choice"
        detail = f"{name}{why}: {monitors}"
        if name == "portal":
            return Finding("screen capture", "ok", f"{detail}; the desktop may ask before each screenshot")
        screen.grab(allow_black=True)
        began = time.monotonic()
        frame = screen.grab(allow_black=True)
        detail += f"; all of it takes {(time.monotonic() - began) * 1000:.0f} ms"
        if notes := screen.handler.notes():
            return Finding("screen capture", "warning", f"{detail}; {'; '.join(notes)}")
        if is_black(frame):
            return Finding(
                "screen capture",
                "warning",
                f"{detail}, and all of it is black: the screen is off or locked, or nothing may be seen",
                "wake or unlock the screen, or choose another way with --capture",
            )
        return Finding("screen capture", "ok", detail)


def _hands() -> Finding:
    name = "mouse and keyboard"
    if sys.platform in ("win32", "darwin"):
        there = bool(_installed("pyautogui"))
        detail = "pyautogui" if there else "pyautogui is not installed"
        status, remedy = ("ok", "") if there else ("warning", "pip install pyautogui")
        return Finding(name, status, f"{detail}; working this system has not been tested on a real machine", remedy)
    try:
        return _x11_hands(name)
    except ImportError as error:
        return Finding(name, "warning", f"cannot be worked: {error}", "pip install xcffib")
    except AgentError as error:
        return Finding(name, "warning", f"cannot be worked: {error.what}. {error.why}", error.remedy)


def _x11_hands(name: str) -> Finding:
    from agent.x11.connection import XConnection, x_errors_as
    from agent.x11.monitors import is_xwayland
    from agent.x11.raw_input import RawInput

    with XConnection() as x, x_errors_as(AgentError, "the X server cannot be asked what it allows"):
        if is_xwayland(x):
            return Finding(
                name,
                "warning",
                "cannot be worked: this X server is XWayland, and only X11 programs would get the events",
                "log into an X11 (Xorg) session",
            )
        if not x.has_extension("XTEST"):
            return Finding(name, "warning", f"cannot be worked: the X server {x.display} lacks XTEST")
        try:
            RawInput(x)
        except AgentError as error:
            return Finding(name, "warning", f"XTEST; a person's hands cannot be watched: {error.what}")
        return Finding(name, "ok", "XTEST, which needs no permission; a person's own input is told apart from it")


def xlib_findings(installed: Mapping[str, str]) -> Iterable[Finding]:
    """Say what the two packages that both install ``Xlib`` do to each other; nothing when none is there."""
    if "python3-xlib" not in installed:
        return
    both = "python-xlib" in installed
    overwritten = f", over files of python-xlib {installed['python-xlib']}" if both else ""
    yield Finding(
        "Xlib",
        "warning",
        f"python3-xlib {installed['python3-xlib']}, which is no longer maintained, is installed{overwritten}; "
        "Deskhand needs neither, but other programs here may break",
        "pip uninstall python3-xlib" + (" && pip install --force-reinstall python-xlib" if both else ""),
    )


def _installed(*names: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
