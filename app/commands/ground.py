"""``deskhand ground``: find a described element in a picture."""

import argparse
from pathlib import Path

from app.engine_args import add_engine_arguments, open_engine
from app.output import emit, emit_json, fail

EXIT_NOT_FOUND = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("image", type=Path, help="a screenshot or any other picture")
    parser.add_argument("--instruction", required=True, help='what to find, in words: "the Save button"')
    parser.add_argument("--annotate", type=Path, metavar="OUT", help="write the picture with the point marked")
    parser.add_argument("--looks", type=int, default=3, help="how often it may look, zooming in (default 3)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Find the element; exit code 3 when it is not there."""
    from model.errors import InputError
    from model.inputs.decode import open_image

    if not args.instruction.strip():
        raise InputError("the instruction is empty", remedy='say what to find: --instruction "the Save button"')
    if args.looks < 1:
        raise InputError(f"--looks is {args.looks}; at least one look is needed")
    if args.annotate is not None:
        _check_writable(args.annotate)
    image = open_image(args.image)
    from agent.annotate import annotate
    from agent.locate import LocateOptions, locate

    with open_engine(args, needs="ground") as engine:
        info = engine.info
        options = LocateOptions.of(info, args.looks)
        location = locate(engine, image, args.instruction, options)
    if args.annotate is not None:
        annotate(image, location).save(args.annotate)
    if args.json:
        emit_json(
            {
                "image": str(args.image),
                "instruction": args.instruction,
                "found": location.found,
                "point_px": list(location.point_px) if location.point_px else None,
                "point_rel": [round(v, 5) for v in location.point_rel] if location.point_rel else None,
                "ms": round(location.ms, 1),
                "size_px": [image.width, image.height],
                "model": info.name,
                "reason": location.reason or None,
                "looks": [
                    {
                        "window_px": [look.window.left, look.window.top, look.window.right, look.window.bottom],
                        "scale": round(look.scale, 3),
                        "answer": look.text,
                        "ms": round(look.ms, 1),
                    }
                    for look in location.looks
                ],
                "annotated": str(args.annotate) if args.annotate else None,
            }
        )
    elif location.point_px is not None:
        emit(f"{location.point_px[0]} {location.point_px[1]}")
    if not location.found:
        if not args.json:
            fail(f"not found: {location.reason}")
        return EXIT_NOT_FOUND
    return 0


def _check_writable(path: Path) -> None:
    from PIL import Image

    from model.errors import InputError

    if not path.absolute().parent.is_dir():
        raise InputError(f"{path.parent} is not a folder", remedy="make it, or write elsewhere")
    if path.suffix.lower() not in Image.registered_extensions():
        raise InputError(f"{path.name} has no picture format", remedy="end it in .png")
