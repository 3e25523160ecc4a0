"""Many requests at once: order, fairness, cancelling, closing, and memory that is given back."""

import gc
import threading
import weakref
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.cache import LatentCache
from model.chat import Completion, Delta, GenerateOptions, complete, message
from model.engine import Engine
from model.errors import ModelError, ResourceError
from model.runtime import prompt, runner
from model.runtime.request import Request
from model.runtime.runner import Runner
from model.runtime.scheduler import EngineLimits, Scheduler
from model.runtime.steps import DecodeBlock
from tests.model.engines import ask, picture, tiny_engine, tiny_model

ENDLESS = GenerateOptions(max_tokens=3900)
QUESTION = [message("user", "go on")]


@pytest.fixture(scope="module")
def model() -> KimiVL:
    return tiny_model()


@pytest.fixture
def engine(model: KimiVL) -> Iterator[Engine]:
    with tiny_engine(model) as engine:
        yield engine


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Count requests as they join the line."""
    joined = threading.Semaphore(0)
    submit = Scheduler.submit

    def counted(self: Scheduler, request: Request) -> None:
        submit(self, request)
        joined.release()

    monkeypatch.setattr(Scheduler, "submit", counted)
    return joined


@pytest.fixture
def caches(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[LatentCache]]:
    """Watch the memory of every request."""
    made: list[weakref.ref[LatentCache]] = []
    new_cache = runner.new_cache

    def watched(model: KimiVL, capacity: int) -> LatentCache:
        cache = new_cache(model, capacity)
        made.append(weakref.ref(cache))
        return cache

    monkeypatch.setattr(runner, "new_cache", watched)
    return made


class Background:
    """A request answered in another thread."""

    def __init__(
        self, engine: Engine, text: str, options: GenerateOptions, cancel: threading.Event | None = None
    ) -> None:
        self.answer: Completion | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(engine, text, options, cancel))
        self._thread.start()

    def _run(self, engine: Engine, text: str, options: GenerateOptions, cancel: threading.Event | None) -> None:
        try:
            self.answer = complete(engine, [message("user", text)], options, cancel)
        except ModelError as error:
            self.error = error

    def result(self) -> Completion:
        self._thread.join()
        assert self.answer is not None
        return self.answer

    def failure(self) -> BaseException:
        self._thread.join()
        assert self.error is not None
        return self.error


def test_requests_are_served_in_the_order_they_came(
    model: KimiVL, submitted: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[int] = []
    prefill_piece = Runner.prefill_piece

    def recorded(self: Runner, request: Request) -> None:
        served.append(len(request.prompt.token_ids))
        prefill_piece(self, request)

    monkeypatch.setattr(Runner, "prefill_piece", recorded)
    with tiny_engine(model, limits=EngineLimits(max_active=1)) as engine:
        first = engine.stream(QUESTION, ENDLESS)
        next(first)
        waiting: list[Background] = []
        for length in (9, 5, 7, 1):
            submitted.acquire()
            waiting.append(Background(engine, "x" * length, GenerateOptions(max_tokens=2)))
        submitted.acquire()
        assert engine.stats().queued == 4
        first.close()  # pyright: ignore[reportAttributeAccessIssue]
        answers = [background.result().usage for background in waiting]
    assert served[1:] == [usage.prompt_tokens for usage in answers]
    assert all(usage.queue_ms > 0 for usage in answers)


def test_a_long_prompt_does_not_stall_a_stream(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    prefill, step = runner.prefill, DecodeBlock.step

    def recorded_prefill(*args: object) -> Tensor:
        events.append("prefill")
        return prefill(*args)  # pyright: ignore[reportArgumentType]

    def recorded_step(self: DecodeBlock, cached: list[LatentCache], token_ids: list[int]) -> Tensor:
        events.append("decode")
        return step(self, cached, token_ids)

    monkeypatch.setattr(runner, "prefill", recorded_prefill)
    monkeypatch.setattr(DecodeBlock, "step", recorded_step)
    first = engine.stream(QUESTION, ENDLESS)
    next(first)
    pictures = [picture(seed) for seed in range(5)]
    ask(engine, message("user", *pictures, "compare"), max_tokens=1)
    begun = events.index("decode")
    pieces = [place for place, event in enumerate(events) if event == "prefill" and place > begun]
    assert len(pieces) == 6
    assert all("decode" in events[one:other] for one, other in pairwise(pieces))
    assert next(first).text


def test_a_request_joins_a_running_batch_and_leaves_it_unchanged(engine: Engine) -> None:
    alone = ask(engine, *QUESTION, max_tokens=60).text
    stream = engine.stream(QUESTION, GenerateOptions(max_tokens=60))
    text = next(stream).text
    for length in range(3):
        text += next(stream).text
        ask(engine, message("user", "y" * (5 + length)), max_tokens=3)
    text += "".join(delta.text for delta in stream)
    assert text == alone


def test_setting_cancel_ends_the_answer_and_keeps_its_text(
    engine: Engine, caches: list[weakref.ref[LatentCache]]
) -> None:
    cancel = threading.Event()
    deltas: list[Delta] = []
    for delta in engine.stream(QUESTION, ENDLESS, cancel):
        deltas.append(delta)
        if len(deltas) == 5:
            cancel.set()
    assert deltas[-1].finish == "cancelled"
    usage = deltas[-1].usage
    assert usage is not None
    assert 5 <= usage.completion_tokens < 3900
    assert sum(len(delta.text) for delta in deltas) == usage.completion_tokens
    ask(engine, *QUESTION, max_tokens=1)
    gc.collect()
    assert [cache() for cache in caches] == [None, None]
    assert engine.stats().active == 0


@pytest.mark.parametrize("how", ["close", "drop"])
def test_an_answer_nobody_reads_is_stopped_and_freed(
    engine: Engine, caches: list[weakref.ref[LatentCache]], how: str
) -> None:
    stream = engine.stream(QUESTION, ENDLESS)
    next(stream)
    if how == "close":
        stream.close()  # pyright: ignore[reportAttributeAccessIssue]
    del stream
    gc.collect()
    ask(engine, *QUESTION, max_tokens=2)
    gc.collect()
    assert engine.stats().active == 0
    assert caches[0]() is None


def test_an_answer_that_is_never_asked_for_takes_nothing(engine: Engine) -> None:
    stream = engine.stream(QUESTION, ENDLESS)
    assert engine.stats().queued == engine.stats().active == 0
    del stream


def test_a_waiting_request_can_be_cancelled(model: KimiVL, submitted: threading.Semaphore) -> None:
    with tiny_engine(model, limits=EngineLimits(max_active=1)) as engine:
        first = engine.stream(QUESTION, ENDLESS)
        next(first)
        submitted.acquire()
        cancel = threading.Event()
        waiting = Background(engine, "never served", GenerateOptions(), cancel)
        submitted.acquire()
        cancel.set()
        answer = waiting.result()
        assert (answer.finish, answer.text, answer.usage.completion_tokens) == ("cancelled", "", 0)
        assert next(first).text


def test_a_cancelled_prefill_stops_at_the_next_segment(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = threading.Event()
    calls: list[int] = []
    prefill = runner.prefill

    def cancelling(*args: object) -> Tensor:
        cancel.set()
        calls.append(1)
        return prefill(*args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(runner, "prefill", cancelling)
    answer = complete(engine, [message("user", picture(1), picture(2), "q")], GenerateOptions(prefix="so"), cancel)
    assert (answer.finish, answer.text) == ("cancelled", "so")
    assert len(calls) == 1


def test_a_full_line_turns_requests_away(model: KimiVL, submitted: threading.Semaphore) -> None:
    with tiny_engine(model, limits=EngineLimits(max_active=1, max_queued=1)) as engine:
        first = engine.stream(QUESTION, ENDLESS)
        next(first)
        submitted.acquire()
        cancel = threading.Event()
        waiting = Background(engine, "waits", GenerateOptions(max_tokens=1), cancel)
        submitted.acquire()
        with pytest.raises(ResourceError, match="1 requests are waiting"):
            ask(engine, *QUESTION)
        cancel.set()
        waiting.result()


def test_closing_fails_what_runs_and_what_waits(model: KimiVL, submitted: threading.Semaphore) -> None:
    engine = tiny_engine(model, limits=EngineLimits(max_active=1))
    first = engine.stream(QUESTION, ENDLESS)
    next(first)
    submitted.acquire()
    waiting = Background(engine, "waits", GenerateOptions())
    submitted.acquire()
    engine.close()
    assert "closed" in str(waiting.failure())
    with pytest.raises(ModelError, match="closed"):
        list(first)
    assert not any(thread.name == "deskhand-engine" for thread in threading.enumerate())


def test_the_caller_prepares_pictures_and_the_engine_only_computes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    preprocess = prompt.preprocess

    def recorded(*args: object) -> object:
        threads.append(threading.current_thread().name)
        return preprocess(*args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(prompt, "preprocess", recorded)
    ask(engine, message("user", picture(3)), max_tokens=1)
    assert threads == [threading.current_thread().name]


def test_what_the_caller_does_with_gradients_does_not_matter(engine: Engine) -> None:
    with torch.enable_grad():
        answer = ask(engine, *QUESTION, max_tokens=4)
    with torch.inference_mode():
        assert ask(engine, *QUESTION, max_tokens=4).text == answer.text
