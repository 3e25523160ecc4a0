"""Weights from shards to the device, tensor by tensor, quantised on the way when asked.

Files are read in blocks into one small buffer and never mapped: mapped pages would count as
resident memory. What loading needs beyond the network itself is a few blocks.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Literal, Protocol, Self

import torch
from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.architecture.linear import quantize as quantize_weight
from model.checkpoint import CheckpointInfo, inspect
from model.config import KimiVLConfig, QuantConfig
from model.errors import CancelledByCallerError, CheckpointError, InputError, ResourceError
from model.runtime.memory import choose_device, free_bytes, is_out_of_memory, release
from model.storage.layout import DEFAULT_GROUP_SIZE
from model.storage.safetensors_file import StoredTensor
from model.storage.skeleton import Slot, allocate, allocated_bytes, build_meta, slots

Quantize = Literal["int8", "int4"]
Progress = Callable[[int, int], None]

BLOCK_VALUES = 1 << 22
"""Values read, converted or rounded at once: 8 MiB of bfloat16."""

TORCH_DTYPES: Mapping[str, torch.dtype] = {
    "F32": torch.float32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "I8": torch.int8,
    "U8": torch.uint8,
}
_COMPUTE_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TensorSource(Protocol):
    """Somewhere that stored tensors come from, row by row."""

    def read(self, name: str, start: int, stop: int) -> Tensor:
        """Return rows ``start`` to ``stop`` of a tensor in its stored dtype, valid until the next call."""
        ...


class ShardReader:
    """Reads rows of stored tensors through one reused buffer; a context manager that closes its files.

    ``pinned`` makes the buffer page-locked, which copies to a GPU want.
    """

    def __init__(self, tensors: Mapping[str, StoredTensor], pinned: bool = False) -> None:
        self._tensors = tensors
        self._files: dict[Path, FileIO] = {}
        self._pinned = pinned
        self._buffer = torch.empty(0, dtype=torch.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self, name: str, start: int, stop: int) -> Tensor:
        """Return rows of a tensor; raise `CheckpointError` naming file and tensor when the file has changed."""
        stored = self._tensors[name]
        rows = stored.shape[0]
        row_bytes = stored.nbytes // rows
        size = (stop - start) * row_bytes
        if self._buffer.numel() < size:
            self._buffer = torch.empty(size, dtype=torch.uint8, pin_memory=self._pinned)
        block = self._buffer[:size]
        try:
            file = self._open(stored.file)
            file.seek(stored.offset + start * row_bytes)
            # Direct reads into a tensor: a detour over bytes would hold the block twice.
            rest = block.numpy().data
            while rest and (got := file.readinto(rest)):
                rest = rest[got:]
        except OSError as error:
            raise CheckpointError(f"{stored.file}: tensor '{name}' cannot be read", why=str(error)) from error
        if rest:
            raise CheckpointError(f"{stored.file}: tensor '{name}' is cut off", why="the file changed while loading")
        return block.view(TORCH_DTYPES[stored.dtype]).view(stop - start, *stored.shape[1:])

    def _open(self, path: Path) -> FileIO:
        if path not in self._files:
            self._files[path] = path.open("rb", buffering=0)
        return self._files[path]


def row_blocks(shape: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Cut the first dimension of a shape into runs of about `BLOCK_VALUES` values."""
    rows = shape[0]
    row_values = 1
    for size in shape[1:]:
        row_values *= size
    step = max(1, BLOCK_VALUES // max(1, row_values))
    return ((start, min(start + step, rows)) for start in range(0, rows, step))


def fill_slot(slot: Slot, name: str, source: TensorSource) -> None:
    """Copy a dense stored weight into its slot, rounding it first where the slot is quantised."""
    if slot.dense is not None:
        for start, stop in row_blocks(slot.dense.shape):
            slot.dense[start:stop].copy_(source.read(name, start, stop))
    elif slot.packed is not None and slot.scale is not None:
        shape = (slot.scale.shape[0], slot.scale.shape[1] * slot.group_size)
        for start, stop in row_blocks(shape):
            rows = source.read(name, start, stop).to(slot.packed.device)
            packed, scale = quantize_weight(rows, slot.bits, slot.group_size)
            slot.packed[start:stop].copy_(packed)
            slot.scale[start:stop].copy_(scale)


def fill(
    model: KimiVL,
    tensors: Iterable[tuple[str, int]],
    source: TensorSource,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Fill an allocated network from (stored name, stored bytes) pairs, in their order.

    Raises `CancelledByCallerError` soon after ``cancel`` is set.
    """
    places = slots(model)
    for name in list(places):
        slot = places[name]
        if slot.packed is not None:
            places[f"{name}_packed"] = Slot(dense=slot.packed)
            places[f"{name}_scale"] = Slot(dense=slot.scale)
    todo = list(tensors)
    total = sum(nbytes for _, nbytes in todo)
    done = 0
    with torch.no_grad():
        for name, nbytes in todo:
            if cancel is not None and cancel.is_set():
                raise CancelledByCallerError("loading was cancelled")
            fill_slot(places[name], name, source)
            done += nbytes
            if progress is not None:
                progress(done, total)


def load_model(
    checkpoint: CheckpointInfo | Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | str = "auto",
    quantize: Quantize | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    embed_on_host: bool = False,
) -> KimiVL:
    """Load a checkpoint for inference: evaluation mode, no gradients.

    ``dtype`` "auto" is the stored one (see `compute_dtype`). ``quantize`` rounds the decoder's
    linears and experts while loading; the vision tower and projector keep ``dtype``. ``progress``
    is called with bytes read and bytes in all. Raises `CheckpointError` for a folder that does not
    pass `inspect`, `ResourceError` naming bytes needed and free, `CancelledByCallerError`.
    """
    info = checkpoint if isinstance(checkpoint, CheckpointInfo) else inspect(checkpoint)
    target = device if isinstance(device, torch.device) else choose_device(device)
    compute = compute_dtype(dtype, info.config.dtype, target)
    in_file_order = sorted(info.tensors.values(), key=lambda tensor: (tensor.file, tensor.offset))

    def fill_from_files(model: KimiVL) -> None:
        with ShardReader(info.tensors, pinned=target.type == "cuda") as reader:
            fill(model, ((tensor.name, tensor.nbytes) for tensor in in_file_order), reader, progress, cancel)

    quantization = chosen_quantization(info.config, quantize)
    return make_model(info.config, quantization, target, compute, fill_from_files, embed_on_host)


def make_model(
    config: KimiVLConfig,
    quantization: QuantConfig | None,
    device: torch.device,
    dtype: torch.dtype,
    fill_model: Callable[[KimiVL], None],
    embed_on_host: bool = False,
) -> KimiVL:
    """Build, allocate and fill a network; give all memory back and raise `ResourceError` when it does not fit."""
    model = build_meta(config, quantization)
    needed_bytes = allocated_bytes(model, dtype, embed_on_host)
    check_memory(needed_bytes, device)
    try:
        allocate(model, device, dtype, embed_on_host)
        fill_model(model)
        return model
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        # Raised below, outside this block: an error's traceback would keep the network alive.
        del model
    release(device)
    raise _does_not_fit(needed_bytes, free_bytes(device), device)


def chosen_quantization(config: KimiVLConfig, quantize: Quantize | None) -> QuantConfig | None:
    """Return how the network will be quantised: as stored, as asked, or not at all.

    Raises `InputError` when a checkpoint that is stored quantised is asked for in other bits.
    """
    if quantize is None:
        return config.quantization
    if quantize not in ("int8", "int4"):
        raise InputError(f"quantisation {quantize!r} is unknown", remedy="choose int8 or int4")
    bits = 8 if quantize == "int8" else 4
    if config.quantization is None:
        return QuantConfig(bits, DEFAULT_GROUP_SIZE)
    if config.quantization.bits != bits:
        raise InputError(
            f"the checkpoint is stored as int{config.quantization.bits}",
            why=f"it cannot be made {quantize} from there",
            remedy="load the unquantised checkpoint",
        )
    return config.quantization


def compute_dtype(dtype: torch.dtype | str, stored: str, device: torch.device) -> torch.dtype:
    """Choose the dtype to compute in.

    "auto" is the stored one on a GPU; on a CPU it is float32, unless the checkpoint is stored in
    bfloat16 and the processor multiplies that in hardware tiles (AMX). Raises `InputError` for others.
    """
    if isinstance(dtype, torch.dtype):
        dtype = str(dtype).removeprefix("torch.")
    if dtype == "auto":
        slow = device.type == "cpu" and not (stored == "bfloat16" and has_fast_bfloat16())
        dtype = "float32" if slow else stored
    if dtype not in _COMPUTE_DTYPES:
        raise InputError(f"dtype {dtype!r} is unknown", remedy=f"choose auto, {', '.join(_COMPUTE_DTYPES)}")
    return _COMPUTE_DTYPES[dtype]


def has_fast_bfloat16() -> bool:
    """Say whether this processor has AMX tiles for bfloat16 and torch uses them."""
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return torch.backends.mkldnn.is_available() and supported is not None and bool(supported())


def check_memory(needed_bytes: int, device: torch.device) -> None:
    """Raise `ResourceError` when a network of this size cannot fit, before any of it is allocated."""
    free = free_bytes(device)
    if needed_bytes > free:
        raise _does_not_fit(needed_bytes, free, device)


def _does_not_fit(needed_bytes: int, free: int, device: torch.device) -> ResourceError:
    return ResourceError(
        f"the weights need {needed_bytes / 1e9:.2f} GB on {device}, {free / 1e9:.2f} GB are free "
        f"({needed_bytes} and {free} bytes)",
        remedy="close other programs, quantise to int8 or int4, or choose another device",
    )
