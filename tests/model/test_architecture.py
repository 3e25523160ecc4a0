"""The network's parts against naive second writings in loops, and its full-size structure against the facts."""

import cmath
import math
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.architecture.experts import Experts, Router, can_group, grouped_experts, looped_experts
from model.architecture.kimi_vl import KimiVL
from model.architecture.language import default_positions
from model.architecture.rotary import rotate_pairs
from model.architecture.vision import Grid, attend_within, merge_patches, rotation_table
from model.config import parse_config
from tests.model.oracle import checkpoint_tensors, random_model, random_patches, raw_config, relative_error
from tests.model.tiny import tiny_config

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


A3B = raw_config(
    {
        "vocab_size": 163840,
        "hidden_size": 2048,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "intermediate_size": 11264,
        "moe_intermediate_size": 1408,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "max_position_embeddings": 131072,
        "n_routed_experts": 64,
        "num_experts_per_tok": 6,
        "bos_token_id": 163584,
        "eos_token_id": 163585,
        "pad_token_id": 163839,
    },
    {
        "hidden_size": 1152,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "intermediate_size": 4304,
        "init_pos_emb_height": 64,
        "init_pos_emb_width": 64,
    },
)

A3B_SHAPES = {
    "language_model.model.embed_tokens.weight": (163840, 2048),
    "language_model.lm_head.weight": (163840, 2048),
    "language_model.model.norm.weight": (2048,),
    "language_model.model.layers.26.input_layernorm.weight": (2048,),
    "language_model.model.layers.0.self_attn.q_proj.weight": (3072, 2048),
    "language_model.model.layers.26.self_attn.kv_a_proj_with_mqa.weight": (576, 2048),
    "language_model.model.layers.26.self_attn.kv_a_layernorm.weight": (512,),
    "language_model.model.layers.26.self_attn.kv_b_proj.weight": (4096, 512),
    "language_model.model.layers.26.self_attn.o_proj.weight": (2048, 2048),
    "language_model.model.layers.0.mlp.gate_proj.weight": (11264, 2048),
    "language_model.model.layers.0.mlp.down_proj.weight": (2048, 11264),
    "language_model.model.layers.1.mlp.gate.weight": (64, 2048),
    "language_model.model.layers.1.mlp.gate.e_score_correction_bias": (64,),
    "language_model.model.layers.26.mlp.experts.63.up_proj.weight": (1408, 2048),
    "language_model.model.layers.26.mlp.experts.63.down_proj.weight": (2048, 1408),
    "language_model.model.layers.26.mlp.shared_experts.gate_proj.weight": (2816, 2048),
    "vision_tower.patch_embed.proj.weight": (1152, 3, 14, 14),
    "vision_tower.patch_embed.proj.bias": (1152,),
    "vision_tower.patch_embed.pos_emb.weight": (64, 64, 1152),
    "vision_tower.encoder.blocks.26.norm1.bias": (1152,),
    "vision_tower.encoder.blocks.26.wqkv.weight": (3456, 1152),
    "vision_tower.encoder.blocks.26.wo.bias": (1152,),
    "vision_tower.encoder.blocks.26.mlp.fc0.weight": (4304, 1152),
    "vision_tower.encoder.blocks.26.mlp.fc1.bias": (1152,),
    "vision_tower.encoder.final_layernorm.weight": (1152,),
    "multi_modal_projector.pre_norm.weight": (1152,),
    "multi_modal_projector.linear_1.weight": (4608, 4608),
    "multi_modal_projector.linear_2.weight": (2048, 4608),
}


def test_full_size_structure_matches_the_released_checkpoint() -> None:
    with torch.device("meta"):
        model = KimiVL(parse_config(A3B))
    tensors = checkpoint_tensors(model)
    rotary_buffers = 27  # stored in the released files, ignored when loading
    assert len(tensors) + rotary_buffers == 5679
    assert {name: tuple(tensors[name].shape) for name in A3B_SHAPES} == A3B_SHAPES
    counts = {"language_model": 15_960_110_208, "vision_tower": 416_866_032, "multi_modal_projector": 30_679_808}
    for part, count in counts.items():
        assert sum(p.numel() for name, p in tensors.items() if name.startswith(part)) == count
    assert sum(p.numel() for p in model.parameters()) == 16_407_656_048


