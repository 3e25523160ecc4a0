"""Memory of the device the engine runs on: peaks, and what an allocation that failed looks like."""

import sys

import psutil
import torch

from model.cache import SEGMENT_TOKENS, latent_bytes
from model.config import KimiVLConfig
from model.errors import InputError, ResourceError

_DEVICES = "auto, cpu, cuda or cuda:N"
_MIB = 1 << 20
_CPU_FAILURES = ("DefaultCPUAllocator", "not enough memory")


def choose_device(name: str) -> torch.device:
    """Turn "auto", "cpu", "cuda" or "cuda:1" into a device that is there; "auto" takes a GPU when there is one.

    Raises `InputError` for an unknown name and `ResourceError` for a device that this machine lacks.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"the device {name!r} is unknown", remedy=f"use {_DEVICES}") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"the device {name!r} is not supported", remedy=f"use {_DEVICES}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ResourceError(
            f"the device {name} is not there",
            why=f"torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices",
            remedy="run 'deskhand doctor', or use cpu",
        )
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out, on the GPU or the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _CPU_FAILURES)


def release(device: torch.device) -> None:
    """Return unused cached blocks to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def reset_peak(device: torch.device) -> None:
    """Start measuring the peak anew where the device can (CUDA); a process's own peak never falls."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """Return the peak: allocated since `reset_peak` on CUDA, of the process's resident memory elsewhere."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # exists on POSIX only

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def free_bytes(device: torch.device) -> int:
    """Return the memory that is free on a device now, blocks that torch keeps for reuse included."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    return psutil.virtual_memory().available


def gpu_bytes(device: torch.device) -> tuple[int, int] | None:
    """Return what torch holds of a GPU, its cached blocks included, and what the GPU has; None elsewhere."""
    if device.type != "cuda":
        return None
    return torch.cuda.memory_reserved(device), torch.cuda.get_device_properties(device).total_memory


def prefill_bytes(config: KimiVLConfig, tokens: int, context: int, dtype: torch.dtype) -> int:
    """Estimate the working memory of prefilling ``tokens`` that see ``context`` positions in all.

    Tokens go a segment at a time. The largest part of a long context is one layer's rebuilt keys
    and values, of a long segment its experts' inputs and outputs.
    """
    text = config.text
    tokens = min(tokens, SEGMENT_TOKENS)
    expanded = context * text.num_attention_heads * (2 * text.qk_head_dim + text.qk_nope_head_dim + text.v_head_dim)
    slots = tokens * text.num_experts_per_tok * (5 * text.hidden_size + 3 * text.moe_intermediate_size)
    wide = tokens * (6 * text.hidden_size + 3 * text.intermediate_size)
    return (expanded + max(slots, wide)) * dtype.itemsize


def vision_bytes(config: KimiVLConfig, patches: int, dtype: torch.dtype) -> int:
    """Estimate the working memory of encoding one picture of ``patches``."""
    vision = config.vision
    pixels = 3 * vision.patch_size**2 * (4 + dtype.itemsize)
    return patches * (pixels + (8 * vision.hidden_size + 2 * vision.intermediate_size) * dtype.itemsize)


def shortage(
    config: KimiVLConfig, dtype: torch.dtype, device: torch.device, tokens: int, segment_tokens: int, patches: int
) -> ResourceError:
    """Say what a request of ``tokens`` in all, and pictures of up to ``patches`` to encode, needs and what there is."""
    kept = latent_bytes(config.text, tokens, dtype)
    work = max(prefill_bytes(config, segment_tokens, tokens, dtype), vision_bytes(config, patches, dtype))
    pictures = f" and a picture of {patches} patches" if patches else ""
    return ResourceError(
        f"memory ran out on {device}",
        why=(
            f"the request needs about {kept / _MIB:,.0f} MiB to keep {tokens} tokens and {work / _MIB:,.0f} MiB to"
            f" compute them{pictures}; {free_bytes(device) / _MIB:,.0f} MiB are free now"
        ),
        remedy="shorten the conversation, lower max_tokens or the image token limit, or quantise the model",
    )
