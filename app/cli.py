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
    "window": "open the window; what happens without a command",
    "run": "do a task on this screen: a runbook, steps in plain English, or a goal",
    "locate": "find a described element on the screen and print its point",
    "demo": "fill in a small form before your eyes, with the built-in checkpoint",
    "ground": "find a described element in a picture and print its point",
    "batch": "find described elements in many pictures, and go on where it was interrupted",
    "compare": "set two result files side by side, and say whether they differ by chance",
    "score": "count how many predictions of a published grounding set are right",
    "chat": "ask a question, with pictures, videos or documents beside it",
    "models": "list, inspect, download, quantise, test or make checkpoints",
    "screenshot": "write what is on the screen into a file, pixel by pixel",
    "replay": "go through a recorded run again, without a screen or a model",
    "report": "write a recorded run as one HTML file that opens anywhere",
    "export": "write recorded runs in the formats of others",
    "serve": "answer the OpenAI chat-completions protocol on this machine",
    "bench": "measure speed and memory, and print them with the machine",
    "doctor": "say what this machine has and lacks, and how to mend it",
}

_DEFAULT = "window"

EXIT_CODES = """\
exit codes:
  0  done
  1  failed
  2  bad input, bad usage or a checkpoint that cannot be used
  3  not found (the element is not in the picture)
  4  not enough memory or disk
  5  network or server trouble
  6  a run reached its limit of steps or time, or went in circles
  7  a run was refused what it wanted to do, or nobody was there to allow it
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
    arguments = arguments or [_DEFAULT]
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
