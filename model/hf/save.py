"""A loaded network back to shards in the released layout."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from model.architecture.experts import QuantExperts
from model.architecture.kimi_vl import KimiVL
from model.architecture.linear import QuantLinear
from model.checkpoint import INDEX_FILE
from model.storage.safetensors_file import TensorSpec
from model.storage.shard_writer import write_shards
from model.storage.skeleton import slots
from model.weights import TORCH_DTYPES

_UNITS = {"GB": 10**9, "MB": 10**6, "KB": 10**3, "GIB": 2**30, "MIB": 2**20, "KIB": 2**10}


def save_network(network: KimiVL, folder: Path, max_shard_size: int | str) -> None:
    """Write the weights into an existing folder, experts one by one, replacing shards that are there.

    ``max_shard_size`` is in bytes or like "5GB". Raises `ValueError` for a network that was
    quantised while loading, because the folder's config.json would not say so.
    """
    quantised = any(isinstance(module, QuantLinear | QuantExperts) for module in network.modules())
    if quantised and network.config.quantization is None:
        raise ValueError(
            "the network was quantised while loading and cannot be saved; "
            "write a quantised folder with: python main.py models quantize SRC DST"
        )
    tensors = dict(_stored(network))
    names = {dtype: name for name, dtype in TORCH_DTYPES.items()}
    specs = [TensorSpec(name, names[tensor.dtype], tuple(tensor.shape)) for name, tensor in tensors.items()]
    for old in (*folder.glob("model*.safetensors"), folder / INDEX_FILE):
        old.unlink(missing_ok=True)

    def blocks(spec: TensorSpec) -> Iterator[Tensor]:
        yield tensors[spec.name]

    write_shards(folder, specs, blocks, _bytes(max_shard_size))


def _stored(network: KimiVL) -> Iterator[tuple[str, Tensor]]:
    for name, slot in slots(network).items():
        if slot.dense is not None:
            yield name, slot.dense
        elif slot.packed is not None and slot.scale is not None:
            yield f"{name}_packed", slot.packed
            yield f"{name}_scale", slot.scale


def _bytes(size: int | str) -> int:
    if isinstance(size, int):
        return size
    text = size.strip().upper()
    unit = next((unit for unit in sorted(_UNITS, key=len, reverse=True) if text.endswith(unit)), "")
    if not unit or not text.removesuffix(unit).strip().isdigit():
        raise ValueError(f"max_shard_size is {size!r}; give bytes, or a size like '5GB'")
    return int(text.removesuffix(unit)) * _UNITS[unit]
