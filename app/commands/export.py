"""``deskhand export``: recorded runs in the formats of others."""

import argparse
from pathlib import Path

from app.output import emit, emit_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of runs, with their trace.jsonl")
    parser.add_argument("--format", choices=("agentnet",), default="agentnet", help="the format to write")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to; runs are added to it")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Write every run and print where they are."""
    from agent.export import export_agentnet
    from agent.trace import read_trace

    traces = [read_trace(folder) for folder in args.runs]
    path = [export_agentnet(trace, args.out) for trace in traces][-1]
    if args.json:
        emit_json({"path": str(path), "runs": len(traces)})
    else:
        emit(str(path))
    return 0
