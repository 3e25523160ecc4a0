"""Prefill and decoding on the latent cache, against the network's plain forward without any cache."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.architecture.attention import LatentAttention
from model.architecture.kimi_vl import KimiVL
from model.architecture.linear import QuantLinear
from model.architecture.vision import Grid
from model.cache import LatentCache
from model.runtime import rows, steps
from model.runtime.steps import DecodeBlock, decode_step, encode_image, logits, new_cache, prefill
from tests.model.engines import tiny_model

PAD = 277
GRIDS = (Grid(2, 2), Grid(6, 4), Grid(2, 14), Grid(8, 8), Grid(10, 4))


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=str)
def any_model(request: pytest.FixtureRequest) -> KimiVL:
    return tiny_model(request.param)


@pytest.fixture(scope="module")
def model() -> KimiVL:
    return tiny_model()


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(params=["row by row", "in blocks"])
def decoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode as a small network does on a CPU, and as everything else does."""
    if request.param == "in blocks":
        monkeypatch.setattr(rows, "ROW_BYTES", 0)


def tokens(count: int, seed: int) -> Tensor:
    return torch.randint(0, 256, (count,), generator=torch.Generator().manual_seed(seed))


def patches(grid: Grid, seed: int) -> Tensor:
    return torch.randn(grid.patches, 3, 14, 14, generator=torch.Generator().manual_seed(seed))


def difference(got: Tensor, wanted: Tensor) -> float:
    return ((got - wanted).abs().max() / wanted.abs().max()).item()


