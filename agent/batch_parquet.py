"""Parquet in and out, read and written a few thousand rows at a time."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.batch_output import ResultFile
from model.errors import InputError, ResourceError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".parquet"
_ROWS_AT_ONCE = 4096
_OPTIONAL = ("agreement",)
"""Fields that a line leaves out rather than write null."""


def require_pyarrow() -> None:
    """Raise `InputError` saying what to install when Parquet and Arrow files cannot be read."""
    try:
        import pyarrow  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise InputError("pyarrow is not installed", remedy="pip install 'deskhand[parquet]'") from error


@contextmanager
def open_results(path: Path, settings: dict[str, object], *, resume: bool = False) -> Iterator[ResultFile]:
    """Open a result file, JSON lines or, by its suffix, Parquet.

    A Parquet file cannot be appended to, so its rows are kept as JSON lines beside it (``NAME.parquet.jsonl``)
    until the block ends without an error; the Parquet file then appears whole. Raises as `ResultFile` does.
    """
    if path.suffix.lower() != SUFFIX:
        with ResultFile(path, settings, resume=resume) as out:
            yield out
        return
    require_pyarrow()
    journal = path.with_name(path.name + ".jsonl")
    if path.exists() and not resume:
        raise InputError(f"{path} exists already", remedy="go on with it by --resume, or choose another --out")
    if path.exists() and not journal.exists():
        _unpack(path, journal)
    with ResultFile(journal, settings, resume=resume) as out:
        yield out
        out.sync()
        _pack(journal, path, settings)
        journal.unlink()


def parquet_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the rows of a result file in Parquet as the objects that its JSON lines would hold."""
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise InputError(f"{path} does not exist", remedy="check the path")
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield {key: value for key, value in row.items() if value is not None or key not in _OPTIONAL}
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet", why=str(error)) from error


def _unpack(path: Path, journal: Path) -> None:
    new = journal.with_name(journal.name + ".new")
    with new.open("wb") as file:
        for row in parquet_lines(path):
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(journal)


def _pack(journal: Path, path: Path, settings: Mapping[str, object]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(settings)
    new = path.with_name(path.name + ".new")
    try:
        with journal.open("rb") as lines, pq.ParquetWriter(new, schema, compression="zstd") as writer:
            batch: list[dict[str, object]] = []
            for line in lines:
                batch.append(json.loads(line))
                if len(batch) == _ROWS_AT_ONCE:
                    writer.write_table(pa.Table.from_pylist(batch, schema))
                    batch.clear()
            writer.write_table(pa.Table.from_pylist(batch, schema))
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ResourceError(
            f"{path} cannot be written", why=str(error), remedy="make room, then go on with --resume"
        ) from error


def _schema(settings: Mapping[str, object]) -> "pa.Schema":
    import pyarrow as pa

    pixels = pa.list_(pa.int32())
    columns = [(name, pa.string()) for name in ("id", "image", "instruction", "status")]
    columns += [("point_px", pixels), ("point_rel", pa.list_(pa.float64())), ("size_px", pixels)]
    columns += [("looks", pa.int32()), ("answer", pa.string()), ("reason", pa.string())]
    if "votes" in settings:
        columns.append(("agreement", pa.float64()))
    columns += [(name, pa.int64() if isinstance(value, int) else pa.string()) for name, value in settings.items()]
    return pa.schema(columns)
