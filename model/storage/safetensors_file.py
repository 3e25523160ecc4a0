"""The safetensors container, read and written by hand: headers checked before any data is touched.

Format: https://github.com/huggingface/safetensors#format. Eight bytes of little-endian header
length, a JSON object (name to dtype, shape and byte range), then the tensors' bytes without gaps.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.errors import CheckpointError

ITEM_BYTES: Mapping[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}
"""Bytes of one value, by the format's dtype names."""

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies: its dtype by the format's name, its shape, and its bytes in a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor about to be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Size of the data."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


def read_header(path: Path) -> dict[str, StoredTensor]:
    """Read and check the header of one file; tensor data is not read.

    Raises `CheckpointError` naming the file, and the tensor where there is one, when the file is
    missing, shorter or longer than its header says, or the header is malformed, overlaps or leaves gaps.
    """
    try:
        file_bytes = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(_LENGTH_BYTES)
            header_bytes = int.from_bytes(prefix, "little")
            if len(prefix) < _LENGTH_BYTES:
                raise _damaged(path, f"it is cut off after {file_bytes} bytes")
            if not 2 <= header_bytes <= min(_MAX_HEADER_BYTES, file_bytes - _LENGTH_BYTES):
                raise _damaged(path, f"its header claims {header_bytes} bytes of a file of {file_bytes}")
            raw = file.read(header_bytes)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing", remedy="download the checkpoint again; it resumes") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read", why=str(error)) from error
    start = _LENGTH_BYTES + header_bytes
    tensors = [_entry(path, name, value, start) for name, value in _parse(path, raw) if name != "__metadata__"]
    _check_layout(path, tensors, start, file_bytes)
    return {tensor.name: tensor for tensor in tensors}


def _damaged(path: Path, why: str) -> CheckpointError:
    return CheckpointError(f"{path} is damaged: {why}", remedy="delete the file and download the checkpoint again")


def _parse(path: Path, raw: bytes) -> list[tuple[str, object]]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise _damaged(path, f"its header names {twice!r} twice")
        return values

    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object")
    return list(header.items())


def _entry(path: Path, name: str, value: object, start: int) -> StoredTensor:
    match value:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]}:
            sizes = [size for size in shape if isinstance(size, int) and not isinstance(size, bool) and size >= 0]
            if len(sizes) < len(shape):
                raise _damaged(path, f"tensor '{name}' has shape {shape}")
            if dtype not in ITEM_BYTES:
                raise _damaged(path, f"tensor '{name}' has the unknown dtype {dtype!r}")
            nbytes = math.prod(sizes) * ITEM_BYTES[dtype]
            if end - begin != nbytes:
                raise _damaged(
                    path, f"tensor '{name}' of shape {sizes} and {dtype} takes {nbytes} bytes, not {end - begin}"
                )
            return StoredTensor(name, dtype, tuple(sizes), path, start + begin, nbytes)
        case _:
            raise _damaged(path, f"tensor '{name}' has no dtype, shape and data_offsets")


def _check_layout(path: Path, tensors: Iterable[StoredTensor], start: int, file_bytes: int) -> None:
    end = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.nbytes)):
        if tensor.offset != end:
            what = "overlaps the one before it" if tensor.offset < end else "leaves a gap before it"
            raise _damaged(path, f"tensor '{tensor.name}' {what}")
        end += tensor.nbytes
        if end > file_bytes:
            raise CheckpointError(
                f"{path} is truncated: tensor '{tensor.name}' ends at byte {end}, the file at {file_bytes}",
                remedy="delete the file and download the checkpoint again",
            )
    if end != file_bytes:
        raise _damaged(path, f"{file_bytes - end} bytes follow the last tensor")


def encode_header(specs: Sequence[TensorSpec]) -> bytes:
    """Return length and header of a file that holds the tensors in this order."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for spec in specs:
        header[spec.name] = {
            "dtype": spec.dtype,
            "shape": list(spec.shape),
            "data_offsets": [offset, offset + spec.nbytes],
        }
        offset += spec.nbytes
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % _ALIGNMENT)
    return len(raw).to_bytes(_LENGTH_BYTES, "little") + raw


def split_shards(specs: Sequence[TensorSpec], shard_bytes: int) -> list[list[TensorSpec]]:
    """Distribute tensors in order over shards of at most ``shard_bytes`` (one tensor may exceed it)."""
    shards: list[list[TensorSpec]] = []
    room = 0
    for spec in specs:
        if not shards or spec.nbytes > room:
            shards.append([])
            room = shard_bytes
        shards[-1].append(spec)
        room -= spec.nbytes
    return shards


def shard_names(count: int) -> Iterator[str]:
    """Yield the Hub's file names of ``count`` shards."""
    for number in range(1, count + 1):
        yield f"model-{number:05}-of-{count:05}.safetensors"
