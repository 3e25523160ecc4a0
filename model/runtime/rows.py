"""Decoding on a CPU, one row after the other: no product there is of many rows, so none has to be padded.

`DecodeBlock` gives a product one shape by always computing all of its rows. On a CPU a product of 16 rows
costs as much as four to five of one row, as long as the weights stay in the processor's cache. A row that is
computed by itself needs no such rule for its bits to depend on its own sequence only.

Here is the same network as in `model.architecture`, written out for one position: vectors instead of
matrices, each weight taken apart once, and the small sums in Python where a call would cost more than it
computes.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from model.architecture.attention import LatentAttention
from model.architecture.experts import Experts, MixtureOfExperts, SwiGLU
from model.architecture.kimi_vl import KimiVL
from model.architecture.language import DecoderLayer
from model.architecture.linear import QuantLinear
from model.architecture.norm import RMSNorm
from model.architecture.rotary import cos_sin, frequencies
from model.cache import LatentCache

ROW_BYTES = 128 << 20
"""Weights read for a row, at most. A large model's come from memory, not from the cache, for every row again:
its rows go together."""


_PIECE_VALUES = 1 << 17
"""Values of a weight that are fetched and then multiplied: half of what a core's own cache holds, or less."""

_LINE_VALUES = 16
"""Values in a line of the cache."""


def decodes_in_rows(model: KimiVL) -> bool:
    """Say whether a network decodes row by row: dense float32 weights on a CPU, not too many for a row."""
    language = model.language_model
    if model.device.type != "cpu" or model.dtype != torch.float32:
        return False
    modules = list(language.modules())
    if any(isinstance(module, QuantLinear) for module in modules):
        return False
    text = model.config.text
    read = sum(weight.nbytes for weight in language.parameters()) - language.model.embed_tokens.weight.nbytes
    for module in modules:
        if isinstance(module, MixtureOfExperts):
            if not isinstance(module.experts, Experts):
                return False
            routed = module.experts.gate_up.nbytes + module.experts.down.nbytes
            read -= routed - routed * text.num_experts_per_tok // text.n_routed_experts
    # A rotated pair is a complex number, which has to begin at an even place.
    even = (text.qk_nope_head_dim | text.qk_rope_head_dim | text.kv_lora_rank) % 2 == 0
    return even and read <= ROW_BYTES


class RowDecoder:
    """A network taken apart for decoding single rows; see `decodes_in_rows` for which ones."""

    def __init__(self, model: KimiVL) -> None:
        language = model.language_model
        text = model.config.text
        self._embeddings = language.model.embed_tokens.weight.detach()
        self._layers = [_RowLayer(layer) for layer in language.layers]
        self._norm = _RowNorm(cast(RMSNorm, language.model.norm))
        self._head = _Weight(language.lm_head.weight)
        self._frequencies = frequencies(text.qk_rope_head_dim, 2, text.rope_theta, model.device)

    def step(self, caches: Sequence[LatentCache], token_ids: Sequence[int]) -> Tensor:
        """Feed one token to each sequence; return float32 logits ``(n, vocabulary)``. On an error nothing is kept."""
        rotations = [torch.view_as_complex(cos_sin(self._frequencies * float(cache.length))) for cache in caches]
        rows = [self._embeddings[token_id] for token_id in token_ids]
        for number, layer in enumerate(self._layers):
            # A layer for all rows, then the next: its weights are in the cache for all rows but the first.
            rows = [
                layer(number, x, rotation, cache) for x, rotation, cache in zip(rows, rotations, caches, strict=True)
            ]
        scores = torch.stack([self._head(self._norm(x)) for x in rows])
        for cache in caches:
            cache.advance(1)
        return scores


class _RowLayer:
    def __init__(self, layer: DecoderLayer) -> None:
        self._input_norm = _RowNorm(layer.input_layernorm)
        self._attention = _RowAttention(layer.self_attn)
        self._norm = _RowNorm(layer.post_attention_layernorm)
        mlp = layer.mlp
        self._mlp = _RowExperts(mlp) if isinstance(mlp, MixtureOfExperts) else _RowSwiGLU.of(mlp)

    def __call__(self, number: int, x: Tensor, rotation: Tensor, cache: LatentCache) -> Tensor:
        x = self._attention(number, x, self._input_norm(x), rotation, cache)
        return self._mlp.add(x, self._norm(x))


class _RowNorm:
    def __init__(self, norm: RMSNorm) -> None:
        self._weight = norm.weight.detach()
        self._eps = norm.eps

    def __call__(self, x: Tensor) -> Tensor:
        mean = x.dot(x).item() / x.shape[0]
        return torch.mul(x, self._weight).mul_((mean + self._eps) ** -0.5)