def test_2d_rotation_turns_even_pairs_by_column_and_odd_pairs_by_row() -> None:
    grids, head_dim = [Grid(4, 6), Grid(2, 2)], 24
    x = torch.randn(sum(grid.patches for grid in grids), head_dim, generator=torch.Generator().manual_seed(0))
    ours = rotate_pairs(x, rotation_table(grids, head_dim, x.device))
    patch = 0
    for grid in grids:
        for row in range(grid.height):
            for column in range(grid.width):
                for pair in range(head_dim // 2):
                    frequency = 10000 ** (-4 * (pair // 2) / head_dim)
                    angle = (column if pair % 2 == 0 else row) * frequency
                    value = complex(*x[patch, 2 * pair : 2 * pair + 2].tolist()) * cmath.exp(1j * angle)
                    assert ours[patch, 2 * pair].item() == pytest.approx(value.real, abs=1e-5)
                    assert ours[patch, 2 * pair + 1].item() == pytest.approx(value.imag, abs=1e-5)
                patch += 1


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)).map(lambda hw: Grid(2 * hw[0], 2 * hw[1])), min_size=1))
@settings(max_examples=25, deadline=None)
def test_merge_takes_neighbours_row_by_row_in_every_image(grids: list[Grid]) -> None:
    total = sum(grid.patches for grid in grids)
    merged = merge_patches(torch.arange(total, dtype=torch.float32).unsqueeze(-1), grids).squeeze(-1)
    expected: list[list[int]] = []
    first = 0
    for grid in grids:
        for row in range(0, grid.height, 2):
            for column in range(0, grid.width, 2):
                top = first + row * grid.width + column
                expected.append([top, top + 1, top + grid.width, top + grid.width + 1])
        first += grid.patches
    assert merged.tolist() == expected


def test_images_in_one_call_do_not_see_each_other() -> None:
    model = random_model(raw_config(), 0)
    grids = [Grid(4, 6), Grid(8, 8), Grid(4, 6), Grid(2, 14)]
    patches = random_patches(grids, 0)
    together = model.encode_images(patches, grids)
    start = 0
    for grid, features in zip(grids, together, strict=True):
        alone = model.encode_images(patches[start : start + grid.patches], [grid])[0]
        assert relative_error(features, alone) < 1e-6
        start += grid.patches


def test_attention_within_runs_is_a_softmax_over_each_run() -> None:
    lengths, heads, dim = [3, 5, 3], 2, 4
    q, k, v = torch.randn(3, sum(lengths), heads, dim, generator=torch.Generator().manual_seed(1))
    ours = attend_within(q, k, v, lengths).view(-1, heads, dim)
    start = 0
    for length in lengths:
        for i in range(start, start + length):
            for head in range(heads):
                keys = range(start, start + length)
                scores = [math.exp(float(q[i, head] @ k[j, head]) / math.sqrt(dim)) for j in keys]
                mixed = sum(s / sum(scores) * v[j, head] for s, j in zip(scores, keys, strict=True))
                torch.testing.assert_close(ours[i, head], mixed)
        start += length


def _router(seed: int, **changes: object) -> Router:
    router = Router(tiny_config(**changes).text)
    generator = torch.Generator().manual_seed(seed)
    router.weight.copy_(torch.randn(router.weight.shape, generator=generator) * 0.2)
    router.e_score_correction_bias.copy_(torch.randn(router.weight.shape[0], generator=generator) * 0.3)
    return router.requires_grad_(False)


@pytest.mark.parametrize("normalise", [True, False])
def test_router_picks_by_biased_scores_and_weighs_by_unbiased_ones(normalise: bool) -> None:
    router = _router(2, norm_topk_prob=normalise)
    x = torch.randn(40, router.weight.shape[1], generator=torch.Generator().manual_seed(3))
    chosen, weights = router(x)
    bias = router.e_score_correction_bias.tolist()
    for token in range(len(x)):
        scores = [1 / (1 + math.exp(-float(x[token] @ row))) for row in router.weight]
        ranked = sorted(range(len(scores)), key=lambda e: scores[e] + bias[e], reverse=True)[:3]
        assert sorted(chosen[token].tolist()) == sorted(ranked)
        total = sum(scores[e] for e in ranked) if normalise else 1.0
        for expert, weight in zip(chosen[token].tolist(), weights[token].tolist(), strict=True):
            assert weight == pytest.approx(scores[expert] / total * 2.446, rel=1e-5)


def test_router_decides_in_float32_whatever_the_input() -> None:
    router = _router(4)
    x = torch.randn(50, router.weight.shape[1], generator=torch.Generator().manual_seed(5)).bfloat16()
    chosen, weights = router(x)
    assert weights.dtype == torch.float32
    expected = router(x.float())
    assert torch.equal(chosen, expected[0])
    assert torch.equal(weights, expected[1])


