"""The rows of a padded batch, taken apart: masks, positions, pictures, and attention over a cache of latents."""

import torch
from torch import Tensor
from transformers import Cache

from model.architecture.attention import LatentAttention
from model.architecture.language import Attend
from model.architecture.vision import Grid
from model.runtime.steps import attend_segment


def padding(attention_mask: Tensor | None, past: int, x: Tensor) -> Tensor | None:
    """Return the mask as booleans ``(B, past + T)``, or None when nothing is padding.

    ``x`` is ``(B, T, …)``. Raises `ValueError` for a mask of another shape.
    """
    if attention_mask is None:
        return None
    total = past + x.shape[1]
    if attention_mask.dim() != 2 or attention_mask.shape[0] != x.shape[0] or attention_mask.shape[1] < total:
        raise ValueError(f"attention_mask is {tuple(attention_mask.shape)}, not {(x.shape[0], total)}")
    mask = attention_mask[:, :total].to(x.device).bool()
    return None if bool(mask.all()) else mask


def positions(mask: Tensor | None, past: int, x: Tensor) -> Tensor:
    """Return the new positions: counted from ``past``, or within each row's real tokens."""
    if mask is None:
        return torch.arange(past, past + x.shape[1], device=x.device)
    return (mask.cumsum(1) - 1).clamp_min(0)[:, past:]


def cached_attention(cache: Cache | None, past: int, mask: Tensor | None) -> Attend:
    """Return how a layer attends: row by row, padding left out, so that no row sees another's.

    ``past`` positions are in the cache already; ``mask`` is `padding`'s.
    """

    def attend(layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
        length = q.shape[1]
        if cache is not None:
            new = latents.unsqueeze(1).split((attention.rank, attention.rope_dim), dim=-1)
            kept = cache.update(new[0], new[1], layer)
            latents = torch.cat(kept, dim=-1).squeeze(1)[:, : past + length]
        rows = range(q.shape[0])
        if length == 1 and latents.shape[1] > 1:
            w_uk, w_uv = attention.absorbed_weights()
            folded = attention.absorb(q.flatten(0, 1), w_uk)
            attended = [attention.attend_latents(folded[row], _valid(latents[row], mask, row)) for row in rows]
            return attention.unabsorb(torch.stack(attended), w_uv).unsqueeze(1)
        if mask is None:
            return torch.stack([attend_segment(attention, q[row], latents[row]) for row in rows])
        out = q.new_zeros(q.shape[0], length, attention.o_proj.out_features)
        for row in rows:
            real = mask[row, past:]
            if real.any():
                out[row, real] = attend_segment(attention, q[row, real], _valid(latents[row], mask, row))
        return out

    return attend


def _valid(latents: Tensor, mask: Tensor | None, row: int) -> Tensor:
    return latents if mask is None else latents[mask[row]]


def repeat_pictures(pixels: Tensor, grids: Tensor, counts: list[int], times: int) -> tuple[Tensor, Tensor]:
    """Repeat each row's pictures as often as the row; ``counts`` are the rows' placeholders."""
    sizes = [Grid(*size) for size in grids.tolist()]
    patches = pixels.split([size.patches for size in sizes])
    chosen: list[int] = []
    image = 0
    for count in counts:
        first = image
        while count > 0 and image < len(sizes):
            count -= sizes[image].tokens
            image += 1
        chosen += list(range(first, image)) * times
    return torch.cat([patches[index] for index in chosen]), grids[chosen]
