"""Where a batch's rows come from, by what the command line names."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.output import note

if TYPE_CHECKING:
    from agent.batch import Row
    from agent.datasets import Dataset

SHOWN_PROBLEMS = 20


def dataset_of(args: argparse.Namespace) -> "Dataset | None":
    """Read the published set that the input is the folder of, and tell which of its rows cannot be used."""
    from agent.datasets import read_dataset

    if args.dataset is None:
        return None
    dataset = read_dataset(args.dataset, Path(args.input), args.images)
    for problem in dataset.problems[:SHOWN_PROBLEMS]:
        note(f"left out: {problem}")
    if len(dataset.problems) > SHOWN_PROBLEMS:
        note(f"left out: {len(dataset.problems) - SHOWN_PROBLEMS} more annotations")
    return dataset


def rows_of(args: argparse.Namespace, dataset: "Dataset | None") -> "Iterator[Row]":
    """Return the rows; raise `InputError` for an input that is none of the known kinds."""
    from agent import batch_arrow, batch_inputs
    from model.errors import InputError

    path = Path(args.input)
    columns = batch_inputs.Columns.of(args.column)
    saved = path.is_dir() and batch_arrow.is_saved_dataset(path)
    if args.instruction is not None and (dataset is not None or saved or not path.is_dir()):
        raise InputError("--instruction goes with a folder of pictures; other inputs have their own")
    if dataset is not None:
        return batch_inputs.rows_of_dataset(dataset, args.language)
    if args.input == "-":
        return batch_inputs.rows_of_jsonl(sys.stdin, args.images or Path(), columns)
    if saved:
        return batch_arrow.rows_of_saved_dataset(path, args.images, columns)
    if path.is_dir():
        if args.instruction is None:
            raise InputError("a folder needs --instruction", remedy='say what to find: --instruction "the Save button"')
        return batch_inputs.rows_of_folder(path, args.instruction)
    readers = {
        ".csv": batch_inputs.rows_of_csv,
        ".jsonl": batch_inputs.rows_of_jsonl_file,
        ".parquet": batch_arrow.rows_of_parquet,
    }
    if path.suffix.lower() not in readers:
        raise InputError(f"{path} is neither a folder nor {', '.join(readers)}", remedy="check the path")
    if not path.is_file():
        raise InputError(f"{path} does not exist", remedy="check the path")
    return readers[path.suffix.lower()](path, args.images, columns)
