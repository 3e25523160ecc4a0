"""The two-layer projector from vision features to the decoder's width."""

import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture.linear import Linear
from model.architecture.vision import LAYER_NORM_EPS
from model.config import KimiVLConfig


class Projector(nn.Module):
    """Norm each of four neighbours, concatenate them, and project with an exact GELU between."""

    def __init__(self, config: KimiVLConfig) -> None:
        super().__init__()
        width = config.vision.hidden_size * 4
        self.pre_norm = nn.LayerNorm(config.vision.hidden_size, LAYER_NORM_EPS)
        self.linear_1 = Linear(width, width)
        self.linear_2 = Linear(width, config.text.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Project ``(tokens, 4, vision hidden)`` to ``(tokens, text hidden)``."""
        return self.linear_2(F.gelu(self.linear_1(self.pre_norm(x).flatten(1))))
