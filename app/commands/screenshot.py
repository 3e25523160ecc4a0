"""``deskhand screenshot``: write what is on the screen into a file."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.output import emit, emit_json, note

if TYPE_CHECKING:
    from agent.types import Monitor, Rect

LOSSLESS = (".png", ".bmp", ".tif", ".tiff", ".webp")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "out", type=Path, nargs="?", metavar="OUT", help=f"the file to write, one of {', '.join(LOSSLESS)}"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--monitor", metavar="NAME", help="only this monitor, by name or by number from 1")
    part.add_argument(
        "--region", type=_region, metavar="X,Y,W,H", help="only this rectangle, in pixels of the whole desktop"
    )
    part.add_argument("--window", metavar="TITLE|ID", help="only this window, by title, a part of it, or number")
    parser.add_argument(
        "--allow-covered", action="store_true", help="with --window: write it even if other windows lie over it"
    )
    parser.add_argument("--list", action="store_true", help="list the monitors and write nothing")
    parser.add_argument("--capture", metavar="WAY", help="the way of capturing, instead of the first that works")
    parser.add_argument("--allow-black", action="store_true", help="write the picture even if it is entirely black")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Capture the screen, or list its monitors."""
    from agent.capture.screen import black_monitors, open_screen
    from app.monitors import monitor_named
    from model.errors import InputError

    out: Path | None = args.out
    if (out is None) != args.list:
        raise InputError("give either a file to write or --list")
    if args.allow_covered and args.window is None:
        raise InputError("--allow-covered says something only about a --window")
    if out is not None:
        _check_writable(out)
    with open_screen(args.capture) as screen:
        monitors = screen.monitors()
        listed = [_described(monitor) for monitor in monitors]
        if out is None:
            if args.json:
                emit_json({"monitors": listed, "capture": screen.handler.name})
            for number, monitor in enumerate([] if args.json else monitors, 1):
                rect, primary = monitor.rect_px, ", primary" if monitor.is_primary else ""
                place = f"{rect.width}×{rect.height} at {rect.left},{rect.top}"
                emit(f"{number}  {monitor.name}: {place}, scale {monitor.scale:g}{primary}")
            return 0
        part = args.region if args.monitor is None else monitor_named(args.monitor, monitors)
        started = time.monotonic()
        if args.window is None:
            frame = screen.grab(part, allow_black=args.allow_black)
        else:
            frame = screen.grab_window(args.window, allow_black=args.allow_black, allow_covered=args.allow_covered)
        ms = (time.monotonic() - started) * 1000
        blanks = [] if args.allow_black else black_monitors(frame)
        notes = [*screen.handler.notes(), *(f"monitor {name} is entirely black: is it off?" for name in blanks)]
    try:
        frame.image().save(out, lossless=True)  # which WebP needs to be told, and the others ignore
    except OSError as error:
        raise InputError(f"{out} cannot be written", why=str(error)) from error
    for line in notes:
        note(line)
    if args.json:
        emit_json(
            {
                "path": str(out),
                "size_px": list(frame.size_px),
                "origin_px": [frame.origin_px.x_px, frame.origin_px.y_px],
                "monitors": listed,
                "capture": frame.source,
                "ms": round(ms, 1),
            }
        )
    else:
        emit(str(out))
    return 0


def _region(text: str) -> "Rect":
    from agent.types import Rect

    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not four whole numbers: X,Y,W,H") from None
    if width < 1 or height < 1:
        raise argparse.ArgumentTypeError(f"{text!r} has no area")
    return Rect(x, y, x + width, y + height)


def _described(monitor: "Monitor") -> dict[str, object]:
    rect = monitor.rect_px
    return {
        "id": monitor.id,
        "name": monitor.name,
        "rect_px": [rect.left, rect.top, rect.right, rect.bottom],
        "scale": monitor.scale,
        "is_primary": monitor.is_primary,
    }


def _check_writable(path: Path) -> None:
    from model.errors import InputError

    if not path.absolute().parent.is_dir():
        raise InputError(f"{path.parent} is not a folder", remedy="make it, or write elsewhere")
    if path.suffix.lower() not in LOSSLESS:
        raise InputError(f"{path.name} does not end in a lossless picture format", remedy="end it in .png")
