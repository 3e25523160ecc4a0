"""Batches: order, bad rows, memory of what was done, and being killed.

A scripted model stands for the network where only the machinery around it is tested.
"""

import itertools
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from agent.batch import Result, Row, ground
from agent.batch_inputs import rows_of_csv, rows_of_dataset, rows_of_folder, rows_of_jsonl, rows_of_jsonl_file
from agent.batch_output import ResultFile
from agent.datasets import read_dataset
from model.chat import Delta, GenerateOptions, Message
from model.errors import CancelledByCallerError, EndpointError, InputError
from model.grounding import ABSENT_ANSWER, answer_text
from model.image import open_image
from tests.agent.grounding_sets import pro_row, write_picture, write_pro

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, object] = {"model": "scripted", "max_looks": 3}


class Scripted:
    """Answers with a point made from the instruction's number; says no to every tenth, nonsense to every seventh."""

    def __init__(self) -> None:
        self.asked = 0
        self._lock = threading.Lock()

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        with self._lock:
            self.asked += 1
        number = int(messages[-1].text.rsplit(" ", 1)[-1])
        text = answer_text(number % 100 / 100, number % 37 / 37)
        yield Delta(text=ABSENT_ANSWER if number % 10 == 0 else "hm" if number % 7 == 0 else text)
        yield Delta(finish="stop")


def make_rows(folder: Path, count: int) -> Iterator[Row]:
    shot = write_picture(folder / "shot.png", (40, 20))
    return (Row.of(str(n), shot, f"thing {n}", "shot.png") for n in range(count))


def write_all(path: Path, rows: Iterator[Row], workers: int = 3, resume: bool = False) -> bytes:
    with ResultFile(path, SETTINGS, resume=resume) as out:
        out.skip_done(rows)
        for result in ground(rows, Scripted(), open_image, workers=workers):
            out.append(result)
    return path.read_bytes()


def test_results_come_in_the_rows_order_whatever_the_workers(tmp_path: Path) -> None:
    files = [write_all(tmp_path / f"{workers}.jsonl", make_rows(tmp_path, 60), workers) for workers in (1, 2, 7)]
    assert len(set(files)) == 1
    lines = [json.loads(line) for line in files[0].splitlines()]
    assert [line["id"] for line in lines] == [str(n) for n in range(60)]
    assert [lines[n]["status"] for n in (1, 7, 10)] == ["found", "unreadable", "not_found"]
    assert lines[1]["point_px"] == [0, 0]
    assert lines[12]["size_px"] == [40, 20]


def test_bad_rows_are_told_and_end_nothing(tmp_path: Path) -> None:
    good = write_picture(tmp_path / "good.png")
    (tmp_path / "torn.png").write_bytes(good.read_bytes()[:60])
    (tmp_path / "text.png").write_text("hello", encoding="utf-8")
    rows = [Row.of(name, tmp_path / f"{name}.png", "thing 1") for name in ("good", "torn", "text", "gone")]
    rows += [Row.of("empty", good, "  "), Row.of("half", good, "thing \ud800"), Row.of("last", good, "thing 3")]
    results = list(ground(rows, Scripted(), open_image))
    assert [result.status for result in results] == ["found", *["bad_row"] * 5, "found"]
    assert "does not exist" in results[3].reason
    assert results[4].reason == "the instruction is empty"


def test_a_picture_with_many_instructions_is_decoded_once(tmp_path: Path) -> None:
    opened: list[Path] = []

    def open_counted(source: Path | bytes) -> Image.Image:
        assert isinstance(source, Path)
        opened.append(source)
        return open_image(source)

    paths = [write_picture(tmp_path / f"{n}.png") for n in range(4)]
    rows = [Row.of(f"{path.stem}-{n}", path, f"thing {n}") for path in paths for n in range(10)]
    assert len(list(ground(rows, Scripted(), open_counted, workers=3))) == 40
    assert sorted(opened) == paths


