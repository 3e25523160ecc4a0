"""The Moonlight decoder: embeddings, layers of latent attention and experts, and the output head."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from model.architecture.attention import LatentAttention, rotation_table
from model.architecture.experts import MixtureOfExperts, SwiGLU
from model.architecture.linear import Linear, QuantLinear
from model.architecture.norm import RMSNorm
from model.config import TextConfig

Attend = Callable[[int, LatentAttention, Tensor, Tensor], Tensor]
"""How a layer attends: layer number, its attention, queries and new latents in; block output out.

Cached prefill, absorbed decoding and plain training are three such functions over one network.
"""


def attend_causally(_layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
    """Attend without a cache: each position sees itself and what stands before it."""
    return attention.attend_expanded(q, latents)


class DecoderLayer(nn.Module):
    """One pre-norm layer; its feed-forward is dense in the first layers and a mixture of experts after."""

    def __init__(self, config: TextConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = LatentAttention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = (
            MixtureOfExperts(config)
            if config.is_moe_layer(layer)
            else SwiGLU(config.hidden_size, config.intermediate_size)
        )

    def forward(self, x: Tensor, rotation: Tensor, attend: Attend) -> Tensor:
        """Apply to ``(..., T, hidden)``."""
        q, latents = self.self_attn.project(self.input_layernorm(x), rotation)
        return self._feed(x + attend(self.layer, self.self_attn, q, latents))

    def last(self, x: Tensor, rotation: Tensor, attend: Attend) -> Tensor:
        """Apply to ``(..., T, hidden)`` and return the last position only; all of them leave their latents."""
        normed = self.input_layernorm(x)
        q = self.self_attn.queries(normed[..., -1:, :], rotation[..., -1:, :, :])
        latents = self.self_attn.latents(normed, rotation)
        return self._feed(x[..., -1:, :] + attend(self.layer, self.self_attn, q, latents))

    def _feed(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Token embeddings, the layers and the final norm."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.rope_dim = config.qk_rope_head_dim
        self.rope_theta = config.rope_theta
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(config, layer) for layer in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, positions: Tensor, attend: Attend = attend_causally) -> Tensor:
        """Run embedded inputs ``(..., T, hidden)`` at integer ``positions`` (``(T,)`` or broadcastable)."""
        rotation = rotation_table(positions, self.rope_dim, self.rope_theta)
        for layer in self.layers:
            x = layer(x, rotation, attend)
        return self.norm(x)

    def last(self, x: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Do the same for the last position's sake: ``(..., 1, hidden)``.

        The others take no part in the last layer but for their latents. ``attend`` gets one query there.
        """
        rotation = rotation_table(positions, self.rope_dim, self.rope_theta)
        *layers, final = (cast(DecoderLayer, layer) for layer in self.layers)
        for layer in layers:
            x = layer(x, rotation, attend)
        return self.norm(final.last(x, rotation, attend))


class LanguageModel(nn.Module):
    """The decoder and its untied output head."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.model = Decoder(config)
        self.lm_head: Linear | QuantLinear = Linear(config.hidden_size, config.vocab_size, bias=False)

    @property
    def layers(self) -> list[DecoderLayer]:
        """The decoder's layers, typed."""
        return [cast(DecoderLayer, layer) for layer in self.model.layers]

    def forward(self, x: Tensor, positions: Tensor, attend: Attend = attend_causally) -> Tensor:
        """Return logits ``(..., T, vocabulary)`` in float32 for embedded inputs ``(..., T, hidden)``."""
        return self.lm_head(self.model(x, positions, attend)).float()

    def embed(self, token_ids: Tensor) -> Tensor:
        """Look up token embeddings; the table may live in host memory."""
        table = self.model.embed_tokens
        return table(token_ids.to(table.weight.device)).to(self.model.norm.weight.device)


def default_positions(x: Tensor) -> Tensor:
    """Return 0, 1, 2, … for the sequence dimension of ``(..., T, hidden)``."""
    return torch.arange(x.shape[-2], device=x.device)
