"""The monitors of an X server, asked for afresh each time, because people plug them in and out."""

from agent.types import Monitor, Rect
from agent.x11.connection import XConnection

DPI_AT_SCALE_1 = 96.0


def desktop_rect(x: XConnection) -> Rect:
    """Return the whole virtual desktop; on X11 it starts at 0, 0."""
    geometry = x.core.GetGeometry(x.root).reply()
    return Rect(0, 0, geometry.width, geometry.height)


def read_monitors(x: XConnection) -> tuple[Monitor, ...]:
    """Return the monitors that RANDR knows, or the whole desktop as one."""
    desktop, scale = desktop_rect(x), read_scale(x)
    whole = Monitor("screen", "screen", desktop, scale, is_primary=True)
    if not x.has_extension("RANDR"):
        return (whole,)
    randr = x.extension("RANDR")
    version = randr.QueryVersion(1, 5).reply()
    if (version.major_version, version.minor_version) < (1, 5):
        return (whole,)
    listed: list[Monitor] = []
    for found in randr.GetMonitors(x.root, True).reply().monitors:
        name = x.atom_name(found.name)
        shown = Rect(found.x, found.y, found.x + found.width, found.y + found.height).intersection(desktop)
        if shown is not None:
            listed.append(Monitor(name, name, shown, scale, bool(found.primary)))
    return tuple(listed) or (whole,)


def read_scale(x: XConnection) -> float:
    """Return the factor by which desktops tell programs to enlarge: ``Xft.dpi`` over 96, else 1."""
    found = x.read_property(x.root, "RESOURCE_MANAGER")
    resources = "" if found is None else found[2].decode("latin-1")
    for line in resources.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Xft.dpi":
            try:
                dpi = float(value)
            except ValueError:
                return 1.0
            return dpi / DPI_AT_SCALE_1 if 24 <= dpi <= 960 else 1.0
    return 1.0


def is_xwayland(x: XConnection) -> bool:
    """Say whether this X server is the one inside a Wayland session, which sees only its own windows."""
    if x.has_extension("XWAYLAND"):
        return True
    return any(monitor.name.startswith("XWAYLAND") for monitor in read_monitors(x))
