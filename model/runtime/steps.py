"""The steps of inference: encode an image, prefill a segment, decode one token for many sequences.

Exactness: a matrix product of few rows can differ in its last bits from the same rows inside a
larger one. So a segment is always prefilled alone, its shape given by its own prompt, and decoding
always runs blocks of one fixed height with attention row by row, or all of it row by row
(`model.runtime.rows`). A token's bits therefore depend
on its own sequence only, whoever shares the block.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from model.architecture.attention import LatentAttention
from model.architecture.experts import ROW_BLOCK
from model.architecture.kimi_vl import KimiVL
from model.architecture.language import Attend
from model.architecture.vision import Grid
from model.cache import LatentCache
from model.runtime.rows import RowDecoder, decodes_in_rows

DECODE_ROWS = ROW_BLOCK
"""Rows of a decoding block: with as many as an expert's rows are padded to, an expert's product has one
shape too, whether 1 row of the block chose it or all did."""

_MASK_ELEMENTS = 1 << 25
_MIN_QUERY_BLOCK = 64

AbsorbedWeights = list[tuple[Tensor, Tensor]]
"""For each layer the key and value halves of ``kv_b_proj``, see `LatentAttention.absorbed_weights`."""


def new_cache(model: KimiVL, capacity: int) -> LatentCache:
    """Make an empty latent cache for one sequence, in the model's dtype on its device."""
    return LatentCache(model.config.text, capacity, model.device, model.dtype)


def encode_image(model: KimiVL, patches: Tensor, grid: Grid) -> Tensor:
    """Encode one image's patches ``(L, 3, p, p)`` to features ``(L / 4, hidden)``.

    One at a time, so that the features do not depend on what else a request shows.
    """
    return model.encode_images(patches.to(model.device), [grid])[0]


def prefill(model: KimiVL, cache: LatentCache, token_ids: Tensor, features: Tensor | None = None) -> Tensor:
    """Run a segment ``(T,)`` behind what the cache holds, and keep its latents.

    ``features`` ``(n, hidden)`` replace the segment's n media placeholders in order. Returns the
    last position's final hidden state ``(1, hidden)``; `logits` turns it into scores. The cache
    must have room (`LatentCache.reserve`).
    """
    x = model.embed(token_ids, features)
    positions = torch.arange(cache.length, cache.length + x.shape[0], device=x.device)
    hidden = model.language_model.model.last(x, positions, _prefilling(cache))
    cache.advance(x.shape[0])
    return hidden


