"""Rows from Parquet files and from Hugging Face ``datasets`` saved on disk, read with pyarrow alone.

``save_to_disk`` writes a folder with ``state.json``, which names the Arrow streams, and
``dataset_info.json``; a dictionary of splits is a folder of such folders and ``dataset_dict.json``.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.batch import Row
from agent.batch_inputs import Columns, row_of
from agent.batch_parquet import require_pyarrow
from agent.datasets.rows import read_text
from model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_STATE, _SPLITS = "state.json", "dataset_dict.json"
_ROWS_AT_ONCE = 16
"""Rows of Parquet decoded together; each may hold a picture."""


def is_saved_dataset(folder: Path) -> bool:
    """Say whether a folder was written by ``save_to_disk``."""
    return (folder / _STATE).is_file() or (folder / _SPLITS).is_file()


def rows_of_parquet(file: Path, images: Path | None = None, columns: Columns = Columns()) -> Iterator[Row]:
    """Yield the rows of a Parquet file; without an id they are called by their number from 0.

    Raises `InputError` for a file that is not Parquet or lacks a column, and without pyarrow.
    """
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            wanted = _wanted(file, table.schema_arrow.names, columns)
            number = 0
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=wanted):
                for values in batch.to_pylist():
                    yield row_of(values, f"row {number}", str(number), images or file.parent, columns)
                    number += 1
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{file} cannot be read as Parquet", why=str(error)) from error


def rows_of_saved_dataset(folder: Path, images: Path | None = None, columns: Columns = Columns()) -> Iterator[Row]:
    """Yield the rows of a saved set, or of every split of a saved dictionary of sets, in its own order.

    Without an id a row is called by its index, as ``dataset[index]``; with several splits its name comes before.
    A stream that breaks off becomes a bad row. Raises `InputError` for a folder that lacks what ``save_to_disk``
    writes, or a column, and without pyarrow.
    """
    require_pyarrow()
    splits: list[tuple[str, Path]] = [("", folder)]
    if (folder / _SPLITS).is_file():
        named = _json_of(folder / _SPLITS).get("splits")
        names = _names(folder / _SPLITS, named)
        splits = [(f"{name}/" if len(names) > 1 else "", folder / name) for name in names]
    for prefix, place in splits:
        yield from _rows_of_split(place, prefix, images or place, columns)


def _rows_of_split(folder: Path, prefix: str, images: Path, columns: Columns) -> Iterator[Row]:
    import pyarrow as pa

    files = _json_of(folder / _STATE).get("_data_files")
    listed = files if isinstance(files, list) else []
    names = _names(folder / _STATE, [file.get("filename") if isinstance(file, dict) else None for file in listed])
    number = 0
    for name in names:
        path = folder / name
        try:
            with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
                wanted = _wanted(path, stream.schema.names, columns)
                for batch in stream:
                    for values in _each(batch, wanted):
                        called = f"{prefix}{number}"
                        yield row_of(values, f"row {called}", called, images, columns)
                        number += 1
        except (OSError, pa.ArrowException) as error:
            problem = f"{name} cannot be read from row {number} on: {error}"
            yield Row(f"{prefix}{name}", Path(), "", "", problem)


def _each(batch: "pa.RecordBatch", columns: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield a batch row by row: the stream is mapped, so only one row's picture is in memory at a time."""
    arrays = [(name, batch.column(name)) for name in columns]
    for place in range(batch.num_rows):
        yield {name: array[place].as_py() for name, array in arrays}


def _wanted(file: Path, names: Sequence[str], columns: Columns) -> list[str]:
    for column in (columns.image, columns.instruction):
        if column not in names:
            raise InputError(
                f"{file} has no column {column!r}",
                why=f"it has {', '.join(names)}",
                remedy="name it, for example --column image=screenshot",
            )
    return [name for name in (columns.image, columns.instruction, columns.id) if name in names]


def _json_of(path: Path) -> dict[str, object]:
    try:
        value = json.loads(read_text(path))
    except ValueError as error:
        raise InputError(f"{path} is not JSON", why=str(error)) from error
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no JSON object")
    return value


def _names(file: Path, values: object) -> list[str]:
    """Check that names stay inside the folder."""
    names = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    if not names or names != values or any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
        raise InputError(f"{file} does not name the files of a saved dataset", remedy="save it again by save_to_disk")
    return names
