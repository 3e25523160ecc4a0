"""``deskhand batch`` with the built-in checkpoint, and what it refuses."""

import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from app import cli
from app.samples import sample
from model.dummy import make_dummy
from tests.agent.grounding_sets import pro_row, write_json, write_picture


def test_batch_resume_and_score_with_the_built_in_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, targets = sample()
    shot = tmp_path / "set" / "images" / "word_windows" / "shot.png"
    shot.parent.mkdir(parents=True)
    shutil.copy(picture, shot)
    rows = [
        pro_row(f"r{n}", instruction=target.instruction, bbox=list(target.box_px), img_size=[1280, 800])
        for n, target in enumerate(targets)
    ]
    rows.append(pro_row("gone", img_filename="gone.png", img_size=[1280, 800]))
    write_json(tmp_path / "set" / "annotations" / "word_windows.json", rows)
    out = tmp_path / "r.jsonl"
    batch = ["batch", str(tmp_path / "set"), "--dataset", "screenspot-pro", "--out", str(out), "--device", "cpu"]

    marked, page = tmp_path / "marked", tmp_path / "report.html"
    assert cli.run([*batch, "--annotated-dir", str(marked), "--report", str(page), "--json"]) == 0
    told, err = capsys.readouterr()
    summary = json.loads(told)
    assert (summary["rows"], summary["bad_row"]) == (len(rows), 1)
    assert "gone.png does not exist" in err
    assert len(list(marked.glob("*.jpg"))) == len(targets)
    text = page.read_text(encoding="utf-8")
    assert "Time a row took" in text
    assert "By target size" in text

    clean = out.read_bytes()
    out.write_bytes(clean[: len(clean) // 2])
    assert cli.run([*batch, "--resume", "--workers", "2"]) == 0
    assert out.read_bytes() == clean
    assert cli.run(batch) == 2
    capsys.readouterr()

    score = ["score", "--dataset", "screenspot-pro", "--annotations", str(tmp_path / "set")]
    assert cli.run([*score, "--predictions", str(out), "--json"]) == 0
    overall = json.loads(capsys.readouterr().out)["overall"]
    assert (overall["num_total"], overall["missing_num"]) == (len(rows), 1)
    right = 0
    for line, target in zip(map(json.loads, clean.splitlines()), targets, strict=False):
        (x, y), (left, top, end, bottom) = line["point_px"], target.box_px
        right += left <= x < end and top <= y < bottom
    assert overall["num_correct_action"] == right > 0


def test_rows_from_a_pipe_end_in_parquet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")
    checkpoint = make_dummy(tmp_path / "tiny")
    write_picture(tmp_path / "a.png", (56, 42))
    rows = [{"shot": "a.png", "instruction": "the box"}, {"shot": "gone.png", "instruction": "the box"}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(map(json.dumps, rows)) + "\nnot JSON\n"))
    out, page = tmp_path / "r.parquet", tmp_path / "r.html"
    call = ["batch", "-", "--images", str(tmp_path), "--column", "image=shot", "--out", str(out)]
    assert cli.run([*call, "--model", str(checkpoint), "--device", "cpu", "--report", str(page), "--votes", "2"]) == 0
    lines = parquet.read_table(out).to_pylist()
    assert [(line["id"], line["status"] == "bad_row") for line in lines] == [("1", False), ("2", True), ("3", True)]
    assert lines[0]["votes"] == 2
    assert lines[0]["agreement"] == 1.0
    assert "line 3: not JSON" in capsys.readouterr().err
    assert "What came of the rows" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["{dir}"], "needs --instruction"),
        (["{dir}", "--instruction", " "], "instruction is empty"),
        (["{dir}", "--instruction", "go"], "holds no pictures"),
        (["rows.txt"], "neither a folder nor .csv, .jsonl, .parquet"),
        (["rows.parquet"], "does not exist"),
        (["{dir}", "--instruction", "go", "--annotated-dir", "{dir}/marked"], "inside the input"),
        (["gone.csv", "--column", "picture=x"], "names no column"),
        (["-", "--votes", "0"], "--votes is 0"),
        (["-", "--ray", "--endpoint", "http://127.0.0.1:9"], "neither with"),
        (["-", "--endpoint", "127.0.0.1:9"], "is not the address of a server"),
        (["-", "--endpoint", "http://127.0.0.1:9", "--api-key-env", "DESKHAND_NO_SUCH_KEY"], "DESKHAND_NO_SUCH_KEY"),
        (["gone.csv"], "does not exist"),
        (["gone.csv", "--instruction", "go"], "goes with a folder"),
        (["-", "--workers", "0"], "--concurrency is 0"),
        (["-", "--looks", "0"], "--looks is 0"),
    ],
)
def test_what_it_cannot_do_ends_in_one_line_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    filled = [word.format(dir=tmp_path) for word in arguments]
    assert cli.run(["batch", *filled, "--out", str(tmp_path / "r.jsonl")]) == 2
    err = capsys.readouterr().err
    assert why in err
    assert len(err.splitlines()) == 1
