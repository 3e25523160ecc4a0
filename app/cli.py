"""The command line: which commands there are, and the border where errors become exit codes.

Commands are imported when they are used, so that ``--help`` loads neither torch nor Qt.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from app.output import fail
from model.errors import ModelError

COMMANDS = {
    "ground": "find a described element in a picture and print its point",
    "chat": "ask a question, with pictures, videos or documents beside it",
    "models": "list, inspect, download, quantise, test or make checkpoints",
    "screenshot": "write what is on the screen into a file, pixel by pixel",
    "serve": "answer the OpenAI chat-completions protocol on this machine",
    "bench": "measure speed and memory, and print them with the machine",
    "doctor": "say what this machine has and lacks, and how to mend it",
}

EXIT_CODES = """\
exit codes:
  0  done
  1  failed
  2  bad input, bad usage or a checkpoint that cannot be used
  3  not found (the element is not in the picture)
  4  not enough memory or disk
  5  network or server trouble
  130  stopped by the user
"""


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser; with ``only``, just that command's arguments are imported and added."""
    parser = argparse.ArgumentParser(
        prog="deskhand",
        description="Sees the screen with Kimi-VL on your own machine. Every command has its own --help.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"deskhand {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        child = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", add_help=name == only
        )
        if name == only:
            importlib.import_module(f"app.commands.{name}").add_arguments(child)
    return parser


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("deskhand")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Errors of ours end in one line on standard error."""
    command = next((word for word in arguments if not word.startswith("-")), None)
    args = build_parser(command if command in COMMANDS else None).parse_args(arguments)
    try:
        return importlib.import_module(f"app.commands.{args.command}").run(args)
    except ModelError as error:
        fail(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        fail("stopped")
        return 130
    except BrokenPipeError:
        # The reader has gone (`… | head`): close quietly, and keep the interpreter from flushing into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
