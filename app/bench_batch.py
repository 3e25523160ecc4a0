"""What a batch gains: screens a second with one and with many questions each, beside asking one by one."""

import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from agent.batch import Row, ground
from agent.locate import LocateOptions, locate
from model.bench import drawn_screen
from model.chat import ChatModel, Delta, GenerateOptions, Message
from model.engine import Engine
from model.image import open_image

SIZE_PX = (1920, 1080)
ANSWER_TOKENS = 32
"""About what the family's answer takes; random weights never stop by themselves."""

_WORKERS = 48
_CPU_WORKERS = 4
_THINGS = (
    "Save button",
    "search field",
    "third row's check box",
    "menu entry Preferences",
    "close icon",
    "user's name",
)


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """One number of instructions a screen.

    ``alone`` asks one by one with caches emptied before each question, as separate runs of the program would;
    ``in_turn`` asks one by one and keeps the caches. ``ratio`` is batch to alone, ``ratio_in_turn`` batch to
    in turn. ``encoded`` counts how often the batch's engine encoded a picture, ``cached_share`` is the part of
    its prompts' tokens that was not computed again. ``gpu_busy`` is a percentage, None without an NVIDIA GPU.
    """

    instructions: int
    images: int
    images_per_s: float
    questions_per_s: float
    images_per_s_alone: float
    images_per_s_in_turn: float
    ratio: float
    ratio_in_turn: float
    encoded: int
    cached_share: float
    gpu_busy: float | None
    gpu_busy_in_turn: float | None
    resident_bytes: int


def bench_batch(
    engine: Engine,
    *,
    images: int = 16,
    instructions: Sequence[int] = (1, 10),
    budget_s: float = 25.0,
    notice: Callable[[str], None] = lambda _text: None,
) -> list[BatchFigures]:
    """Measure on ``images`` screens of 1920×1080, decoded from PNG files, one look each.

    Asking one by one ends after ``budget_s`` seconds each way, at the end of a screen, and counts what it did.
    """
    generate = GenerateOptions(max_tokens=ANSWER_TOKENS, temperature=0.0)
    options = replace(LocateOptions.of(engine.info, 1), generate=generate)
    with tempfile.TemporaryDirectory(prefix="deskhand-bench-") as folder:
        files = [_draw(Path(folder), number) for number in range(images)]
        warm = [Row.of(f"w{n}", files[0], f"the {n}. {thing}") for n, thing in enumerate(_THINGS)]
        list(ground(warm, engine, open_image, options, workers=2))
        notice("warm")
        return [_measure(engine, files, count, options, budget_s, notice) for count in instructions]


def _measure(
    engine: Engine,
    files: Sequence[Path],
    count: int,
    options: LocateOptions,
    budget_s: float,
    notice: Callable[[str], None],
) -> BatchFigures:
    on_gpu = engine.info.device.startswith("cuda")
    alone_per_s = _one_by_one(engine, files, count, options, budget_s, clear=True)
    notice(f"{count} a screen, one by one, nothing kept: {alone_per_s:.3f} images/s")
    with _gpu_busy(on_gpu) as busy_in_turn:
        in_turn_per_s = _one_by_one(engine, files, count, options, budget_s, clear=False)
    notice(f"{count} a screen, one by one, caches kept: {in_turn_per_s:.3f} images/s")

    engine.clear_caches()
    counted = _Counted(engine)
    rows = [Row.of(f"{path.stem}-{n}", path, _asked(n)) for path in files for n in range(count)]
    with _gpu_busy(on_gpu) as busy:
        started = time.perf_counter()
        results = list(ground(rows, counted, open_image, options, workers=_WORKERS if on_gpu else _CPU_WORKERS))
        elapsed_s = time.perf_counter() - started
    bad = next((result for result in results if result.status in ("bad_row", "failed")), None)
    if bad is not None:
        raise RuntimeError(f"a drawn screen could not be asked about: {bad.reason}")
    per_s = len(files) / elapsed_s
    notice(f"{count} a screen, batch: {per_s:.3f} images/s, GPU busy {_shown(_mean(busy))}")
    return BatchFigures(
        instructions=count,
        images=len(files),
        images_per_s=round(per_s, 4),
        questions_per_s=round(per_s * count, 3),
        images_per_s_alone=round(alone_per_s, 4),
        images_per_s_in_turn=round(in_turn_per_s, 4),
        ratio=round(per_s / alone_per_s, 2),
        ratio_in_turn=round(per_s / in_turn_per_s, 2),
        encoded=counted.encoded,
        cached_share=round(counted.cached_tokens / max(counted.prompt_tokens, 1), 3),
        gpu_busy=_mean(busy),
        gpu_busy_in_turn=_mean(busy_in_turn),
        resident_bytes=psutil.Process().memory_info().rss,
    )


def _one_by_one(
    engine: Engine, files: Sequence[Path], count: int, options: LocateOptions, budget_s: float, *, clear: bool
) -> float:
    """Return screens a second."""
    engine.clear_caches()
    started = time.perf_counter()
    done = 0
    for path in files:
        for number in range(count):
            if clear:
                engine.clear_caches()
            locate(engine, open_image(path), _asked(number), options)
        done += 1
        if time.perf_counter() - started > budget_s:
            break
    return done / (time.perf_counter() - started)


def _asked(number: int) -> str:
    return f"the {_THINGS[number % len(_THINGS)]} in window {number}"


def _draw(folder: Path, number: int) -> Path:
    """Write a screen that differs from every other one, so that nothing of it is known."""
    image = drawn_screen(*SIZE_PX)
    image.paste((number % 256, number // 256 % 256, 77), (0, 0, 96, 40))
    path = folder / f"screen-{number:04d}.png"
    image.save(path, compress_level=1)
    return path


class _Counted:
    """The engine, and a sum of what its answers say about themselves."""

    def __init__(self, model: ChatModel) -> None:
        self.encoded = self.prompt_tokens = self.cached_tokens = 0
        self._model = model
        self._lock = threading.Lock()

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        for delta in self._model.stream(messages, options, cancel):
            if delta.usage is not None:
                with self._lock:
                    self.encoded += delta.usage.images_encoded
                    self.prompt_tokens += delta.usage.prompt_tokens
                    self.cached_tokens += delta.usage.cached_tokens
            yield delta


@contextmanager
def _gpu_busy(on_gpu: bool) -> Iterator[list[float]]:
    """Collect how busy the GPU is, in percent, five times a second, as nvidia-smi reads it from NVML."""
    samples: list[float] = []
    tool = shutil.which("nvidia-smi")
    if not on_gpu or tool is None:
        yield samples
        return
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    command = [tool, "-i", chosen, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        reader = threading.Thread(target=_collect, args=(process, samples), name="gpu-busy", daemon=True)
        reader.start()
        try:
            yield samples
        finally:
            process.terminate()
            reader.join()


def _collect(process: "subprocess.Popen[str]", samples: list[float]) -> None:
    for line in process.stdout or ():
        text = line.strip()
        if text.isdecimal():
            samples.append(float(text))


def _mean(samples: Sequence[float]) -> float | None:
    return round(statistics.mean(samples), 1) if samples else None


def _shown(share: float | None) -> str:
    return "n/a" if share is None else f"{share:.0f}%"
