"""What this machine has and lacks, each lack with the command that mends it."""

import ctypes.util
import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

Status = Literal["ok", "warning", "missing"]

APT_PACKAGES = {
    "xcb-cursor": "libxcb-cursor0",
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-image": "libxcb-image0",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
    "dbus-1": "libdbus-1-3",
}
"""Shared libraries that Qt's X11 plugin loads, and the Debian packages that hold them."""

_MIN_MEMORY_BYTES = 2_000_000_000
_MIN_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` is a command or a sentence; empty when all is well."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def diagnose() -> list[Finding]:
    """Look at everything; no check raises."""
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        _python,
        _torch,
        _memory,
        _display,
        _screen,
        _libraries,
        _extras,
        _places,
        _builtin,
    )
    return [finding for check in checks for finding in check()]


def _python() -> Iterable[Finding]:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    yield Finding(
        "Python",
        "ok" if good else "missing",
        f"{version} at {sys.executable}",
        "" if good else "install Python 3.11 or newer from python.org or your distribution",
    )
    yield Finding("system", "ok", f"{platform.system()} {platform.release()} on {platform.machine()}")


def _torch() -> Iterable[Finding]:
    if importlib.util.find_spec("torch") is None:
        yield Finding("PyTorch", "missing", "not installed", "pip install -c constraints.txt -e .")
        return
    import torch

    built = torch.version.cuda or getattr(torch.version, "hip", None) or "CPU"
    yield Finding("PyTorch", "ok", f"{torch.__version__}, built for {built if built == 'CPU' else f'GPU ({built})'}")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            capability = ".".join(str(part) for part in torch.cuda.get_device_capability(index))
            detail = f"{name}, compute capability {capability}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free"
            yield Finding(f"GPU {index}", "ok", detail)
        return
    has_card = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    yield Finding(
        "GPU",
        "warning",
        "none that PyTorch can use: the built-in checkpoint runs well on the CPU, the 16B ones slowly",
        "pip install torch --index-url https://download.pytorch.org/whl/cu130" if has_card else "",
    )
    fast = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    yield Finding("CPU", "ok", f"{os.cpu_count()} cores, {'with' if fast else 'without'} bfloat16 matrix units (AMX)")


def _memory() -> Iterable[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    low = memory.available < _MIN_MEMORY_BYTES
    yield Finding(
        "memory",
        "warning" if low else "ok",
        f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available",
        "close other programs: the built-in checkpoint needs 1.5 GB" if low else "",
    )


def _display() -> Iterable[Finding]:
    if sys.platform in ("win32", "darwin"):
        yield Finding("display", "ok", f"{platform.system()} desktop")
        if sys.platform == "darwin":
            yield Finding(
                "permissions",
                "warning",
                "macOS asks for Screen Recording and Accessibility at first use; this was not checked",
                "System Settings > Privacy & Security > Screen Recording, Accessibility",
            )
        return
    if wayland := os.environ.get("WAYLAND_DISPLAY"):
        there = (Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / wayland).exists()
        yield Finding(
            "display",
            "ok" if there else "missing",
            f"Wayland ({wayland})" + ("" if there else ", but its socket is not there"),
            "" if there else "start Deskhand from inside the desktop session",
        )
        return
    if display := os.environ.get("DISPLAY"):
        yield _x11(display)
        return
    yield Finding(
        "display",
        "warning",
        "no display server: pictures can be read, the screen cannot",
        "start it in a desktop session, or: Xvfb :9 -screen 0 1920x1080x24 & export DISPLAY=:9",
    )


def _x11(display: str) -> Finding:
    host, _, number = display.partition(":")
    number = number.split(".")[0]
    try:
        if host in ("", "unix"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(f"/tmp/.X11-unix/X{number}")  # noqa: S108 - where X servers listen
        else:
            socket.create_connection((host, 6000 + int(number or 0)), timeout=2).close()
    except (OSError, ValueError) as error:
        return Finding(
            "display", "missing", f"X11 ({display}) does not answer: {error}", "check DISPLAY and start the X server"
        )
    return Finding("display", "ok", f"X11 ({display})")


def _screen() -> Iterable[Finding]:
    from app.diagnostics_screen import screen_findings

    return screen_findings()


def _libraries() -> Iterable[Finding]:
    if not sys.platform.startswith("linux"):
        return
    lacking = [package for library, package in APT_PACKAGES.items() if ctypes.util.find_library(library) is None]
    yield Finding(
        "system libraries",
        "warning" if lacking else "ok",
        f"missing for the window: {', '.join(lacking)}" if lacking else "all that Qt needs on X11 are there",
        f"sudo apt-get install {' '.join(lacking)}" if lacking else "",
    )


def _extras() -> Iterable[Finding]:
    for extra, modules in {"media": ("av", "pypdfium2")}.items():
        lacking = [module for module in modules if importlib.util.find_spec(module) is None]
        yield Finding(
            f"extra '{extra}'",
            "warning" if lacking else "ok",
            "video and PDF input" + (f" lacks {', '.join(lacking)}" if lacking else " is installed"),
            f"pip install 'deskhand[{extra}]'" if lacking else "",
        )
    yield Finding("transformers", "ok", metadata.version("transformers"))


def _places() -> Iterable[Finding]:
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    existing = next((place for place in (home, *home.parents) if place.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    problem = not writable or free < _MIN_DISK_BYTES
    yield Finding(
        "download folder",
        "warning" if problem else "ok",
        f"{home}: {free / 1e9:.1f} GB free" + ("" if writable else ", not writable"),
        "set HF_HOME to a folder on a disk with room (a 16B checkpoint takes 33 GB)" if problem else "",
    )


def _builtin() -> Iterable[Finding]:
    from model.checkpoint import builtin_folder

    folder = builtin_folder()
    there = (folder / "config.json").exists()
    yield Finding(
        "built-in checkpoint",
        "ok" if there else "missing",
        str(folder) if there else f"not in {folder}",
        "" if there else "clone the repository again, with its assets folder",
    )