def _experts(seed: int, dtype: torch.dtype = torch.float32) -> Experts:
    experts = Experts(8, 64, 32)
    generator = torch.Generator().manual_seed(seed)
    for parameter in experts.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return experts.requires_grad_(False).to(dtype)


def test_experts_sum_by_weight_token_by_token() -> None:
    router, experts = _router(6), _experts(7)
    x = torch.randn(30, 64, generator=torch.Generator().manual_seed(8))
    chosen, weights = router(x)
    ours = experts(x, chosen, weights)
    for token in range(len(x)):
        expected = torch.zeros(64)
        for expert, weight in zip(chosen[token].tolist(), weights[token], strict=True):
            gate, up = experts.gate_up[expert][:32] @ x[token], experts.gate_up[expert][32:] @ x[token]
            expected += weight * (experts.down[expert] @ (gate * gate.sigmoid() * up))
        torch.testing.assert_close(ours[token], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("tokens", [1, 2, 37], ids=str)
def test_grouped_experts_equal_looped_ones(dtype: torch.dtype, tokens: int) -> None:
    router, experts = _router(9), _experts(10, dtype)
    x = torch.randn(tokens, 64, generator=torch.Generator().manual_seed(11)).to(dtype)
    chosen, weights = router(x)
    looped = looped_experts(x, chosen, weights, experts.expert)
    grouped = grouped_experts(x, chosen, weights, experts.gate_up, experts.down)
    assert grouped.dtype == dtype
    assert relative_error(grouped.float(), looped.float()) < (1e-6 if dtype == torch.float32 else 2e-2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device with grouped matrix products")
def test_grouped_experts_equal_looped_ones_on_cuda() -> None:
    router, experts = _router(12).cuda(), _experts(13, torch.bfloat16).cuda()
    x = torch.randn(300, 64, generator=torch.Generator().manual_seed(14)).bfloat16().cuda()
    if not can_group(x):
        pytest.skip("this device's compute capability is below 8.0")
    chosen, weights = router(x)
    looped = looped_experts(x, chosen, weights, experts.expert)
    assert relative_error(experts(x, chosen, weights).float(), looped.float()) < 2e-2


def test_a_later_token_changes_nothing_before_it() -> None:
    model = random_model(raw_config(), 1)
    ids = torch.randint(0, 250, (40,), generator=torch.Generator().manual_seed(15))
    changed = ids.clone()
    changed[25] += 1
    ours, theirs = model(ids), model(changed)
    assert torch.equal(ours[:25], theirs[:25])
    assert not torch.equal(ours[25], theirs[25])


def test_cached_attention_is_causal_over_the_last_positions() -> None:
    attention = random_model(raw_config(), 2).language_model.layers[1].self_attn
    generator = torch.Generator().manual_seed(16)
    q = torch.randn(12, attention.heads, attention.nope_dim + attention.rope_dim, generator=generator)
    latents = torch.randn(12, attention.rank + attention.rope_dim, generator=generator)
    whole = attention.attend_expanded(q, latents)
    torch.testing.assert_close(attention.attend_expanded(q[7:], latents), whole[7:])
    torch.testing.assert_close(attention.attend_expanded(q[11:], latents), whole[11:])
    mask = torch.ones(12, 12, dtype=torch.bool).tril()
    torch.testing.assert_close(attention.attend_expanded(q, latents, mask), whole)


def test_placeholders_take_features_in_order() -> None:
    model = random_model(raw_config(), 3)
    pad = model.config.media_placeholder_token_id
    ids = torch.tensor([1, pad, pad, 2, pad])
    features = torch.arange(3.0).unsqueeze(-1).expand(3, 64)
    x = model.embed(ids, features)
    assert x[ids == pad][:, 0].tolist() == [0.0, 1.0, 2.0]
    assert torch.equal(x[0], model.language_model.model.embed_tokens.weight[1])


@pytest.mark.parametrize("count", [0, 2, 4])
def test_placeholders_and_features_must_agree_in_number(count: int) -> None:
    model = random_model(raw_config(), 3)
    pad = model.config.media_placeholder_token_id
    with pytest.raises(ValueError, match=f"3 media placeholders for {count} image features"):
        model.embed(torch.tensor([1, pad, pad, 2, pad]), torch.zeros(count, 64))


def test_positions_only_matter_relative_to_each_other() -> None:
    model = random_model(raw_config(), 4)
    x = model.embed(torch.randint(0, 250, (20,), generator=torch.Generator().manual_seed(17)))
    here = model.language_model(x, default_positions(x))
    there = model.language_model(x, default_positions(x) + 64)
    assert relative_error(there, here) < 1e-4
