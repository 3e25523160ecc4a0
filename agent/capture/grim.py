"""Capture on Wayland desktops of the wlroots family (sway, Hyprland, river, labwc) through the program grim.

Each monitor is captured for itself: a picture of all of them is enlarged to the highest scale.
"""

import re
import shutil
import subprocess

import numpy as np
from numpy.typing import NDArray

from agent.capture.paste import compose, part_of
from agent.capture.wayland import read_desktop, wayland_socket
from agent.errors import AgentError, CaptureError
from agent.types import Frame, Monitor, Rect

_LIMIT_S = 10.0
_PPM = re.compile(rb"P6\s(\d{1,6})\s(\d{1,6})\s255\s")
_PROTOCOLS = {"zwlr_screencopy_manager_v1", "ext_image_copy_capture_manager_v1"}


class GrimCapture:
    """The monitors' own pixels, as the desktop composed them."""

    name = "grim"

    def unavailable(self) -> str | None:
        """Return why grim cannot be used here, or None."""
        if wayland_socket() is None:
            return "this is no Wayland session"
        try:
            protocols = read_desktop().protocols
        except AgentError as error:
            return str(error)
        if not protocols & _PROTOCOLS:
            return "this Wayland desktop lets no program capture it in the way of wlroots"
        if shutil.which("grim") is None:
            return "grim is not installed (Debian: sudo apt-get install grim)"
        return None

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors as they are now."""
        return read_desktop().monitors()

    def grab(self, rect_px: Rect | None = None) -> Frame:
        """Capture a part of the desktop, or all of it."""
        monitors = self.monitors()
        frame = compose(part_of(rect_px, monitors), monitors, _picture, self.name)
        if self.monitors() != monitors:
            raise CaptureError("the monitors changed while they were captured", remedy="try again")
        return frame

    def notes(self) -> tuple[str, ...]:
        """Return nothing: the pixels are the desktop's own."""
        return ()

    def close(self) -> None:
        """Do nothing: nothing is held between captures."""


def _picture(monitor: Monitor) -> NDArray[np.uint8]:
    command = ["grim", "-t", "ppm", "-o", monitor.name, "-"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CaptureError(f"grim did not capture monitor {monitor.name}", why=str(error)) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise CaptureError(
            f"grim did not capture monitor {monitor.name}", why=said or f"it ended with {done.returncode}"
        )
    return read_ppm(done.stdout)


def read_ppm(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a binary PPM picture. Raises CaptureError when it is something else, or incomplete."""
    header = _PPM.match(data)
    if header is None:
        raise CaptureError("grim's answer is not a whole picture", why="it does not begin like one")
    (width, height), size = (int(field) for field in header.groups()), len(data) - header.end()
    if size != width * height * 3:
        why = f"it has {size} bytes for {width}×{height} pixels"
        raise CaptureError("grim's answer is not a whole picture", why=why)
    return np.frombuffer(data, np.uint8, offset=header.end()).reshape(height, width, 3)
