"""``deskhand window``: open the window, or tell the open one what to do."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--capture",
        action="store_true",
        help="ask about a part of the screen; bind this command to a key where Deskhand cannot take one itself",
    )
    what.add_argument("--raise", action="store_true", dest="to_front", help="bring the window to the front (default)")
    parser.add_argument("--times", type=Path, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Open the window; end when it is closed."""
    from app.window_command import run_window

    return run_window("capture" if args.capture else "raise", args.times)
