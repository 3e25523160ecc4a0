"""Whether each model of the family fits in this machine's memory, also before it has been downloaded. Loads torch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from model.checkpoint import CheckpointInfo

Quantize = Literal["int8", "int4"]
QUANTISATIONS: tuple[Quantize | None, ...] = (None, "int8", "int4")

_LIMITS = {"moonshotai/Kimi-VL-A3B-Thinking-2506": 16384}
"""Patches an image of the models whose limit is not the family's first."""


@dataclass(frozen=True, slots=True)
class ModelFit:
    """One model in one number format on this machine's best device. ``folder`` None: not downloaded."""

    model: str
    summary: str
    licence: str
    size_bytes: int
    folder: str | None
    capabilities: tuple[str, ...]
    quantize: Quantize | None
    device: str
    context_tokens: int
    weight_bytes: int
    cache_bytes: int
    work_bytes: int
    needed_bytes: int
    available_bytes: int
    verdict: str


def fits(family: Iterable[tuple[str, str, float, str]]) -> Iterator[ModelFit]:
    """Estimate each of ``family`` (name, summary, bytes, licence), as stored and quantised."""
    from model.estimate import estimate
    from model.runtime.memory import choose_device

    device = choose_device("auto")
    for name, summary, size_bytes, licence in family:
        info, folder = _info(name)
        for quantize in QUANTISATIONS:
            if quantize and name == "builtin":
                continue
            found = estimate(info, quantize, device)
            yield ModelFit(
                model=name,
                summary=summary,
                licence=licence,
                size_bytes=int(size_bytes),
                folder=str(folder) if folder else None,
                capabilities=tuple(sorted(info.capabilities)),
                quantize=quantize,
                device=found.device,
                context_tokens=found.context_tokens,
                weight_bytes=found.weight_bytes,
                cache_bytes=found.cache_bytes,
                work_bytes=found.work_bytes,
                needed_bytes=found.total_bytes,
                available_bytes=found.available_bytes,
                verdict=found.verdict,
            )


def _info(name: str) -> "tuple[CheckpointInfo, Path | None]":
    """Read the checkpoint where it is here, and take the family's published build where it is not."""
    from model.checkpoint import inspect, resolve
    from model.errors import CheckpointError, DownloadError

    try:
        folder = resolve(name, offline=True)
        return inspect(folder), folder
    except (CheckpointError, DownloadError):
        return _published(name), None


def _published(name: str) -> "CheckpointInfo":
    from model.checkpoint import CheckpointInfo, Sidecar
    from model.config import parse_config
    from model.generation import GenerationDefaults
    from model.image import parse_preprocess
    from model.storage.presets import preset_config, preset_preprocessor

    preprocess = parse_preprocess(preset_preprocessor())
    return CheckpointInfo(
        folder=Path(),
        name=name,
        variant=None,
        config=parse_config(preset_config("a3b")),
        preprocess=replace(preprocess, in_token_limit=_LIMITS.get(name, preprocess.in_token_limit)),
        generation=GenerationDefaults(frozenset()),
        sidecar=Sidecar(),
        tensors={},
        files=(),
    )
