"""Scores against an independent recount, on edges, ties, wrong formats and refusals."""

import json
import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.datasets import Box, Polygon, read_dataset
from agent.predictions import read_predictions
from agent.scoring import Score, in_box, in_polygon, report, score, wilson
from model.errors import InputError
from tests.agent.grounding_sets import osworld_row, pro_row, spot_row, write_json, write_osworld, write_pro, write_spot

EDGES = [(20, 10), (60, 30), (20, 30), (60, 10), (40, 10), (60, 20)]
BESIDE = [(19.99, 10), (60.01, 30), (20, 9.99), (60, 30.01), (-1, -1), (0, 0), (200, 100)]


def verdicts(result: Score) -> dict[str, str]:
    return {row.item.id: row.verdict for row in result.judged}


def scored(root: Path, dataset: str, predictions: object, **options: bool) -> Score:
    file = write_json(root / "predictions.json", predictions)
    return score(read_dataset(dataset, root), read_predictions(file), **options)


def pro_details(rows: list[dict[str, object]], preds: Sequence[object]) -> dict[str, object]:
    return {
        "details": [
            {"id": row["id"], "lang": "en", "gt_type": "positive", "pred": pred, "correctness": "wrong"}
            for row, pred in zip(rows, preds, strict=True)
        ],
        "metrics": {},
    }


def test_all_four_edges_of_a_box_belong_to_it(tmp_path: Path) -> None:
    rows = [pro_row(f"r{n}") for n in range(len(EDGES) + len(BESIDE))]
    write_pro(tmp_path, *rows)
    result = scored(tmp_path, "screenspot-pro", pro_details(rows, [list(p) for p in EDGES + BESIDE]))
    assert list(verdicts(result).values()) == ["correct"] * len(EDGES) + ["wrong"] * len(BESIDE)
    assert {row.item.id for row in result.disagreements} == {f"r{n}" for n in range(len(EDGES))}


@pytest.mark.parametrize("pred", [None, [], [1], [1, 2, 3], ["40", "20"], "40,20", [float("nan"), 1], [True, False]])
def test_an_answer_that_is_no_point_is_a_wrong_format(tmp_path: Path, pred: object) -> None:
    row = pro_row("a")
    write_pro(tmp_path, row)
    assert verdicts(scored(tmp_path, "screenspot-pro", pro_details([row], [pred]))) == {"a": "wrong_format"}


def test_a_random_log_is_counted_as_an_independent_recount_counts_it(tmp_path: Path) -> None:
    chance = random.Random(5)
    rows = [
        pro_row(
            f"r{n}",
            ui_type=chance.choice(["text", "icon"]),
            group=chance.choice(["Dev", "CAD"]),
            platform=chance.choice(["macos", "linux"]),
        )
        for n in range(300)
    ]
    points = EDGES + BESIDE + [(40, 20), (150, 80)]
    preds = [chance.choice([None, list(chance.choice(points))]) if n % 3 else [40, 20] for n in range(300)]
    write_pro(tmp_path, *rows)
    counted = report(scored(tmp_path, "screenspot-pro", pro_details(rows, preds)))

    def recount(kept: list[int]) -> tuple[int, int, int, float]:
        right = [n for n in kept if (p := preds[n]) and 20 <= p[0] <= 60 and 10 <= p[1] <= 30]
        return len(right), len(kept), sum(preds[n] is None for n in kept), len(right) / len(kept)

    def told(entry: object) -> tuple[object, ...]:
        assert isinstance(entry, dict)
        return tuple(entry[key] for key in ("num_correct_action", "num_total", "wrong_format_num", "action_acc"))

    assert told(counted["overall"]) == recount(list(range(300)))
    by = counted["by"]
    assert isinstance(by, dict)
    for key in ("ui_type", "group", "platform"):
        values = {str(row[key]) for row in rows}
        assert set(by[key]) == values
        for value in values:
            assert told(by[key][value]) == recount([n for n, row in enumerate(rows) if row[key] == value])
    overall = counted["overall"]
    assert isinstance(overall, dict)
    for kind in ("text", "icon"):
        assert overall[f"{kind}_acc"] == recount([n for n, row in enumerate(rows) if row["ui_type"] == kind])[3]


