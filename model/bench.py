"""Measurements of the engine: what an answer costs, as figures a reader can repeat.

Every figure is the median of several runs with cold caches after a warm-up; the screens are
noise-free drawings of the stated size, because a picture's content does not change the work.
"""

import platform
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from model.chat import GenerateOptions, Message, Usage, complete, message
from model.config import parse_config
from model.dummy import random_model, write_companions
from model.engine import Engine
from model.generation import GenerationDefaults
from model.image import load_preprocess
from model.runtime.scheduler import EngineLimits
from model.storage.presets import preset_config
from model.tokenizer import Tokenizer
from model.weights import Quantize

CASES = {"text": None, "1080p": (1920, 1080), "4K": (3840, 2160)}
_WORDS = "the quick brown fox jumps over the lazy dog and runs on "


@dataclass(frozen=True, slots=True)
class Figures:
    """One case: tokens in, and medians over the runs."""

    case: str
    prompt_tokens: int
    image_tokens: int
    completion_tokens: int
    prefill_ms: float
    time_to_first_token_ms: float
    decode_tokens_per_s: float
    total_ms: float
    peak_memory_bytes: int


def machine() -> dict[str, str]:
    """Describe the machine that measured."""
    described = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpu_threads": str(torch.get_num_threads()),
    }
    if torch.cuda.is_available():
        described["gpu"] = torch.cuda.get_device_name()
    return described


def drawn_screen(width_px: int, height_px: int) -> Image.Image:
    """Draw a plain screen of windows and buttons."""
    image = Image.new("RGB", (width_px, height_px), (40, 60, 90))
    draw = ImageDraw.Draw(image)
    for index in range(12):
        left, top = width_px * (index % 4) // 4 + 20, height_px * (index // 4) // 3 + 20
        draw.rectangle((left, top, left + width_px // 5, top + height_px // 4), fill=(240, 240, 240))
        draw.rectangle((left + 20, top + 40, left + 140, top + 70), fill=(60, 120, 220))
        draw.text((left + 40, top + 48), f"Button {index}", fill=(255, 255, 255))
    return image


def bench_engine(
    engine: Engine,
    *,
    text_tokens: int = 128,
    decode_tokens: int = 64,
    runs: int = 3,
    cases: Sequence[str] = tuple(CASES),
    notice: Callable[[str], None] = lambda _text: None,
) -> list[Figures]:
    """Measure the named cases on a loaded engine; ``decode_tokens`` are generated whatever they say."""
    results: list[Figures] = []
    for case in cases:
        size_px = CASES[case]
        question = (_WORDS * text_tokens)[: text_tokens * 4] if size_px is None else "Describe this screen."
        parts = (question,) if size_px is None else (drawn_screen(*size_px), question)
        messages: list[Message] = [message("user", *parts)]
        options = GenerateOptions(max_tokens=decode_tokens, temperature=0.0)
        usages: list[Usage] = []
        for run in range(runs + 1):
            engine.clear_caches()
            usage = complete(engine, messages, options).usage
            if run:
                usages.append(usage)
            notice(f"{case}: run {run} of {runs}: {usage.total_ms:.0f} ms")
        results.append(_median(case, usages))
    return results


def _median(case: str, usages: Sequence[Usage]) -> Figures:
    columns = {name: [asdict(usage)[name] for usage in usages] for name in asdict(usages[0])}
    middle = {name: statistics.median(values) for name, values in columns.items()}
    return Figures(
        case=case,
        prompt_tokens=int(middle["prompt_tokens"]),
        image_tokens=int(middle["image_tokens"]),
        completion_tokens=int(middle["completion_tokens"]),
        prefill_ms=round(middle["prefill_ms"], 2),
        time_to_first_token_ms=round(middle["time_to_first_token_ms"], 2),
        decode_tokens_per_s=round(middle["decode_tokens_per_s"], 1),
        total_ms=round(middle["total_ms"], 1),
        peak_memory_bytes=int(max(columns["peak_memory_bytes"])),
    )


def random_engine(
    size: str, device: str, dtype: str, quantize: Quantize | None, limits: EngineLimits = EngineLimits()
) -> Engine:
    """Build an engine with random weights in memory: "tiny" or "a3b", the family's full size.

    Generation never stops early, so that every run decodes the same number of tokens.
    """
    raw = preset_config("a3b" if size == "a3b" else "tiny")
    config = parse_config(raw)
    target = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_companions(folder, raw, config)
        tokenizer, preprocess = Tokenizer.load(folder), load_preprocess(folder)
    model = random_model(config, target, dtype, quantize=quantize)
    return Engine(model, tokenizer, preprocess, GenerationDefaults(frozenset()), limits, name=f"random-{size}")
