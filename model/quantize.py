"""A quantised copy of a checkpoint: a folder that loads like any other.

What is quantised, and in how many bits, is `model.storage.layout`'s; the rounding is the one that loading
does, so a quantised folder and quantising while loading give the same bits.
"""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import cast

from torch import Tensor

from model.architecture.linear import quantize as quantize_weight
from model.checkpoint import INDEX_FILE, CheckpointInfo, inspect
from model.config import CONFIG_FILE, QUANT_METHOD, QuantConfig, check_quantization, read_json
from model.errors import InputError
from model.storage.layout import DEFAULT_GROUP_SIZE, quantized_tensors, weight_quantization
from model.storage.output_folder import output_folder
from model.storage.safetensors_file import TensorSpec
from model.storage.shard_writer import SHARD_BYTES, write_shards
from model.weights import Progress, ShardReader, row_blocks

_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".gguf")


def quantize_checkpoint(
    source: CheckpointInfo | Path,
    destination: Path,
    bits: int = 4,
    group_size: int = DEFAULT_GROUP_SIZE,
    *,
    shard_bytes: int = SHARD_BYTES,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Write a weight-only quantised copy of a checkpoint; return its folder.

    Streams block by block: neither the model nor a tensor is ever whole in memory. The folder
    appears whole or not at all. Raises `InputError` for an existing destination, bits other than 4
    and 8, or a source that is quantised already; `CheckpointError` for a source that does not pass
    `inspect`; `ResourceError` for a disk that is too small; `CancelledByCallerError`.
    """
    info = source if isinstance(source, CheckpointInfo) else inspect(source)
    if info.config.quantization:
        raise InputError(f"{info.folder} is quantised already", remedy="start from the unquantised checkpoint")
    quantization = check_quantization(bits, group_size)
    specs = _specs(info, quantization)
    raw = cast(Mapping[str, object], read_json(info.folder / CONFIG_FILE))
    raw = {**raw, "quantization_config": {"quant_method": QUANT_METHOD, **asdict(quantization)}}
    with output_folder(destination, sum(spec.nbytes for spec in specs)) as partial:
        _copy_companions(info.folder, partial)
        (partial / CONFIG_FILE).write_text(json.dumps(raw, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        with ShardReader(info.tensors) as reader:
            write_shards(partial, specs, _Blocks(info, quantization, reader), shard_bytes, progress, cancel)
    return destination


class _Blocks:
    """Yields the values of each tensor of the copy, rounding a weight once for its two tensors."""

    def __init__(self, info: CheckpointInfo, quantization: QuantConfig, reader: ShardReader) -> None:
        self._info = info
        self._quantization = quantization
        self._reader = reader
        self._scales: dict[str, list[Tensor]] = {}

    def __call__(self, spec: TensorSpec) -> Iterator[Tensor]:
        if spec.name in self._scales:
            yield from self._scales.pop(spec.name)
            return
        name = spec.name if spec.name in self._info.tensors else spec.name.removesuffix("_packed")
        stored = self._info.tensors[name]
        chosen = weight_quantization(name, stored.shape[-1], self._quantization, self._info.config.text)
        scales: list[Tensor] = []
        for start, stop in row_blocks(stored.shape):
            rows = self._reader.read(name, start, stop)
            if chosen:
                rows, scale = quantize_weight(rows, chosen.bits, chosen.group_size)
                scales.append(scale)
            yield rows
        if chosen:
            self._scales[f"{name}_scale"] = scales


def _specs(info: CheckpointInfo, quantization: QuantConfig) -> list[TensorSpec]:
    specs: list[TensorSpec] = []
    for stored in sorted(info.tensors.values(), key=lambda tensor: (tensor.file, tensor.offset)):
        chosen = weight_quantization(stored.name, stored.shape[-1], quantization, info.config.text)
        if chosen is None:
            specs.append(TensorSpec(stored.name, stored.dtype, stored.shape))
            continue
        for name, tensor in quantized_tensors(stored.name, stored.shape, chosen).items():
            dtype = stored.dtype if name.endswith("_scale") else tensor.dtypes[0]
            specs.append(TensorSpec(name, dtype, tensor.shape))
    return specs


def _copy_companions(source: Path, destination: Path) -> None:
    for path in sorted(source.iterdir()):
        weights = path.name == INDEX_FILE or path.suffix in _WEIGHT_SUFFIXES
        if path.is_file() and not weights and path.name != CONFIG_FILE:
            shutil.copyfile(path, destination / path.name)
