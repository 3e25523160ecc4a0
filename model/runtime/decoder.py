"""Where each sequence decodes: in a pool on a GPU that can record steps, else in blocks row by row."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial

from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.cache import LatentCache
from model.runtime.capture import captured
from model.runtime.memory import is_out_of_memory
from model.runtime.pool import POOL_CAPACITIES, DecodePool
from model.runtime.steps import DECODE_ROWS, DecodeBlock, absorbed_weights

_log = logging.getLogger(__name__)


class Decoder:
    """One model's blocks and pools. ``pooled`` says whether to use pools; they are made as they are needed."""

    def __init__(self, model: KimiVL, *, pooled: bool) -> None:
        self._model = model
        self._pooled = pooled
        self._absorbed = absorbed_weights(model)
        self._block = DecodeBlock(model, DECODE_ROWS, self._absorbed)
        self._pools: list[DecodePool] = []

    def make_room(self, cache: LatentCache, limit: int) -> None:
        """Make room for one more token, in the memory where the sequence decodes at that length.

        Only the length decides where, so that the same sequence always decodes alike. ``limit`` is the
        most positions it can reach.
        """
        tokens = cache.length + 1
        capacity = next((capacity for capacity in POOL_CAPACITIES if capacity >= tokens), None)
        if self._pooled and capacity is not None:
            old = self._pool_of(cache)
            if old is not None and old.capacity == capacity:
                return
            try:
                self._free_pool(capacity).take_in(cache)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._give_up_pools(error)
            else:
                if old is not None:
                    old.let_go(cache)
                return
        cache.reserve(tokens, limit)
        if capacity is None and (old := self._pool_of(cache)) is not None:
            old.let_go(cache)

    def split(self, caches: Sequence[LatentCache]) -> Iterator[list[int]]:
        """Yield which sequences decode together, as places in ``caches``: at most `DECODE_ROWS` at a time."""
        pools = [self._pool_of(cache) if self._pooled else None for cache in caches]
        for pool in (None, *self._pools):
            together = [place for place, its_pool in enumerate(pools) if its_pool is pool]
            for start in range(0, len(together), DECODE_ROWS):
                yield together[start : start + DECODE_ROWS]

    def step(self, caches: Sequence[LatentCache], token_ids: Sequence[int]) -> Tensor:
        """Feed one token to each of some sequences that decode together; row i of the logits is ``caches[i]``'s."""
        pool = self._pool_of(caches[0]) if self._pooled else None
        if pool is None:
            return self._block.step(caches, token_ids)
        try:
            return pool.step(caches, token_ids)
        except Exception as error:
            if pool.proven or is_out_of_memory(error):
                raise
            self._give_up_pools(error)
        # A seat is a sequence's memory like any other, so the block goes on where the pool stopped.
        return self._block.step(caches, token_ids)

    def free(self) -> None:
        """Give back the memory of pools that nobody sits in."""
        self._pools = [pool for pool in self._pools if not pool.empty]

    def _pool_of(self, cache: LatentCache) -> DecodePool | None:
        return next((pool for pool in self._pools if cache in pool), None)

    def _free_pool(self, capacity: int) -> DecodePool:
        for pool in self._pools:
            if pool.capacity == capacity and not pool.full:
                return pool
        device = self._model.device
        repeat = partial(captured, device=device) if device.type == "cuda" else lambda step: step
        self._pools.append(DecodePool(self._model, capacity, DECODE_ROWS, self._absorbed, repeat))
        return self._pools[-1]

    def _give_up_pools(self, error: Exception) -> None:
        _log.warning("decoding row by row from here on: %s: %s", type(error).__name__, error)
        self._pooled = False
