"""A screen to measure on: an X server of our own, and a window as large as it that answers every click."""

import os
import select
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import xcffib
import xcffib.xproto as xp
from PIL import Image

from agent.errors import AgentError
from agent.x11.connection import XConnection
from agent.x11.monitors import desktop_rect
from app.samples import sample

START_LIMIT_S = 30.0
_ROWS = 16
_ANSWER_PX = (160, 48)


@contextmanager
def own_server(width_px: int, height_px: int) -> Iterator[str]:
    """Start an X server with a screen of a size; yield its display. Raises AgentError where there is none."""
    read_end, write_end = os.pipe()
    size = f"{width_px}x{height_px}x24"
    arguments = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    try:
        server = subprocess.Popen(arguments, pass_fds=[write_end], stderr=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        os.close(read_end)
        raise AgentError(
            "there is no X server to measure on", why=f"Xvfb: {error.strerror}", remedy="install Xvfb, or set DISPLAY"
        ) from error
    finally:
        os.close(write_end)
    try:
        ready, _, _ = select.select([read_end], [], [], START_LIMIT_S)
        number = os.read(read_end, 16).decode().strip() if ready else ""
        if not number:
            raise AgentError("Xvfb did not start")
        yield f":{number}"
    finally:
        os.close(read_end)
        server.terminate()
        server.wait()


@contextmanager
def answering_window(display: str) -> Iterator[tuple[int, int]]:
    """Cover the screen with a window that shows the shipped sample and paints a mark where it is clicked.

    Yields the screen's size in pixels.
    """
    with XConnection(display) as x:
        rect = desktop_rect(x)
        window, context = x.connection.generate_id(), x.connection.generate_id()
        values = [1, xp.EventMask.ButtonPress]
        x.core.CreateWindow(
            0, window, x.root, 0, 0, rect.width, rect.height, 0, xp.WindowClass.InputOutput, 0,
            xp.CW.OverrideRedirect | xp.CW.EventMask, values,
        )  # fmt: skip
        x.write_property(window, "WM_CLASS", "STRING", 8, b"bench\0Bench\0")
        x.write_property(window, "_NET_WM_NAME", "UTF8_STRING", 8, b"bench")
        x.core.MapWindow(window)
        x.core.CreateGC(context, window, 0, [])
        _paint(x, window, context, rect.width, rect.height)
        x.core.SetInputFocus(xp.InputFocus.PointerRoot, window, xp.Time.CurrentTime)
        x.sync()
        woken, waker = os.pipe()
        thread = threading.Thread(target=_answer, args=(x, window, context, woken), name="bench window", daemon=True)
        thread.start()
        try:
            yield rect.width, rect.height
        finally:
            os.write(waker, b"x")
            thread.join()
            os.close(waker)
            os.close(woken)


def _paint(x: XConnection, window: int, context: int, width: int, height: int) -> None:
    path, _ = sample()
    with Image.open(path) as opened:
        rgb = np.asarray(opened.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))
    bgrx = np.zeros((height, width, 4), np.uint8)
    bgrx[..., :3] = rgb[..., ::-1]
    for top in range(0, height, _ROWS):
        rows = bgrx[top : top + _ROWS]
        data = rows.tobytes()
        x.core.PutImage(
            xp.ImageFormat.ZPixmap, window, context, width, len(rows), 0, top, 0, 24, len(data), data
        )  # fmt: skip
    x.sync()


def _answer(x: XConnection, window: int, context: int, woken: int) -> None:
    colour = 0
    while not select.select([woken], [], [], 0)[0]:
        event = x.connection.poll_for_event()
        if event is None:
            select.select([x.connection.get_file_descriptor(), woken], [], [])
            continue
        if isinstance(event, xp.ButtonPressEvent):
            colour = (colour + 0x305070) & 0xFFFFFF
            width, height = _ANSWER_PX
            corner_x, corner_y = event.event_x - width // 2, event.event_y - height // 2
            x.core.ChangeGC(context, xp.GC.Foreground, [colour])
            x.core.PolyFillRectangle(window, context, 1, [xp.RECTANGLE.synthetic(corner_x, corner_y, width, height)])
            try:
                x.connection.flush()
            except xcffib.ConnectionException:
                return
