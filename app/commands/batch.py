"""``deskhand batch``: many pictures and instructions in, points out, as JSON lines or Parquet."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine_args import add_engine_arguments
from app.output import Progress, emit_json, note

if TYPE_CHECKING:
    from agent.batch import Result, Row
    from agent.batch_output import ResultFile
    from app.batch_model import EndpointSource, EngineSource, Opened

_STATUSES = ("found", "not_found", "unreadable", "bad_row", "failed")
_FAILURES_IN_A_ROW = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.datasets import DATASETS

    parser.add_argument(
        "input",
        help="a folder of pictures; a .csv, .jsonl or .parquet of image, instruction, id; a folder that Hugging "
        "Face's save_to_disk wrote; '-' for JSON lines from a pipe",
    )
    parser.add_argument("--instruction", help="what to find in every picture of a folder")
    parser.add_argument("--dataset", choices=tuple(DATASETS), help="the input is the folder of this published set")
    parser.add_argument("--language", choices=("en", "cn"), default="en", help="of a set that has both (default en)")
    parser.add_argument("--images", type=Path, metavar="DIR", help="the pictures, when they lie elsewhere")
    parser.add_argument(
        "--column", action="append", default=[], metavar="image=NAME", help="what a table calls image, instruction, id"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="results in input order: JSON lines, or .parquet"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the results of an interrupted run, and redo what failed"
    )
    parser.add_argument("--annotated-dir", type=Path, metavar="DIR", help="write every picture with its point marked")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write an HTML page with charts and pictures")
    parser.add_argument("--times", type=Path, metavar="FILE", help="append how long each row took, as CSV")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    group = parser.add_argument_group("how it looks")
    group.add_argument("--looks", "--passes", type=int, default=3, help="how often it may zoom in (default 3)")
    group.add_argument("--votes", type=int, default=1, help="ask so often, take what most agree on (default 1)")
    group.add_argument(
        "--concurrency", "--workers", type=int, help="rows asked at once (default 4; 32 on a GPU, 16 of a server)"
    )
    group.add_argument("--batch-size", type=int, help="rows looked over together, so that each picture is encoded once")
    group = parser.add_argument_group("other machines")
    group.add_argument("--endpoint", metavar="URL", help="ask this OpenAI-compatible server; --model names its model")
    group.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds the server's key")
    group.add_argument("--retries", type=int, default=6, help="how often a server is asked again (default 6)")
    group.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="work on a Ray cluster (default: a local one)",
    )
    group.add_argument("--ray-workers", type=int, default=1, help="models that work at once on Ray (default 1)")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Ground every row; rows that cannot be used are told and counted, and end nothing."""
    from app.batch_rows import dataset_of, rows_of
    from model.errors import InputError

    for name in ("looks", "votes", "concurrency", "batch_size", "ray_workers"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} is {value}; at least one is needed")
    if args.retries < 0:
        raise InputError(f"--retries is {args.retries}; it cannot be less than none")
    if args.ray is not None and (args.annotated_dir or args.endpoint):
        raise InputError("--ray goes neither with --annotated-dir nor with --endpoint")
    marked: Path | None = args.annotated_dir
    if marked is not None and args.input != "-" and marked.resolve().is_relative_to(Path(args.input).resolve()):
        raise InputError("--annotated-dir lies inside the input", why="its pictures would be asked about next time")
    dataset = dataset_of(args)
    rows = rows_of(args, dataset)
    counts = _run_on_ray(args, rows) if args.ray is not None else _run_here(args, rows)
    if args.report is not None:
        from agent.batch_marks import read_times
        from app.batch_report import write_report

        again = None if args.input == "-" or dataset is not None else rows_of(args, None)
        times = _times_path(args)
        write_report(args, dataset, again, read_times(times) if times else [])
    return _tell(args, counts)


