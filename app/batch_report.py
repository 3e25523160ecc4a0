"""Write the HTML report of a batch, with right answers to compare with or without."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.batch import Row
    from agent.batch_report_gallery import Shot
    from agent.datasets import Dataset

_SAMPLES_OF_FIRST = 240
"""Rows that samples for the gallery are taken from; more would mean reading a whole input twice."""


def write_page(path: Path, page: str) -> None:
    """Write a page; raise `InputError` when that is impossible."""
    from model.errors import InputError

    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written", why=str(error), remedy="choose another --report") from error


def write_report(
    args: argparse.Namespace, dataset: "Dataset | None", rows: "Iterator[Row] | None", times_ms: list[float]
) -> None:
    """Write ``args.report`` about ``args.out``; ``rows`` are the input's, once more, for its pictures."""
    from agent.batch_report import render_rows, render_score
    from agent.predictions import read_predictions
    from agent.scoring import score
    from model.image import open_image

    title = f"{Path(args.input).name or 'rows'}: {args.out.name}"
    if dataset is not None:
        # The language was chosen when asking; the results hold no other.
        result = score(dataset, read_predictions(args.out))
        write_page(args.report, render_score(title, result, open_image, times_ms))
        return
    statuses = Counter[str]()
    shots: list[Shot] = []
    shown = islice(rows or (), _SAMPLES_OF_FIRST)
    for line in result_lines(args.out):
        statuses[str(line["status"])] += 1
        row = next(shown, None)
        if row is not None and not row.problem:
            shots.append(_shot(row, line))
    from agent.batch_report import MOST_SHOWN
    from agent.batch_report_gallery import spread

    write_page(args.report, render_rows(title, statuses, spread(shots, MOST_SHOWN), open_image, times_ms))


def result_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the objects of a result file, JSON lines or Parquet."""
    if path.suffix.lower() == ".parquet":
        from agent.batch_parquet import parquet_lines

        yield from parquet_lines(path)
        return
    with path.open("rb") as lines:
        yield from map(json.loads, lines)


def _shot(row: "Row", line: dict[str, object]) -> "Shot":
    from agent.batch_report_gallery import Shot

    point = line.get("point_rel")
    points = ((float(point[0]), float(point[1]), 1),) if isinstance(point, list) else ()
    said = f"{row.id} · {str(line['status']).replace('_', ' ')}"
    return Shot(row.image, row.instruction, said, None, points)
