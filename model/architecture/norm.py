"""RMS normalisation in float32, as the decoder uses it everywhere."""

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Scale the last dimension to unit root-mean-square in float32, then by a learned weight."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(..., size)``; the result has the dtype of ``x``."""
        wide = x.float()
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * normed.to(x.dtype)
