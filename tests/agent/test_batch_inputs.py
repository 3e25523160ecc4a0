"""Parquet in and out, datasets as Hugging Face saves them, and being killed with every kind of input."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from agent.batch import Row, ground
from agent.batch_arrow import is_saved_dataset, rows_of_parquet, rows_of_saved_dataset
from agent.batch_inputs import Columns, rows_of_csv, rows_of_dataset, rows_of_folder, rows_of_jsonl_file
from agent.batch_parquet import open_results, parquet_lines
from agent.datasets import read_dataset
from agent.predictions import read_predictions
from model.errors import InputError
from model.image import open_image
from tests.agent.grounding_sets import (
    osworld_row,
    pro_row,
    spot_row,
    write_osworld,
    write_picture,
    write_pro,
    write_spot,
)
from tests.agent.test_batch import Scripted

pa = pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, object] = {"model": "scripted", "max_looks": 3}


def png(size: tuple[int, int], shade: int = 200) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(packed, "PNG")
    return packed.getvalue()


def save_split(folder: Path, shards: list[list[dict[str, object]]]) -> Path:
    """Write what ``datasets.save_to_disk`` writes: Arrow streams, and two JSON files about them."""
    folder.mkdir(parents=True)
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", picture), ("instruction", pa.string()), ("bbox", pa.list_(pa.float64()))])
    names = [f"data-{index:05d}-of-{len(shards):05d}.arrow" for index in range(len(shards))]
    for name, rows in zip(names, shards, strict=True):
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
            stream.write_table(pa.Table.from_pylist(rows, schema), max_chunksize=3)
    state = {
        "_data_files": [{"filename": name} for name in names],
        "_fingerprint": "0",
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": "test",
    }
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    features = {"image": {"_type": "Image"}, "instruction": {"dtype": "string", "_type": "Value"}}
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}), encoding="utf-8")
    return folder


def saved_rows(count: int, start: int = 0) -> list[dict[str, object]]:
    return [
        {"image": {"bytes": png((40, 20), n % 3), "path": f"{n}.png"}, "instruction": f"thing {n}", "bbox": [0.0] * 4}
        for n in range(start, start + count)
    ]


def write_all(path: Path, rows: Iterator[Row], resume: bool = False) -> None:
    with open_results(path, SETTINGS, resume=resume) as out:
        out.skip_done(rows)
        for result in ground(rows, Scripted(), open_image):
            out.append(result)


def test_a_saved_dataset_is_read_with_pictures_inside_or_beside_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "set" / "beside.png")
    rows = saved_rows(7)
    rows[2]["image"] = {"bytes": None, "path": "beside.png"}
    rows[3]["image"] = {"bytes": b"no picture", "path": "torn.png"}
    rows[4]["image"] = None
    rows[5]["instruction"] = ""
    folder = tmp_path / "saved"
    save_split(folder, [rows[:4], rows[4:]])
    (folder / "beside.png").write_bytes((tmp_path / "set" / "beside.png").read_bytes())
    assert is_saved_dataset(folder)
    assert not is_saved_dataset(tmp_path)
    found = list(rows_of_saved_dataset(folder))
    assert [row.id for row in found] == [str(n) for n in range(7)]
    assert found[0].image_name == "0.png"
    results = list(ground(found, Scripted(), open_image))
    assert [result.status for result in results][:6] == ["not_found", "found", "found", *["bad_row"] * 3]
    assert results[2].size_px == (200, 100)
    assert "row 4: image is missing" in results[4].reason
    assert "row 5: the instruction is empty" in results[5].reason


def test_splits_are_told_apart_and_a_torn_stream_is_a_bad_row(tmp_path: Path) -> None:
    save_split(tmp_path / "train", [saved_rows(2)])
    save_split(tmp_path / "test", [saved_rows(6), saved_rows(1, 6)])
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}', encoding="utf-8")
    assert [row.id for row in rows_of_saved_dataset(tmp_path)][:4] == ["train/0", "train/1", "test/0", "test/1"]
    torn = tmp_path / "test" / "data-00000-of-00002.arrow"
    torn.write_bytes(torn.read_bytes()[:-400])
    found = list(rows_of_saved_dataset(tmp_path))
    assert [row.id for row in found if row.problem] == ["test/data-00000-of-00002.arrow"]
    assert "cannot be read from row" in next(row.problem for row in found if row.problem)
    assert found[-1].instruction == "thing 6"


@pytest.mark.parametrize("state", ["[]", "{}", '{"_data_files": [{"filename": "../x.arrow"}]}', "{"])
def test_a_folder_that_was_not_saved_so_is_refused(tmp_path: Path, state: str) -> None:
    (tmp_path / "state.json").write_text(state, encoding="utf-8")
    with pytest.raises(InputError, match=r"state\.json"):
        list(rows_of_saved_dataset(tmp_path))


def test_parquet_rows_with_columns_of_other_names(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    file = tmp_path / "rows.parquet"
    columns = {"shot": ["a.png", "a.png", None], "say": ["thing 1", None, "thing 3"], "n": [7, 8, 9]}
    pq.write_table(pa.table(columns), file)
    found = list(rows_of_parquet(file, columns=Columns.of(["image=shot", "instruction=say", "id=n"])))
    assert [(row.id, row.problem) for row in found] == [
        ("7", ""),
        ("1", "row 1: say is missing or not text"),
        ("2", "row 2: shot is missing or names no picture"),
    ]
    with pytest.raises(InputError, match="no column 'image'"):
        list(rows_of_parquet(file))
    file.write_bytes(b"PAR1 not")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        list(rows_of_parquet(file))


def test_parquet_results_are_the_lines_that_json_has(tmp_path: Path) -> None:
    rows = [*saved_rows(12)]
    folder = save_split(tmp_path / "saved", [rows])
    write_all(tmp_path / "r.jsonl", rows_of_saved_dataset(folder))
    write_all(tmp_path / "r.parquet", rows_of_saved_dataset(folder))
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_bytes().splitlines()]
    assert list(parquet_lines(tmp_path / "r.parquet")) == lines
    assert sorted(path.name for path in tmp_path.glob("r.*")) == ["r.jsonl", "r.parquet"]
    ours, theirs = (read_predictions(tmp_path / f"r.{kind}").rows for kind in ("jsonl", "parquet"))
    assert ours == theirs
    before = (tmp_path / "r.parquet").read_bytes()
    write_all(tmp_path / "r.parquet", rows_of_saved_dataset(folder), resume=True)
    assert (tmp_path / "r.parquet").read_bytes() == before
    with pytest.raises(InputError, match="exists already"):
        write_all(tmp_path / "r.parquet", rows_of_saved_dataset(folder))


COUNT = 240
KINDS: dict[str, tuple[str, Callable[[Path], Iterator[Row]]]] = {
    "folder": ("r.jsonl", lambda root: rows_of_folder(root / "shots", "thing 3")),
    "csv": ("r.jsonl", lambda root: rows_of_csv(root / "rows.csv")),
    "jsonl": ("r.jsonl", lambda root: rows_of_jsonl_file(root / "rows.jsonl")),
    "parquet": ("r.parquet", lambda root: rows_of_parquet(root / "rows.parquet")),
    "saved": ("r.parquet", lambda root: rows_of_saved_dataset(root / "saved")),
    "screenspot": ("r.jsonl", lambda root: rows_of_dataset(read_dataset("screenspot", root / "spot"))),
    "screenspot-v2": ("r.parquet", lambda root: rows_of_dataset(read_dataset("screenspot-v2", root / "spot2"))),
    "screenspot-pro": ("r.jsonl", lambda root: rows_of_dataset(read_dataset("screenspot-pro", root / "pro"))),
    "osworld-g": ("r.jsonl", lambda root: rows_of_dataset(read_dataset("osworld-g", root / "osworld"))),
}


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every kind of input, with things wrong in each."""
    root = tmp_path_factory.mktemp("layouts")
    names = [f"{n:03d}.png" for n in range(COUNT)]
    shot = png((40, 20))
    (root / "shots").mkdir()
    for n, name in enumerate(names):
        (root / "shots" / name).write_bytes(shot if n % 9 else shot[:50])
    table = [{"image": f"shots/{name}", "instruction": f"thing {n}" if n % 8 else ""} for n, name in enumerate(names)]
    lines = [f"{row['image']},{row['instruction']}" for row in table]
    (root / "rows.csv").write_text("\n".join(["image,instruction", *lines, "x,y,z"]), encoding="utf-8")
    (root / "rows.jsonl").write_text("\n".join([*map(json.dumps, table), "{"]), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(table), root / "rows.parquet")
    saved = saved_rows(COUNT)
    saved[17]["image"] = {"bytes": b"x", "path": None}
    save_split(root / "saved", [saved[:100], saved[100:]])
    spots = [spot_row(f"thing {n}") for n in range(COUNT)]
    write_spot(root / "spot", *spots, spot_row(" "), suffix="")
    write_spot(root / "spot2", *spots, spot_row("thing 1", bbox=[1, 2, -3, 4]))
    write_pro(root / "pro", *(pro_row(f"p{n}", instruction=f"thing {n}") for n in range(COUNT)), pro_row("p1"))
    asked = [osworld_row(f"o{n}", instruction=f"thing {n}") for n in range(COUNT - 1)]
    refusal = {"box_type": "refusal", "box_coordinates": [0, 0, 0, 0]}
    write_osworld(root / "osworld", *asked, osworld_row("no", instruction="thing 10", **refusal))
    return root