def test_rows_are_taken_only_as_they_are_needed(tmp_path: Path) -> None:
    taken = itertools.count()
    rows = (row for row in make_rows(tmp_path, 10_000) if next(taken) >= 0)
    results = ground(rows, Scripted(), open_image, workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert next(taken) < 20


def test_progress_counts_and_cancelling_stops(tmp_path: Path) -> None:
    seen: list[int] = []
    cancel = threading.Event()
    results = ground(make_rows(tmp_path, 100), Scripted(), open_image, progress=seen.append, cancel=cancel)
    for _ in range(5):
        next(results)
    cancel.set()
    with pytest.raises(CancelledByCallerError):
        next(results)
    assert seen == [1, 2, 3, 4, 5]


def test_an_error_that_is_not_the_rows_is_raised_and_what_was_done_stays(tmp_path: Path) -> None:
    class Failing(Scripted):
        def stream(
            self,
            messages: Sequence[Message],
            options: GenerateOptions = GenerateOptions(),
            cancel: threading.Event | None = None,
        ) -> Iterator[Delta]:
            if messages[-1].text.endswith(" 30"):
                raise EndpointError("the server is gone")
            return super().stream(messages, options, cancel)

    clean = write_all(tmp_path / "clean.jsonl", make_rows(tmp_path, 50))
    path = tmp_path / "r.jsonl"
    results = ground(make_rows(tmp_path, 50), Failing(), open_image)
    with ResultFile(path, SETTINGS) as out:
        for result in itertools.islice(results, 30):
            out.append(result)
        with pytest.raises(EndpointError):
            next(results)
    assert len(path.read_bytes().splitlines()) == 30
    assert write_all(path, make_rows(tmp_path, 50), resume=True) == clean


def test_resuming_mends_every_torn_end(tmp_path: Path) -> None:
    clean = write_all(tmp_path / "clean.jsonl", make_rows(tmp_path, 12))
    chance = random.Random(3)
    path = tmp_path / "r.jsonl"
    for cut in [0, len(clean), len(clean) - 1, *(chance.randrange(len(clean)) for _ in range(25))]:
        path.write_bytes(clean[:cut])
        assert write_all(path, make_rows(tmp_path, 12), resume=True) == clean


def test_a_finished_file_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write_all(path, make_rows(tmp_path, 12))
    model = Scripted()
    rows = make_rows(tmp_path, 12)
    with ResultFile(path, SETTINGS, resume=True) as out:
        assert out.skip_done(rows) == 12
        assert not list(ground(rows, model, open_image))
    assert model.asked == 0


def test_files_of_other_runs_are_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    before = write_all(path, make_rows(tmp_path, 5))
    with pytest.raises(InputError, match="--resume"):
        ResultFile(path, SETTINGS)
    for rows, settings in (
        (make_rows(tmp_path, 4), SETTINGS),
        (itertools.islice(make_rows(tmp_path, 9), 1, None), SETTINGS),
        (make_rows(tmp_path, 5), {**SETTINGS, "max_looks": 1}),
    ):
        with ResultFile(path, settings, resume=True) as out, pytest.raises(InputError, match="cannot be taken up"):
            out.skip_done(rows)
    assert path.read_bytes() == before


def test_two_runs_cannot_write_one_file(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="files are not locked on this system")
    with ResultFile(tmp_path / "r.jsonl", SETTINGS), pytest.raises(InputError, match="another run"):
        ResultFile(tmp_path / "r.jsonl", SETTINGS, resume=True)


CHILD = """
import sys
from pathlib import Path
from tests.agent.test_batch import make_rows, write_all
write_all(Path(sys.argv[1]), make_rows(Path(sys.argv[2]), int(sys.argv[3])), resume=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
def test_kill_9_at_random_moments_and_resume_end_in_the_same_bytes(tmp_path: Path) -> None:
    count = 4000
    clean = write_all(tmp_path / "clean.jsonl", make_rows(tmp_path, count))
    path = tmp_path / "r.jsonl"
    path.touch()
    chance = random.Random(11)
    command = [sys.executable, "-c", CHILD, str(path), str(tmp_path), str(count)]
    killed = 0
    for kill in range(1, 11):
        goal = len(clean) * kill // 16 - chance.randrange(len(clean) // 40)
        with subprocess.Popen(command, cwd=ROOT) as child:
            while child.poll() is None and path.stat().st_size < goal:
                time.sleep(0)
            child.kill()
        killed += child.returncode == -signal.SIGKILL
    assert killed >= 5, "the runs ended before they could be killed"
    subprocess.run(command, cwd=ROOT, check=True)
    assert path.read_bytes() == clean


def told(rows: Iterator[Row]) -> list[tuple[str, str, str]]:
    return [(row.id, row.image_name, row.problem) for row in rows]


def test_a_folder_is_read_by_name_and_deep(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "deep/c.webp"):
        write_picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    rows = list(rows_of_folder(tmp_path, "the button"))
    assert [row.id for row in rows] == ["a.JPG", "b.png", "deep/c.webp"]
    assert all(Path(str(row.image)).is_file() and row.instruction == "the button" for row in rows)
    for folder in (tmp_path / "deep" / "none", tmp_path / "gone"):
        folder.parent.mkdir(exist_ok=True)
        with pytest.raises(InputError):
            rows_of_folder(folder, "the button")
    with pytest.raises(InputError, match="empty"):
        rows_of_folder(tmp_path, " ")


def test_csv_rows_and_their_problems(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        '\ufeffid,image,instruction\nx,a.png,"the ""Save"", button"\n,b.png,go\n'
        "y,,go\nz,c.png\nw,d.png,go,more\nv,e.png,\n",
        encoding="utf-8",
    )
    assert told(rows_of_csv(file)) == [
        ("x", "a.png", ""),
        ("3", "b.png", ""),
        ("4", "", "line 4: image is missing or names no picture"),
        ("5", "", "line 5: instruction is missing or not text"),
        ("6", "", "line 6: more fields than columns"),
        ("v", "e.png", "line 7: the instruction is empty"),
    ]
    first = next(rows_of_csv(file, tmp_path / "far"))
    assert (first.image, first.instruction) == (tmp_path / "far" / "a.png", 'the "Save", button')
    file.write_text("picture,instruction\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column 'image'"):
        list(rows_of_csv(file))


def test_jsonl_rows_and_their_problems(tmp_path: Path) -> None:
    lines = [
        '{"id": 7, "image": "a.png", "instruction": "go"}',
        "",
        '{"image": "b.png", "instruction": "go"}',
        "[1]",
        "{torn",
        '{"image": "c.png"}',
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    rows = told(rows_of_jsonl_file(file))
    assert rows == told(rows_of_jsonl(lines, tmp_path))
    assert rows[:3] == [("7", "a.png", ""), ("3", "b.png", ""), ("4", "", "line 4: not a JSON object")]
    assert [row[0] for row in rows if row[2]] == ["4", "5", "6"]


def test_a_published_set_is_asked_in_both_languages(tmp_path: Path) -> None:
    write_pro(tmp_path, pro_row("a"), pro_row("b", instruction_cn=""))
    dataset = read_dataset("screenspot-pro", tmp_path)
    assert [row.instruction for row in rows_of_dataset(dataset)] == ["press a", "press b"]
    assert [row.problem for row in rows_of_dataset(dataset, "cn")] == ["", "the instruction is empty"]


def test_results_are_values(tmp_path: Path) -> None:
    row = Row.of("a", tmp_path / "a.png", "go")
    assert Result(row, "bad_row") == Result(row, "bad_row")
