"""``deskhand score`` as a person calls it."""

import json
from pathlib import Path

import pytest

from app import cli
from tests.agent.grounding_sets import pro_row, write_json, write_pro


@pytest.fixture
def call(tmp_path: Path) -> list[str]:
    """Write a set with a bad row and a log that is right once of three, and return the command line."""
    rows = [pro_row("a"), pro_row("b", ui_type="icon"), pro_row("c"), pro_row("d", bbox=[9, 9, 1, 1])]
    write_pro(tmp_path / "set", *rows)
    details = [
        {"id": "a", "lang": "en", "gt_type": "positive", "pred": [60, 30], "correctness": "correct"},
        {"id": "b", "lang": "en", "gt_type": "positive", "pred": None, "correctness": "wrong_format"},
        {"id": "c", "lang": "en", "gt_type": "positive", "pred": [61, 30], "correctness": "correct"},
    ]
    log = write_json(tmp_path / "log.json", {"details": details, "metrics": {}})
    return ["score", "--dataset", "screenspot-pro", "--annotations", str(tmp_path / "set"), "--predictions", str(log)]


def test_json_holds_the_published_figures(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*call, "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    overall = told["overall"]
    assert (overall["num_correct_action"], overall["num_total"], overall["wrong_format_num"]) == (1, 3, 1)
    assert (overall["action_acc"], overall["text_acc"], overall["icon_acc"]) == (1 / 3, 1 / 2, 0)
    assert told["disagreements"] == [{"id": "c", "stated": "correct", "counted": "wrong"}]
    assert "impossible box" in err


def test_the_report_and_two_runs_compared(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, pair = tmp_path / "report.html", tmp_path / "pair.html"
    times = tmp_path / "times.csv"
    times.write_text("id,looks,ms\na,1,12.5\nb,2,80\ntorn", encoding="utf-8")
    assert cli.run([*call, "--report", str(page), "--times", str(times)]) == 0
    for said in ("33.3%", "By type", "Time a row took", "Misses", "data:image/webp"):
        assert said in page.read_text(encoding="utf-8")
    other = write_json(tmp_path / "other.json", [{"id": name, "pred": [30, 20]} for name in "abc"])
    capsys.readouterr()
    compare = ["compare", call[-1], str(other), *call[1:5]]
    assert cli.run([*compare, "--report", str(pair), "--json"]) == 0
    overall = json.loads(capsys.readouterr().out)["overall"]["all items"]
    assert (overall["total"], overall["both"], overall["only_first"], overall["only_second"]) == (3, 1, 0, 2)
    assert overall["p"] == 0.5
    assert "Only other.json is right" in pair.read_text(encoding="utf-8")
    assert cli.run(compare) == 0
    assert "no difference beyond chance" in capsys.readouterr().out


def test_the_table_names_every_slice(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(call) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("overall")
    for word in ("text", "icon", "Office", "windows", "word", "33.33%", "1/3", "wrong format 1"):
        assert word in out


def test_a_missing_file_ends_with_one_line(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*call[:-1], "nowhere.json"]) == 2
    assert capsys.readouterr().err.startswith("deskhand: nowhere.json does not exist.")


def test_the_log_is_scored_as_what_it_was_made_from(
    call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "out.json"
    ours = tmp_path / "r.jsonl"
    lines = [
        {"id": "a", "status": "found", "point_rel": [0.3, 0.3], "size_px": [200, 100], "answer": "there"},
        {"id": "b", "status": "not_found", "point_rel": None},
    ]
    ours.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert cli.run([*call[:-1], str(ours), "--log", str(log), "--json"]) == 0
    overall = json.loads(capsys.readouterr().out)["overall"]
    written = json.loads(log.read_text(encoding="utf-8"))
    assert [(d["id"], d["pred"], d["correctness"], d["raw_response"]) for d in written["details"]] == [
        ("a", [60, 30], "correct", "there"),
        ("b", None, "wrong_format", ""),
        ("c", None, "wrong_format", ""),
    ]
    assert written["details"][0]["task_filename"] == "word_windows"
    assert written["details"][0]["bbox"] == [20, 10, 60, 30]
    metrics = written["metrics"]
    assert metrics["overall"]["action_acc"] == overall["action_acc"] == 1 / 3
    assert list(metrics["fine_grained"]) == ["plat:windows app:word inst_style:instruction gt_type:positive"]
    assert metrics["leaderboard_simple_style"]["group:Office"] == metrics["overall"]
    assert cli.run([*call[:-1], str(log), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["overall"]["action_acc"] == overall["action_acc"]
    assert again["disagreements"] == []
    assert cli.run([*call[:-1], str(ours), "--log", str(tmp_path / "no" / "out.json")]) == 2
