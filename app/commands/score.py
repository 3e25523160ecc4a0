"""``deskhand score``: count how many predictions of a published grounding set are right."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from app.output import emit, emit_json, note

if TYPE_CHECKING:
    from agent.scoring import Score

_SHOWN_PROBLEMS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.datasets import DATASETS

    parser.add_argument("--dataset", required=True, choices=tuple(DATASETS), help="whose rules and layout")
    parser.add_argument("--annotations", required=True, type=Path, metavar="DIR", help="the set's folder")
    parser.add_argument(
        "--predictions", required=True, type=Path, metavar="FILE", help="our results or a published log"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="the set's pictures, when they lie elsewhere")
    parser.add_argument("--language", choices=("en", "cn"), help="of a log in both languages, score only this one")
    parser.add_argument(
        "--answered-only",
        action="store_true",
        help="leave items without a prediction out, instead of counting them wrong",
    )
    parser.add_argument("--report", type=Path, metavar="OUT", help="also write an HTML page with charts and misses")
    parser.add_argument("--times", type=Path, metavar="FILE", help="what batch --times wrote, for the report")
    parser.add_argument("--log", type=Path, metavar="OUT", help="also write ScreenSpot-Pro's own result log")
    parser.add_argument("--json", action="store_true", help="print the whole score as JSON")


def run(args: argparse.Namespace) -> int:
    """Score a file; what was left out is told on standard error."""
    from agent.datasets import read_dataset
    from agent.predictions import read_predictions
    from agent.pro_log import pro_log
    from agent.scoring import report, score, tally

    dataset = read_dataset(args.dataset, args.annotations, args.images)
    result = score(dataset, read_predictions(args.predictions, args.language), answered_only=args.answered_only)
    for problem in result.problems[:_SHOWN_PROBLEMS]:
        note(f"left out: {problem}")
    if len(result.problems) > _SHOWN_PROBLEMS:
        note(f"left out: {len(result.problems) - _SHOWN_PROBLEMS} more; --json lists them all")
    if result.disagreements:
        note(f"{len(result.disagreements)} verdicts differ from the file's own")
    if args.report is not None:
        _write_report(args, result)
    if args.log is not None:
        _write_log(args.log, pro_log(result, args.language or "en"))
    if args.json:
        emit_json(report(result))
        return 0
    rows = [("overall", "", result.judged)]
    rows += [(dimension, value, judged) for dimension, of in result.slices.items() for value, judged in of.items()]
    width = max(len(value) for _, value, _ in rows)
    for dimension, value, judged in rows:
        counts = tally(judged)
        low, high = counts.interval
        emit(
            f"{dimension:<12} {value:<{width}} {counts.accuracy:7.2%}  [{low:.2%}, {high:.2%}]"
            f"  {counts.correct}/{counts.total}"
            + (f"  wrong format {counts.wrong_format}" if counts.wrong_format else "")
            + (f"  missing {counts.missing}" if counts.missing else "")
            + (f"  refused {counts.refused}" if counts.refused else "")
        )
    return 0


def _write_report(args: argparse.Namespace, result: "Score") -> None:
    from agent.batch_marks import read_times
    from agent.batch_report import render_score
    from app.batch_report import write_page
    from model.image import open_image

    times_ms = read_times(args.times) if args.times else []
    write_page(args.report, render_score(args.predictions.name, result, open_image, times_ms))


def _write_log(path: Path, log: dict[str, object]) -> None:
    from model.errors import InputError

    try:
        path.write_text(json.dumps(log, indent=4), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written", why=str(error), remedy="choose another --log") from error
