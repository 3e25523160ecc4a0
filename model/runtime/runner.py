"""Requests on the model, piece by piece: reuse, encode, prefill, decode, and what happens when memory runs out.

Knows nothing of threads; `Scheduler` decides whose turn it is.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.architecture.vision import Grid
from model.cache import CachedSegment, FeatureCache, LatentCache, SegmentCache
from model.errors import ModelError, ResourceError
from model.runtime import memory
from model.runtime.prompt import PromptImage, Segment
from model.runtime.request import Request
from model.runtime.steps import DecodeBlock, encode_image, logits, new_cache, prefill
from model.sampling import choose

_FIRST_TOKENS = 256
"""Tokens of an answer that a new cache has room for; it grows for longer ones."""

T = TypeVar("T")


class Runner:
    """A model, its two caches and its decoding block. ``forbidden_ids`` are never chosen."""

    def __init__(
        self, model: KimiVL, forbidden_ids: Sequence[int], features: FeatureCache, segments: SegmentCache
    ) -> None:
        self.features = features
        self.segments = segments
        self._model = model
        self._forbidden = torch.tensor(list(forbidden_ids), dtype=torch.long, device=model.device)
        self._block: DecodeBlock | None = None

    def prefill_piece(self, request: Request) -> None:
        """Do the next piece of a request's prefill: one picture, or one segment and, behind the last, the first token.

        Afterwards the request has ended, or has a token and decodes, or wants another piece.
        """
        begun = time.perf_counter()
        self._attempt([request], self._next_piece)
        request.times.prefilling += time.perf_counter() - begun
        self._settle(request)

    def decode(self, requests: Sequence[Request]) -> None:
        """Add one token to each of up to `DECODE_ROWS` requests."""
        for request in requests:
            self._attempt([request], self._make_room)
        running = [request for request in requests if not request.ended]
        if running:
            self._attempt(running, self._next_tokens)
        for request in running:
            self._settle(request)

    def end(self, request: Request) -> None:
        """Send off a request that has its ``finish``."""
        assert request.finish  # noqa: S101 - set by whoever decided that it is over
        peak = memory.peak_bytes(self._model.device)
        if error := _caught(partial(request.end, request.finish), peak):
            request.fail(_failure(error))

    def _settle(self, request: Request) -> None:
        if request.finish and not request.ended:
            self.end(request)

    def _next_piece(self, requests: Sequence[Request]) -> None:
        (request,) = requests
        prompt = request.prompt
        if request.cache is None:
            self._begin(request)
        if request.segments_done < len(prompt.segments):
            segment = prompt.segments[request.segments_done]
            waiting = [prompt.images[part.image] for part in segment.images]
            waiting = [image for image in waiting if image.features is None]
            if waiting:
                self._encode(request, waiting[0])
                return
            self._prefill(request, segment)
        if request.segments_done == len(prompt.segments):
            request.forget_pictures()
            assert request.hidden is not None  # noqa: S101 - a prompt has at least one segment
            self._choose([request], logits(self._model, request.hidden))

    def _begin(self, request: Request) -> None:
        """Make the request's cache and fill it with what is known of its prompt."""
        prompt = request.prompt
        cache = new_cache(self._model, len(prompt.token_ids) + min(request.token_limit, _FIRST_TOKENS))
        known = self.segments.longest([segment.key for segment in prompt.segments])
        for segment in known:
            cache.copy_in(segment.latents)
        request.cached_tokens = cache.length
        request.segments_done = len(known)
        request.hidden = known[-1].hidden if known else None
        request.cache = cache

    def _encode(self, request: Request, image: PromptImage) -> None:
        image.features = self.features.get(image.key)
        if image.features is not None:
            return
        # A picture that was known when the prompt was made brings features; one that repeats, the first's patches.
        twins = [other for other in request.prompt.images if other.key == image.key]
        patches = next(twin.patches for twin in twins if twin.patches is not None)
        features = encode_image(self._model, torch.from_numpy(patches), Grid(*image.grid))
        request.images_encoded += 1
        self.features.put(image.key, features)
        for twin in twins:
            twin.features, twin.patches = features, None

    def _prefill(self, request: Request, segment: Segment) -> None:
        assert request.cache is not None  # noqa: S101 - made by `_begin`
        prompt = request.prompt
        parts = [_rows(prompt.images[part.image], part.start, part.stop) for part in segment.images]
        token_ids = torch.tensor(prompt.token_ids[segment.start : segment.stop], device=self._model.device)
        request.cache.rewind(segment.start)
        request.hidden = prefill(self._model, request.cache, token_ids, torch.cat(parts) if parts else None)
        request.segments_done += 1
        self.segments.put(segment.key, CachedSegment.of(request.cache, segment.start, request.hidden))

    def _make_room(self, requests: Sequence[Request]) -> None:
        (request,) = requests
        assert request.cache is not None  # noqa: S101 - made by `_begin`
        request.cache.reserve(request.cache.length + 1, len(request.prompt.token_ids) + request.token_limit)

    def _next_tokens(self, requests: Sequence[Request]) -> None:
        if self._block is None:
            self._block = DecodeBlock(self._model)
        caches: list[LatentCache] = []
        for request in requests:
            assert request.cache is not None  # noqa: S101 - made by `_begin`
            # Where it stands already, unless memory ran out half-way and this is the second attempt.
            request.cache.rewind(len(request.prompt.token_ids) + len(request.token_ids) - 1)
            caches.append(request.cache)
        self._choose(requests, self._block.step(caches, [request.token_ids[-1] for request in requests]))

    def _choose(self, requests: Sequence[Request], scores: Tensor) -> None:
        scores.index_fill_(-1, self._forbidden, -torch.inf)
        tokens = choose(scores, [request.sampler for request in requests])
        for request, token in zip(requests, tokens, strict=True):
            if token is None:
                request.fail(
                    ModelError(
                        "the model's scores are not numbers",
                        why=f"the weights are damaged, or {self._model.dtype} is too narrow for them",
                        remedy="load the model as bfloat16 or float32, or download the checkpoint again",
                    )
                )
            elif error := _caught(request.accept, token):
                request.fail(_failure(error))

    def _attempt(self, requests: Sequence[Request], work: Callable[[Sequence[Request]], None]) -> None:
        """Do some work; when it fails, fail the requests involved and nothing else.

        When memory runs out the caches are emptied and the work is repeated once; then the newest
        request gives way.
        """
        error = _caught(work, requests)
        if error is not None and memory.is_out_of_memory(error):
            self._free()
            error = _caught(work, requests)
        if error is None:
            return
        if not memory.is_out_of_memory(error):
            for request in requests:
                request.fail(_failure(error))
            return
        request = requests[-1]
        shortage = self._shortage(request)
        shortage.__cause__ = error
        request.fail(shortage)
        self._free()

    def _free(self) -> None:
        self.features.clear()
        self.segments.clear()
        memory.release(self._model.device)

    def _shortage(self, request: Request) -> ResourceError:
        prompt = request.prompt
        return memory.shortage(
            self._model.config,
            self._model.dtype,
            self._model.device,
            len(prompt.token_ids) + request.token_limit,
            max(segment.stop - segment.start for segment in prompt.segments),
            max((image.tokens * 4 for image in prompt.images), default=0),
        )


def _rows(image: PromptImage, start: int, stop: int) -> Tensor:
    assert image.features is not None  # noqa: S101 - encoded before its segment is prefilled
    return image.features[start:stop]


def _caught(work: Callable[[T], None], argument: T) -> Exception | None:
    """Return what a piece of work raises, without the tensors that its frames would keep alive."""
    try:
        work(argument)
    except Exception as error:  # noqa: BLE001 - the border: whatever goes wrong belongs to the request, not the thread
        link: BaseException | None = error
        while link is not None:
            traceback.clear_frames(link.__traceback__)
            link = link.__cause__ or link.__context__
        return error
    return None


def _failure(error: Exception) -> ModelError:
    """Wrap an error for one request; several may fail for one reason, each with an exception of its own."""
    failure = ModelError("the answer failed", why=f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
