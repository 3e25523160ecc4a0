"""List the top-level windows of an X display in stacking order, through libX11 itself."""

import ctypes
import ctypes.util
from dataclasses import dataclass

from model.errors import InputError, ResourceError
from model.nano.elements import Box

_IS_VIEWABLE = 2


class _Attributes(ctypes.Structure):
    # XWindowAttributes of Xlib.h; only the first and the map state are read.
    _fields_ = (
        ("x", ctypes.c_int),
        ("y", ctypes.c_int),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("border_width", ctypes.c_int),
        ("depth", ctypes.c_int),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        ("window_class", ctypes.c_int),
        ("bit_gravity", ctypes.c_int),
        ("win_gravity", ctypes.c_int),
        ("backing_store", ctypes.c_int),
        ("backing_planes", ctypes.c_ulong),
        ("backing_pixel", ctypes.c_ulong),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        ("map_installed", ctypes.c_int),
        ("map_state", ctypes.c_int),
        ("all_event_masks", ctypes.c_long),
        ("your_event_mask", ctypes.c_long),
        ("do_not_propagate_mask", ctypes.c_long),
        ("override_redirect", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    )


@dataclass(frozen=True, slots=True)
class XWindow:
    """A shown child of the root window, with its place on the screen."""

    ident: int
    box_px: Box
    override_redirect: bool


def stacked_windows(display_name: str) -> list[XWindow]:
    """List the shown children of the root, lowest first.

    Raises `InputError` without libX11 and `ResourceError` when the display does not answer.
    """
    name = ctypes.util.find_library("X11")
    if name is None:
        raise InputError("libX11 was not found", remedy="install the package libx11-6")
    x11 = ctypes.CDLL(name)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(display_name.encode()))
    if not display.value:
        raise ResourceError(f"the display {display_name} does not answer", remedy="see that Xvfb runs")
    try:
        return _children(x11, display)
    finally:
        x11.XCloseDisplay(display)


def _children(x11: ctypes.CDLL, display: ctypes.c_void_p) -> list[XWindow]:
    root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    above, parent = ctypes.c_ulong(), ctypes.c_ulong()
    children, count = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
    x11.XQueryTree(
        display, root, ctypes.byref(above), ctypes.byref(parent), ctypes.byref(children), ctypes.byref(count)
    )
    found = []
    for index in range(count.value):
        attributes = _Attributes()
        ident = children[index]
        shown = x11.XGetWindowAttributes(display, ctypes.c_ulong(ident), ctypes.byref(attributes))
        if not shown or attributes.map_state != _IS_VIEWABLE or attributes.window_class == _INPUT_ONLY:
            continue
        x, y = float(attributes.x), float(attributes.y)
        box = (x, y, x + attributes.width, y + attributes.height)
        found.append(XWindow(int(ident), box, bool(attributes.override_redirect)))
    if children:
        x11.XFree(children)
    return found


_INPUT_ONLY = 2
