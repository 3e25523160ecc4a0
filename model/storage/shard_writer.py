"""Shards and their index, written tensor by tensor."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from model.checkpoint import SINGLE_FILE, write_index
from model.errors import CancelledByCallerError
from model.storage.safetensors_file import TensorSpec, encode_header, shard_names, split_shards

SHARD_BYTES = 5_000_000_000
"""The Hub's own limit for one shard."""


def write_shards(
    folder: Path,
    specs: Sequence[TensorSpec],
    blocks: Callable[[TensorSpec], Iterator[Tensor]],
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write tensors in order into shards of at most ``shard_bytes``, with an index when there are several.

    ``blocks`` yields a tensor's values in row order, a block at a time, in the dtype of its spec;
    nothing else is held. Raises `CancelledByCallerError` soon after ``cancel`` is set.
    """
    shards = split_shards(specs, shard_bytes)
    total = sum(spec.nbytes for spec in specs)
    done = 0
    places: dict[str, str] = {}
    names = shard_names(len(shards)) if len(shards) > 1 else iter((SINGLE_FILE,))
    for file_name, shard in zip(names, shards, strict=True):
        with (folder / file_name).open("wb") as file:
            file.write(encode_header(shard))
            for spec in shard:
                if cancel is not None and cancel.is_set():
                    raise CancelledByCallerError("writing the checkpoint was cancelled")
                for block in blocks(spec):
                    file.write(block.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
                done += spec.nbytes
                places[spec.name] = file_name
                if progress is not None:
                    progress(done, total)
    if len(shards) > 1:
        write_index(folder, places, total)
