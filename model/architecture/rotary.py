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
    # One complex product instead of ten strided passes: a third of the vision tower's time on a CPU.
    pairs = torch.view_as_complex(x.float().contiguous().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * torch.view_as_complex(table)).flatten(-2).to(x.dtype)