class _RowAttention:
    def __init__(self, attention: LatentAttention) -> None:
        self._whole = attention
        self._q = _Weight(attention.q_proj.weight)
        self._kv_a = _Weight(attention.kv_a_proj_with_mqa.weight)
        self._norm = _RowNorm(attention.kv_a_layernorm)
        self._w_uk, w_uv = (weight.detach() for weight in attention.absorbed_weights())
        self._w_uv = w_uv.mT
        self._out = _Weight(attention.o_proj.weight)

    def __call__(self, number: int, x: Tensor, normed: Tensor, rotation: Tensor, cache: LatentCache) -> Tensor:
        """Return ``x`` plus the block's output for the normed ``x``."""
        whole, rank = self._whole, self._whole.rank
        q = self._q(normed).view(whole.heads, -1)
        _rotate(q[:, whole.nope_dim :], rotation)
        latents = self._kv_a(normed)
        _rotate(latents[rank:], rotation)
        latents[:rank] = self._norm(latents[:rank])
        seen = cache.write(number, latents.unsqueeze(0))
        folded = torch.bmm(q[:, : whole.nope_dim].unsqueeze(1), self._w_uk).squeeze(1)
        attended = whole.attend_latents(torch.cat((folded, q[:, whole.nope_dim :]), dim=1), seen)
        return x + self._out(torch.bmm(attended.unsqueeze(1), self._w_uv).flatten())


class _RowSwiGLU:
    def __init__(self, gate: Tensor | object, up: Tensor | object, down: Tensor | object) -> None:
        self._gate, self._up, self._down = _Weight(gate), _Weight(up), _Weight(down)

    @classmethod
    def of(cls, block: SwiGLU) -> "_RowSwiGLU":
        return cls(block.gate_proj.weight, block.up_proj.weight, block.down_proj.weight)

    def add(self, x: Tensor, normed: Tensor, weight: float = 1.0) -> Tensor:
        """Return ``x`` plus the block's weighed output for the normed ``x``."""
        inner = F.silu(self._gate(normed)).mul_(self._up(normed))
        return torch.add(x, self._down(inner), alpha=weight)


class _RowExperts:
    def __init__(self, mixture: MixtureOfExperts) -> None:
        gate, experts = mixture.gate, cast(Experts, mixture.experts)
        self._router = _Weight(gate.weight)
        self._bias = gate.e_score_correction_bias.detach()
        self._top_k, self._factor, self._normalise = gate.top_k, gate.factor, gate.normalise
        gate_up, down = experts.gate_up.detach(), experts.down.detach()
        self._experts = [_RowSwiGLU(*weights) for weights in zip(*gate_up.chunk(2, dim=1), down, strict=True)]
        self._shared = _RowSwiGLU.of(mixture.shared_experts)

    def add(self, x: Tensor, normed: Tensor) -> Tensor:
        """Return ``x`` plus the output of the shared and of the chosen experts for the normed ``x``."""
        scores = self._router(normed).sigmoid_()
        chosen: list[int] = (scores + self._bias).topk(self._top_k).indices.tolist()
        every: list[float] = scores.tolist()
        weights = [every[expert] for expert in chosen]
        factor = self._factor / (sum(weights) + 1e-20) if self._normalise else self._factor
        x = self._shared.add(x, normed)
        for expert, weight in zip(chosen, weights, strict=True):
            x = self._experts[expert].add(x, normed, weight * factor)
        return x


class _Weight:
    """A weight ``(out, in)`` for products with one vector.

    The library's product of one row reads several rows of the weight at once and waits for the memory at each.
    So a piece is fetched into the cache first, by reading one value of each of its lines in order: twice as fast.
    Both use one thread: a step has hundreds of them, and calling up a second one takes longer than most.
    """

    def __init__(self, weight: Tensor | object) -> None:
        assert isinstance(weight, Tensor)  # noqa: S101 - `decodes_in_rows` has seen that no layer is quantised
        pieces = weight.detach().split(max(1, _PIECE_VALUES // weight.shape[1]))
        self._pieces = [(piece.flatten()[::_LINE_VALUES], piece) for piece in pieces]

    def __call__(self, x: Tensor) -> Tensor:
        parts: list[Tensor] = []
        for lines, piece in self._pieces:
            lines.sum()
            parts.append(torch.mv(piece, x))
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def _rotate(x: Tensor, rotation: Tensor) -> None:
    """Rotate the pairs of ``(..., rope)`` in place by complex numbers ``(rope / 2)``."""
    torch.view_as_complex(x.unflatten(-1, (-1, 2))).mul_(rotation)
