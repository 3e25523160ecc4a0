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
from model.runtime.decoder import Decoder
from model.runtime.pool import has_static_steps
from model.runtime.prompt import PromptImage, Segment
from model.runtime.request import Request
from model.runtime.steps import encode_image, logits, new_cache, prefill, prefill_packed
from model.sampling import choose

_FIRST_TOKENS = 256
"""Tokens of an answer that a new cache has room for; it grows for longer ones."""

TAIL_TOKENS = 128
"""The longest segment that is prefilled in a pack with others: a question about a picture, a turn of a chat."""

PACK_ROWS = 512
"""Positions of a pack, always: on a GPU about the work of one position, as any pack reads almost all experts."""

T = TypeVar("T")


class Runner:
    """A model, its two caches and where it decodes. ``forbidden_ids`` are never chosen.

    ``static_shapes`` allows what pays on a GPU only, where a launch costs more than a few rows: short
    segments are prefilled in packs, and decoding goes through pools and CUDA graphs.
    """

    def __init__(
        self,
        model: KimiVL,
        forbidden_ids: Sequence[int],
        features: FeatureCache,
        segments: SegmentCache,
        *,
        static_shapes: bool = True,
    ) -> None:
        self.features = features
        self.segments = segments
        self._model = model
        self._forbidden = torch.tensor(list(forbidden_ids), dtype=torch.long, device=model.device)
        self._static = static_shapes and has_static_steps(model)
        self._decoder: Decoder | None = None

    def prefill_piece(self, request: Request) -> None:
        """Do the next piece of a request's prefill: one picture, or one segment and, behind the last, the first token.

        Afterwards the request has ended, or has a token and decodes, or wants another piece.
        """
        begun = time.perf_counter()
        self._attempt([request], self._next_piece)
        request.times.prefilling += time.perf_counter() - begun
        self._settle(request)

    def joins_pack(self, request: Request, pack: Sequence[Request]) -> bool:
        """Say whether what is left of a request's next piece is short and fits a pack with those of others."""
        if not self._static:
            return False
        if request.cache is None:
            self._attempt([request], self._begin_one)
        tails = [tail for tail in map(_next_segment, (*pack, request)) if tail is not None]
        tokens = sum(tail.stop - tail.start for tail in tails)
        return not request.ended and all(map(self._packs, tails)) and tokens <= PACK_ROWS

    def prefill_pack(self, requests: Sequence[Request]) -> None:
        """Do the next piece of several requests at once; each has said that it joins (`joins_pack`)."""
        begun = time.perf_counter()
        self._attempt(requests, self._next_tails)
        elapsed_s = time.perf_counter() - begun
        for request in requests:
            request.times.prefilling += elapsed_s
            self._settle(request)

    def decode(self, requests: Sequence[Request]) -> None:
        """Add one token to each of any number of requests."""
        if self._decoder is None:
            self._decoder = Decoder(self._model, pooled=self._static)
        for request in requests:
            self._attempt([request], self._make_room)
        running = [request for request in requests if not request.ended]
        for places in list(self._decoder.split([_cache(request) for request in running])):
            together = [running[place] for place in places]
            self._attempt(together, self._next_tokens)
            for request in together:
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
        segment = _next_segment(request)
        if segment is not None:
            waiting = [prompt.images[part.image] for part in segment.images]
            waiting = [image for image in waiting if image.features is None]
            if waiting:
                self._encode(request, waiting[0])
                return
            self._prefill(request, segment)
        self._first_tokens([request])

    def _next_tails(self, requests: Sequence[Request]) -> None:
        waiting: list[tuple[Request, Segment]] = []
        for request in requests:
            segment = _next_segment(request)
            # None on a second attempt, when memory ran out behind the prefill itself.
            if segment is not None:
                waiting.append((request, segment))
                _cache(request).rewind(segment.start)
        if waiting:
            caches = [_cache(request) for request, _ in waiting]
            tails = [request.prompt.token_ids[segment.start : segment.stop] for request, segment in waiting]
            hidden = prefill_packed(self._model, caches, tails, PACK_ROWS)
            for row, (request, segment) in enumerate(waiting):
                self._keep(request, segment, hidden[row : row + 1].clone())
        self._first_tokens(requests)

    def _first_tokens(self, requests: Sequence[Request]) -> None:
        """Choose the first token of those that are prefilled to the end."""
        ready = [request for request in requests if _next_segment(request) is None]
        if not ready:
            return
        scores: list[Tensor] = []
        for request in ready:
            request.forget_pictures()
            assert request.hidden is not None  # noqa: S101 - a prompt has at least one segment
            # One at a time: a product of one row has other bits than that row among several.
            scores.append(logits(self._model, request.hidden))
        self._choose(ready, torch.cat(scores))

    def _begin_one(self, requests: Sequence[Request]) -> None:
        (request,) = requests
        self._begin(request)

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
        cache, prompt = _cache(request), request.prompt
        cache.rewind(segment.start)
        ids = prompt.token_ids[segment.start : segment.stop]
        if self._packs(segment):
            hidden = prefill_packed(self._model, [cache], [ids], PACK_ROWS)
        else:
            parts = [_rows(prompt.images[part.image], part.start, part.stop) for part in segment.images]
            token_ids = torch.tensor(ids, device=self._model.device)
            hidden = prefill(self._model, cache, token_ids, torch.cat(parts) if parts else None)
        self._keep(request, segment, hidden)

    def _packs(self, segment: Segment) -> bool:
        """Say whether a segment is prefilled in packs, alone in one if need be: its own shape alone decides."""
        return self._static and not segment.images and segment.stop - segment.start <= TAIL_TOKENS

    def _keep(self, request: Request, segment: Segment, hidden: Tensor) -> None:
        request.hidden = hidden
        request.segments_done += 1
        self.segments.put(segment.key, CachedSegment.of(_cache(request), segment.start, hidden))

    def _make_room(self, requests: Sequence[Request]) -> None:
        (request,) = requests
        assert self._decoder is not None  # noqa: S101 - made by `decode`
        self._decoder.make_room(_cache(request), len(request.prompt.token_ids) + request.token_limit)

    def _next_tokens(self, requests: Sequence[Request]) -> None:
        assert self._decoder is not None  # noqa: S101 - made by `decode`
        caches = [_cache(request) for request in requests]
        for request, cache in zip(requests, caches, strict=True):
            # Where it stands already, unless memory ran out half-way and this is the second attempt.
            cache.rewind(len(request.prompt.token_ids) + len(request.token_ids) - 1)
        self._choose(requests, self._decoder.step(caches, [request.token_ids[-1] for request in requests]))

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
        if self._decoder is not None:
            self._decoder.free()
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


def _cache(request: Request) -> LatentCache:
    assert request.cache is not None  # noqa: S101 - made by `_begin`, let go when the request ends
    return request.cache


def _next_segment(request: Request) -> Segment | None:
    """Return what of a request's prompt is prefilled next; None behind its end."""
    segments, done = request.prompt.segments, request.segments_done
    return segments[done] if done < len(segments) else None


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