@given(
    texts=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    grids=st.lists(st.sampled_from(GRIDS), max_size=3),
    cuts=st.sets(st.integers(1, 200), max_size=5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_cached_equals_uncached_for_text_and_several_images(
    model: KimiVL, texts: list[int], grids: list[Grid], cuts: set[int], seed: int
) -> None:
    with torch.inference_mode():
        parts: list[Tensor] = []
        for index, count in enumerate(texts):
            parts.append(tokens(count, seed + index))
            if index < len(grids):
                parts.append(torch.full((grids[index].tokens,), PAD))
        grids = grids[: len(texts)]
        ids = torch.cat(parts)
        pixels = [patches(grid, seed + index) for index, grid in enumerate(grids)]
        whole = model(ids, torch.cat(pixels), grids) if grids else model(ids)
        features = [encode_image(model, image, grid) for image, grid in zip(pixels, grids, strict=True)]

        cache = new_cache(model, len(ids))
        places = ids == PAD
        edges = sorted({0, len(ids) - 1, *(cut for cut in cuts if cut < len(ids) - 1)})
        for start, stop in pairwise(edges):
            before, inside = int(places[:start].sum()), int(places[start:stop].sum())
            wanted = torch.cat(features)[before : before + inside] if inside else None
            hidden = prefill(model, cache, ids[start:stop], wanted)
            assert difference(logits(model, hidden)[0], whole[stop - 1]) < 1e-5
        decoded = decode_step(model, [cache], [int(ids[-1])]) if ids[-1] != PAD else None
        if decoded is not None and cache.length > 1:
            assert difference(decoded[0], whole[-1]) < 1e-5


@pytest.mark.usefixtures("decoding")
def test_greedy_tokens_equal_those_without_a_cache(model: KimiVL) -> None:
    ids = tokens(33, seed=5).tolist()
    cache = new_cache(model, 128)
    scores = logits(model, prefill(model, cache, torch.tensor(ids)))
    cached: list[int] = []
    for _ in range(24):
        cached.append(int(scores[0].argmax()))
        scores = decode_step(model, [cache], cached[-1:])
    for wanted in cached:
        assert int(model(torch.tensor(ids))[-1].argmax()) == wanted
        ids.append(wanted)


@pytest.mark.usefixtures("decoding")
def test_absorbed_and_expanded_attention_agree(model: KimiVL) -> None:
    ids = tokens(50, seed=1)
    absorbed, expanded = new_cache(model, 64), new_cache(model, 64)
    for cache in (absorbed, expanded):
        prefill(model, cache, ids[:40])
    for token in ids[40:]:
        scores = decode_step(model, [absorbed], [int(token)])
        wanted = logits(model, prefill(model, expanded, token[None]))
        assert difference(scores, wanted) < 1e-5


@pytest.mark.usefixtures("decoding")
@pytest.mark.parametrize("count", [2, 15, 16, 17, 37])
def test_a_row_has_the_same_bits_alone_and_in_any_company(any_model: KimiVL, count: int) -> None:
    def caches() -> list[LatentCache]:
        made: list[LatentCache] = []
        for row in range(count):
            made.append(new_cache(any_model, 128))
            prefill(any_model, made[-1], tokens(1 + 7 * row % 61, seed=row))
        return made

    together, alone, shuffled = caches(), caches(), caches()
    order = torch.randperm(count, generator=torch.Generator().manual_seed(count)).tolist()
    feeds = tokens(3 * count, seed=99).view(3, count)
    for feed in feeds.tolist():
        scores = decode_step(any_model, together, feed)
        other = decode_step(any_model, [shuffled[row] for row in order], [feed[row] for row in order])
        for row in range(count):
            single = decode_step(any_model, [alone[row]], [feed[row]])
            assert torch.equal(single[0], scores[row])
            assert torch.equal(other[order.index(row)], scores[row])


@pytest.mark.usefixtures("decoding")
def test_a_copied_segment_gives_the_same_bits_as_computing_it_again(any_model: KimiVL) -> None:
    ids = tokens(60, seed=3)
    first, second = new_cache(any_model, 64), new_cache(any_model, 64)
    prefill(any_model, first, ids[:45])
    second.copy_in(first.copy_out(0))
    assert torch.equal(prefill(any_model, first, ids[45:]), prefill(any_model, second, ids[45:]))
    assert torch.equal(decode_step(any_model, [first], [7]), decode_step(any_model, [second], [7]))


@pytest.mark.parametrize("past", [0, 1, 90])
def test_attention_in_query_blocks_equals_attention_at_once(
    model: KimiVL, monkeypatch: pytest.MonkeyPatch, past: int
) -> None:
    attention: LatentAttention = model.language_model.layers[1].self_attn
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(75, attention.heads, attention.nope_dim + attention.rope_dim, generator=generator)
    latents = torch.randn(75 + past, attention.rank + attention.rope_dim, generator=generator)
    wanted = attention.attend_expanded(q, latents)
    assert difference(steps.attend_segment(attention, q, latents), wanted) < 1e-5
    monkeypatch.setattr(steps, "_MASK_ELEMENTS", 0)
    monkeypatch.setattr(steps, "_MIN_QUERY_BLOCK", 8)
    assert difference(steps.attend_segment(attention, q, latents), wanted) < 1e-5


@pytest.mark.parametrize("count", [1, 5, 20])
@pytest.mark.parametrize("past", [0, 3, 90])
def test_few_queries_attend_to_the_latents_as_they_are(
    any_model: KimiVL, monkeypatch: pytest.MonkeyPatch, count: int, past: int
) -> None:
    attention: LatentAttention = any_model.language_model.layers[1].self_attn
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(count, attention.heads, attention.nope_dim + attention.rope_dim, generator=generator)
    latents = torch.randn(count + past, attention.rank + attention.rope_dim, generator=generator)
    q, latents = q.to(any_model.dtype), latents.to(any_model.dtype)
    wanted = attention.attend_expanded(q, latents)
    rebuilt: list[int] = []
    monkeypatch.setattr(LatentAttention, "expand", lambda *_: rebuilt.append(1))
    monkeypatch.setattr(steps, "_absorbing_pays", lambda *_: True)
    got = steps.attend_segment(attention, q, latents)
    assert difference(got.float(), wanted.float()) < (1e-5 if q.dtype == torch.float32 else 3e-2)
    assert not rebuilt


def test_keys_are_rebuilt_where_that_is_less_work(model: KimiVL) -> None:
    attention: LatentAttention = model.language_model.layers[1].self_attn
    assert steps._absorbing_pays(attention, 20, 1000)  # pyright: ignore[reportPrivateUsage]
    assert not steps._absorbing_pays(attention, 40, 1000)  # pyright: ignore[reportPrivateUsage]
    assert not steps._absorbing_pays(attention, 20, 20)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.usefixtures("decoding")
def test_a_step_that_failed_half_way_can_be_repeated(model: KimiVL, monkeypatch: pytest.MonkeyPatch) -> None:
    caches = [new_cache(model, 64) for _ in range(3)]
    for row, cache in enumerate(caches):
        prefill(model, cache, tokens(10 + row, seed=row))
    fresh = [new_cache(model, 64) for _ in range(3)]
    for cache, copy in zip(caches, fresh, strict=True):
        copy.copy_in(cache.copy_out(0))
    block = DecodeBlock(model, 16)
    with monkeypatch.context() as patch:
        patch.setattr(LatentAttention, "attend_latents", _fail_in_last_layer(model))
        with pytest.raises(torch.OutOfMemoryError):
            block.step(caches, [1, 2, 3])
    assert torch.equal(block.step(caches, [1, 2, 3]), block.step(fresh, [1, 2, 3]))


def _fail_in_last_layer(model: KimiVL) -> Callable[[LatentAttention, Tensor, Tensor], Tensor]:
    whole = LatentAttention.attend_latents

    def attend_latents(self: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
        if self is model.language_model.layers[-1].self_attn:
            raise torch.OutOfMemoryError("simulated: the last layer's allocation failed")
        return whole(self, q, latents)

    return attend_latents


def test_rows_by_themselves_compute_what_a_block_does(model: KimiVL, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows.decodes_in_rows(model)
    single, many = ([new_cache(model, 128) for _ in range(3)] for _ in range(2))
    for row, caches in enumerate(zip(single, many, strict=True)):
        for cache in caches:
            prefill(model, cache, tokens(20 * row + 1, row))
    alone = DecodeBlock(model)
    monkeypatch.setattr(rows, "ROW_BYTES", 0)
    assert not rows.decodes_in_rows(model)
    together = DecodeBlock(model)
    for feed in tokens(30, 4).view(10, 3).tolist():
        assert difference(alone.step(single, feed), together.step(many, feed)) < 1e-5
    for cache, other in zip(single, many, strict=True):
        assert difference(cache.copy_out(0), other.copy_out(0)) < 1e-5


def test_only_small_dense_float32_networks_decode_row_by_row(model: KimiVL, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not rows.decodes_in_rows(tiny_model(torch.bfloat16))
    quantised = tiny_model()
    quantised.language_model.lm_head = QuantLinear(64, 512, bias=False, bits=8, group_size=32)
    assert not rows.decodes_in_rows(quantised)
    text = model.config.text
    idle = (text.n_routed_experts - text.num_experts_per_tok) * 3 * text.moe_intermediate_size * text.hidden_size
    weights = sum(weight.nbytes for weight in model.language_model.parameters())
    read = weights - model.language_model.model.embed_tokens.weight.nbytes - 2 * 4 * idle
    monkeypatch.setattr(rows, "ROW_BYTES", read)
    assert rows.decodes_in_rows(model)
    monkeypatch.setattr(rows, "ROW_BYTES", read - 1)
    assert not rows.decodes_in_rows(model)


def test_an_image_has_the_same_features_whatever_is_encoded_before_it(any_model: KimiVL) -> None:
    image, grid = patches(Grid(6, 4), 1), Grid(6, 4)
    alone = encode_image(any_model, image, grid)
    encode_image(any_model, patches(Grid(8, 8), 2), Grid(8, 8))
    assert torch.equal(encode_image(any_model, image, grid), alone)
    both = any_model.encode_images(torch.cat((patches(Grid(8, 8), 2), image)), [Grid(8, 8), grid])
    assert difference(both[1].float(), alone.float()) < (1e-5 if alone.dtype == torch.float32 else 5e-2)


def test_features_that_do_not_fit_the_placeholders_are_refused(model: KimiVL) -> None:
    with pytest.raises(ValueError, match="4 media placeholders for 3 image features"):
        prefill(model, new_cache(model, 64), torch.full((4,), PAD), torch.zeros(3, 64))
