"""What breaks breaks one request: memory that runs out, errors in the model, scores that are not numbers."""

import sys
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest
import torch
from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.cache import LatentCache
from model.chat import GenerateOptions, complete, message
from model.engine import Engine
from model.errors import InputError, ModelError, ResourceError
from model.runtime import prompt, runner
from model.runtime.memory import choose_device, is_out_of_memory
from model.runtime.steps import DecodeBlock
from tests.model.engines import PREPROCESS, SpelledTokenizer, ask, picture, tiny_engine, tiny_model

Step = Callable[[DecodeBlock, list[LatentCache], list[int]], Tensor]


@pytest.fixture(scope="module")
def model() -> KimiVL:
    return tiny_model()


@pytest.fixture
def engine(model: KimiVL) -> Iterator[Engine]:
    with tiny_engine(model) as engine:
        yield engine


def failing_prefill(monkeypatch: pytest.MonkeyPatch, fails: Callable[[int, Tensor], bool], error: Exception) -> None:
    """Make prefill raise instead, where ``fails`` says so of the call's number and the segment's tokens.

    The error is the real class, raised by hand: no machine here has a GPU to fill.
    """
    prefill = runner.prefill
    calls: list[int] = []

    def hooked(model: KimiVL, cache: LatentCache, token_ids: Tensor, features: Tensor | None = None) -> Tensor:
        calls.append(1)
        if fails(len(calls), token_ids):
            raise error
        return prefill(model, cache, token_ids, features)

    monkeypatch.setattr(runner, "prefill", hooked)


def test_memory_that_runs_out_once_empties_the_caches_and_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = message("user", picture(0), "what?")
    wanted = ask(engine, question, max_tokens=8).text
    ask(engine, message("user", "something else"), max_tokens=1)
    kept = engine.stats().segment_cache_bytes
    failing_prefill(monkeypatch, lambda call, _: call == 1, torch.OutOfMemoryError("CUDA out of memory (simulated)"))
    ask(engine, message("user", "new"), max_tokens=1)
    assert engine.stats().segment_cache_bytes < kept
    assert engine.stats().image_cache_bytes == 0
    assert ask(engine, question, max_tokens=8).text == wanted


def test_a_request_that_is_too_large_says_what_it_needs_and_the_others_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [message("user", "small")]
    wanted = complete(engine, small, GenerateOptions(max_tokens=40)).text
    out_of_memory = torch.OutOfMemoryError("CUDA out of memory (simulated)")
    failing_prefill(monkeypatch, lambda _, token_ids: len(token_ids) > 200, out_of_memory)
    running = engine.stream(small, GenerateOptions(max_tokens=40))
    text = next(running).text
    with pytest.raises(ResourceError) as failure:
        ask(engine, message("user", picture(1), "x" * 300), max_tokens=50)
    assert failure.value.__cause__ is out_of_memory
    assert failure.value.exit_code == 4
    for part in ("memory ran out on cpu", "MiB to keep 4", "a picture of 48 patches", "MiB are free", "max_tokens"):
        assert part in str(failure.value)
    assert text + "".join(delta.text for delta in running) == wanted
    assert complete(engine, small, GenerateOptions(max_tokens=40)).text == wanted


def test_when_a_batch_runs_out_of_memory_the_newest_gives_way(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [message("user", "first")]
    wanted = complete(engine, first, GenerateOptions(max_tokens=40)).text
    step = DecodeBlock.step

    def cramped(self: DecodeBlock, caches: list[LatentCache], token_ids: list[int]) -> Tensor:
        if len(caches) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return step(self, caches, token_ids)

    monkeypatch.setattr(DecodeBlock, "step", cramped)
    running = engine.stream(first, GenerateOptions(max_tokens=40))
    text = next(running).text
    with pytest.raises(ResourceError):
        ask(engine, message("user", "second"), max_tokens=20)
    assert text + "".join(delta.text for delta in running) == wanted


@pytest.mark.skipif(sys.platform != "linux", reason="limits a process's address space with setrlimit(RLIMIT_AS)")
def test_memory_that_really_runs_out_fails_one_request() -> None:
    import resource

    with tiny_engine(tiny_model(max_position_embeddings=1 << 20)) as engine:
        wanted = ask(engine, message("user", "small"), max_tokens=5).text
        stream = engine.stream([message("user", "x" * 400_000)], GenerateOptions(max_tokens=5))
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + (64 << 20), hard))
        try:
            with pytest.raises(ResourceError, match="MiB to keep 4000"):
                next(stream)
            assert ask(engine, message("user", "small"), max_tokens=5).text == wanted
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        assert ask(engine, message("user", "small"), max_tokens=5).text == wanted


def test_memory_that_runs_out_while_a_picture_is_prepared_is_a_resource_error(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(prompt, "preprocess", full)
    with pytest.raises(ResourceError, match="preparing the pictures"):
        ask(engine, message("user", picture(0)))


def test_an_error_in_a_step_fails_its_requests_with_the_cause_and_no_later_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ask(engine, message("user", "q"), max_tokens=6).text
    error = RuntimeError("a kernel failed")
    failed = threading.Event()
    step = DecodeBlock.step

    def failing(self: DecodeBlock, caches: list[LatentCache], token_ids: list[int]) -> Tensor:
        if not failed.is_set():
            failed.set()
            raise error
        return step(self, caches, token_ids)

    monkeypatch.setattr(DecodeBlock, "step", failing)
    with pytest.raises(ModelError, match="RuntimeError: a kernel failed") as failure:
        ask(engine, message("user", "q"), max_tokens=6)
    assert failure.value.__cause__ is error
    assert ask(engine, message("user", "q"), max_tokens=6).text == wanted


class _Picky(SpelledTokenizer):
    """Cannot spell one token."""

    unspeakable = -1

    def decode_bytes(self, ids: object, skip_special: bool = True) -> bytes:
        (token_id,) = ids  # pyright: ignore[reportGeneralTypeIssues]
        if token_id == self.unspeakable:
            raise ValueError("unspeakable")
        return super().decode_bytes((token_id,))


def test_an_error_in_one_answers_text_leaves_the_batch_alone(model: KimiVL) -> None:
    tokenizer = _Picky({bytes([byte]): byte for byte in range(256)})
    with Engine(model, tokenizer, PREPROCESS) as engine:
        wanted = {name: ask(engine, message("user", name), max_tokens=30).text for name in ("one", "two")}
        only_in_two = next(letter for letter in wanted["two"][3:] if letter not in wanted["one"])
        tokenizer.unspeakable = ord(only_in_two) - 0x4E00
        running = engine.stream([message("user", "one")], GenerateOptions(max_tokens=30))
        text = next(running).text
        with pytest.raises(ModelError, match="unspeakable"):
            ask(engine, message("user", "two"), max_tokens=30)
        assert text + "".join(delta.text for delta in running) == wanted["one"]


def test_scores_that_are_not_numbers_are_an_error_not_an_answer() -> None:
    broken = tiny_model()
    torch.nn.init.constant_(broken.language_model.model.norm.weight, torch.nan)
    with tiny_engine(broken) as engine, pytest.raises(ModelError, match=r"not numbers.*float32"):
        ask(engine, message("user", "q"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("DefaultCPUAllocator"), False),
    ],
)
def test_running_out_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_devices_are_chosen_by_name_and_missing_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(InputError, match="'gpu' is unknown"):
        choose_device("gpu")
    with pytest.raises(InputError, match="'meta' is not supported"):
        choose_device("meta")
    with pytest.raises(ResourceError, match="sees 0 CUDA devices"):
        choose_device("cuda:1")
