"""The network before it has weights: quantised layers put in place, memory allocated, slots named."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from model.architecture.experts import Experts, MixtureOfExperts, QuantExperts
from model.architecture.kimi_vl import KimiVL
from model.architecture.linear import Linear, QuantLinear
from model.config import KimiVLConfig, QuantConfig
from model.storage.layout import CORRECTION_BIAS, weight_quantization

EMBEDDINGS = "language_model.model.embed_tokens"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a checkpoint's weight goes: one dense tensor, or packed values and their scales.

    The tensors are views of the network's own, so that filling a slot fills the network.
    """

    dense: Tensor | None = None
    packed: Tensor | None = None
    scale: Tensor | None = None
    bits: int = 0
    group_size: int = 0


def build_meta(config: KimiVLConfig, quantization: QuantConfig | None) -> KimiVL:
    """Build the network without memory, its decoder's weights quantised as `model.storage.layout` says."""
    with torch.device("meta"):
        model = KimiVL(config).eval()
        if quantization:
            _quantize_modules(model, quantization)
    return model


def _quantize_modules(model: KimiVL, config: QuantConfig) -> None:
    text = model.config.text
    for path, module in list(model.named_modules()):
        if isinstance(module, Linear):
            chosen = weight_quantization(f"{path}.weight", module.in_features, config, text)
            if chosen:
                biased = cast(Tensor | None, module.bias) is not None
                new = QuantLinear(module.in_features, module.out_features, biased, chosen.bits, chosen.group_size)
                model.set_submodule(path, new)
        elif isinstance(module, MixtureOfExperts):
            sizes = text.hidden_size, text.moe_intermediate_size
            gate_up, down = (
                weight_quantization(f"{path}.experts.0.{name}.weight", size, config, text)
                for name, size in zip(("gate_proj", "down_proj"), sizes, strict=True)
            )
            if gate_up and down:
                groups = gate_up.group_size, down.group_size
                module.experts = QuantExperts(text.n_routed_experts, *sizes, gate_up.bits, *groups)


def allocate(model: KimiVL, device: torch.device, dtype: torch.dtype, embed_on_host: bool = False) -> None:
    """Give a network built without memory its uninitialised tensors, without gradients.

    Floating tensors get ``dtype``, except the router's correction bias, which stays float32.
    ``embed_on_host`` leaves the token embeddings in host memory: a lookup reads single rows.
    """
    for path, module in model.named_modules():
        place = torch.device("cpu") if embed_on_host and path == EMBEDDINGS else device
        for name, tensor in list(module.named_parameters(recurse=False)):
            new = torch.empty(tensor.shape, dtype=_dtype(name, tensor, dtype), device=place)
            setattr(module, name, nn.Parameter(new, requires_grad=False))
        for name, tensor in list(module.named_buffers(recurse=False)):
            setattr(module, name, torch.empty(tensor.shape, dtype=_dtype(name, tensor, dtype), device=place))


def _dtype(name: str, tensor: Tensor, dtype: torch.dtype) -> torch.dtype:
    if name == CORRECTION_BIAS:
        return torch.float32
    return dtype if tensor.dtype.is_floating_point else tensor.dtype


def allocated_bytes(model: KimiVL, dtype: torch.dtype, embed_on_host: bool = False) -> int:
    """Return what `allocate` will take on the device."""
    tensors = (*model.named_parameters(), *model.named_buffers())
    return sum(
        tensor.numel() * _dtype(name.rpartition(".")[2], tensor, dtype).itemsize
        for name, tensor in tensors
        if not (embed_on_host and name.startswith(EMBEDDINGS))
    )


def slots(model: KimiVL) -> dict[str, Slot]:
    """Map every weight's checkpoint name (its unquantised one) to its place in the network."""
    found: dict[str, Slot] = {}
    for path, module in model.named_modules():
        if isinstance(module, QuantLinear):
            found[f"{path}.weight"] = Slot(
                packed=module.packed, scale=module.scale, bits=module.bits, group_size=module.group_size
            )
            if module.bias is not None:
                found[f"{path}.bias"] = Slot(dense=module.bias)
        elif isinstance(module, Experts):
            for name, gate_up, down in _expert_slices(path, module.gate_up, module.down):
                found |= {f"{name}.{part}.weight": Slot(dense=t) for part, t in _parts(gate_up, down)}
        elif isinstance(module, QuantExperts):
            found |= _quantized_experts(path, module)
        else:
            for name, tensor in module.named_parameters(recurse=False):
                found[f"{path}.{name}"] = Slot(dense=tensor)
    return found


def _expert_slices(path: str, gate_up: Tensor, down: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    for expert in range(gate_up.shape[0]):
        yield f"{path}.{expert}", gate_up[expert], down[expert]


def _parts(gate_up: Tensor, down: Tensor) -> tuple[tuple[str, Tensor], ...]:
    gate, up = gate_up.chunk(2)
    return ("gate_proj", gate), ("up_proj", up), ("down_proj", down)


def _quantized_experts(path: str, module: QuantExperts) -> dict[str, Slot]:
    found: dict[str, Slot] = {}
    packed = _expert_slices(path, module.gate_up_packed, module.down_packed)
    scales = _expert_slices(path, module.gate_up_scale, module.down_scale)
    for (name, *values), (_, *scale) in zip(packed, scales, strict=True):
        for (part, v), (_, s) in zip(_parts(*values), _parts(*scale), strict=True):
            group_size = module.down_group_size if part == "down_proj" else module.gate_up_group_size
            found[f"{name}.{part}.weight"] = Slot(packed=v, scale=s, bits=module.bits, group_size=group_size)
    return found
