"""Give an X server with one output the monitors that a test needs."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import xcffib
import xcffib.randr

from agent.types import Rect
from agent.x11.connection import XConnection


@contextmanager
def monitors(x: XConnection, layout: Mapping[str, Rect]) -> Iterator[None]:
    """Divide the desktop into named monitors during a block; an empty layout leaves it as it is."""
    for n, (name, rect_px) in enumerate(layout.items()):
        set_monitor(x, name, rect_px, with_output=n == 0)
    try:
        yield
    finally:
        for name in layout:
            delete_monitor(x, name)


def set_monitor(x: XConnection, name: str, rect_px: Rect, *, with_output: bool = False) -> None:
    """Add a monitor; the one that gets the server's only output takes the place of its automatic one."""
    randr = x.extension("RANDR")
    outputs = list(randr.GetScreenResources(x.root).reply().outputs)[:1] if with_output else []
    size = (rect_px.left, rect_px.top, rect_px.width, rect_px.height, 100, 100)
    info = struct.pack("=IBBHhhHHII", x.atom(name), with_output, 0, len(outputs), *size)
    info += struct.pack(f"={len(outputs)}I", *outputs)
    randr.SetMonitor(x.root, xcffib.randr.MonitorInfo(xcffib.MemoryUnpacker(info)))
    x.sync()


def delete_monitor(x: XConnection, name: str) -> None:
    """Take a monitor away; nothing happens when there is none of this name."""
    randr = x.extension("RANDR")
    if any(found.name == x.atom(name) for found in randr.GetMonitors(x.root, True).reply().monitors):
        randr.DeleteMonitor(x.root, x.atom(name))
    x.sync()
