"""Put known pixels on an X server's screen."""

import numpy as np
import xcffib.xproto as xp
from numpy.typing import NDArray

from agent.x11.connection import XConnection
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX


def draw(x: XConnection, seed: int) -> NDArray[np.uint8]:
    """Cover the whole desktop with noise above all windows; return it as RGB."""
    bgrx = np.random.default_rng(seed).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 4), np.uint8)
    window, context = x.connection.generate_id(), x.connection.generate_id()
    x.core.CreateWindow(
        24, window, x.root, 0, 0, WIDTH_PX, HEIGHT_PX, 0, xp.WindowClass.InputOutput, 0, xp.CW.OverrideRedirect, [1]
    )
    x.core.MapWindow(window)
    x.core.CreateGC(context, window, 0, [])
    for top in range(0, HEIGHT_PX, 50):
        rows = bgrx[top : top + 50].tobytes()
        x.core.PutImage(xp.ImageFormat.ZPixmap, window, context, WIDTH_PX, 50, 0, top, 0, 24, len(rows), rows)
    x.sync()
    return bgrx[:, :, 2::-1]
