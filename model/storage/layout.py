"""The tensors of a checkpoint by name and shape, computed from its config alone.

Names and shapes: the released Kimi-VL checkpoints. Independent of the network's classes, so that
a test can hold the two against each other and `inspect` needs no torch.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from model.config import KimiVLConfig, QuantConfig, TextConfig, VisionConfig

Shape = tuple[int, ...]

IGNORED_SUFFIX = ".rotary_emb.inv_freq"
"""A buffer that the released files carry in every layer and that nothing reads."""

ROUTED_EXPERTS = ".mlp.experts."
CORRECTION_BIAS = "e_score_correction_bias"
DEFAULT_GROUP_SIZE = 128
MIN_GROUP_SIZE = 32
FLOAT_DTYPES = ("F32", "BF16", "F16")


@dataclass(frozen=True, slots=True)
class LayoutTensor:
    """What the network needs under one name, and the dtypes it may be stored in."""

    shape: Shape
    dtypes: tuple[str, ...] = FLOAT_DTYPES


def group_size_for(in_features: int, group_size: int) -> int | None:
    """Return the largest power of two that splits an input evenly, from ``group_size`` down to 32; else None."""
    while group_size >= MIN_GROUP_SIZE:
        if in_features % group_size == 0:
            return group_size
        group_size //= 2
    return None


def quantized_bits(name: str, bits: int) -> int | None:
    """Say in how many bits a weight is kept when the whole is quantised to ``bits``; None keeps it dense.

    With 4 bits the routed experts, 88 % of the weights and each used by one token in eleven, take
    4; what every token passes through (attention, shared experts, dense layers, output head)
    takes 8. Router, norms, embeddings, vision tower and projector always stay as they are stored.
    """
    if not name.startswith("language_model.") or not name.endswith(".weight"):
        return None
    if ROUTED_EXPERTS in name:
        return bits
    return 8 if name.endswith(("_proj.weight", "_proj_with_mqa.weight", "lm_head.weight")) else None


def weight_quantization(name: str, in_features: int, config: QuantConfig, text: TextConfig) -> QuantConfig | None:
    """Return bits and group size of one stored weight, or None when it stays dense.

    A layer's experts are quantised all or none, because they are held fused.
    """
    bits = quantized_bits(name, config.bits)
    group_size = group_size_for(in_features, config.group_size)
    if bits is None or group_size is None:
        return None
    widths = (text.hidden_size, text.moe_intermediate_size)
    if ROUTED_EXPERTS in name and not all(group_size_for(width, config.group_size) for width in widths):
        return None
    return QuantConfig(bits, group_size)


def quantized_tensors(name: str, shape: Shape, quantization: QuantConfig) -> dict[str, LayoutTensor]:
    """Return the two tensors that stand in for a weight ``(out, in)``: packed values and group scales."""
    rows, columns = shape
    four = quantization.bits == 4
    return {
        f"{name}_packed": LayoutTensor((rows, columns // 2 if four else columns), ("U8",) if four else ("I8",)),
        f"{name}_scale": LayoutTensor((rows, columns // quantization.group_size)),
    }


def dense_tensors(config: KimiVLConfig) -> dict[str, Shape]:
    """Return name and shape of every tensor of an unquantised checkpoint, without the ignored buffers."""
    return dict((*_text(config.text), *_vision(config.vision), *_projector(config)))


def parameter_count(config: KimiVLConfig) -> int:
    """Count the network's parameters, quantised or not."""
    return sum(math.prod(shape) for shape in dense_tensors(config).values())


def expected_tensors(config: KimiVLConfig) -> dict[str, LayoutTensor]:
    """Return what a checkpoint with this config must hold, quantised tensors in their stored form."""
    tensors: dict[str, LayoutTensor] = {}
    for name, shape in dense_tensors(config).items():
        stored = config.quantization and weight_quantization(name, shape[-1], config.quantization, config.text)
        if stored:
            tensors |= quantized_tensors(name, shape, stored)
        else:
            tensors[name] = LayoutTensor(shape)
    return tensors