def test_items_without_an_answer_count_as_wrong_unless_asked_otherwise(tmp_path: Path) -> None:
    rows = [pro_row("a"), pro_row("b")]
    write_pro(tmp_path, *rows)
    details = pro_details(rows[:1], [[40, 20]])
    whole = scored(tmp_path, "screenspot-pro", details)
    assert verdicts(whole) == {"a": "correct", "b": "missing"}
    assert verdicts(scored(tmp_path, "screenspot-pro", details, answered_only=True)) == {"a": "correct"}


def test_refusals_are_right_only_where_there_is_no_target(tmp_path: Path) -> None:
    none = {"box_type": "refusal", "box_coordinates": [0, 0, 0, 0]}
    write_osworld(
        tmp_path,
        *(osworld_row(f"none{n}", **none) for n in range(5)),
        *(osworld_row(f"box{n}") for n in range(4)),
    )
    rows: list[dict[str, object]] = [
        {"id": "none0", "pred": [-1, -1]},
        {"id": "none1", "status": "not_found"},
        {"id": "none2", "pred": [0, 0]},
        {"id": "none3", "pred": None},
        {"id": "none4", "pred": [-1, 5]},
        {"id": "box0", "pred": [-1, -1]},
        {"id": "box1", "status": "not_found"},
        {"id": "box2", "pred": None},
        {"id": "box3", "point_rel": [0.3, 0.3]},
    ]
    result = scored(tmp_path, "osworld-g", rows)
    assert verdicts(result) == {
        "none0": "correct",
        "none1": "correct",
        "none2": "wrong",
        "none3": "wrong_format",
        "none4": "wrong",
        "box0": "wrong",
        "box1": "wrong",
        "box2": "wrong_format",
        "box3": "correct",
    }
    assert sum(row.refused for row in result.judged) == 4
    by = report(result)["by"]
    assert isinstance(by, dict)
    assert by["target"]["refusal"]["num_correct_action"] == 2
    assert by["gui_type"]["Button"]["num_total"] == 9


def test_where_a_set_has_no_refusals_one_is_a_wrong_format_and_counted(tmp_path: Path) -> None:
    write_pro(tmp_path, pro_row("a"))
    overall = report(scored(tmp_path, "screenspot-pro", [{"id": "a", "status": "not_found", "point_rel": None}]))[
        "overall"
    ]
    assert isinstance(overall, dict)
    assert (overall["wrong_format_num"], overall["refused_num"]) == (1, 1)


def test_the_same_words_on_the_same_picture_are_answered_in_order(tmp_path: Path) -> None:
    write_spot(tmp_path, spot_row("go"), spot_row("go", bbox=[100, 50, 10, 10]), spot_row("stop"))
    common = {"img_path": "somewhere/else/pc_1.png", "type": "text", "source": "windows", "bbox": [0, 0, 1, 1]}
    rows = [
        {**common, "text": "go", "pred": [0.2, 0.2]},
        {**common, "text": "go", "pred": [0.525, 0.55]},
        {**common, "text": "go", "pred": [0.2, 0.2]},
        {**common, "text": "leave", "pred": [0.2, 0.2]},
    ]
    result = scored(tmp_path, "screenspot-v2", rows)
    assert list(verdicts(result).values()) == ["correct", "correct", "missing"]
    assert [problem.why.rpartition(": ")[2] for problem in result.problems] == [
        "answered before",
        "not in the set, or its annotation could not be used",
    ]


def test_pixels_need_no_picture_and_relative_points_say_so_when_they_do(tmp_path: Path) -> None:
    write_spot(tmp_path, spot_row("go"))
    (tmp_path / "screenspotv2_image" / "pc_1.png").unlink()
    name = "screenspot_desktop_v2:0"
    assert verdicts(scored(tmp_path, "screenspot-v2", [{"id": name, "pred": [60, 30]}])) == {name: "correct"}
    ours = [{"id": name, "point_rel": [0.3, 0.3], "size_px": [200, 100]}]
    assert verdicts(scored(tmp_path, "screenspot-v2", ours)) == {name: "correct"}
    with pytest.raises(InputError, match="--images"):
        scored(tmp_path, "screenspot-v2", [{"id": name, "point_rel": [0.3, 0.3]}])


