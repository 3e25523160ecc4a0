"""The mixture of experts: sigmoid router with bias correction, fused routed experts, shared experts.

DeepSeek-V3's auxiliary-loss-free routing (arXiv 2412.19437, section 2.1.2) as Moonlight uses it.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture.linear import Linear, QuantLinear, dequantize
from model.config import TextConfig


class SwiGLU(nn.Module):
    """A dense gated feed-forward: ``down(silu(gate(x)) * up(x))``."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.gate_proj: Linear | QuantLinear = Linear(hidden, inner, bias=False)
        self.up_proj: Linear | QuantLinear = Linear(hidden, inner, bias=False)
        self.down_proj: Linear | QuantLinear = Linear(inner, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Apply to ``(..., hidden)``."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Router(nn.Module):
    """Choose experts by biased sigmoid scores, and weigh them by the unbiased ones."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.top_k = config.num_experts_per_tok
        self.factor = config.routed_scaling_factor
        self.normalise = config.norm_topk_prob
        self.weight = nn.Parameter(torch.empty(config.n_routed_experts, config.hidden_size))
        # Float32 whatever the checkpoint's dtype: it decides between near-equal scores.
        self.e_score_correction_bias = nn.Parameter(
            torch.zeros(config.n_routed_experts, dtype=torch.float32), requires_grad=False
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Route ``(T, hidden)``; return expert numbers ``(T, k)`` and weights ``(T, k)`` in float32."""
        scores = F.linear(x.float(), self.weight.float()).sigmoid()
        chosen = (scores + self.e_score_correction_bias).topk(self.top_k, dim=-1).indices
        weights = scores.gather(-1, chosen)
        if self.normalise:
            weights = weights / (weights.sum(-1, keepdim=True) + 1e-20)
        return chosen, weights * self.factor


class Experts(nn.Module):
    """All routed experts of a layer in two fused weights, or two quantised pairs.

    ``gate_up``: ``(E, 2 * inner, hidden)``, gate rows first; ``down``: ``(E, hidden, inner)``.
    """

    def __init__(self, count: int, hidden: int, inner: int) -> None:
        super().__init__()
        self.count = count
        self.gate_up = nn.Parameter(torch.empty(count, 2 * inner, hidden))
        self.down = nn.Parameter(torch.empty(count, hidden, inner))

    def forward(self, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """Apply the chosen experts to ``(T, hidden)`` and sum them by their weights."""
        if can_group(x):
            return grouped_experts(x, chosen, weights, self.gate_up, self.down)
        return looped_experts(x, chosen, weights, self.expert)

    def expert(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one expert's dense ``gate_up`` and ``down``."""
        return self.gate_up[index], self.down[index]


class QuantExperts(nn.Module):
    """`Experts` with weight-only quantised weights, expanded one expert at a time.

    Packed as in `QuantLinear`, with a leading dimension of experts.
    """

    def __init__(
        self, count: int, hidden: int, inner: int, bits: int, gate_up_group_size: int, down_group_size: int
    ) -> None:
        super().__init__()
        self.count = count
        self.bits = bits
        self.gate_up_group_size = gate_up_group_size
        self.down_group_size = down_group_size
        pack, dtype = (1, torch.int8) if bits == 8 else (2, torch.uint8)
        for name, rows, columns, group_size in (
            ("gate_up", 2 * inner, hidden, gate_up_group_size),
            ("down", hidden, inner, down_group_size),
        ):
            self.register_buffer(f"{name}_packed", torch.empty(count, rows, columns // pack, dtype=dtype))
            self.register_buffer(f"{name}_scale", torch.empty(count, rows, columns // group_size))

    gate_up_packed: Tensor
    gate_up_scale: Tensor
    down_packed: Tensor
    down_scale: Tensor

    def forward(self, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """Apply the chosen experts to ``(T, hidden)`` and sum them by their weights."""
        return looped_experts(x, chosen, weights, self.expert)

    def expert(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one expert's dense ``gate_up`` and ``down``."""
        return (
            dequantize(self.gate_up_packed[index], self.gate_up_scale[index], self.bits),
            dequantize(self.down_packed[index], self.down_scale[index], self.bits),
        )


ROW_BLOCK = 16
"""Rows an expert's product is padded to, so that a token's result is the same whoever shares its batch.

Measured on 2 cores (torch 2.13, AVX-512, 2026-11-24): a float32 product of 1, 2, 4 or 8 rows
differs in the last bits from the same rows inside 32; from 16 rows on they are equal, as they are
at any height in bfloat16.
"""


def pad_rows(x: Tensor) -> Tensor:
    """Pad ``(T, …)`` with zero rows to a multiple of `ROW_BLOCK`."""
    missing = -x.shape[0] % ROW_BLOCK
    return F.pad(x, (0, 0, 0, missing)) if missing else x


def swiglu(x: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
    """Apply one expert to its rows."""
    gate, up = F.linear(x, gate_up).chunk(2, dim=-1)
    return F.linear(F.silu(gate) * up, down)


def looped_experts(
    x: Tensor, chosen: Tensor, weights: Tensor, expert: Callable[[int], tuple[Tensor, Tensor]]
) -> Tensor:
    """Run each chosen expert on its own rows, one after the other: the plain reference.

    ``x`` ``(T, hidden)``, ``chosen`` and ``weights`` ``(T, k)``; ``expert`` returns the dense
    weights of one expert. The sum over a token's experts is float32, in the router's order.
    """
    slots = chosen.flatten()
    rows = torch.arange(x.shape[0], device=x.device).repeat_interleave(chosen.shape[1])
    out = x.new_empty(slots.shape[0], x.shape[1])
    for index in slots.unique().tolist():
        picked = (slots == index).nonzero().squeeze(-1)
        gate_up, down = expert(index)
        out[picked] = swiglu(pad_rows(x[rows[picked]]), gate_up, down)[: picked.shape[0]]
    return weigh(out, weights, x)


def weigh(out: Tensor, weights: Tensor, x: Tensor) -> Tensor:
    """Sum the experts' outputs ``(T * k, hidden)`` of each token by its float32 weights ``(T, k)``."""
    return (out.unflatten(0, weights.shape) * weights.unsqueeze(-1)).sum(1).to(x.dtype)


def can_group(x: Tensor) -> bool:
    """Say whether the device has a grouped matrix product for this dtype (bfloat16, compute capability 8.0)."""
    return (
        x.is_cuda
        and x.dtype == torch.bfloat16
        and hasattr(F, "grouped_mm")
        and torch.cuda.get_device_capability(x.device) >= (8, 0)
    )


def grouped_experts(x: Tensor, chosen: Tensor, weights: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
    """Run all experts in two grouped products over rows sorted by expert: no host round trip."""
    slots, order = chosen.flatten().sort(stable=True)
    experts = torch.arange(gate_up.shape[0], device=x.device)
    ends = torch.searchsorted(slots, experts, right=True).to(torch.int32)
    rows = x.index_select(0, order // chosen.shape[1])
    gate, up = F.grouped_mm(rows, gate_up.mT, offs=ends).chunk(2, dim=-1)
    result = F.grouped_mm(F.silu(gate) * up, down.mT, offs=ends)
    # Gathering by the inverse order, like index_select above: its backward pass needs no sorting.
    return weigh(result.index_select(0, order.argsort()), weights, x)


class MixtureOfExperts(nn.Module):
    """Routed experts by weight, plus the shared experts, which are one wide SwiGLU for every token."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.gate = Router(config)
        self.experts: Experts | QuantExperts = Experts(
            config.n_routed_experts, config.hidden_size, config.moe_intermediate_size
        )
        self.shared_experts = SwiGLU(config.hidden_size, config.moe_intermediate_size * config.n_shared_experts)

    def forward(self, x: Tensor) -> Tensor:
        """Apply to ``(..., hidden)``."""
        flat = x.flatten(0, -2)
        chosen, weights = self.gate(flat)
        return self.experts(flat, chosen, weights).view_as(x) + self.shared_experts(x)
