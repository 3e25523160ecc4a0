"""MoonViT: a native-resolution vision transformer over packed patches of several images.

Kimi-VL technical report (arXiv 2504.07491), section 2.1; tensor names of the released checkpoints.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture.linear import Linear
from model.architecture.rotary import cos_sin, frequencies, rotate_pairs
from model.config import VisionConfig

ROPE_THETA = 10_000.0
LAYER_NORM_EPS = 1e-5


class Grid(NamedTuple):
    """An image's size in patches; both even."""

    height: int
    width: int

    @property
    def patches(self) -> int:
        """Patches before merging."""
        return self.height * self.width

    @property
    def tokens(self) -> int:
        """Image tokens after the 2 × 2 merge."""
        return self.patches // 4


class PositionEmbedding(nn.Module):
    """A learned table over rows and columns, bicubically interpolated to each image's grid."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        shape = (config.init_pos_emb_height, config.init_pos_emb_width, config.hidden_size)
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, grid: Grid) -> Tensor:
        """Return ``(patches, hidden)`` for one grid, row by row."""
        if (grid.height, grid.width) == self.weight.shape[:2]:
            return self.weight.flatten(0, 1)
        table = self.weight.permute(2, 0, 1).unsqueeze(0)
        sized = F.interpolate(table, size=(grid.height, grid.width), mode="bicubic")
        return sized.squeeze(0).permute(1, 2, 0).flatten(0, 1)


class PatchEmbedding(nn.Module):
    """Project each 14 × 14 patch and add its position."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.hidden_size, config.patch_size, config.patch_size)
        self.pos_emb = PositionEmbedding(config)

    def forward(self, patches: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Embed packed patches ``(L, 3, p, p)`` to ``(L, hidden)``.

        Each patch meets the kernel exactly once, so the convolution is one matrix product.
        """
        flat = F.linear(patches.flatten(1), self.proj.weight.flatten(1), self.proj.bias)
        tables = {grid: self.pos_emb(grid) for grid in set(grids)}
        return flat + torch.cat([tables[grid] for grid in grids])


def rotation_table(grids: Sequence[Grid], head_dim: int, device: torch.device) -> Tensor:
    """Return the 2-D rotary angles as ``(L, head_dim / 2, 2)`` cosines and sines in float32.

    Channel pairs alternate: the even pairs turn with the column, the odd ones with the row, both
    at frequencies ``theta ** (-4 i / head_dim)``. Positions are patch indices within the image.
    """
    turns = frequencies(head_dim, 4, ROPE_THETA, device)
    parts: list[Tensor] = []
    for grid in grids:
        rows = torch.arange(grid.height, device=device, dtype=torch.float32)
        columns = torch.arange(grid.width, device=device, dtype=torch.float32)
        by_column = (columns[:, None] * turns).expand(grid.height, -1, -1)
        by_row = (rows[:, None] * turns)[:, None].expand(-1, grid.width, -1)
        parts.append(torch.stack((by_column, by_row), dim=-1).flatten(2).flatten(0, 1))
    return cos_sin(torch.cat(parts))


class VisionMLP(nn.Module):
    """Two linears with the tanh approximation of GELU between them."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.fc0 = Linear(config.hidden_size, config.intermediate_size)
        self.fc1 = Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Apply to ``(L, hidden)``."""
        return self.fc1(F.gelu(self.fc0(x), approximate="tanh"))


class VisionBlock(nn.Module):
    """A pre-norm block with full attention within each image."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.norm0 = nn.LayerNorm(config.hidden_size, LAYER_NORM_EPS)
        self.norm1 = nn.LayerNorm(config.hidden_size, LAYER_NORM_EPS)
        self.wqkv = Linear(config.hidden_size, 3 * config.hidden_size)
        self.wo = Linear(config.hidden_size, config.hidden_size)
        self.mlp = VisionMLP(config)

    def forward(self, x: Tensor, rotation: Tensor, lengths: Sequence[int]) -> Tensor:
        """Apply to packed ``(L, hidden)``, attending within runs of ``lengths`` patches."""
        q, k, v = self.wqkv(self.norm0(x)).unflatten(-1, (3, self.heads, -1)).unbind(1)
        over_heads = rotation.unsqueeze(-3)
        attended = attend_within(rotate_pairs(q, over_heads), rotate_pairs(k, over_heads), v, lengths)
        x = x + self.wo(attended)
        return x + self.mlp(self.norm1(x))


def attend_within(q: Tensor, k: Tensor, v: Tensor, lengths: Sequence[int]) -> Tensor:
    """Attend fully within each run of a packed ``(L, heads, head_dim)``; return ``(L, heads * head_dim)``.

    Runs of one length go through one call. Nothing is shared between images, which the family's
    eager attention gets wrong for more than one image.
    """
    if len(set(lengths)) == 1:
        count = len(lengths)
        q, k, v = (t.unflatten(0, (count, -1)).transpose(1, 2) for t in (q, k, v))
        out = F.scaled_dot_product_attention(q, k, v)
        return out.transpose(1, 2).flatten(0, 1).flatten(1)
    runs = zip(*(t.split(list(lengths)) for t in (q, k, v)), lengths, strict=True)
    return torch.cat([attend_within(q, k, v, [length]) for q, k, v, length in runs])


class VisionEncoder(nn.Module):
    """The stack of blocks and the final norm."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.blocks = nn.ModuleList(VisionBlock(config) for _ in range(config.num_hidden_layers))
        self.final_layernorm = nn.LayerNorm(config.hidden_size, LAYER_NORM_EPS)

    def forward(self, x: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Encode packed ``(L, hidden)``."""
        rotation = rotation_table(grids, self.head_dim, x.device)
        lengths = [grid.patches for grid in grids]
        for block in self.blocks:
            x = block(x, rotation, lengths)
        return self.final_layernorm(x)


def merge_patches(x: Tensor, grids: Sequence[Grid]) -> Tensor:
    """Gather 2 × 2 neighbours: packed ``(L, D)`` to ``(L / 4, 4, D)``, groups row by row."""
    merged: list[Tensor] = []
    for part, grid in zip(x.split([grid.patches for grid in grids]), grids, strict=True):
        blocks = part.view(grid.height // 2, 2, grid.width // 2, 2, -1)
        merged.append(blocks.permute(0, 2, 1, 3, 4).flatten(0, 1).flatten(1, 2))
    return torch.cat(merged)


class MoonViT(nn.Module):
    """Patches of several images in, groups of four neighbouring features out."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.patch_embed = PatchEmbedding(config)
        self.encoder = VisionEncoder(config)

    def forward(self, patches: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Encode packed patches ``(L, 3, p, p)``, any float dtype, to ``(L / 4, 4, hidden)``."""
        patches = patches.to(self.patch_embed.proj.weight.dtype)
        return merge_patches(self.encoder(self.patch_embed(patches, grids), grids), grids)
