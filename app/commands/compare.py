"""``deskhand compare``: two result files of one published set, side by side, and whether they differ by chance."""

import argparse
from dataclasses import asdict
from pathlib import Path

from app.output import emit, emit_json, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.datasets import DATASETS

    parser.add_argument("first", type=Path, help="our results or a published log")
    parser.add_argument("second", type=Path, help="another one over the same set")
    parser.add_argument("--dataset", required=True, choices=tuple(DATASETS), help="whose rules and layout")
    parser.add_argument("--annotations", required=True, type=Path, metavar="DIR", help="the set's folder")
    parser.add_argument("--images", type=Path, metavar="DIR", help="the set's pictures, when they lie elsewhere")
    parser.add_argument("--language", choices=("en", "cn"), help="of logs in both languages, compare only this one")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write an HTML page with charts and pictures")
    parser.add_argument("--json", action="store_true", help="print the whole comparison as JSON")


def run(args: argparse.Namespace) -> int:
    """Compare item by item: McNemar's exact test, and a bootstrap interval of the difference."""
    from agent.batch_report_compare import comparison, render_comparison, said_of
    from agent.datasets import read_dataset
    from agent.predictions import read_predictions
    from agent.scoring import score
    from app.batch_report import write_page
    from model.image import open_image

    dataset = read_dataset(args.dataset, args.annotations, args.images)
    first, second = (score(dataset, read_predictions(file, args.language)) for file in (args.first, args.second))
    for result in (first, second):
        if left := len(result.problems):
            note(f"{left} rows were left out; score lists them")
    found = comparison(first, second)
    if args.report is not None:
        # Names that differ: two runs are often called alike, in folders of their own.
        same = args.first.name == args.second.name
        names = tuple(str(file) if same else file.name for file in (args.first, args.second))
        write_page(args.report, render_comparison((names[0], names[1]), first, second, open_image))
    if args.json:
        emit_json({name: {value: asdict(of) for value, of in values.items()} for name, values in found.items()})
        return 0
    for name, values in found.items():
        for value, of in values.items():
            emit(
                f"{name:<12} {value:<22} {of.difference:+7.2%}  [{of.low:+.2%}, {of.high:+.2%}]  p {of.p:.3g}"
                f"  only first {of.only_first}, only second {of.only_second}, both {of.both}, of {of.total}"
            )
    emit(said_of(found["overall"]["all items"]))
    return 0
