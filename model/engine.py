"""Kimi-VL in this process: messages in, streamed text out, many requests at once.

`Engine` is the local `ChatModel`. Greedy answers are the same tokens for the same request on the
same machine, whatever runs beside it and whatever is cached.
"""

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from model.architecture.kimi_vl import KimiVL
from model.chat import Capability, Delta, GenerateOptions, Message
from model.checkpoint import inspect, resolve
from model.errors import CheckpointError, InputError, ModelError, ResourceError
from model.estimate import estimate
from model.generation import GenerationDefaults
from model.image import PreprocessConfig
from model.runtime.memory import choose_device, gpu_bytes
from model.runtime.prompt import Prompt, PromptRules, prepare
from model.runtime.request import AnswerText, Request, Times
from model.runtime.scheduler import EngineLimits, EngineStats, Scheduler
from model.sampling import Sampler
from model.text.vocabulary import IM_END, MEDIA_CONTENT, MEDIA_END, MEDIA_PAD, MEDIA_START
from model.tokenizer import Tokenizer
from model.weights import Quantize, load_model

_NEVER_CHOSEN = (MEDIA_START, MEDIA_CONTENT, MEDIA_PAD, MEDIA_END)
ALL_CAPABILITIES: tuple[Capability, ...] = ("chat", "plan", "ground")


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is loaded, where, and what it can do. ``in_token_limit`` counts patches of ``patch_px`` a picture."""

    name: str
    capabilities: tuple[Capability, ...]
    context_tokens: int
    in_token_limit: int
    device: str
    dtype: str
    grounding_prompt: str | None = None
    patch_px: int = 14


class Engine:
    """Answer messages with a model in this process. Safe to use from many threads.

    One thread of its own runs the model, from the first request until `close`. Use it as a context
    manager, or close it.
    """

    def __init__(
        self,
        model: KimiVL,
        tokenizer: Tokenizer,
        preprocess: PreprocessConfig,
        defaults: GenerationDefaults | None = None,
        limits: EngineLimits = EngineLimits(),
        name: str = "model",
        capabilities: Sequence[Capability] = ALL_CAPABILITIES,
        grounding_prompt: str | None = None,
    ) -> None:
        text = model.config.text
        if tokenizer.special(MEDIA_PAD) != model.config.media_placeholder_token_id:
            raise CheckpointError("the tokenizer's placeholder for pictures is not the one in config.json")
        context = min(limits.context_tokens or text.max_position_embeddings, text.max_position_embeddings)
        self.tokenizer = tokenizer
        self.preprocess = preprocess
        self.defaults = defaults or GenerationDefaults(frozenset((text.eos_token_id, tokenizer.special(IM_END))))
        self.info = EngineInfo(
            name,
            tuple(capabilities),
            context,
            preprocess.in_token_limit,
            str(model.device),
            str(model.dtype).removeprefix("torch."),
            grounding_prompt,
            preprocess.patch_size,
        )
        self._rules = PromptRules(tokenizer, preprocess, context, limits.segment_tokens)
        forbidden = [tokenizer.special(name) for name in _NEVER_CHOSEN]
        forbidden += range(min(tokenizer.n_vocab, text.vocab_size), text.vocab_size)
        self._scheduler = Scheduler(model, forbidden, limits)
        # Also runs when the engine is dropped or the interpreter ends without `close`.
        self._finalizer = weakref.finalize(self, self._scheduler.close)

    @classmethod
    def load(
        cls,
        ref: str | Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        quantize: Quantize | None = None,
        offline: bool = False,
        progress: Callable[[int, int], None] | None = None,
        notice: Callable[[str], None] | None = None,
        cancel: threading.Event | None = None,
        limits: EngineLimits = EngineLimits(),
    ) -> Self:
        """Load "builtin", a checkpoint folder or a Hub id, downloading it when needed.

        ``notice`` gets the fits-in-memory estimate before anything is loaded, ``progress`` bytes
        done and bytes in all of the download and then of the loading. Raises `CheckpointError`,
        `DownloadError`, `InputError` for an unknown device, dtype or quantisation, `ResourceError`
        when the weights do not fit, `CancelledByCallerError` soon after ``cancel`` is set. While loading,
        ``progress`` is called from another thread.
        """
        target = choose_device(device)
        info = inspect(resolve(ref, offline=offline, progress=progress, cancel=cancel))
        if notice is not None:
            notice(estimate(info, quantize, target, dtype).line())
        # In a thread that ends, and torch's helpers of that thread with it: were there helpers of two threads,
        # more than there are processors, the engine's would be put to sleep between any two operations.
        stop = cancel or threading.Event()
        with ThreadPoolExecutor(1, "deskhand-load") as loader:
            try:
                model = loader.submit(load_model, info, target, dtype, quantize, progress, stop).result()
            except KeyboardInterrupt:
                stop.set()
                raise
        able: list[Capability] = [capability for capability in ALL_CAPABILITIES if capability in info.capabilities]
        prompt = info.sidecar.grounding_prompt
        tokenizer = Tokenizer.load(info.folder)
        return cls(model, tokenizer, info.preprocess, info.generation, limits, info.name, able, prompt)

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Check and render the request now; queue it when the answer is first asked for, and yield its pieces.

        Setting ``cancel`` ends the answer with finish ``cancelled`` within one step; closing the
        iterator does the same unseen. Raises `InputError` for what cannot be served, `ResourceError`
        when memory runs out or the line is full, `ModelError` when the engine fails or is closed.
        """
        asked = time.perf_counter()
        if options.max_tokens < 1:
            raise InputError(f"max_tokens is {options.max_tokens}", remedy="give at least 1")
        sampler = Sampler.of(options, self.defaults)
        text = AnswerText(self.tokenizer, options.stop, options.prefix)
        prompt = self._prepare(messages, options)
        request = Request(
            prompt=prompt,
            sampler=sampler,
            text=text,
            token_limit=min(options.max_tokens, self.info.context_tokens - len(prompt.token_ids)),
            stop_token_ids=self.defaults.stop_ids,
            cancel=cancel,
            times=Times(asked),
        )
        return self._deltas(request)

    def _prepare(self, messages: Sequence[Message], options: GenerateOptions) -> Prompt:
        known = self._scheduler.features
        try:
            return prepare(messages, self._rules, known, options.prefix, options.image_token_limit)
        except MemoryError as error:
            raise ResourceError("memory ran out while preparing the pictures", remedy="show fewer at once") from error

    def _deltas(self, request: Request) -> Iterator[Delta]:
        self._scheduler.submit(request)
        try:
            while True:
                delta = request.deltas.get()
                if isinstance(delta, ModelError):
                    raise delta
                yield delta
                if delta.finish:
                    return
        finally:
            request.abandoned = True

    def stats(self) -> EngineStats:
        """Say how many requests wait and run, and how many bytes the caches hold."""
        return self._scheduler.stats()

    def gpu_memory(self) -> tuple[int, int] | None:
        """Return the bytes that this process holds of the GPU and those that the GPU has; None on a CPU."""
        return gpu_bytes(torch.device(self.info.device))

    def clear_caches(self) -> None:
        """Forget prefilled segments and picture features; answers stay the same, the next ones cost more."""
        self._scheduler.clear_caches()

    def close(self) -> None:
        """Fail running and waiting requests and end the thread; dropping the engine then frees the model."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
