"""Capture on any Wayland desktop through the Screenshot portal: GNOME, KDE and others.

The desktop may ask the person first, flash, and take half a second: this is for looking, not for watching.
The portal's session bus is spoken to by jeepney, which is plain Python: `agent` knows no Qt, and the ``gdbus``
program cannot be used, because the answer comes to the very connection that asked.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from agent.capture.paste import compose, part_of
from agent.capture.wayland import WaylandDesktop, WaylandOutput, read_desktop, wayland_socket
from agent.errors import AgentError, CaptureError
from agent.types import Frame, Monitor, Rect

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

_BUS, _PATH, _INTERFACE = (
    "org.freedesktop.portal.Desktop",
    "/org/freedesktop/portal/desktop",
    "org.freedesktop.portal.Screenshot",
)
_REQUEST = "org.freedesktop.portal.Request"
_ASK_LIMIT_S, _ANSWER_LIMIT_S = 5.0, 60.0
_TOKENS = itertools.count(1)


class PortalCapture:
    """One picture of the whole desktop, cut into its monitors."""

    name = "portal"

    def __init__(self, answer_limit_s: float = _ANSWER_LIMIT_S) -> None:
        self._answer_limit_s = answer_limit_s
        self._scaled: tuple[str, ...] = ()

    def unavailable(self) -> str | None:
        """Return why the portal cannot be used here, or None."""
        if wayland_socket() is None:
            return "this is no Wayland session"
        try:
            import jeepney

            read_desktop()
            with _session_bus() as bus:
                address = jeepney.DBusAddress(_PATH, _BUS, "org.freedesktop.DBus.Properties")
                question = jeepney.new_method_call(address, "Get", "ss", (_INTERFACE, "version"))
                answer = bus.send_and_get_reply(question, timeout=_ASK_LIMIT_S)
        except ImportError:
            return "jeepney is not installed (pip install jeepney)"
        except TimeoutError:
            return f"the desktop's portal did not answer in {_ASK_LIMIT_S:g} seconds"
        except AgentError as error:
            return str(error)
        if answer.header.message_type != jeepney.MessageType.method_return:
            return f"the desktop has no portal that captures the screen: {_first(answer.body)}"
        return None

    def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors as they are now."""
        return read_desktop().monitors()

    def grab(self, rect_px: Rect | None = None) -> Frame:
        """Capture the desktop and return a part of it, or all."""
        desktop = read_desktop()
        monitors = desktop.monitors()
        part = part_of(rect_px, monitors)
        whole = _load(self._ask())
        if read_desktop() != desktop:
            raise CaptureError("the monitors changed while they were captured", remedy="try again")
        pictures, self._scaled = cut(whole, desktop)
        return compose(part, monitors, lambda monitor: pictures[monitor.name], self.name)

    def notes(self) -> tuple[str, ...]:
        """Return which monitors the desktop did not show in their own pixels."""
        return tuple(f"the desktop enlarged monitor {name}; small text on it may be blurred" for name in self._scaled)

    def close(self) -> None:
        """Do nothing: nothing is held between captures."""

    def _ask(self) -> str:
        """Return the address of the picture's file."""
        import jeepney

        with _session_bus() as bus:
            token = f"deskhand{os.getpid()}_{next(_TOKENS)}"
            path = f"{_PATH}/request/{(bus.unique_name or '').lstrip(':').replace('.', '_')}/{token}"
            rule = jeepney.MatchRule(type="signal", interface=_REQUEST, member="Response", path=path)
            try:
                # Listen before asking: the answer may come at once.
                subscribed = bus.send_and_get_reply(jeepney.message_bus.AddMatch(rule), timeout=_ASK_LIMIT_S)
                if subscribed.header.message_type != jeepney.MessageType.method_return:
                    raise CaptureError("the session bus refused to pass the portal's answer on")
                with bus.filter(rule) as answers:
                    address = jeepney.DBusAddress(_PATH, _BUS, _INTERFACE)
                    options = {"handle_token": ("s", token), "interactive": ("b", False)}
                    call = jeepney.new_method_call(address, "Screenshot", "sa{sv}", ("", options))
                    asked = bus.send_and_get_reply(call, timeout=_ASK_LIMIT_S)
                    if asked.header.message_type != jeepney.MessageType.method_return:
                        raise CaptureError("the desktop's portal refused a screenshot", why=_first(asked.body))
                    code, results = bus.recv_until_filtered(answers, timeout=self._answer_limit_s).body
            except TimeoutError as error:
                raise CaptureError(
                    "the desktop's portal did not answer",
                    why="it may be waiting for a person to allow the screenshot",
                    remedy="answer its question, and try again",
                ) from error
        if code != 0 or "uri" not in results:
            why = "a person said no to it" if code == 1 else f"the portal ended the request with {code}"
            raise CaptureError(
                "the desktop did not give a screenshot",
                why=why,
                remedy="allow it when you are asked, or in the desktop's privacy settings",
            )
        return str(results["uri"][1])


