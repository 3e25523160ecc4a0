"""Whether a checkpoint fits in memory, said before anything is loaded."""

from dataclasses import dataclass
from typing import Literal

import torch

from model.architecture.linear import EXPAND_VALUES
from model.cache import latent_bytes
from model.checkpoint import CheckpointInfo
from model.config import KimiVLConfig, QuantConfig
from model.runtime.memory import free_bytes, prefill_bytes, vision_bytes
from model.runtime.prompt import SEGMENT_TOKENS
from model.storage.layout import CORRECTION_BIAS, dense_tensors, quantized_tensors, weight_quantization
from model.storage.safetensors_file import ITEM_BYTES
from model.weights import Quantize, chosen_quantization, compute_dtype

Verdict = Literal["fits", "tight", "will not fit"]

DEFAULT_CONTEXT_TOKENS = 8192
_TIGHT_SHARE = 0.9
# Expanding a block of quantised weights holds its integers in the compute dtype beside the product.
_EXPANSION_COPIES = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes a checkpoint needs on a device, and what is free there.

    ``cache_bytes`` is the latent cache of ``context_tokens``; ``work_bytes`` the largest of
    encoding one picture of ``image_patches`` and prefilling a segment at the end of the context.
    """

    name: str
    device: str
    dtype: str
    bits: int | None
    context_tokens: int
    image_patches: int
    weight_bytes: int
    cache_bytes: int
    work_bytes: int
    available_bytes: int

    @property
    def total_bytes(self) -> int:
        """Everything together."""
        return self.weight_bytes + self.cache_bytes + self.work_bytes

    @property
    def verdict(self) -> Verdict:
        """Say "tight" from nine tenths of what is free."""
        if self.total_bytes > self.available_bytes:
            return "will not fit"
        return "tight" if self.total_bytes > _TIGHT_SHARE * self.available_bytes else "fits"

    def line(self) -> str:
        """Return one line for a person."""
        kind = f"int{self.bits}" if self.bits else self.dtype
        return (
            f"{self.name} as {kind} on {self.device}: weights {_gb(self.weight_bytes)}"
            f" + context of {self.context_tokens} tokens {_gb(self.cache_bytes)} + work {_gb(self.work_bytes)}"
            f" = {_gb(self.total_bytes)}; {_gb(self.available_bytes)} free: {self.verdict}"
        )


def estimate(
    info: CheckpointInfo,
    quantize: Quantize | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | str = "auto",
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
    image_patches: int | None = None,
    available_bytes: int | None = None,
) -> Estimate:
    """Work out what loading and using a checkpoint takes, without doing either.

    ``image_patches`` None plans for the checkpoint's own limit of an image; ``available_bytes``
    None asks the device. Raises `InputError` for an impossible quantisation or dtype.
    """
    target = torch.device(device)
    compute = compute_dtype(dtype, info.config.dtype, target)
    quantization = chosen_quantization(info.config, quantize)
    context = min(context_tokens, info.config.text.max_position_embeddings)
    patches = info.preprocess.in_token_limit if image_patches is None else image_patches
    prefill = prefill_bytes(info.config, min(context, SEGMENT_TOKENS), context, compute)
    work = max(prefill, vision_bytes(info.config, patches, compute))
    if quantization:
        work += EXPAND_VALUES * _EXPANSION_COPIES * compute.itemsize
    return Estimate(
        name=info.name,
        device=str(target),
        dtype=str(compute).removeprefix("torch."),
        bits=quantization.bits if quantization else None,
        context_tokens=context,
        image_patches=patches,
        weight_bytes=weight_bytes(info.config, quantization, compute.itemsize),
        cache_bytes=latent_bytes(info.config.text, context, compute),
        work_bytes=work,
        available_bytes=free_bytes(target) if available_bytes is None else available_bytes,
    )


def weight_bytes(config: KimiVLConfig, quantization: QuantConfig | None, item_bytes: int) -> int:
    """Return what the network's tensors take, with floating values of ``item_bytes``."""
    total = 0
    for name, shape in dense_tensors(config).items():
        chosen = quantization and weight_quantization(name, shape[-1], quantization, config.text)
        if chosen:
            for part, tensor in quantized_tensors(name, shape, chosen).items():
                total += torch.Size(tensor.shape).numel() * (item_bytes if part.endswith("_scale") else 1)
        else:
            size = ITEM_BYTES["F32"] if name.endswith(CORRECTION_BIAS) else item_bytes
            total += torch.Size(shape).numel() * size
    return total


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
