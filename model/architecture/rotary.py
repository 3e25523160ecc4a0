"""Rotary position embedding over adjacent channel pairs, as the released weights are laid out."""

import torch
from torch import Tensor


def frequencies(dim: int, step: int, theta: float, device: torch.device) -> Tensor:
    """Return ``theta ** (-i / dim)`` for i = 0, step, 2 step, … below ``dim``, in float32.

    Rounded as the released code rounds it, a power and then its inverse: at position 131 072 one
    last bit of a frequency is an angle of 0.004.
    """
    exponents = torch.arange(0, dim, step, device=device, dtype=torch.float32) / dim
    return 1.0 / theta**exponents


def cos_sin(angles: Tensor) -> Tensor:
    """Stack cosine and sine of ``(...)`` angles to ``(..., 2)``."""
    return torch.stack((angles.cos(), angles.sin()), dim=-1)


def rotate_pairs(x: Tensor, table: Tensor) -> Tensor:
    """Rotate pairs (2j, 2j + 1) of ``(..., dim)`` by a table that broadcasts to ``(..., dim / 2, 2)``.

    Computed in float32; the result has the dtype of ``x``.
    """
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = table.unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2).to(x.dtype)
