"""What the batch page is made of, without a window: inputs, entries, order, figures, records, pauses and deaths."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.batch import Result, Row
from agent.datasets import Box, Item, Refusal
from app.ui.batch.choice import COLUMNS, Choice, sort_key
from app.ui.batch.entry import Entry, band_of, bands, entry_of
from app.ui.batch.pace import Pace
from app.ui.batch.record import Record, new_folder, read_record, read_records
from app.ui.batch.source import Source, detect, open_rows
from app.ui.batch.steady import Gate, SteadyModel
from app.ui.batch.summary import accuracy_by, accuracy_by_band, times_of
from model.chat import Delta, GenerateOptions, Message, complete, message
from model.errors import EngineDiedError, InputError
from tests.agent.grounding_sets import pro_row, write_json, write_picture, write_pro

SIZE = (200, 100)


def item(name: str, target: Box | Refusal, application: str = "word") -> Item:
    return Item(name, Path("shot.png"), "shot.png", f"press {name}", target, SIZE, "text", application=application)


def entry(index: int, point: tuple[float, float] | None, about: Item | None, status: str = "found") -> Entry:
    row = Row.of(str(index), Path("shot.png"), f"press {index}", "shot.png")
    result = Result(row, status, None, point, SIZE, looks=2, ms=100.0 * (index + 1))  # pyright: ignore[reportArgumentType]
    return entry_of(index, result, about)


def test_what_was_dropped_is_recognised(tmp_path: Path) -> None:
    write_picture(tmp_path / "pictures" / "a.png")
    write_pro(tmp_path / "pro")
    write_json(tmp_path / "spot" / "screenspot_web_v2.json", [])
    write_json(tmp_path / "osworld" / "benchmark" / "OSWorld-G_refined.json", [])
    for name in ("rows.csv", "rows.jsonl", "rows.parquet", "rows.txt"):
        (tmp_path / name).touch()
    kinds = {name: detect(tmp_path / name) for name in ("pictures", "pro", "spot", "osworld", "rows.csv", "rows.jsonl")}
    assert kinds == {
        "pictures": "folder",
        "pro": "screenspot-pro",
        "spot": "screenspot-v2",
        "osworld": "osworld-g-refined",
        "rows.csv": "csv",
        "rows.jsonl": "jsonl",
    }
    assert detect(tmp_path / "rows.parquet") == "parquet"
    for name in ("rows.txt", "gone"):
        with pytest.raises(InputError):
            detect(tmp_path / name)


def test_an_answer_is_judged_and_its_distance_measured() -> None:
    target = item("a", Box(20, 10, 60, 30))
    right, wrong = entry(0, (0.2, 0.2), target), entry(1, (0.5, 0.3), target)
    assert (right.verdict, right.distance_px, right.side_px, right.band) == ("correct", 0.0, 20, "15–25 px")
    assert (wrong.verdict, wrong.distance_px, wrong.point_px) == ("wrong", 40.0, (100, 30))
    assert entry(2, None, target, "not_found").verdict == "wrong_format"
    assert entry(3, None, item("b", Refusal()), "not_found").verdict == "correct"
    assert entry(4, None, target, "failed").verdict == ""
    assert entry(5, (0.5, 0.5), None).verdict == ""


def test_sizes_fall_into_one_band_each() -> None:
    assert bands() == ["< 15 px", "15–25 px", "25–40 px", "40–80 px", "≥ 80 px"]
    assert [band_of(side) for side in (14.9, 15, 79, 80)] == ["< 15 px", "15–25 px", "40–80 px", "≥ 80 px"]


def test_a_choice_combines_what_is_asked_for() -> None:
    word, gimp = item("a", Box(20, 10, 60, 30)), item("b", Box(20, 10, 60, 90), "gimp")
    all_of = [entry(0, (0.2, 0.2), word), entry(1, (0.9, 0.9), word), entry(2, (0.9, 0.9), gimp)]
    all_of += [entry(3, None, None, "bad_row"), entry(4, None, gimp, "not_found")]

    def left(choice: Choice) -> list[int]:
        test = choice.test()
        return [each.index for each in all_of if test(each)]

    assert left(Choice()) == [0, 1, 2, 3, 4]
    assert left(Choice("correct")) == [0]
    assert left(Choice("missed")) == [1, 2, 4]
    assert left(Choice("missed", application="gimp")) == [2, 4]
    assert left(Choice("not_found")) == [4]
    assert left(Choice("bad")) == [3]
    assert left(Choice(band="15–25 px")) == [0, 1]
    assert left(Choice(words="PRESS 2")) == [2]


def test_every_column_sorts_and_what_has_no_value_is_marked() -> None:
    full, empty = entry(0, (0.2, 0.2), item("a", Box(20, 10, 60, 30))), entry(1, None, None, "failed")
    empty = replace(empty, ms=None)
    for column in COLUMNS:
        key = sort_key(column)
        assert sorted([empty, full], key=key), column
    assert [sort_key(column)(empty)[0] for column in ("distance", "size", "time", "point", "application")] == [True] * 5


def test_shares_are_counted_of_judged_rows_only() -> None:
    word = item("a", Box(20, 10, 60, 30))
    rows = [entry(0, (0.2, 0.2), word), entry(1, (0.9, 0.9), word), entry(2, None, word, "failed")]
    (share,) = accuracy_by(rows, lambda each: each.application)
    assert (share.label, share.correct, share.total, share.share) == ("word", 1, 2, 0.5)
    assert share.low < 0.5 < share.high
    assert [each.label for each in accuracy_by_band(rows)] == ["15–25 px"]
    times = times_of(rows)
    assert times is not None
    assert sum(times.counts) == 3
    assert times.median_ms == 200.0
    assert times_of([]) is None


def test_a_record_survives_and_a_broken_one_is_left_out(tmp_path: Path) -> None:
    source = Source(tmp_path / "in", "folder", "the Save button", tmp_path / "elsewhere")
    record = Record(new_folder(tmp_path, "my rows/1"), source, "tiny", counts={"found": 2}, total=3, done=2)
    record.save()
    assert read_record(record.folder) == record
    (tmp_path / "batches" / "broken").mkdir()
    (tmp_path / "batches" / "broken" / "run.json").write_text("{", encoding="utf-8")
    (found,) = read_records(tmp_path)
    assert found == replace(record, state="stopped"), "nobody runs it, so it was interrupted"
    assert new_folder(tmp_path, "my rows/1") != record.folder


def test_the_rate_is_of_the_last_half_minute() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    assert pace.words(10) == ""
    for now in range(100):
        pace.see(2 * now)
    assert pace.rows_per_s == pytest.approx(2.0)
    assert pace.words(1200) == "2.0 rows a second · about 10 min left"
    now += 30
    pace.see(200)
    assert pace.rows_per_s is not None
    assert pace.rows_per_s < 0.2
    assert "rows a minute" in pace.words(10)


class _Dying:
    """Ends so many times in the middle of an answer."""

    def __init__(self, deaths: int) -> None:
        self.left = deaths
        self.asked = 0

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        self.asked += 1
        yield Delta(text="half ")
        if self.left:
            self.left -= 1
            raise EngineDiedError("the engine process ended in the middle of the answer")
        yield Delta(text="an answer")
        yield Delta(finish="stop")


def test_an_answer_cut_off_by_a_death_is_asked_for_again_and_comes_once() -> None:
    told: list[str] = []
    dying = _Dying(2)
    assert complete(SteadyModel(dying, Gate(), told.append), [message("user", "hi")]).text == "half an answer"
    assert dying.asked == 3
    assert len(told) == 2


def test_a_question_that_always_kills_is_given_up() -> None:
    dying = _Dying(99)
    with pytest.raises(EngineDiedError):
        complete(SteadyModel(dying, Gate(), lambda _why: None), [message("user", "hi")])
    assert dying.asked == 3


def test_a_paused_gate_holds_questions_until_it_opens_or_the_run_ends() -> None:
    gate, cancel, answered = Gate(), threading.Event(), threading.Event()
    gate.pause()
    model = _Dying(0)

    def ask() -> None:
        complete(SteadyModel(model, gate, lambda _why: None), [message("user", "hi")], cancel=cancel)
        answered.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert not answered.wait(0.3)
    assert model.asked == 0
    gate.go_on()
    thread.join(10)
    assert answered.is_set()
    gate.pause()
    held = threading.Thread(target=ask)
    held.start()
    cancel.set()
    held.join(10)
    assert not held.is_alive()
    assert model.asked == 1


def test_rows_of_a_set_are_asked_in_the_language_that_is_chosen(tmp_path: Path) -> None:
    write_pro(tmp_path, pro_row("a"))
    (row, *_) = open_rows(Source(tmp_path, "screenspot-pro", language="cn"))
    assert row.instruction == pro_row(row.id)["instruction_cn"]
