"""The published layouts, read from folders; and rows that must not pass."""

from pathlib import Path

import pytest

from agent.datasets import DATASETS, Box, Polygon, Refusal, read_dataset
from model.errors import InputError
from tests.agent.grounding_sets import (
    SIZE,
    osworld_row,
    pro_row,
    spot_row,
    write_json,
    write_osworld,
    write_picture,
    write_pro,
    write_spot,
)


def test_screenspot_pro_is_read_from_its_root_and_from_its_annotations(tmp_path: Path) -> None:
    write_pro(tmp_path, pro_row("a"), pro_row("b", ui_type="icon"))
    for folder in (tmp_path, tmp_path / "annotations"):
        first, second = read_dataset("screenspot-pro", folder)
        assert first.target == Box(20, 10, 60, 30)
        assert (first.id, first.instruction, first.instruction_cn) == ("a", "press a", "按 a")
        assert (first.platform, first.application, first.group, first.size_px) == ("windows", "word", "Office", SIZE)
        assert (first.ui_type, second.ui_type) == ("text", "icon")
        assert first.image.is_file()


@pytest.mark.parametrize(("name", "suffix"), [("screenspot", ""), ("screenspot-v2", "_v2")])
def test_screenspot_boxes_have_an_extent_and_the_platform_comes_from_the_file(
    tmp_path: Path, name: str, suffix: str
) -> None:
    for platform in ("web", "mobile", "desktop"):
        write_spot(tmp_path, spot_row("one"), spot_row("two", data_type="icon"), platform=platform, suffix=suffix)
    dataset = read_dataset(name, tmp_path)
    assert [item.platform for item in dataset] == ["desktop"] * 2 + ["mobile"] * 2 + ["web"] * 2
    first = dataset.items[0]
    assert first.id == f"screenspot_desktop{suffix}:0"
    assert (first.target, first.group, first.size_px) == (Box(20, 10, 60, 30), "windows", None)
    assert all(item.image.is_file() for item in dataset)


def test_a_set_is_not_taken_for_its_other_version(tmp_path: Path) -> None:
    write_spot(tmp_path, spot_row("one"), suffix="_v2")
    with pytest.raises(InputError, match=r"screenspot_desktop\.json"):
        read_dataset("screenspot", tmp_path)


@pytest.mark.parametrize(
    ("name", "file"), [("osworld-g", "OSWorld-G.json"), ("osworld-g-refined", "OSWorld-G_refined.json")]
)
def test_osworld_g_has_boxes_polygons_and_refusals(tmp_path: Path, name: str, file: str) -> None:
    rows = (
        osworld_row("box", GUI_types=["Button", "Icon", "Button"]),
        osworld_row("shape", box_type="polygon", box_coordinates=[0, 0, 10, 0, 0, 10]),
        osworld_row("none", box_type="refusal", box_coordinates=[0, 0, 0, 0]),
    )
    dataset = read_dataset(name, write_osworld(tmp_path, *rows, name=file))
    assert [item.target for item in dataset] == [
        Box(20, 10, 60, 30),
        Polygon(((0, 0), (10, 0), (0, 10))),
        Refusal(),
    ]
    assert dataset.scores_refusals
    assert dataset.items[0].gui_types == ("Button", "Icon")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bbox": [60, 10, 20, 30]}, "impossible box"),
        ({"bbox": [20, 10, 60]}, "3 numbers"),
        ({"bbox": [20, 10, 60, None]}, "not a number"),
        ({"bbox": [20, 10, 60, True]}, "not a number"),
        ({"bbox": [20, 10, 60, float("nan")]}, "not a number"),
        ({"bbox": "20 10 60 30"}, "not a list"),
        ({"bbox": [300, 10, 400, 30]}, "outside the picture"),
        ({"bbox": [-40, -30, -20, -10]}, "impossible box"),
        ({"img_size": [0, 100]}, "img_size"),
        ({"img_size": [200]}, "img_size"),
        ({"instruction": "  "}, "instruction is empty"),
        ({"instruction": 7}, "not text"),
        ({"id": None}, "id is missing"),
        ({"id": "good"}, "used before"),
        ({"ui_type": "picture"}, "text, icon"),
        ({"img_filename": "../../secret.png"}, "leaves the folder"),
        ({"img_filename": "/etc/secret.png"}, "leaves the folder"),
    ],
)
def test_a_bad_row_is_left_out_and_told_with_its_line(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    write_pro(tmp_path)
    text = "[\n" + ",\n".join(map(_line, [pro_row("good"), {**pro_row("bad"), **changes}, pro_row("also")])) + "\n]\n"
    (tmp_path / "annotations" / "word_windows.json").write_text(text, encoding="utf-8")
    dataset = read_dataset("screenspot-pro", tmp_path)
    assert [item.id for item in dataset] == ["good", "also"]
    (problem,) = dataset.problems
    assert problem.line == 3
    assert why in problem.why
    assert "word_windows.json line 3" in str(problem)


def _line(row: dict[str, object]) -> str:
    import json

    return json.dumps(row)


@pytest.mark.parametrize("flat", [[0, 0, 10, 0], [0, 0, 10, 0, 5], [0, 0, 10, 0, 5, "x"]])
def test_a_polygon_needs_three_whole_corners(tmp_path: Path, flat: list[object]) -> None:
    row = osworld_row("bad", box_type="polygon", box_coordinates=flat)
    dataset = read_dataset("osworld-g", write_osworld(tmp_path, row, osworld_row("good")))
    assert [item.id for item in dataset] == ["good"]
    assert len(dataset.problems) == 1


def test_rows_before_broken_json_are_kept_and_the_break_is_told(tmp_path: Path) -> None:
    write_pro(tmp_path)
    file = tmp_path / "annotations" / "word_windows.json"
    file.write_text("[\n" + _line(pro_row("good")) + ",\n{'id': 1}\n]", encoding="utf-8")
    dataset = read_dataset("screenspot-pro", tmp_path)
    assert [item.id for item in dataset] == ["good"]
    assert [problem.line for problem in dataset.problems] == [3]


def test_rows_that_are_no_objects_are_told(tmp_path: Path) -> None:
    dataset = read_dataset("screenspot-pro", write_pro(tmp_path, 3, pro_row("good"), None))
    assert len(dataset) == 1
    assert [problem.why for problem in dataset.problems] == ["not a JSON object"] * 2


def test_boxes_without_area_and_over_the_edge_stay_as_published_ones_do(tmp_path: Path) -> None:
    rows = (pro_row("point", bbox=[5, 5, 5, 5]), pro_row("over", bbox=[190, 90, 210, 110]))
    assert len(read_dataset("screenspot-pro", write_pro(tmp_path, *rows))) == 2


def test_pictures_may_lie_elsewhere(tmp_path: Path) -> None:
    write_json(tmp_path / "notes" / "word_windows.json", [pro_row("a")])
    write_picture(tmp_path / "far" / "word_windows" / "shot.png")
    (item,) = read_dataset("screenspot-pro", tmp_path / "notes", tmp_path / "far")
    assert item.image.is_file()


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_without_the_set_is_an_error_that_says_what_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="they are called"):
        read_dataset(name, tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        read_dataset(name, tmp_path / "nowhere")


def test_an_unknown_set_and_a_file_of_another_kind_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="screenspot-pro"):
        read_dataset("screenspot-max", tmp_path)
    write_json(tmp_path / "OSWorld-G.json", {"rows": []})
    with pytest.raises(InputError, match="no JSON list"):
        read_dataset("osworld-g", tmp_path)
