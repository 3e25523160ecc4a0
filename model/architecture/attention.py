"""Multi-head latent attention (MLA) without a query LoRA, over a cache of latents.

DeepSeek-V3 layout as Moonlight uses it. What is cached for a token is its normed 512-wide latent
and its rotated 64-wide shared key: 576 values instead of 16 × (192 + 128). Two equal ways to
attend: *expanded* (keys and values rebuilt from the latents; many queries, so prefill and
training) and *absorbed* (the key and value projections folded into query and output; few
queries, so decoding).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture.linear import Linear, QuantLinear
from model.architecture.norm import RMSNorm
from model.architecture.rotary import cos_sin, frequencies, rotate_pairs
from model.config import TextConfig

LATENT_NORM_EPS = 1e-6
"""The released code never passes the config's eps to this norm, so its class default applies."""


def rotation_table(positions: Tensor, dim: int, theta: float) -> Tensor:
    """Return the rotary angles of ``positions`` (any shape) as ``(..., dim / 2, 2)`` cosines and sines, float32."""
    return cos_sin(positions.unsqueeze(-1).float() * frequencies(dim, 2, theta, positions.device))


class LatentAttention(nn.Module):
    """The attention block of one decoder layer."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.rank = config.kv_lora_rank
        self.nope_dim = config.qk_nope_head_dim
        self.rope_dim = config.qk_rope_head_dim
        self.v_dim = config.v_head_dim
        self.scale = config.qk_head_dim**-0.5
        hidden = config.hidden_size
        self.q_proj: Linear | QuantLinear = Linear(hidden, self.heads * config.qk_head_dim, bias=False)
        self.kv_a_proj_with_mqa: Linear | QuantLinear = Linear(hidden, config.latent_dim, bias=False)
        self.kv_a_layernorm = RMSNorm(self.rank, LATENT_NORM_EPS)
        self.kv_b_proj: Linear | QuantLinear = Linear(self.rank, self.heads * (self.nope_dim + self.v_dim), bias=False)
        self.o_proj: Linear | QuantLinear = Linear(self.heads * self.v_dim, hidden, bias=False)

    def project(self, x: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Project ``(..., T, hidden)`` to queries ``(..., T, heads, nope + rope)`` and their latents.

        The latents are ``(..., T, rank + rope)``. Both come back rotated to their positions;
        ``rotation`` is ``(T, rope / 2, 2)`` or broadcasts to it.
        """
        return self.queries(x, rotation), self.latents(x, rotation)

    def queries(self, x: Tensor, rotation: Tensor) -> Tensor:
        """Do the first half of `project`."""
        q = self.q_proj(x).unflatten(-1, (self.heads, -1))
        q_nope, q_rope = q.split((self.nope_dim, self.rope_dim), dim=-1)
        return torch.cat((q_nope, rotate_pairs(q_rope, rotation.unsqueeze(-3))), dim=-1)

    def latents(self, x: Tensor, rotation: Tensor) -> Tensor:
        """Do the second half of `project`."""
        latent, k_rope = self.kv_a_proj_with_mqa(x).split((self.rank, self.rope_dim), dim=-1)
        return torch.cat((self.kv_a_layernorm(latent), rotate_pairs(k_rope, rotation)), dim=-1)

    def expand(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Rebuild keys ``(..., S, heads, nope + rope)`` and values ``(..., S, heads, v)`` from latents."""
        latent, k_rope = latents.split((self.rank, self.rope_dim), dim=-1)
        kv = self.kv_b_proj(latent).unflatten(-1, (self.heads, -1))
        k_nope, v = kv.split((self.nope_dim, self.v_dim), dim=-1)
        k_rope = k_rope.unsqueeze(-2).expand(*k_nope.shape[:-1], -1)
        return torch.cat((k_nope, k_rope), dim=-1), v

    def attend_expanded(self, q: Tensor, latents: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend with rebuilt keys: queries ``(..., T, heads, d)`` over latents ``(..., S, c)``.

        Returns the block's output ``(..., T, hidden)``. Without a ``mask`` (boolean, ``(T, S)``,
        true where a query may look) the last T of the S positions are the queries' own and
        attention is causal.
        """
        k, v = self.expand(latents)
        q, k, v = (t.transpose(-3, -2) for t in (q, k, v))
        length, total = q.shape[-2], k.shape[-2]
        causal = mask is None and length == total
        if mask is None and not causal and length > 1:
            mask = torch.ones(length, total, dtype=torch.bool, device=q.device).tril_(total - length)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=self.scale)
        return self.o_proj(out.transpose(-3, -2).flatten(-2))

    def absorbed_weights(self) -> tuple[Tensor, Tensor]:
        """Return the key and value halves of ``kv_b_proj``: ``(heads, nope, rank)`` and ``(heads, v, rank)``."""
        layer = self.kv_b_proj
        weight = layer.dense() if isinstance(layer, QuantLinear) else layer.weight
        split = weight.unflatten(0, (self.heads, -1)).split((self.nope_dim, self.v_dim), dim=1)
        return split[0], split[1]

    def absorb(self, q: Tensor, w_uk: Tensor) -> Tensor:
        """Fold the key projection into queries ``(R, heads, nope + rope)``: ``(R, heads, rank + rope)``."""
        q_nope, q_rope = q.split((self.nope_dim, self.rope_dim), dim=-1)
        return torch.cat((torch.einsum("rhn,hnc->rhc", q_nope, w_uk), q_rope), dim=-1)

    def attend_latents(self, q: Tensor, latents: Tensor) -> Tensor:
        """Attend absorbed queries ``(heads, rank + rope)`` of one row over its latents ``(S, rank + rope)``.

        Returns ``(heads, rank)``. Scores and softmax are float32.
        """
        scores = (q.float() @ latents.float().mT) * self.scale
        return scores.softmax(-1).to(latents.dtype) @ latents[:, : self.rank]

    def attend_pool(self, q: Tensor, latents: Tensor, unseen: Tensor) -> Tensor:
        """Do `attend_latents` for many rows: ``(R, heads, rank + rope)`` over ``(R, S, rank + rope)``.

        Returns ``(R, heads, rank)``. ``unseen`` (boolean, ``(R, 1, S)``) is true behind a row's end.
        """
        if q.is_cuda and q.dtype != torch.float32:
            scores = torch.bmm(q, latents.mT, out_dtype=torch.float32)  # no float32 copy of all latents
        else:
            scores = q.float() @ latents.float().mT
        weights = (scores * self.scale).masked_fill_(unseen, -torch.inf).softmax(-1)
        return weights.to(latents.dtype) @ latents[..., : self.rank]

    def unabsorb(self, attended: Tensor, w_uv: Tensor) -> Tensor:
        """Turn attended latents ``(R, heads, rank)`` into the block's output ``(R, hidden)``."""
        return self.o_proj(torch.einsum("rhc,hvc->rhv", attended, w_uv).flatten(1))
