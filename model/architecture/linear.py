"""Linear layers whose weight is dense or group-wise quantised, behind one forward."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """A dense linear layer, without the random initialisation that loading would overwrite.

    Weight ``(out, in)``; computes in the weight's dtype.
    """

    def reset_parameters(self) -> None:
        """Leave the weights as allocated; they come from a checkpoint or from `init_weights`."""


class QuantLinear(nn.Module):
    """A weight-only quantised linear layer, symmetric, one scale for each row and input group.

    ``packed``: int8 ``(out, in)`` for 8 bits; uint8 ``(out, in // 2)`` for 4 bits, two values a
    byte, the even column in the low half, stored with an offset of 8. ``scale``:
    ``(out, in // group)`` in the compute dtype. Any input size works; groups must divide it.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool, bits: int, group_size: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.bits = bits
        self.group_size = group_size
        columns, dtype = (in_features, torch.int8) if bits == 8 else (in_features // 2, torch.uint8)
        self.register_buffer("packed", torch.empty(out_features, columns, dtype=dtype))
        self.register_buffer("scale", torch.empty(out_features, in_features // group_size))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None

    packed: Tensor
    scale: Tensor

    def dense(self) -> Tensor:
        """Return the weight ``(out, in)`` in the dtype of the scales."""
        return dequantize(self.packed, self.scale, self.bits)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to ``(..., in)``; at most `EXPAND_VALUES` weights are dense at a time."""
        rows = max(1, EXPAND_VALUES // self.in_features)
        if self.out_features <= rows:
            return F.linear(x, self.dense(), self.bias)
        blocks = zip(self.packed.split(rows), self.scale.split(rows), strict=True)
        out = torch.cat([F.linear(x, dequantize(packed, scale, self.bits)) for packed, scale in blocks], dim=-1)
        return out if self.bias is None else out + self.bias


EXPAND_VALUES = 1 << 25
"""Weights expanded at once. The output head of the full size has ten times as many; all of it dense
would take more memory than its quantisation saves."""


def dequantize(packed: Tensor, scale: Tensor, bits: int) -> Tensor:
    """Expand packed weights of shape ``(..., out, columns)`` to ``(..., out, in)`` in the scale's dtype."""
    if bits == 8:
        values = packed
    else:
        low = (packed & 0xF).to(torch.int8)
        high = (packed >> 4).to(torch.int8)
        values = torch.stack((low, high), dim=-1).flatten(-2) - 8
    groups = values.unflatten(-1, (scale.shape[-1], -1)).to(scale.dtype)
    return (groups * scale.unsqueeze(-1)).flatten(-2)


# Below these a scale would lose the 8 bits of precision that the half-scale bound needs, or vanish.
_MIN_SCALE = {torch.float32: 1e-30, torch.bfloat16: 1e-30, torch.float16: 2.0**-16}


def quantize(weight: Tensor, bits: int, group_size: int) -> tuple[Tensor, Tensor]:
    """Round a weight ``(..., out, in)`` to symmetric group-wise integers; return packed values and scales.

    The scale of a group maps its largest magnitude to the largest integer; the error of a value
    is at most half a scale. Scales come back in the weight's dtype: float32, bfloat16 or float16.
    """
    limit = 127 if bits == 8 else 7
    groups = weight.to(torch.float32, copy=True).unflatten(-1, (-1, group_size))
    largest = torch.maximum(groups.amax(-1), -groups.amin(-1))
    scale = (largest / limit).clamp_min(_MIN_SCALE[weight.dtype]).to(weight.dtype)
    # Rounding against the stored scale, not the exact one, keeps the half-scale bound in bf16.
    integers = groups.div_(scale.float().unsqueeze(-1)).round_().clamp_(-limit - (bits == 4), limit).flatten(-2)
    if bits == 8:
        return integers.to(torch.int8), scale
    # Two neighbours are one little-endian 16-bit number, high * 256 + low; folding it gives high * 16 + low.
    pairs = integers.add_(8).to(torch.uint8).view(torch.int16)
    return (pairs | (pairs >> 4)).to(torch.uint8), scale


def can_quantize(in_features: int, group_size: int) -> bool:
    """Say whether a layer's input size splits into whole groups."""
    return in_features % group_size == 0 and group_size % 2 == 0
