"""The whole network against transformers' Kimi-K2.5 and DeepSeek-V3 classes, in float32 to 1e-5."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from model.architecture.experts import MixtureOfExperts
from model.architecture.kimi_vl import KimiVL
from model.architecture.language import default_positions
from model.architecture.vision import Grid
from model.runtime.steps import decode_step, logits, new_cache, prefill
from tests.model.oracle import (
    REAL_HEADS,
    grid_thw,
    interleaved_prompt,
    load_deepseek,
    load_k25,
    random_model,
    random_patches,
    raw_config,
    relative_error,
)

pytestmark = pytest.mark.usefixtures("one_thread")

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Pair:
    """One set of random weights in this network and in transformers' two."""

    raw: dict[str, Any]
    seed: int
    ours: KimiVL
    k25: Any
    deepseek: Any


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def _pair(raw: dict[str, Any], seed: int, folder: Path) -> Pair:
    ours = random_model(raw, seed)
    return Pair(raw, seed, ours, load_k25(raw, ours, folder / "k25"), load_deepseek(raw, ours, folder / "deepseek"))


@pytest.fixture(scope="module", params=["toy-0", "toy-1", "real-heads-2"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    kind, _, seed = request.param.rpartition("-")
    raw = raw_config() if kind == "toy" else REAL_HEADS
    return _pair(raw, int(seed), tmp_path_factory.mktemp(request.param))


GRIDS: dict[str, list[Grid]] = {
    "smallest": [Grid(2, 2)],
    "wide": [Grid(2, 20)],
    "tall": [Grid(40, 2)],
    "toy table exactly": [Grid(8, 8)],
    "table's area, other shape": [Grid(4, 16)],
    "larger than the toy table": [Grid(22, 14)],
    "extreme": [Grid(2, 300)],
    "several, all sizes": [Grid(4, 6), Grid(2, 2), Grid(8, 8), Grid(2, 20), Grid(40, 2), Grid(4, 6), Grid(10, 26)],
    "several, one size": [Grid(6, 4)] * 3,
}


@pytest.mark.parametrize("grids", GRIDS.values(), ids=GRIDS)
def test_vision_features_and_projector(pair: Pair, grids: list[Grid]) -> None:
    patches = random_patches(grids, pair.seed)
    theirs = pair.k25.model.vision_tower(patches, grid_thw=grid_thw(grids))
    tower = pair.ours.vision_tower(patches, grids)
    assert relative_error(tower, theirs.pooler_output.view_as(tower)) < TOLERANCE
    projected = pair.k25.get_image_features(patches, grid_thw(grids)).pooler_output
    ours = pair.ours.encode_images(patches, grids)
    assert len(ours) == len(projected) == len(grids)
    for mine, other in zip(ours, projected, strict=True):
        assert relative_error(mine, other) < TOLERANCE


@pytest.mark.parametrize("grid", [Grid(64, 64), Grid(66, 62), Grid(2, 510)], ids=str)
def test_vision_features_around_the_released_table(grid: Grid, real_heads: Pair) -> None:
    patches = random_patches([grid], 5)
    theirs = real_heads.k25.get_image_features(patches, grid_thw([grid])).pooler_output[0]
    assert relative_error(real_heads.ours.encode_images(patches, [grid])[0], theirs) < TOLERANCE


@pytest.fixture(scope="module")
def real_heads(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(REAL_HEADS, 4, tmp_path_factory.mktemp("real-heads"))


def _theirs(pair: Pair, ids: Tensor, grids: Sequence[Grid] = (), patches: Tensor | None = None) -> Tensor:
    """Kimi-K2.5's logits ``(T, vocabulary)`` of one sequence, without a cache."""
    images = {} if patches is None else {"pixel_values": patches, "image_grid_thw": grid_thw(grids)}
    return pair.k25(input_ids=ids[None], use_cache=False, **images).logits[0]


def test_logits_of_text(pair: Pair) -> None:
    ids = interleaved_prompt(pair.raw, [], pair.seed, words=70)
    ours = pair.ours(ids)
    assert relative_error(ours, _theirs(pair, ids)) < TOLERANCE
    assert relative_error(ours, pair.deepseek(input_ids=ids[None], use_cache=False).logits[0]) < TOLERANCE


@pytest.mark.parametrize("name", ["smallest", "extreme", "several, all sizes"])
def test_logits_of_interleaved_images(pair: Pair, name: str) -> None:
    grids = GRIDS[name]
    patches, ids = random_patches(grids, pair.seed), interleaved_prompt(pair.raw, grids, pair.seed)
    assert relative_error(pair.ours(ids, patches, grids), _theirs(pair, ids, grids, patches)) < TOLERANCE


def test_logits_of_a_long_text(real_heads: Pair) -> None:
    ids = interleaved_prompt(real_heads.raw, [], 6, words=1500)
    theirs = real_heads.deepseek(input_ids=ids[None], use_cache=False).logits[0]
    assert relative_error(real_heads.ours(ids), theirs) < TOLERANCE


def test_logits_at_the_end_of_the_context(real_heads: Pair) -> None:
    # A last bit of a rotary frequency is 3e-4 here.
    ids = interleaved_prompt(real_heads.raw, [], 7, words=48)
    positions = torch.arange(131072 - 48, 131072)
    ours = real_heads.ours.language_model(real_heads.ours.embed(ids), positions)
    theirs = real_heads.deepseek(input_ids=ids[None], position_ids=positions[None], use_cache=False).logits[0]
    assert relative_error(ours, theirs) < TOLERANCE


def test_logits_of_a_batch(pair: Pair) -> None:
    ids = torch.stack([interleaved_prompt(pair.raw, [], pair.seed + n, words=23) for n in range(3)])
    x = pair.ours.language_model.embed(ids)
    ours = pair.ours.language_model(x, default_positions(x))
    assert relative_error(ours, pair.deepseek(input_ids=ids, use_cache=False).logits) < TOLERANCE


@pytest.mark.parametrize("splits", [(1.0,), (0.3, 1.0), (0.1, 0.35, 0.9, 1.0)], ids=["whole", "two", "four"])
def test_cached_prefill_and_absorbed_decoding(pair: Pair, splits: tuple[float, ...]) -> None:
    grids = [Grid(4, 6), Grid(2, 20)]
    patches = random_patches(grids, pair.seed)
    prompt = interleaved_prompt(pair.raw, grids, pair.seed)
    answer = interleaved_prompt(pair.raw, [], pair.seed + 50, words=9)
    theirs = _theirs(pair, torch.cat((prompt, answer)), grids, patches)
    features = torch.cat(pair.ours.encode_images(patches, grids))
    is_pad = prompt == pair.raw["media_placeholder_token_id"]
    cache = new_cache(pair.ours, len(prompt) + len(answer))
    for start, end in _spans(len(prompt), splits):
        before, inside = int(is_pad[:start].sum()), int(is_pad[start:end].sum())
        part = features[before : before + inside] if inside else None
        hidden = prefill(pair.ours, cache, prompt[start:end], part)
        scores = logits(pair.ours, hidden)[0]
        assert relative_error(scores, theirs[end - 1]) < TOLERANCE
    for step, token in enumerate(answer.tolist()):
        scores = decode_step(pair.ours, [cache], [token])[0]
        assert relative_error(scores, theirs[len(prompt) + step]) < TOLERANCE


def _spans(length: int, splits: Sequence[float]) -> Iterator[tuple[int, int]]:
    ends = [round(length * split) for split in splits]
    return zip([0, *ends], ends, strict=False)


def test_decoding_a_batch_of_different_lengths(pair: Pair) -> None:
    prompts = [interleaved_prompt(pair.raw, [], pair.seed + n, words) for n, words in enumerate((1, 5, 33, 64, 90))]
    answers = [interleaved_prompt(pair.raw, [], pair.seed + 60 + n, words=4) for n in range(len(prompts))]
    theirs = [_theirs(pair, torch.cat(both)) for both in zip(prompts, answers, strict=True)]
    caches = [new_cache(pair.ours, len(prompt) + 4) for prompt in prompts]
    for cache, prompt in zip(caches, prompts, strict=True):
        prefill(pair.ours, cache, prompt)
    for step in range(4):
        scores = decode_step(pair.ours, caches, [int(answer[step]) for answer in answers])
        for row, prompt in enumerate(prompts):
            assert relative_error(scores[row], theirs[row][len(prompt) + step]) < TOLERANCE


def test_absorbed_attention_equals_expanded(pair: Pair) -> None:
    attention = pair.ours.language_model.layers[-1].self_attn
    generator = torch.Generator().manual_seed(pair.seed)
    q = torch.randn(1, attention.heads, attention.nope_dim + attention.rope_dim, generator=generator)
    latents = torch.randn(57, attention.rank + attention.rope_dim, generator=generator)
    w_uk, w_uv = attention.absorbed_weights()
    attended = attention.attend_latents(attention.absorb(q, w_uk)[0], latents)
    absorbed = attention.unabsorb(attended.unsqueeze(0), w_uv)
    assert relative_error(absorbed, attention.attend_expanded(q, latents)) < TOLERANCE


def _greedy_without_cache(pair: Pair, ids: Tensor, features: Tensor | None, count: int) -> list[int]:
    for _ in range(count):
        x = pair.ours.embed(ids, features)
        scores = pair.ours.language_model(x, default_positions(x))[-1]
        ids = torch.cat((ids, scores.argmax().view(1)))
    return ids[-count:].tolist()


def _greedy_with_cache(pair: Pair, ids: Tensor, features: Tensor | None, count: int) -> list[int]:
    cache = new_cache(pair.ours, len(ids) + count)
    tokens = [int(logits(pair.ours, prefill(pair.ours, cache, ids, features)).argmax())]
    while len(tokens) < count:
        tokens.append(int(decode_step(pair.ours, [cache], tokens[-1:])[0].argmax()))
    return tokens


Greedy = Callable[[Pair, Tensor, Tensor | None, int], list[int]]


@pytest.mark.parametrize("greedy", [_greedy_without_cache, _greedy_with_cache])
@pytest.mark.parametrize("grids", [[], [Grid(6, 10), Grid(2, 4)]], ids=["text", "images"])
def test_greedy_tokens(pair: Pair, greedy: Greedy, grids: list[Grid]) -> None:
    count = 16
    ids = interleaved_prompt(pair.raw, grids, pair.seed)
    patches = random_patches(grids, pair.seed) if grids else None
    images = {} if patches is None else {"pixel_values": patches, "image_grid_thw": grid_thw(grids)}
    features = None if patches is None else torch.cat(pair.ours.encode_images(patches, grids))
    # A media placeholder without a picture is an error in both, so neither may generate one.
    placeholder = pair.raw["media_placeholder_token_id"]
    theirs = pair.k25.generate(
        input_ids=ids[None],
        attention_mask=torch.ones_like(ids)[None],
        max_new_tokens=count,
        do_sample=False,
        eos_token_id=None,
        **images,
    )[0, len(ids) :].tolist()
    assert placeholder not in theirs
    assert greedy(pair, ids, features, count) == theirs


def test_router_chooses_as_theirs_does_and_the_bias_decides(pair: Pair) -> None:
    mlp = pair.ours.language_model.layers[-1].mlp
    assert isinstance(mlp, MixtureOfExperts)
    gate = mlp.gate
    x = torch.randn(200, pair.raw["text_config"]["hidden_size"], generator=torch.Generator().manual_seed(pair.seed))
    chosen, weights = gate(x)
    scores, their_weights, their_chosen = pair.deepseek.model.layers[-1].mlp.gate(x)
    order, their_order = chosen.argsort(-1), their_chosen.argsort(-1)
    assert torch.equal(chosen.gather(-1, order), their_chosen.gather(-1, their_order))
    assert relative_error(weights.gather(-1, order), their_weights.gather(-1, their_order)) < TOLERANCE
    unbiased = scores.topk(gate.top_k, dim=-1).indices.sort(-1).values
    assert (unbiased != chosen.sort(-1).values).any(-1).float().mean() > 0.3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_as_near_to_float32_as_theirs(
    dtype: torch.dtype, tmp_path_factory: pytest.TempPathFactory
) -> None:
    half = _pair(raw_config(), 8, tmp_path_factory.mktemp("half"))
    grids = [Grid(8, 8), Grid(4, 6)]
    patches, ids = random_patches(grids, 8), interleaved_prompt(half.raw, grids, 8)
    exact_features = torch.cat(half.ours.encode_images(patches, grids))
    exact = half.ours(ids, patches, grids)
    half.ours.to(dtype)
    half.k25.to(dtype)
    features = torch.cat(half.ours.encode_images(patches, grids))
    assert features.dtype == dtype
    assert relative_error(features.float(), exact_features) < 0.03
    scores = half.ours(ids, patches, grids)
    theirs = _theirs(half, ids, grids, patches.to(dtype)).float()
    assert torch.isfinite(scores).all()
    # Rounding flips a few expert choices in either network, so the comparison is of means.
    assert (scores - exact).abs().mean() < 1.25 * (theirs - exact).abs().mean()