def _prefilling(cache: LatentCache) -> Attend:
    def attend(layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
        return attend_segment(attention, q, cache.write(layer, latents))

    return attend


def prefill_packed(model: KimiVL, caches: Sequence[LatentCache], tails: Sequence[Sequence[int]], rows: int) -> Tensor:
    """Run short segments without pictures, one of each sequence, in one pass of always ``rows`` positions.

    ``tails[i]`` goes behind what ``caches[i]`` holds; all of them together must fit. Returns each
    one's last final hidden state, ``(n, hidden)``. The shape is the same for one tail and for many, and
    each attends by itself, so a tail's bits do not depend on its company. On an error nothing is kept.
    """
    token_ids = [token for tail in tails for token in tail]
    positions = [cache.length + place for cache, tail in zip(caches, tails, strict=True) for place in range(len(tail))]
    ends = list(accumulate(len(tail) for tail in tails))
    spare = rows - len(token_ids)
    packed = torch.tensor([token_ids + token_ids[:1] * spare, positions + positions[:1] * spare], device=model.device)
    spans = list(zip(caches, [0, *ends], ends, strict=False))
    hidden = model.language_model.model(model.language_model.embed(packed[0]), packed[1], _prefilling_packed(spans))
    for cache, tail in zip(caches, tails, strict=True):
        cache.advance(len(tail))
    return hidden[torch.tensor(ends, device=hidden.device) - 1]


def _prefilling_packed(spans: Sequence[tuple[LatentCache, int, int]]) -> Attend:
    def attend(layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
        out = q.new_zeros(q.shape[0], attention.heads * attention.v_dim)
        for cache, start, stop in spans:
            # Copied, so that the tail is aligned in memory alike wherever it stands in the pack.
            out[start:stop] = _attended(attention, q[start:stop].clone(), cache.write(layer, latents[start:stop]))
        return attention.o_proj(out)

    return attend


def attend_segment(attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
    """Attend queries ``(T, heads, d)``, the last T of the S positions, over ``(S, latent)``.

    Returns ``(T, hidden)``. Expanded, with queries in blocks, so that no mask or score matrix of T × S
    exists for a long context; absorbed for so few queries on a CPU that rebuilding the keys would cost more.
    """
    if q.device.type == "cpu" and _absorbing_pays(attention, q.shape[0], latents.shape[0]):
        return _attend_absorbed(attention, q, latents)
    return attention.o_proj(_attended(attention, q, latents))


def _absorbing_pays(attention: LatentAttention, queries: int, positions: int) -> bool:
    """Compare the multiplications of both ways to attend, both without regard to what a mask saves."""
    rank, rope, both = attention.rank, attention.rope_dim, attention.nope_dim + attention.v_dim
    expanded = positions * rank * both + queries * positions * (both + rope)
    absorbed = queries * rank * both + queries * positions * (2 * rank + rope)
    return absorbed < expanded


def _attend_absorbed(attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
    """Do `attend_segment` in one product over the latents themselves."""
    w_uk, w_uv = attention.absorbed_weights()
    folded = attention.absorb(q, w_uk).transpose(0, 1)
    scores = (folded.float() @ latents.float().mT) * attention.scale
    length, total = scores.shape[-2:]
    if length > 1:
        unseen = torch.ones(length, total, dtype=torch.bool, device=q.device).triu_(total - length + 1)
        scores = scores.masked_fill(unseen, -torch.inf)
    attended = scores.softmax(-1).to(latents.dtype) @ latents[:, : attention.rank]
    return attention.unabsorb(attended.transpose(0, 1), w_uv)


def _attended(attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
    """Do `attend_segment` up to the output projection: ``(T, heads * v)``."""
    k, v = attention.expand(latents)
    # Values as wide as the keys let the fused CPU kernel run: no score matrix, and 3 times as fast.
    v = F.pad(v, (0, k.shape[-1] - v.shape[-1]))
    q, k, v = (t.transpose(0, 1).unsqueeze(0) for t in (q, k, v))
    length, total = q.shape[2], k.shape[2]
    block = max(_MIN_QUERY_BLOCK, _MASK_ELEMENTS // total)
    outputs: list[Tensor] = []
    for start in range(0, length, block):
        part = q[:, :, start : start + block]
        seen = total - length + start + part.shape[2]
        mask = None
        if seen != part.shape[2]:
            mask = torch.ones(part.shape[2], seen, dtype=torch.bool, device=q.device).tril_(seen - part.shape[2])
        outputs.append(
            F.scaled_dot_product_attention(
                part, k[:, :, :seen], v[:, :, :seen], mask, is_causal=mask is None, scale=attention.scale
            )
        )
    out = torch.cat(outputs, dim=2)[0, :, :, : attention.v_dim]
    return out.transpose(0, 1).flatten(1)


def logits(model: KimiVL, hidden: Tensor) -> Tensor:
    """Return float32 scores ``(n, vocabulary)`` for final hidden states ``(n, hidden)``."""
    return model.language_model.lm_head(hidden).float()


class DecodeBlock:
    """A fixed number of rows that decode together, with buffers that stay where they are.

    Rows without a sequence repeat the first one, which costs no further expert. What a CUDA graph
    needs is in place: one shape, static inputs, no read-back inside the step. On a CPU a small network
    computes each row by itself instead.
    """

    def __init__(self, model: KimiVL, rows: int = DECODE_ROWS, absorbed: AbsorbedWeights | None = None) -> None:
        self.rows = rows
        self._model = model
        self._single = RowDecoder(model) if decodes_in_rows(model) else None
        self._absorbed = absorbed or absorbed_weights(model)
        self._token_ids = torch.zeros(rows, dtype=torch.long, device=model.device)
        self._positions = torch.zeros(rows, dtype=torch.long, device=model.device)

    def step(self, caches: Sequence[LatentCache], token_ids: Sequence[int]) -> Tensor:
        """Feed one token to each of up to ``rows`` sequences; return their float32 logits ``(n, vocabulary)``.

        Row i belongs to ``caches[i]``, which must have room for one more token. On an error nothing is
        kept, so the step can be repeated.
        """
        if self._single is not None:
            return self._single.step(caches, token_ids)
        spare = self.rows - len(caches)
        lengths = [cache.length for cache in caches]
        self._token_ids.copy_(torch.tensor([*token_ids, *[token_ids[0]] * spare]), non_blocking=True)
        self._positions.copy_(torch.tensor([*lengths, *lengths[:1] * spare]), non_blocking=True)
        language = self._model.language_model
        hidden = language.model(language.embed(self._token_ids), self._positions, self._decoding(caches))
        scores = logits(self._model, hidden)
        for cache in caches:
            cache.advance(1)
        return scores[: len(caches)]

    def _decoding(self, caches: Sequence[LatentCache]) -> Attend:
        def attend(layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
            w_uk, w_uv = self._absorbed[layer]
            folded = attention.absorb(q, w_uk)
            # A row is copied so that its product is aligned in memory alike in every place of the block.
            attended = [
                attention.attend_latents(folded[row].clone(), cache.write(layer, latents[row : row + 1]))
                for row, cache in enumerate(caches)
            ]
            attended += attended[:1] * (self.rows - len(caches))
            return attention.unabsorb(torch.stack(attended), w_uv)

        return attend


def absorbed_weights(model: KimiVL) -> AbsorbedWeights:
    """Prepare decoding's key and value weights: views of dense weights, expanded copies of quantised ones."""
    return [layer.self_attn.absorbed_weights() for layer in model.language_model.layers]


def decode_step(model: KimiVL, caches: Sequence[LatentCache], token_ids: Sequence[int]) -> Tensor:
    """Feed one token to each sequence, in as many blocks as that takes; return logits ``(n, vocabulary)``.

    For a single call; an engine keeps its `DecodeBlock`.
    """
    block = DecodeBlock(model)
    parts = [
        block.step(caches[start : start + block.rows], token_ids[start : start + block.rows])
        for start in range(0, len(caches), block.rows)
    ]
    return torch.cat(parts)
