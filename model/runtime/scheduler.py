"""The one thread that owns the model: admits requests in order, and batches their decoding continuously.

Each turn does one piece of prefill for the request at the head of the line (one picture or one
segment; short segments of those behind it go along where that pays) and one decoding step for all
active ones, so a long prompt never stalls a stream.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.architecture.kimi_vl import KimiVL
from model.cache import SEGMENT_TOKENS, FeatureCache, SegmentCache
from model.errors import ModelError, ResourceError
from model.runtime import memory
from model.runtime.request import Request
from model.runtime.runner import Runner
from model.runtime.steps import DECODE_ROWS

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What an engine may use.

    ``max_active`` requests prefill or decode at once (by default one decoding block), ``max_queued``
    wait behind them. The two caches are bounded in bytes. A prompt and its answer together may take
    ``context_tokens`` (None: all the checkpoint has). At most ``segment_tokens`` are prefilled at
    once: fewer let streams stall less and cancelling act sooner, more compute better.
    ``static_shapes`` turns on what is made for GPUs: packs of short prompts, decoding in pools, CUDA graphs;
    it is off until it has been measured on one. Both ways answer alike up to rounding, and each the same alone and
    in company.
    """

    max_active: int = DECODE_ROWS
    max_queued: int = 256
    segment_cache_bytes: int = 512 * _MIB
    image_cache_bytes: int = 256 * _MIB
    context_tokens: int | None = None
    segment_tokens: int = SEGMENT_TOKENS
    static_shapes: bool = False


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What an engine holds at one moment: requests waiting and running, and bytes in its caches."""

    queued: int
    active: int
    segment_cache_bytes: int
    image_cache_bytes: int


class Scheduler:
    """Run requests on a model from one thread of its own, started by the first of them.

    ``forbidden_ids`` are tokens that are never chosen.
    """

    def __init__(self, model: KimiVL, forbidden_ids: Sequence[int], limits: EngineLimits) -> None:
        self.features = FeatureCache(limits.image_cache_bytes)
        self.segments = SegmentCache(limits.segment_cache_bytes)
        self._device = model.device
        self._runner = Runner(model, forbidden_ids, self.features, self.segments, static_shapes=limits.static_shapes)
        self._max_active = limits.max_active
        self._max_queued = limits.max_queued
        self._wake = threading.Condition()
        self._queue: deque[Request] = deque()
        # In the order they came. Only the thread changes the list.
        self._running: list[Request] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, request: Request) -> None:
        """Put a request at the end of the line; raise `ModelError` when closed, `ResourceError` when it is full."""
        with self._wake:
            if self._closed:
                raise _closed()
            if len(self._queue) >= self._max_queued:
                raise ResourceError(f"{len(self._queue)} requests are waiting already", remedy="try again later")
            if self._thread is None:
                # A daemon, so that an engine nobody closed cannot keep the interpreter from ending.
                thread = threading.Thread(target=self._run, name="deskhand-engine", daemon=True)
                thread.start()
                self._thread = thread
            request.times.queued = time.perf_counter()
            self._queue.append(request)
            self._wake.notify()

    def close(self) -> None:
        """Fail what is running or waiting, end the thread and wait for it."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        # Not from itself: the collector may drop a forgotten engine in any thread.
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def stats(self) -> EngineStats:
        """Say what is held now."""
        with self._wake:
            return EngineStats(len(self._queue), len(self._running), self.segments.nbytes, self.features.nbytes)

    def clear_caches(self) -> None:
        """Forget every prefilled segment and encoded picture."""
        self.segments.clear()
        self.features.clear()

    def _run(self) -> None:
        try:
            with torch.inference_mode():
                while self._await_work():
                    self._turn()
        finally:
            with self._wake:
                self._closed = True
                left = [*self._running, *self._queue]
                self._running = []
                self._queue.clear()
            for request in left:
                request.fail(_closed())
            self.clear_caches()

    def _await_work(self) -> bool:
        with self._wake:
            if not self._running:
                while not (self._queue or self._closed):
                    self._wake.wait()
                memory.reset_peak(self._device)
            return not self._closed

    def _turn(self) -> None:
        self._drop_cancelled()
        self._prefill()
        decoding = [request for request in self._running if request.token_ids and not request.ended]
        if decoding:
            self._runner.decode(decoding)
        self._forget_ended()

    def _prefill(self) -> None:
        pack: list[Request] = []
        request = self._next_to_prefill(pack)
        while request is not None and self._runner.joins_pack(request, pack):
            pack.append(request)
            request = self._next_to_prefill(pack)
        if pack:
            self._runner.prefill_pack(pack)
        elif request is not None and not request.ended:
            self._runner.prefill_piece(request)

    def _drop_cancelled(self) -> None:
        with self._wake:
            cancelled = [request for request in (*self._queue, *self._running) if request.cancelled]
            for request in cancelled:
                if request in self._queue:
                    self._queue.remove(request)
        for request in cancelled:
            request.finish = "cancelled"
            self._runner.end(request)
        self._forget_ended()

    def _next_to_prefill(self, taken: Sequence[Request]) -> Request | None:
        """Return the first request whose prefill has begun, or admit the one that waits longest."""
        for request in self._running:
            if not request.token_ids and not request.ended and request not in taken:
                return request
        with self._wake:
            if not self._queue or len(self._running) >= self._max_active:
                return None
            request = self._queue.popleft()
            self._running.append(request)
        request.times.started = time.perf_counter()
        return request

    def _forget_ended(self) -> None:
        with self._wake:
            self._running = [request for request in self._running if not request.ended]


def _closed() -> ModelError:
    return ModelError("the engine is closed", remedy="load the model again")
