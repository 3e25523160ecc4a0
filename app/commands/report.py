"""``deskhand report``: a recorded run as one HTML file."""

import argparse
from pathlib import Path

from app.output import emit, emit_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of the run, with its trace.jsonl")
    parser.add_argument("--html", type=Path, metavar="FILE", help="the file to write (default: report.html in RUN)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the report and print where it is."""
    from agent.report import render_html
    from agent.trace import read_trace
    from model.errors import InputError

    trace = read_trace(args.run)
    path: Path = args.html or args.run / "report.html"
    page = render_html(trace)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written", why=str(error)) from error
    if args.json:
        emit_json({"path": str(path), "events": len(trace.records), "ended": trace.ended})
    else:
        emit(str(path))
    return 0