TEN_KILLS = ("jsonl", "parquet")
"""Killed ten times by default; the other kinds three times, and all ten with ``DESKHAND_ALL_DRILLS=1``."""

CHILD = """
import sys
from pathlib import Path
from tests.agent.test_batch_inputs import KINDS, write_all
write_all(Path(sys.argv[1]), KINDS[sys.argv[2]][1](Path(sys.argv[3])), resume=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
@pytest.mark.parametrize("kind", KINDS)
def test_kills_and_resumes_end_in_the_same_bytes(tmp_path: Path, layouts: Path, kind: str) -> None:
    name, rows_of = KINDS[kind]
    clean, path = tmp_path / f"clean-{name}", tmp_path / name
    write_all(clean, rows_of(layouts))
    # A Parquet file grows as JSON lines beside it.
    growing = path.with_name(name + ".jsonl") if name.endswith(".parquet") else path
    chance = random.Random(kind)
    whole = COUNT * 200
    killed = 0
    kills = 10 if kind in TEN_KILLS or os.environ.get("DESKHAND_ALL_DRILLS") else 3
    for kill in range(1, kills + 1):
        goal = whole * 10 * kill // (14 * kills) - chance.randrange(whole // 40)
        killed += _killed_at(CHILD, [str(path), kind, str(layouts)], growing, goal)
    assert killed >= kills // 2, "the runs ended before they could be killed"
    write_all(path, rows_of(layouts), resume=True)
    assert path.read_bytes() == clean.read_bytes()
    assert [left.name for left in tmp_path.glob(f"{name}*")] == [name]


def _killed_at(code: str, arguments: list[str], growing: Path, goal: int) -> bool:
    with subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT) as child:
        while child.poll() is None and not (growing.exists() and growing.stat().st_size >= goal):
            time.sleep(0)
        child.kill()
    return child.returncode == -signal.SIGKILL