def ignored_tensors(config: KimiVLConfig) -> dict[str, Shape]:
    """Return the buffers that a released checkpoint carries and loading skips."""
    shape = (config.text.qk_rope_head_dim // 2,)
    layers = range(config.text.num_hidden_layers)
    return {f"language_model.model.layers.{layer}.self_attn{IGNORED_SUFFIX}": shape for layer in layers}


def _text(c: TextConfig) -> Iterator[tuple[str, Shape]]:
    yield "language_model.model.embed_tokens.weight", (c.vocab_size, c.hidden_size)
    for layer in range(c.num_hidden_layers):
        prefix = f"language_model.model.layers.{layer}"
        for name, shape in _attention(c):
            yield f"{prefix}.self_attn.{name}", shape
        for name, shape in _feed_forward(c, layer):
            yield f"{prefix}.mlp.{name}", shape
        yield f"{prefix}.input_layernorm.weight", (c.hidden_size,)
        yield f"{prefix}.post_attention_layernorm.weight", (c.hidden_size,)
    yield "language_model.model.norm.weight", (c.hidden_size,)
    yield "language_model.lm_head.weight", (c.vocab_size, c.hidden_size)


def _attention(c: TextConfig) -> Iterator[tuple[str, Shape]]:
    heads = c.num_attention_heads
    yield "q_proj.weight", (heads * c.qk_head_dim, c.hidden_size)
    yield "kv_a_proj_with_mqa.weight", (c.latent_dim, c.hidden_size)
    yield "kv_a_layernorm.weight", (c.kv_lora_rank,)
    yield "kv_b_proj.weight", (heads * (c.qk_nope_head_dim + c.v_head_dim), c.kv_lora_rank)
    yield "o_proj.weight", (c.hidden_size, heads * c.v_head_dim)


def _feed_forward(c: TextConfig, layer: int) -> Iterator[tuple[str, Shape]]:
    if not c.is_moe_layer(layer):
        yield from _swiglu("", c.hidden_size, c.intermediate_size)
        return
    yield "gate.weight", (c.n_routed_experts, c.hidden_size)
    yield f"gate.{CORRECTION_BIAS}", (c.n_routed_experts,)
    for expert in range(c.n_routed_experts):
        yield from _swiglu(f"experts.{expert}.", c.hidden_size, c.moe_intermediate_size)
    yield from _swiglu("shared_experts.", c.hidden_size, c.moe_intermediate_size * c.n_shared_experts)


def _swiglu(prefix: str, hidden: int, inner: int) -> Iterator[tuple[str, Shape]]:
    yield f"{prefix}gate_proj.weight", (inner, hidden)
    yield f"{prefix}up_proj.weight", (inner, hidden)
    yield f"{prefix}down_proj.weight", (hidden, inner)


def _vision(c: VisionConfig) -> Iterator[tuple[str, Shape]]:
    width = c.hidden_size
    prefix = "vision_tower"
    yield f"{prefix}.patch_embed.proj.weight", (width, 3, c.patch_size, c.patch_size)
    yield f"{prefix}.patch_embed.proj.bias", (width,)
    yield f"{prefix}.patch_embed.pos_emb.weight", (c.init_pos_emb_height, c.init_pos_emb_width, width)
    for layer in range(c.num_hidden_layers):
        block = f"{prefix}.encoder.blocks.{layer}"
        yield from _with_bias(f"{block}.norm0", width)
        yield from _with_bias(f"{block}.norm1", width)
        yield from _with_bias(f"{block}.wqkv", 3 * width, width)
        yield from _with_bias(f"{block}.wo", width, width)
        yield from _with_bias(f"{block}.mlp.fc0", c.intermediate_size, width)
        yield from _with_bias(f"{block}.mlp.fc1", width, c.intermediate_size)
    yield from _with_bias(f"{prefix}.encoder.final_layernorm", width)


def _projector(c: KimiVLConfig) -> Iterator[tuple[str, Shape]]:
    kernel = c.vision.merge_kernel_size
    width = c.vision.hidden_size * kernel[0] * kernel[1]
    yield from _with_bias("multi_modal_projector.pre_norm", c.vision.hidden_size)
    yield from _with_bias("multi_modal_projector.linear_1", width, width)
    yield from _with_bias("multi_modal_projector.linear_2", c.text.hidden_size, width)


def _with_bias(prefix: str, *shape: int) -> Iterator[tuple[str, Shape]]:
    yield f"{prefix}.weight", shape
    yield f"{prefix}.bias", shape[:1]
