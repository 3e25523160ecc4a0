"""``deskhand locate``: find a described element on the screen as it is now."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine_args import add_engine_arguments, open_engine
from app.output import emit, emit_json, fail

if TYPE_CHECKING:
    from agent.locate import Location
    from agent.types import Frame, Point

EXIT_NOT_FOUND = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("description", help='what to find, in words: "the Save button"')
    parser.add_argument("--monitor", metavar="NAME", help="look on this monitor only, by name or by number from 1")
    parser.add_argument("--annotate", type=Path, metavar="OUT", help="write the screen with the point marked")
    parser.add_argument("--looks", type=int, default=3, help="how often it may look, zooming in (default 3)")
    parser.add_argument("--capture", metavar="WAY", help="the way of capturing, instead of the first that works")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Find the element and print its pixel of the whole desktop; exit code 3 when it is not there."""
    from agent.annotate import annotate
    from agent.capture.screen import open_screen
    from agent.coords import place
    from agent.locate import LocateOptions, locate
    from agent.types import RelPoint
    from app.monitors import monitor_named
    from model.errors import InputError

    if not args.description.strip():
        raise InputError("the description is empty", remedy='say what to find: "the Save button"')
    if args.looks < 1:
        raise InputError(f"--looks is {args.looks}; at least one look is needed")
    if args.annotate is not None and not args.annotate.absolute().parent.is_dir():
        raise InputError(f"{args.annotate.parent} is not a folder", remedy="make it, or write elsewhere")
    with open_screen(args.capture) as screen:
        monitors = screen.monitors()
        part = None if args.monitor is None else monitor_named(args.monitor, monitors)
        with open_engine(args, needs="ground") as engine:
            info = engine.info
            # Captured once the model is there: the screen is to be as it is now.
            frame = screen.grab(part)
            options = LocateOptions.of(info, args.looks)
            location = locate(engine, frame.image(), args.description, options)
    point = None if location.point_rel is None else place(RelPoint(*location.point_rel), frame.rect_px)
    if args.annotate is not None:
        try:
            annotate(frame.image(), location).save(args.annotate)
        except (OSError, ValueError) as error:
            raise InputError(f"{args.annotate} cannot be written", why=str(error)) from error
    if args.json:
        emit_json(_facts(args, frame, location, point, info.name))
    elif point is not None:
        emit(f"{point.x_px} {point.y_px}")
    if point is None:
        if not args.json:
            fail(f"not found: {location.reason}")
        return EXIT_NOT_FOUND
    return 0


def _facts(
    args: argparse.Namespace, frame: "Frame", location: "Location", point: "Point | None", model: str
) -> dict[str, object]:
    from agent.coords import monitor_at

    monitor = monitor_at(point, frame.monitors) if point else None
    rect = frame.rect_px
    return {
        "description": args.description,
        "found": location.found,
        "point_px": [point.x_px, point.y_px] if point else None,
        "monitor": monitor.name if monitor else None,
        "seen_px": [rect.left, rect.top, rect.right, rect.bottom],
        "looks": len(location.looks),
        "ms": round(location.ms, 1),
        "model": model,
        "reason": location.reason or None,
        "annotated": str(args.annotate) if args.annotate else None,
    }