def _run_here(args: argparse.Namespace, rows: "Iterator[Row]") -> dict[str, int]:
    from agent.batch import ground
    from agent.batch_marks import MarkedPictures
    from agent.batch_parquet import open_results
    from model.image import open_image

    with ExitStack() as stack:
        opened = _open(args, stack)
        workers = args.concurrency or opened.workers
        out = stack.enter_context(open_results(args.out, _settings(args, opened.name), resume=args.resume))
        left, before = _left(out, rows)
        results = ground(
            left,
            opened.model,
            open_image,
            opened.options,
            votes=args.votes,
            workers=workers,
            batch_size=args.batch_size,
            failures_in_a_row=_FAILURES_IN_A_ROW if args.endpoint else 0,
            on_located=MarkedPictures(args.annotated_dir) if args.annotated_dir else None,
        )
        return _write(args, results, out, before, opened)


def _run_on_ray(args: argparse.Namespace, rows: "Iterator[Row]") -> dict[str, int]:
    from agent.batch_parquet import open_results
    from app.batch_ray import ray_results

    # The name is the one that the loaded model states, and is known before a worker has loaded it.
    name, results_of = ray_results(args)
    with open_results(args.out, _settings(args, name), resume=args.resume) as out:
        left, before = _left(out, rows)
        return _write(args, results_of(left), out, before, None)


def _left(out: "ResultFile", rows: "Iterator[Row]") -> "tuple[Iterator[Row], int]":
    before = out.skip_done(rows)
    if before or out.again:
        note(f"{before} rows were done before{f', {len(out.again)} failed and are redone' if out.again else ''}")
    return chain(list(out.again), rows), before


def _write(
    args: argparse.Namespace,
    results: "Iterator[Result]",
    out: "ResultFile",
    before: int,
    opened: "Opened | None",
) -> dict[str, int]:
    from agent.batch_marks import TimesFile
    from app.batch_pace import Pace
    from app.batch_rows import SHOWN_PROBLEMS

    counts = dict.fromkeys(("done_before", *_STATUSES), 0) | {"done_before": before}
    pace = Pace(opened.retried if opened else lambda: 0)
    told = 0
    with ExitStack() as stack:
        path = _times_path(args)
        times = stack.enter_context(TimesFile(path)) if path else None
        for result in results:
            out.append(result)
            if times is not None:
                times.append(result)
            counts[result.status] += 1
            pace(result.status == "failed")
            if result.status in ("bad_row", "failed"):
                told += 1
                if told <= SHOWN_PROBLEMS:
                    said = "left out" if result.status == "bad_row" else "failed"
                    note(f"{said}: {result.row.id}: {result.reason}")
    if told > SHOWN_PROBLEMS:
        note(f"left out or failed: {told - SHOWN_PROBLEMS} more; the result file has them all")
    return counts


def _times_path(args: argparse.Namespace) -> Path | None:
    if args.times is not None or args.report is None:
        return args.times
    return args.out.with_name(args.out.name + ".times.csv")


def _settings(args: argparse.Namespace, name: str) -> dict[str, object]:
    return {"model": name, "max_looks": args.looks} | ({"votes": args.votes} if args.votes > 1 else {})


def _open(args: argparse.Namespace, stack: ExitStack) -> "Opened":
    source = source_of(args)
    from app.batch_model import EngineSource

    if isinstance(source, EngineSource):
        return stack.enter_context(source.open(Progress("loading"), note))
    return stack.enter_context(source.open())


def source_of(args: argparse.Namespace) -> "EngineSource | EndpointSource":
    """Say what answers: the server that is named, or an engine."""
    from app.batch_model import EndpointSource, EngineSource

    if args.endpoint is not None:
        name = None if args.model == "builtin" else args.model
        return EndpointSource(args.endpoint, args.looks, name, args.api_key_env, args.retries)
    return EngineSource(args.model, args.looks, args.device, args.dtype, args.quantize, args.offline)


def _tell(args: argparse.Namespace, counts: dict[str, int]) -> int:
    rows = sum(counts[status] for status in _STATUSES)
    if args.json:
        report = {"report": str(args.report)} if args.report else {}
        emit_json({"out": str(args.out), "rows": rows, **counts, **report})
    else:
        told = ", ".join(f"{counts[status]} {status.replace('_', ' ')}" for status in _STATUSES if counts[status])
        note(f"{rows} rows{': ' if told else ''}{told}; written to {args.out}")
    if counts["failed"]:
        note(f"{counts['failed']} rows got no answer; go on with --resume to ask for them again")
    return 5 if counts["failed"] else 0
