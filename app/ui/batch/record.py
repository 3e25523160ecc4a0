"""The folder of each run: what was asked, of what, how far it is; found again after a restart. Knows no Qt."""

import json
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from app.ui.batch.source import Source

FOLDER_NAME = "batches"
RECORD_FILE, RESULTS_FILE, TIMES_FILE = "run.json", "results.jsonl", "times.csv"

State = Literal["running", "paused", "stopped", "failed", "done"]
"""A run that says "running" while nobody runs it was interrupted: it is taken up like a stopped one."""


@dataclass(frozen=True, slots=True)
class Record:
    """One run. ``model`` is the name in the results; ``loaded`` what was loaded for it, ``endpoint`` a server's name.

    ``total`` is 0 until the rows have been counted. ``began_s`` is seconds since 1970.
    """

    folder: Path
    source: Source
    model: str
    loaded: str = ""
    endpoint: str = ""
    looks: int = 3
    votes: int = 1
    workers: int = 4
    began_s: float = 0.0
    state: State = "running"
    total: int = 0
    done: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    correct: int = 0
    judged: int = 0
    reason: str = ""

    @property
    def results(self) -> Path:
        """The result file."""
        return self.folder / RESULTS_FILE

    @property
    def times(self) -> Path:
        """How long each row took."""
        return self.folder / TIMES_FILE

    @property
    def settings(self) -> dict[str, object]:
        """What stands in every line of the results."""
        values: dict[str, object] = {"model": self.model, "max_looks": self.looks}
        return values | ({"votes": self.votes} if self.votes > 1 else {})

    @property
    def title(self) -> str:
        """What a person calls the run."""
        return self.source.path.name or str(self.source.path)

    def save(self) -> None:
        """Write the record, whole or not at all."""
        values = asdict(self)
        values.pop("folder")
        values["source"] = {key: str(v) if isinstance(v, Path) else v for key, v in values["source"].items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / (RECORD_FILE + ".new")
        new.write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")
        new.replace(self.folder / RECORD_FILE)


def new_folder(data_folder: Path, title: str) -> Path:
    """Choose a folder for a new run: by time and what it is about."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    word = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.")[:40] or "rows"
    base = data_folder / FOLDER_NAME / f"{stamp}-{word}"
    folder, number = base, 1
    while folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    return folder


def read_record(folder: Path) -> Record | None:
    """Read a run's record; None for a folder without a usable one."""
    try:
        values: dict[str, Any] = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        source = values.pop("source")
        images = source.pop("images")
        made = Source(**{**source, "path": Path(source["path"]), "images": Path(images) if images else None})
        return Record(folder, made, **values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def read_records(data_folder: Path) -> list[Record]:
    """Return every run, the newest first; one that was being run when the application died is "stopped"."""
    place = data_folder / FOLDER_NAME
    folders = sorted(place.iterdir(), reverse=True) if place.is_dir() else []
    found = [record for folder in folders if (record := read_record(folder)) is not None]
    return [replace(record, state="stopped") if record.state in ("running", "paused") else record for record in found]


def delete(record: Record) -> None:
    """Delete a run with its results; the input stays."""
    shutil.rmtree(record.folder)
