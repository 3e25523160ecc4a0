"""What a batch reads: a folder, a table or a published set, as a person drops it. Knows no Qt."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.batch import Row
from agent.batch_arrow import is_saved_dataset, rows_of_parquet, rows_of_saved_dataset
from agent.batch_inputs import rows_of_csv, rows_of_dataset, rows_of_folder, rows_of_jsonl_file
from agent.datasets import DATASETS, Dataset, read_dataset
from model.errors import InputError

FOLDER = "folder"
SAVED = "saved-dataset"
TABLES = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
KINDS = (FOLDER, *TABLES.values(), SAVED, *DATASETS)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows are. ``instruction`` is for folders; ``images`` the pictures, when they lie elsewhere.

    ``language`` "cn" asks a set that has both languages in Chinese.
    """

    path: Path
    kind: str
    instruction: str = ""
    images: Path | None = None
    language: str = "en"

    @property
    def is_set(self) -> bool:
        """Whether it is a published set, which knows the right answers."""
        return self.kind in DATASETS


def detect(path: Path) -> str:
    """Say what a file or folder is; raise `InputError` for what cannot be read."""
    if path.is_file():
        kind = TABLES.get(path.suffix.lower())
        if kind is None:
            raise InputError(
                f"{path.name} is none of the kinds that can be read",
                remedy=f"choose a folder, or a file that ends in {', '.join(TABLES)}",
            )
        return kind
    if not path.is_dir():
        raise InputError(f"{path} does not exist", remedy="choose another")
    return SAVED if is_saved_dataset(path) else _set_of(path) or FOLDER


def _set_of(folder: Path) -> str | None:
    """Recognise a published set by the names of its files."""
    for place in (folder, folder / "metadata"):
        if any(place.glob("screenspot_*_v2.json")):
            return "screenspot-v2"
        if any(place.glob("screenspot_*.json")):
            return "screenspot"
    if (folder / "annotations").is_dir() and any((folder / "annotations").glob("*_*.json")):
        return "screenspot-pro"
    for name, kind in (("OSWorld-G.json", "osworld-g"), ("OSWorld-G_refined.json", "osworld-g-refined")):
        if any((place / name).is_file() for place in (folder, folder / "benchmark")):
            return kind
    return None


def open_set(source: Source) -> Dataset | None:
    """Read a published set's annotations; None for other inputs. Raises `InputError`."""
    return read_dataset(source.kind, source.path, source.images) if source.is_set else None


def open_rows(source: Source, dataset: Dataset | None = None) -> Iterator[Row]:
    """Yield the rows; raise `InputError` for an input that cannot be read."""
    if source.is_set:
        return rows_of_dataset(dataset or read_dataset(source.kind, source.path, source.images), source.language)
    match source.kind:
        case "folder":
            return rows_of_folder(source.path, source.instruction)
        case "csv":
            return rows_of_csv(source.path, source.images)
        case "jsonl":
            return rows_of_jsonl_file(source.path, source.images)
        case "parquet":
            return rows_of_parquet(source.path, source.images)
        case "saved-dataset":
            return rows_of_saved_dataset(source.path, source.images)
        case _:
            raise InputError(f"{source.kind!r} is no kind of input", remedy=f"it is one of {', '.join(KINDS)}")


def picture_bytes_of(source: Source, index: int) -> Path | bytes | None:
    """Return the picture of the row with this number, for inputs that hold pictures themselves."""
    for number, row in enumerate(open_rows(source)):
        if number == index:
            return row.image
    return None