def test_a_log_in_two_languages_is_scored_one_at_a_time(tmp_path: Path) -> None:
    write_pro(tmp_path, pro_row("a"))
    file = write_json(
        tmp_path / "log.json",
        {"details": [{"id": "a", "lang": "en", "pred": [0, 0]}, {"id": "a", "lang": "cn", "pred": [40, 20]}]},
    )
    dataset = read_dataset("screenspot-pro", tmp_path)
    both = score(dataset, read_predictions(file))
    assert len(both.problems) == 1
    assert verdicts(score(dataset, read_predictions(file, "en"))) == {"a": "wrong"}
    assert verdicts(score(dataset, read_predictions(file, "cn"))) == {"a": "correct"}


def test_bad_prediction_rows_are_told_with_their_line(tmp_path: Path) -> None:
    write_pro(tmp_path, pro_row("a"), pro_row("b"))
    lines = [
        json.dumps({"id": "a", "status": "found", "point_rel": [0.2, 0.2]}),
        "{broken",
        json.dumps({"point_px": [1, 2]}),
        json.dumps({"id": "b", "gt_type": "negative", "pred": None}),
        json.dumps({"id": "b"}),
        json.dumps({"id": "b", "status": "bad_row", "reason": "no picture"}),
        json.dumps({"id": "b", "status": "perhaps"}),
    ]
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = score(read_dataset("screenspot-pro", tmp_path), read_predictions(file))
    assert [problem.line for problem in result.problems] == [2, 3, 4, 5, 7]
    assert verdicts(result) == {"a": "correct", "b": "missing"}


def test_files_that_hold_no_predictions_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(InputError, match="no predictions"):
        read_predictions(tmp_path / "a.txt")
    with pytest.raises(InputError, match="does not exist"):
        read_predictions(tmp_path / "b.txt")
    write_pro(tmp_path, pro_row("a"))
    with pytest.raises(InputError, match="belongs to screenspot-pro"):
        scored(tmp_path, "screenspot-pro", [{"id": "other", "pred": [1, 2]}])
    with pytest.raises(InputError, match="line 1"):
        scored(tmp_path, "screenspot-pro", {"what": "else"})


SQUARE = Polygon(((10, 10), (30, 10), (30, 30), (10, 30)))


def test_a_polygon_has_its_left_and_upper_edges_and_not_its_others() -> None:
    assert in_polygon(10, 20, SQUARE)
    assert in_polygon(20, 10, SQUARE)
    assert in_polygon(10, 10, SQUARE)
    assert not in_polygon(30, 20, SQUARE)
    assert not in_polygon(20, 30, SQUARE)
    assert not in_polygon(30, 30, SQUARE)


def test_a_notch_is_outside() -> None:
    notched = Polygon(((0, 0), (40, 0), (40, 40), (20, 10), (0, 40)))
    assert in_polygon(5, 20, notched)
    assert in_polygon(35, 20, notched)
    assert not in_polygon(20, 30, notched)


_WHOLE = st.integers(0, 50)


@given(st.lists(st.tuples(_WHOLE, _WHOLE), min_size=3, max_size=7), _WHOLE, _WHOLE)
def test_polygons_agree_with_exact_winding_off_the_edges(corners: list[tuple[int, int]], x: int, y: int) -> None:
    half = Fraction(1, 3)
    at = (x + half, y + half)
    if any(_on_segment(at, a, b) for a, b in _edges(corners)):
        return
    crossings = 0
    for (x1, y1), (x2, y2) in _edges(corners):
        if min(y1, y2) <= at[1] < max(y1, y2):
            crossings += x1 + Fraction((x2 - x1), (y2 - y1)) * (at[1] - y1) > at[0]
    polygon = Polygon(tuple((float(a), float(b)) for a, b in corners))
    assert in_polygon(float(at[0]), float(at[1]), polygon) == bool(crossings % 2)


def _edges(corners: list[tuple[int, int]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def _on_segment(at: tuple[Fraction, Fraction], a: tuple[int, int], b: tuple[int, int]) -> bool:
    # Nearly on it counts as on it: the code under test rounds.
    cross = (b[0] - a[0]) * (at[1] - a[1]) - (b[1] - a[1]) * (at[0] - a[0])
    return abs(cross) < Fraction(1, 10**9)


@given(st.integers(1, 4000), st.integers(1, 4000), st.data())
def test_a_pixel_on_the_edge_of_a_box_is_inside_at_every_size(width: int, height: int, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, width)), data.draw(st.integers(0, height))
    assert in_box(x / width, y / height, Box(x, y, x, y), width, height)


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.4901625, abs=1e-6)
    assert high == pytest.approx(0.9433178, abs=1e-6)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
