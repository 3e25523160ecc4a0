"""What a run can be written as. Knows no Qt, and runs in a worker."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agent.predictions import read_predictions
from agent.pro_log import pro_log
from agent.scoring import Score, score
from app.ui.batch.entry import Entry
from app.ui.batch.record import Record
from app.ui.batch.source import open_rows, open_set
from model.errors import InputError

SUFFIXES = {"jsonl": ".jsonl", "csv": ".csv", "pro": ".json", "html": ".html"}

_FIELDS = (
    *("number", "id", "image", "instruction", "status", "verdict", "x_px", "y_px", "x_rel", "y_rel", "distance_px"),
    *("application", "ui_type", "target_side_px", "looks", "ms", "answer", "reason"),
)


def formats_of(record: Record) -> list[str]:
    """Return the formats that a run can be written in."""
    return [name for name in SUFFIXES if name != "pro" or record.source.kind == "screenspot-pro"]


def export(record: Record, entries: Sequence[Entry], format_name: str, target: Path) -> Path:
    """Write a run; return the file. Raises `InputError` when it cannot be written."""
    try:
        match format_name:
            case "jsonl":
                shutil.copyfile(record.results, target)
            case "csv":
                _write_csv(entries, target)
            case "pro":
                log = pro_log(_score(record), "cn" if record.source.language == "cn" else "en")
                target.write_text(json.dumps(log, indent=4, ensure_ascii=False), encoding="utf-8")
            case _:
                target.write_text(_page(record, entries), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{target} cannot be written", why=str(error), remedy="choose another place") from error
    return target


def _score(record: Record) -> Score:
    dataset = open_set(record.source)
    if dataset is None:
        raise InputError(f"{record.title} has no right answers to compare with")
    return score(dataset, read_predictions(record.results))


def _write_csv(entries: Sequence[Entry], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, _FIELDS)
        writer.writeheader()
        for entry in entries:
            x_px, y_px = entry.point_px or ("", "")
            x_rel, y_rel = entry.point_rel or ("", "")
            values = (
                *(entry.index + 1, entry.id, entry.image_name, entry.instruction, entry.status, entry.verdict),
                *(x_px, y_px, x_rel, y_rel, _rounded(entry.distance_px), entry.application, entry.ui_type),
                *(_rounded(entry.side_px), entry.looks, _rounded(entry.ms), entry.answer, entry.reason),
            )
            writer.writerow(dict(zip(_FIELDS, values, strict=True)))


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 1)


def _page(record: Record, entries: Sequence[Entry]) -> str:
    from agent.batch_report import MOST_SHOWN, render_rows, render_score
    from agent.batch_report_gallery import Shot, spread
    from model.image import open_image

    times = [entry.ms for entry in entries if entry.ms is not None]
    title = f"{record.title}: {record.model}"
    if record.source.is_set:
        return render_score(title, _score(record), open_image, times)
    statuses = Counter(entry.status for entry in entries)
    chosen = {entry.index: entry for entry in spread([e for e in entries if e.status != "bad_row"], MOST_SHOWN)}
    shots: list[Shot] = []
    for index, row in enumerate(open_rows(record.source)):
        entry = chosen.pop(index, None)
        if entry is not None:
            points = ((entry.point_rel[0], entry.point_rel[1], 1),) if entry.point_rel else ()
            said = f"{entry.id} · {entry.status.replace('_', ' ')}"
            shots.append(Shot(row.image, row.instruction, said, None, points))
        if not chosen:
            break
    return render_rows(title, statuses, shots, open_image, times)
