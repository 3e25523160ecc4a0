"""What is kept between tokens and between requests: latents, prefilled segments, image features.

A sequence's own latents live in a `LatentCache`. Two stores outlive the request, both bounded in
bytes and emptied least recently used first: prefilled segments (`SegmentCache`) and image features
(`FeatureCache`). Only what prefill computed is ever shared, never what decoding wrote, so a hit
gives the same bits as computing again.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

from model.config import TextConfig

SEGMENT_TOKENS = 2048
"""The longest run of a prompt that is prefilled in one go."""

CAPACITY_STEP = 64
"""Tokens a cache's capacity is rounded up to; keeps every layer's block aligned to 64 bytes."""


def latent_bytes(config: TextConfig, tokens: int, dtype: torch.dtype) -> int:
    """Return the bytes that ``tokens`` take in the latent cache of all layers."""
    return tokens * config.latent_dim * config.num_hidden_layers * dtype.itemsize


class LatentCache:
    """The latents of one sequence in every layer, in one block of ``(layers, capacity, latent)``.

    A sequence has a block of its own, so what attention reads for it depends on its own length
    only. Its address changes with `reserve` and `move_to` alone.
    """

    def __init__(self, config: TextConfig, capacity: int, device: torch.device, dtype: torch.dtype) -> None:
        self.length = 0
        self._block = torch.empty(
            config.num_hidden_layers, _rounded(capacity), config.latent_dim, device=device, dtype=dtype
        )

    @property
    def capacity(self) -> int:
        """Tokens that fit before `reserve` is needed."""
        return self._block.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes held, filled or not."""
        return self._block.nbytes

    def reserve(self, tokens: int, limit: int) -> None:
        """Make room for ``tokens`` in all, at least doubling up to ``limit`` so that growing stays cheap."""
        if tokens <= self.capacity:
            return
        layers, capacity, width = self._block.shape
        grown = self._block.new_empty(layers, _rounded(max(tokens, min(2 * capacity, limit))), width)
        grown[:, : self.length] = self._block[:, : self.length]
        self._block = grown

    def move_to(self, block: Tensor) -> None:
        """Carry on in ``block`` ``(layers, capacity, latent)``, memory of someone else's, which is wiped first."""
        block.zero_()
        block[:, : self.length] = self._block[:, : self.length]
        self._block = block

    def write(self, layer: int, latents: Tensor) -> Tensor:
        """Put ``(n, latent)`` behind the kept tokens of one layer; return all ``(length + n, latent)``.

        The tokens count as kept only after `advance`, so a step that fails half-way can be repeated.
        """
        end = self.length + latents.shape[0]
        self._block[layer, self.length : end] = latents
        return self._block[layer, :end]

    def advance(self, tokens: int) -> None:
        """Keep ``tokens`` that have been written in every layer."""
        self.length += tokens

    def rewind(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        self.length = min(self.length, length)

    def copy_out(self, start: int) -> Tensor:
        """Copy the kept latents from position ``start`` on: ``(layers, n, latent)``."""
        return self._block[:, start : self.length].clone()

    def copy_in(self, latents: Tensor) -> None:
        """Append and keep ``(layers, n, latent)`` that `copy_out` returned for the same positions."""
        end = self.length + latents.shape[1]
        self._block[:, self.length : end] = latents
        self.length = end


def _rounded(tokens: int) -> int:
    return -(-tokens // CAPACITY_STEP) * CAPACITY_STEP


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


V = TypeVar("V", bound=_Sized)


class ByteLRU(Generic[V]):
    """A mapping bounded in bytes that forgets the least recently used entries. Safe between threads."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._entries: OrderedDict[str, V] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> V | None:
        """Return an entry and count it as used, or None."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: str, value: V) -> None:
        """Keep an entry, forgetting older ones for it; one that is larger than the limit is not kept."""
        with self._lock:
            self._drop(key)
            if value.nbytes > self.limit_bytes:
                return
            self._entries[key] = value
            self._bytes += value.nbytes
            while self._bytes > self.limit_bytes:
                self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _drop(self, key: str) -> None:
        if key in self._entries:
            self._bytes -= self._entries.pop(key).nbytes


class FeatureCache(ByteLRU[Tensor]):
    """Image features ``(tokens, hidden)`` by what was encoded: the picture's content and its size in patches."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedSegment:
    """A prefilled run of a prompt: its latents and the last position's final hidden state ``(1, hidden)``.

    The hidden state lets a prompt that is cached to its end be answered without running anything.
    """

    latents: Tensor
    hidden: Tensor

    @property
    def tokens(self) -> int:
        """Positions covered."""
        return self.latents.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.latents.nbytes + self.hidden.nbytes

    @classmethod
    def of(cls, cache: LatentCache, start: int, hidden: Tensor) -> Self:
        """Copy what has just been prefilled from position ``start`` on."""
        return cls(cache.copy_out(start), hidden)


class SegmentCache(ByteLRU[CachedSegment]):
    """Prefilled segments by the hash chain of everything from the prompt's start to the segment's end."""

    def longest(self, keys: Sequence[str]) -> list[CachedSegment]:
        """Return the cached segments of the longest known beginning of a prompt's ``keys``.

        A segment is of use only behind the ones before it, so those count as used after it.
        """
        found: list[CachedSegment] = []
        for key in keys:
            segment = self.get(key)
            if segment is None:
                break
            found.append(segment)
        for key in reversed(keys[: len(found)]):
            self.get(key)
        return found