@contextmanager
def _session_bus() -> "Iterator[DBusConnection]":
    from jeepney.io.blocking import open_dbus_connection
    from jeepney.low_level import SizeLimitError

    try:
        bus = open_dbus_connection("SESSION")
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise CaptureError(
            "there is no session bus to ask the desktop's portal on",
            why=f"{type(error).__name__}: {error}",
            remedy="run this inside the desktop session (DBUS_SESSION_BUS_ADDRESS)",
        ) from error
    try:
        yield bus
    except TimeoutError:
        raise
    except (OSError, SizeLimitError) as error:
        raise CaptureError("the session bus was lost", why=str(error), remedy="try again") from error
    finally:
        bus.close()


def _load(uri: str) -> NDArray[np.uint8]:
    """Return the picture, and delete its file: nobody asked for a collection of screenshots."""
    address = urlparse(uri)
    if address.scheme != "file":
        raise CaptureError("the portal's picture is not a file of this machine", why=uri)
    path = Path(unquote(address.path))
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise CaptureError("the portal's picture cannot be read", why=str(error)) from error
    finally:
        with suppress(OSError):
            path.unlink()


def cut(whole: NDArray[np.uint8], desktop: WaylandDesktop) -> tuple[dict[str, NDArray[np.uint8]], tuple[str, ...]]:
    """Return each monitor's own pixels from one picture of all, and the names of those that it shows scaled.

    Desktops draw such a picture in logical units times their highest scale. Raises CaptureError when its size
    fits no such scale: then nobody knows what lies where.
    """
    logical = [output.logical for output in desktop.outputs]
    left, top = min(rect.left for rect in logical), min(rect.top for rect in logical)
    width, height = max(rect.right for rect in logical) - left, max(rect.bottom for rect in logical) - top
    scale = whole.shape[1] / width
    if abs(whole.shape[0] - height * scale) > max(1.0, scale):
        raise CaptureError(
            f"the portal's picture is {whole.shape[1]}×{whole.shape[0]} pixels",
            why=f"a desktop of {width}×{height} units does not fit into it",
            remedy="capture without choosing a part of the screen",
        )
    pictures: dict[str, NDArray[np.uint8]] = {}
    scaled: list[str] = []
    for output in desktop.outputs:
        picture = _cut_one(whole, output, scale, left, top)
        if picture.shape[1::-1] != output.size_px:
            scaled.append(output.name)
            resized = Image.fromarray(picture).resize(output.size_px, Image.Resampling.BOX)
            picture = np.asarray(resized)
        pictures[output.name] = picture
    return pictures, tuple(scaled)


def _cut_one(whole: NDArray[np.uint8], output: WaylandOutput, scale: float, left: int, top: int) -> NDArray[np.uint8]:
    begin_x, begin_y = round((output.logical.left - left) * scale), round((output.logical.top - top) * scale)
    width, height = round(output.logical.width * scale), round(output.logical.height * scale)
    # Logical sizes are whole numbers: a monitor of 1366 pixels at 1.5 has 911 of them, not 910⅔.
    if abs(width - output.size_px[0]) <= scale and abs(height - output.size_px[1]) <= scale:
        width, height = output.size_px
    return whole[begin_y : begin_y + height, begin_x : begin_x + width]


def _first(body: Any) -> str:
    return str(body[0]) if body else "it gave no reason"
