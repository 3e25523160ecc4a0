"""``deskhand replay``: go through a recorded run again, without a screen or a model."""

import argparse
from pathlib import Path

from app.output import emit, emit_json, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of the run, with its trace.jsonl")
    parser.add_argument("--step", type=int, metavar="N", help="only this step")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="write what each step saw as STEP.png")
    parser.add_argument("--json", action="store_true", help="print each event as JSON")


def run(args: argparse.Namespace) -> int:
    """Print a run, event by event."""
    from agent.episode import Ended, Observed
    from agent.told import one_line, tell
    from agent.trace import read_trace
    from model.errors import InputError

    trace = read_trace(args.run)
    frames: Path | None = args.frames
    first_s = trace.started_s
    if not args.json:
        emit(one_line(f"goal: {trace.goal} (mode {trace.mode})"))
    for record, (time_s, event) in zip(trace.records, trace.events(), strict=True):
        step = None if isinstance(event, Ended) else event.step
        if args.step is not None and step != args.step:
            continue
        if args.json:
            emit_json(record)
        else:
            emit(f"{time_s - first_s:8.2f} s  {'end' if step is None else f'step {step}':8}  {tell(event)}")
        if frames is not None and isinstance(event, Observed):
            try:
                frames.mkdir(parents=True, exist_ok=True)
                event.frame.image().save(frames / f"{event.step:04d}.png")
            except OSError as error:
                raise InputError(f"{frames} cannot be written", why=str(error)) from error
    if not trace.ended:
        note("the record breaks off here: the process was killed before the run ended")
    return 0
