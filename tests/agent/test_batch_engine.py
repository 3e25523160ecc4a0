"""Batches on the real engine: each picture encoded once, and the same results however the rows are spread."""

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from agent.batch import Result, Row, ground
from agent.batch_marks import MarkedPictures, TimesFile, file_name, read_times
from agent.batch_output import result_json
from agent.batch_votes import vote
from agent.locate import LocateOptions
from model.chat import ChatModel, Delta, GenerateOptions, Message, Usage
from model.dummy import make_dummy
from model.engine import Engine
from model.grounding import ABSENT_ANSWER, answer_text
from model.image import open_image

PICTURES, QUESTIONS = 3, 5


class Told:
    """A model, and what each of its answers said it took."""

    def __init__(self, model: ChatModel) -> None:
        self.usages: list[Usage] = []
        self._model = model

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        for delta in self._model.stream(messages, options, cancel):
            if delta.usage is not None:
                self.usages.append(delta.usage)
            yield delta


class Drawn:
    """Answers by seed: the first, greedy try apart from the others, as a model that is unsure does."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = answers

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        assert (options.seed is None) == (options.temperature == 0.0)
        yield Delta(text=self._answers[options.seed or 0])
        yield Delta(finish="stop")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = make_dummy(tmp_path_factory.mktemp("batch") / "tiny")
    with Engine.load(folder, device="cpu", dtype="float32") as engine:
        yield engine


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    """Questions of several lengths about three pictures, in turns."""
    paths: list[Path] = []
    for number in range(PICTURES):
        image = Image.new("RGB", (140 + 28 * number, 98), (30, 60 + 50 * number, 90))
        ImageDraw.Draw(image).rectangle((20, 20, 60, 40), fill=(250, 250, 250))
        paths.append(tmp_path / f"{number}.png")
        image.save(paths[-1])
    asked = itertools.product(range(QUESTIONS), paths)
    return [Row.of(f"{path.stem}-{n}", path, f"the {'very ' * (n % 3)}white box {n}") for n, path in asked]


def options_of(engine: Engine, looks: int = 1) -> LocateOptions:
    generate = GenerateOptions(max_tokens=6, temperature=0.0)
    return LocateOptions("code", engine.info.in_token_limit, looks, generate=generate)


def told(results: Iterator[Result]) -> list[str]:
    return [json.dumps(result_json(result)) for result in results]


def test_each_picture_is_encoded_once_and_its_prompt_prefilled_once(engine: Engine, rows: list[Row]) -> None:
    engine.clear_caches()
    model = Told(engine)
    results = list(ground(rows, model, open_image, options_of(engine), workers=6, batch_size=len(rows)))
    assert [result.row.id for result in results] == [row.id for row in rows]
    assert sum(usage.images_encoded for usage in model.usages) == PICTURES
    # Whoever did not encode a picture began behind it.
    follow = [usage for usage in model.usages if not usage.images_encoded]
    assert len(follow) == PICTURES * (QUESTIONS - 1)
    assert all(usage.cached_tokens > usage.image_tokens > 0 for usage in follow)


def test_the_spread_over_workers_and_batches_changes_nothing(engine: Engine, rows: list[Row]) -> None:
    options = options_of(engine, looks=2)
    plain = told(ground(rows, engine, open_image, options, workers=1, batch_size=1))
    for workers, batch_size in ((1, 7), (5, None), (16, 1), (3, 100)):
        engine.clear_caches()
        assert told(ground(rows, engine, open_image, options, workers=workers, batch_size=batch_size)) == plain
    voted = [told(ground(rows[:4], engine, open_image, options, votes=3, workers=workers)) for workers in (1, 4)]
    assert voted[0] == voted[1]
    assert '"agreement"' in voted[0][0]


@pytest.mark.parametrize(
    ("answers", "point", "agreement", "looks"),
    [
        ([answer_text(0.9, 0.9), *[answer_text(0.5, 0.5)] * 2], (50, 50), 2 / 3, 3),
        ([answer_text(0.1, 0.1), answer_text(0.11, 0.1), answer_text(0.8, 0.9)], (11, 10), 2 / 3, 3),
        ([answer_text(0.9, 0.9), ABSENT_ANSWER, ABSENT_ANSWER], None, 2 / 3, 3),
        ([ABSENT_ANSWER, answer_text(0.25, 0.5)], (25, 50), 1 / 2, 2),
        ([answer_text(0.2, 0.2)], (20, 20), 1.0, 1),
    ],
)
def test_votes_take_what_most_agree_on(
    answers: list[str], point: tuple[int, int] | None, agreement: float, looks: int
) -> None:
    options = LocateOptions("bare", max_looks=1, generate=GenerateOptions(temperature=0.0))
    voted = vote(Drawn(answers), Image.new("RGB", (100, 100)), "it", options, len(answers))
    assert voted.location.point_px == point
    assert voted.agreement == pytest.approx(agreement)
    assert voted.looks == looks


def test_marked_pictures_and_times(engine: Engine, rows: list[Row], tmp_path: Path) -> None:
    marks, times = tmp_path / "marked", tmp_path / "times.csv"
    asked = [*rows[:3], Row.of("gone", tmp_path / "gone.png", "it"), Row.of("a/../b", tmp_path / "0.png", "it")]
    for _ in range(2):
        with TimesFile(times) as out:
            for result in ground(asked, engine, open_image, options_of(engine), on_located=MarkedPictures(marks)):
                out.append(result)
    names = sorted(path.name for path in marks.iterdir())
    assert names == sorted(["0-0.jpg", "1-0.jpg", "2-0.jpg", f"{file_name('a/../b')}.jpg"])
    with Image.open(marks / "1-0.jpg") as picture:
        assert picture.size == (168, 98)
    assert len(read_times(times)) == 8
    assert all(ms > 0 for ms in read_times(times))
    assert len({file_name(name) for name in ("a/b", "a_b", "A_b", "a:b", "", ".", "..", "x" * 200, "x" * 201)}) == 9
    assert not any("/" in file_name(name) or file_name(name).startswith(".") for name in ("../x", "..", "/etc"))
