"""Decoding with one shape on a GPU: sequences side by side in one block of memory, attended in one product.

`DecodeBlock` attends row by row, ten launches a row and layer, and on a GPU a launch takes longer than its
work. In a pool all rows attend at once over its whole capacity, what lies behind a row's end masked. Every
product has the pool's shape whoever sits in it, and which capacity a sequence sits in follows from its own
length, so a row's bits still depend on its own sequence only. Nothing is allocated or read back between
the inputs and the scores but what a CUDA graph may hold (`model.runtime.capture`).
"""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from model.architecture.attention import LatentAttention
from model.architecture.experts import Experts, MixtureOfExperts, can_group
from model.architecture.kimi_vl import KimiVL
from model.cache import LatentCache
from model.runtime.steps import DECODE_ROWS, AbsorbedWeights, absorbed_weights, logits

POOL_CAPACITIES = (1024, 2048, 4096, 8192)
"""Positions a seat may have, smallest that fits first; a longer sequence decodes by itself, row by row."""

Repeatable = Callable[[], Tensor]
"""A computation on tensors that stay where they are; its result may be overwritten by the next call."""


def has_static_steps(model: KimiVL) -> bool:
    """Say whether a step of the network runs without reading anything back from the device."""
    language = model.language_model
    blocks = [layer.mlp for layer in language.layers if isinstance(layer.mlp, MixtureOfExperts)]
    return (
        can_group(language.model.norm.weight)
        and language.model.embed_tokens.weight.is_cuda
        and all(isinstance(block.experts, Experts) for block in blocks)
    )


class DecodePool:
    """Seats for ``rows`` sequences of up to ``capacity`` positions that decode together.

    ``repeat`` may turn the step, once its inputs are there, into something faster with the same result.
    """

    def __init__(
        self,
        model: KimiVL,
        capacity: int,
        rows: int = DECODE_ROWS,
        absorbed: AbsorbedWeights | None = None,
        repeat: Callable[[Repeatable], Repeatable] = lambda step: step,
    ) -> None:
        text = model.config.text
        self.rows = rows
        self.capacity = capacity
        self._model = model
        self._absorbed = absorbed or absorbed_weights(model)
        self._repeat = repeat
        self._faster: Repeatable | None = None
        self.proven = False
        """Whether a step has succeeded."""
        # Zeros: what is masked is multiplied by 0, which must not be a leftover NaN.
        self._latents = torch.zeros(
            text.num_hidden_layers, rows, capacity, text.latent_dim, device=model.device, dtype=model.dtype
        )
        self._places = torch.arange(capacity, device=model.device)
        self._inputs = torch.zeros(4, rows, dtype=torch.long, device=model.device)
        # A request that ends drops its cache, and with it the seat.
        self._seats: WeakKeyDictionary[LatentCache, int] = WeakKeyDictionary()

    def __contains__(self, cache: LatentCache) -> bool:
        return cache in self._seats

    @property
    def full(self) -> bool:
        """Say whether every seat is taken."""
        return len(self._seats) >= self.rows

    @property
    def empty(self) -> bool:
        """Say whether no seat is taken."""
        return not self._seats

    def take_in(self, cache: LatentCache) -> None:
        """Give a sequence that fits a seat, and move its latents there."""
        seat = min(set(range(self.rows)) - set(self._seats.values()))
        cache.move_to(self._latents[:, seat])
        self._seats[cache] = seat

    def let_go(self, cache: LatentCache) -> None:
        """Free the seat of a sequence that has moved on, if it had one."""
        self._seats.pop(cache, None)

    def step(self, caches: Sequence[LatentCache], token_ids: Sequence[int]) -> Tensor:
        """Feed one token to each of some of the seated sequences; return float32 logits ``(rows, vocabulary)``.

        As `DecodeBlock.step`: row i belongs to ``caches[i]``, spare rows repeat row 0, and an error keeps
        nothing. The next step overwrites the logits.
        """
        seats = [self._seats[cache] for cache in caches]
        lengths = [cache.length for cache in caches]
        spare = self.rows - len(caches)
        row_of_seat = [0] * self.rows
        for row, seat in enumerate(seats):
            row_of_seat[seat] = row
        padded = [[*column, *column[:1] * spare] for column in ([*token_ids], lengths, seats)]
        self._inputs.copy_(torch.tensor([*padded, row_of_seat]), non_blocking=True)
        if not self.proven:
            faster = self._repeat(self._run)
            # Not kept when it is the plain step: a cycle would hold the memory until the next collection.
            self._faster = None if faster == self._run else faster
        scores = (self._faster or self._run)()
        self.proven = True
        for cache in caches:
            cache.advance(1)
        return scores

    def _run(self) -> Tensor:
        token_ids, positions, seat_of_row, row_of_seat = self._inputs.unbind()
        written = seat_of_row * self.capacity + positions
        unseen = (self._places > positions[row_of_seat].unsqueeze(-1)).unsqueeze(1)

        def attend(layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
            w_uk, w_uv = self._absorbed[layer]
            kept = self._latents[layer]
            kept.flatten(0, 1).index_copy_(0, written, latents)
            folded = attention.absorb(q, w_uk)[row_of_seat]
            return attention.unabsorb(attention.attend_pool(folded, kept, unseen)[seat_of_row], w_uv)

        language = self._model.language_model
        return logits(self._model, language.model(language.embed(token_ids), positions, attend))
