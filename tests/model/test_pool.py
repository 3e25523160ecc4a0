"""What is made for GPUs, run here without one: decoding pools, packs of short prompts, and their fallbacks."""

import gc
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.cache import LatentCache
from model.chat import Completion, GenerateOptions, Message, complete, message
from model.engine import Engine
from model.runtime import decoder, runner, steps
from model.runtime.capture import captured
from model.runtime.decoder import Decoder
from model.runtime.pool import DecodePool, has_static_steps
from model.runtime.request import Request
from model.runtime.runner import Runner
from model.runtime.scheduler import EngineLimits, Scheduler
from model.runtime.steps import DecodeBlock, decode_step, logits, new_cache, prefill, prefill_packed
from tests.model.engines import ask, picture, tiny_engine, tiny_model


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def any_model(request: pytest.FixtureRequest) -> KimiVL:
    return tiny_model(request.param)


STATIC = EngineLimits(static_shapes=True)


@pytest.fixture(scope="module")
def model() -> KimiVL:
    return tiny_model()


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let engines use packs and pools although nothing is gained here; small ones, so that several are needed."""
    monkeypatch.setattr(runner, "has_static_steps", lambda _model: True)
    monkeypatch.setattr(runner, "PACK_ROWS", 96)
    monkeypatch.setattr(runner, "TAIL_TOKENS", 48)
    monkeypatch.setattr(decoder, "POOL_CAPACITIES", (64, 128))


def tokens(count: int, seed: int) -> Tensor:
    return torch.randint(0, 256, (count,), generator=torch.Generator().manual_seed(seed))


def filled(model: KimiVL, length: int, seed: int) -> LatentCache:
    cache = new_cache(model, 128)
    prefill(model, cache, tokens(length, seed))
    return cache


def difference(got: Tensor, wanted: Tensor) -> float:
    return ((got - wanted).abs().max() / wanted.abs().max()).item()


def test_a_pool_computes_what_rows_by_themselves_do(model: KimiVL) -> None:
    pool = DecodePool(model, 128)
    seated, alone = ([filled(model, 1 + 9 * row, row) for row in range(12)] for _ in range(2))
    for cache in seated:
        pool.take_in(cache)
    for feed in tokens(24, 1).view(2, 12).tolist():
        assert difference(pool.step(seated, feed)[:12], decode_step(model, alone, feed)) < 1e-5


def test_a_seated_row_has_the_same_bits_alone_and_in_any_company_and_seat(any_model: KimiVL) -> None:
    lengths = [1, 40, 100, 7, 63, 64]
    alone_pools = [DecodePool(any_model, 128) for _ in lengths]
    full, mixed = DecodePool(any_model, 128), DecodePool(any_model, 128)
    alone, together, shuffled = ([filled(any_model, n, row) for row, n in enumerate(lengths)] for _ in range(3))
    others = [filled(any_model, 20 + n, 50 + n) for n in range(10)]
    for pool, cache in zip(alone_pools, alone, strict=True):
        pool.take_in(cache)
    for cache in (*together, *others):
        full.take_in(cache)
    order = [3, 0, 5, 1, 4, 2]
    for row in order:
        mixed.take_in(shuffled[row])
    for feed in tokens(48, 9).view(3, 16).tolist():
        scores = full.step([*together, *others], feed).clone()
        other = mixed.step([shuffled[row] for row in reversed(order)], [feed[row] for row in reversed(order)]).clone()
        for row, (pool, cache) in enumerate(zip(alone_pools, alone, strict=True)):
            single = pool.step([cache], [feed[row]])
            assert torch.equal(single[0], scores[row])
            assert torch.equal(single[0], other[list(reversed(order)).index(row)])


def test_what_a_seat_held_before_does_not_matter(model: KimiVL) -> None:
    pool = DecodePool(model, 64, rows=1)
    before = filled(model, 60, 0)
    pool.take_in(before)
    before.copy_in(torch.full((3, 4, 40), torch.nan))
    assert pool.full
    del before
    gc.collect()
    assert pool.empty
    cache, alone = filled(model, 5, 1), filled(model, 5, 1)
    pool.take_in(cache)
    assert difference(pool.step([cache], [3]), DecodeBlock(model).step([alone], [3])[:1]) < 1e-5


def test_a_sequence_moves_on_as_it_grows_and_beyond_the_largest_pool(
    model: KimiVL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "POOL_CAPACITIES", (64, 128))
    pooled = Decoder(model, pooled=True)
    plain = Decoder(model, pooled=False)
    caches = {
        pooled: [filled(model, 62, 0), filled(model, 126, 1)],
        plain: [filled(model, 62, 0), filled(model, 126, 1)],
    }
    for feed in tokens(10, 2).view(5, 2).tolist():
        scores: dict[Decoder, dict[int, Tensor]] = {pooled: {}, plain: {}}
        for where, its in caches.items():
            for cache in its:
                where.make_room(cache, 200)
            for places in where.split(its):
                rows = where.step([its[place] for place in places], [feed[place] for place in places])
                scores[where].update({place: rows[row].clone() for row, place in enumerate(places)})
        for place in range(2):
            assert difference(scores[pooled][place], scores[plain][place]) < 1e-5
    assert [cache.capacity for cache in caches[pooled]] == [128, 256]
    pooled.free()
    caches[pooled].clear()
    pooled.free()
    assert list(pooled.split([])) == []


def test_when_pools_do_not_work_decoding_goes_on_row_by_row(
    model: KimiVL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_pool: DecodePool) -> Tensor:
        raise NotImplementedError("no such kernel")

    monkeypatch.setattr(DecodePool, "_run", broken)
    pooled, cache, alone = Decoder(model, pooled=True), filled(model, 30, 0), filled(model, 30, 0)
    for token in (1, 2):
        pooled.make_room(cache, 100)
        assert torch.equal(pooled.step([cache], [token]), DecodeBlock(model).step([alone], [token]))
    assert caplog.messages == ["decoding row by row from here on: NotImplementedError: no such kernel"]


def test_a_pool_that_has_worked_passes_errors_on(model: KimiVL, monkeypatch: pytest.MonkeyPatch) -> None:
    pooled, cache = Decoder(model, pooled=True), filled(model, 30, 0)
    pooled.make_room(cache, 100)
    pooled.step([cache], [1])

    def failing(*_args: object) -> Tensor:
        raise RuntimeError("a kernel failed")

    with monkeypatch.context() as patch:
        patch.setattr("model.runtime.pool.logits", failing)
        with pytest.raises(RuntimeError, match="a kernel failed"):
            pooled.step([cache], [2])
    assert cache.length == 31


def test_where_nothing_can_be_recorded_the_plain_step_is_used(caplog: pytest.LogCaptureFixture) -> None:
    if torch.cuda.is_available():
        pytest.skip("records here")
    step = torch.zeros(1).clone
    assert captured(step, torch.device("cuda")) is step
    assert "without a CUDA graph" in caplog.text


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_graph_gives_the_same_bits_as_the_step_it_recorded(caplog: pytest.LogCaptureFixture) -> None:
    model = tiny_model(torch.bfloat16).to("cuda")
    assert has_static_steps(model)
    pools = [DecodePool(model, 1024), DecodePool(model, 1024, repeat=lambda step: captured(step, torch.device("cuda")))]
    caches = [new_cache(model, 128), new_cache(model, 128)]
    for pool, cache in zip(pools, caches, strict=True):
        prefill(model, cache, tokens(40, 0).cuda())
        pool.take_in(cache)
    with caplog.at_level(logging.INFO):
        for token in range(8):
            plain, replayed = (pool.step([cache], [token]) for pool, cache in zip(pools, caches, strict=True))
            assert torch.equal(plain, replayed)
    assert "bit for bit" in caplog.text


def test_packed_prompts_have_the_same_bits_alone_and_in_any_company(any_model: KimiVL) -> None:
    tails = [tokens(count, 70 + count).tolist() for count in (1, 17, 9, 30, 16)]

    def caches() -> list[LatentCache]:
        return [filled(any_model, 3 + 20 * row, row) for row in range(len(tails))]

    together, alone, reverse = caches(), caches(), caches()
    hidden = prefill_packed(any_model, together, tails, 80)
    other = prefill_packed(any_model, reverse[::-1], tails[::-1], 80).flip(0)
    for row, tail in enumerate(tails):
        single = prefill_packed(any_model, [alone[row]], [tail], 80)
        assert torch.equal(single[0], hidden[row])
        assert torch.equal(single[0], other[row])
        assert torch.equal(alone[row].copy_out(0), together[row].copy_out(0))
        assert torch.equal(alone[row].copy_out(0), reverse[row].copy_out(0))


def test_packed_prompts_are_what_prefilling_them_alone_gives(model: KimiVL) -> None:
    tails = [tokens(count, count).tolist() for count in (5, 1, 24)]
    packed, alone = ([filled(model, 30 * row + 1, row) for row in range(3)] for _ in range(2))
    hidden = prefill_packed(model, packed, tails, 64)
    for row, tail in enumerate(tails):
        wanted = logits(model, prefill(model, alone[row], torch.tensor(tail)))
        assert difference(logits(model, hidden[row : row + 1]), wanted) < 1e-5
        assert packed[row].length == alone[row].length


def at_once(engine: Engine, asks: list[tuple[list[Message], GenerateOptions]]) -> list[Completion]:
    answers: dict[int, Completion] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.__setitem__(n, complete(engine, *asks[n])))
        for n in range(len(asks))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[n] for n in range(len(asks))]


@pytest.mark.usefixtures("as_on_a_gpu")
def test_an_engine_with_packs_and_pools_answers_the_same_in_company_as_alone(any_model: KimiVL) -> None:
    pictures = [picture(0), picture(1, 120, 120)]
    asks = [
        ([message("user", pictures[n % 2], f"question {'x' * (n * n % 50)}")], GenerateOptions(max_tokens=3 + 3 * n))
        for n in range(7)
    ]
    asks.append(
        ([message("user", "hi"), message("assistant", "yes"), message("user", "so?")], GenerateOptions(max_tokens=9))
    )
    with tiny_engine(any_model, limits=replace(STATIC, segment_cache_bytes=0, image_cache_bytes=0)) as engine:
        alone = [complete(engine, *each).text for each in asks]
    with tiny_engine(any_model, limits=STATIC) as engine:
        assert [answer.text for answer in at_once(engine, asks)] == alone
        warm = at_once(engine, asks[::-1])[::-1]
        assert [answer.text for answer in warm] == alone
        assert all(answer.usage.cached_tokens == answer.usage.prompt_tokens for answer in warm)
        assert engine.stats().active == 0


@pytest.mark.usefixtures("as_on_a_gpu")
def test_questions_about_a_known_picture_are_prefilled_together(model: KimiVL, monkeypatch: pytest.MonkeyPatch) -> None:
    packs: list[int] = []

    def recorded(its: KimiVL, caches: list[LatentCache], tails: list[list[int]], rows: int) -> Tensor:
        packs.append(len(tails))
        return steps.prefill_packed(its, caches, tails, rows)

    monkeypatch.setattr(runner, "prefill_packed", recorded)
    # The engine stops before its first decoding step until every other question is in the line.
    waiting, submit, decode = threading.Semaphore(0), Scheduler.submit, Runner.decode

    def counted(self: Scheduler, request: Request) -> None:
        submit(self, request)
        waiting.release()

    def held(self: Runner, requests: list[Request]) -> None:
        while counts:
            waiting.acquire()
            counts.pop()
        decode(self, requests)

    asks = [([message("user", picture(0), f"q{n}")], GenerateOptions(max_tokens=3)) for n in range(8)]
    with tiny_engine(model, limits=STATIC) as engine:
        ask(engine, message("user", picture(0), "first"), max_tokens=1)
        counts = [1] * (len(asks) + 1)
        monkeypatch.setattr(Scheduler, "submit", counted)
        monkeypatch.setattr(Runner, "decode", held)
        stream = engine.stream([message("user", "go on")], GenerateOptions(max_tokens=3900))
        next(stream)
        at_once(engine, asks)
        stream.close()  # pyright: ignore[reportAttributeAccessIssue]
    # Of 14 tokens each, in packs of 96; "go on" has a system prompt before it and is too long for one.
    assert packs == [1, 6, 2]


@pytest.mark.usefixtures("as_on_a_gpu")
def test_memory_that_runs_out_in_a_pack_costs_the_newest_request_at_most(
    model: KimiVL, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = [([message("user", f"question {n}")], GenerateOptions(max_tokens=6)) for n in range(5)]
    with tiny_engine(model, limits=STATIC) as engine:
        wanted = [complete(engine, *each).text for each in asks]
        engine.clear_caches()
        left = [1]

        def cramped(*args: object) -> Tensor:
            if left and left.pop():
                raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
            return steps.prefill_packed(*args)  # pyright: ignore[reportArgumentType]

        monkeypatch.setattr(runner, "prefill_packed", cramped)
        assert [answer.text for answer in at_once(engine, asks)] == wanted


@pytest.mark.usefixtures("as_on_a_gpu")
def test_static_shapes_are_off_unless_they_are_wanted(model: KimiVL, monkeypatch: pytest.MonkeyPatch) -> None:
    def unused(*_args: object) -> Tensor:
        raise AssertionError

    monkeypatch.setattr(runner, "prefill_packed", unused)
    monkeypatch.setattr(DecodePool, "step", unused)
    with tiny_engine(model) as engine:
        assert ask(engine, message("user", "q"), max_tokens=5).text
    assert not has_static_steps(model)
