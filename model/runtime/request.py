"""One request on its way through the engine: its prompt, its answer's text, its times and its counts."""

import queue
import threading
import time
from dataclasses import dataclass, field

from torch import Tensor

from model.cache import LatentCache
from model.chat import Delta, FinishReason, Usage
from model.errors import ModelError
from model.runtime.prompt import Prompt
from model.sampling import Sampler
from model.template import ThinkingSplitter
from model.text.stop import StopStrings
from model.tokenizer import IncrementalDecoder, Tokenizer


class AnswerText:
    """Token ids in, thinking and answer out: whole characters, markers and stop strings taken off.

    The prefix is the beginning of the text. Stop strings end the answer, not the thinking before it,
    and are looked for only in what the model writes.
    """

    def __init__(self, tokenizer: Tokenizer, stop: tuple[str, ...], prefix: str) -> None:
        self._decoder = IncrementalDecoder(tokenizer)
        self._splitter = ThinkingSplitter()
        self._stops = StopStrings(stop)
        self._ahead = self._splitter.push(prefix)

    @property
    def stopped(self) -> bool:
        """Say whether a stop string has come."""
        return self._stops.hit

    def push(self, token_id: int) -> tuple[str, str]:
        """Return the thinking and the text that a token adds."""
        return self._with_prefix(*self._splitter.push(self._decoder.push(token_id)))

    def flush(self) -> tuple[str, str]:
        """Return what was held back, as the answer has ended."""
        thinking, text = self._splitter.push(self._decoder.flush())
        more_thinking, more_text = self._splitter.flush()
        thinking, text = self._with_prefix(thinking + more_thinking, text + more_text)
        return thinking, text + self._stops.flush()

    def _with_prefix(self, thinking: str, text: str) -> tuple[str, str]:
        (early_thinking, early_text), self._ahead = self._ahead, ("", "")
        return early_thinking + thinking, early_text + self._stops.push(text)[0]


@dataclass(slots=True)
class Times:
    """Moments of a request, in seconds of `time.perf_counter`; 0 for what has not happened."""

    asked: float
    queued: float = 0.0
    started: float = 0.0
    first_token: float = 0.0
    last_token: float = 0.0
    prefilling: float = 0.0


@dataclass(slots=True, eq=False)
class Request:
    """A request's whole state. The worker owns it from queueing on; the caller reads ``deltas`` only.

    ``token_limit`` is the most tokens the answer may have, within the context. ``cancel`` is the
    caller's own event; ``abandoned`` says that nobody reads any more.
    """

    prompt: Prompt
    sampler: Sampler
    text: AnswerText
    token_limit: int
    stop_token_ids: frozenset[int]
    cancel: threading.Event | None
    times: Times
    deltas: queue.SimpleQueue[Delta | ModelError] = field(default_factory=queue.SimpleQueue)
    abandoned: bool = False
    cache: LatentCache | None = None
    segments_done: int = 0
    hidden: Tensor | None = None
    token_ids: list[int] = field(default_factory=list)
    cached_tokens: int = 0
    images_encoded: int = 0
    finish: FinishReason | None = None
    ended: bool = False

    @property
    def cancelled(self) -> bool:
        """Say whether the caller wants no more."""
        return self.abandoned or (self.cancel is not None and self.cancel.is_set())

    def accept(self, token_id: int) -> None:
        """Take the next token of the answer: hand out its text, and set ``finish`` when it is the last."""
        now = time.perf_counter()
        self.times.first_token = self.times.first_token or now
        self.times.last_token = now
        self.token_ids.append(token_id)
        if token_id in self.stop_token_ids:
            self.finish = "stop"
            return
        thinking, text = self.text.push(token_id)
        if thinking or text:
            self.deltas.put(Delta(text, thinking))
        if self.text.stopped:
            self.finish = "stop"
        elif len(self.token_ids) >= self.token_limit:
            self.finish = "length"

    def end(self, finish: FinishReason, peak_memory_bytes: int) -> None:
        """Hand out what was held back, the reason and the statistics, and let go of the memory."""
        self.release()
        thinking, text = self.text.flush()
        self.finish = finish
        self.deltas.put(Delta(text, thinking, finish, self._usage(peak_memory_bytes)))

    def fail(self, error: ModelError) -> None:
        """Hand out an error as the last thing, and let go of the memory."""
        self.release()
        self.deltas.put(error)

    def release(self) -> None:
        """Let go of everything that takes memory; the request is over."""
        self.ended = True
        self.cache = None
        self.hidden = None
        self.forget_pictures()

    def forget_pictures(self) -> None:
        """Let go of pixels and features, which nothing reads once the prompt is prefilled."""
        for image in self.prompt.images:
            image.patches = image.features = None

    def _usage(self, peak_memory_bytes: int) -> Usage:
        times, end = self.times, time.perf_counter()
        decoded = len(self.token_ids) - 1
        decoding_s = times.last_token - times.first_token
        return Usage(
            prompt_tokens=len(self.prompt.token_ids),
            completion_tokens=len(self.token_ids),
            cached_tokens=self.cached_tokens,
            image_tokens=self.prompt.image_tokens,
            images_encoded=self.images_encoded,
            queue_ms=1000 * ((times.started or end) - times.queued),
            prefill_ms=1000 * times.prefilling,
            time_to_first_token_ms=1000 * (times.first_token - times.asked) if times.first_token else 0.0,
            total_ms=1000 * (end - times.asked),
            decode_tokens_per_s=decoded / decoding_s if decoded > 0 and decoding_s > 0 else 0.0,
            peak_memory_bytes=peak_memory_bytes,
        )
