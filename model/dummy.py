"""Random-weight checkpoints in the real layout, and random networks without a disk between.

Each tensor's values depend on the seed and its name alone, so a network made directly equals the
one loaded from a folder made with the same seed on the same device.
"""

import json
import string
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path

import torch
from torch import Tensor

from model.architecture.kimi_vl import KimiVL
from model.config import CONFIG_FILE, KimiVLConfig, parse_config
from model.errors import InputError
from model.generation import GENERATION_FILE
from model.image import PREPROCESS_FILE
from model.runtime.memory import choose_device
from model.storage.layout import CORRECTION_BIAS, dense_tensors, ignored_tensors
from model.storage.output_folder import output_folder
from model.storage.presets import Size, preset_config, preset_generation, preset_preprocessor
from model.storage.safetensors_file import TensorSpec
from model.storage.shard_writer import SHARD_BYTES, write_shards
from model.text.tokenizer_build import build_ranks, write_tokenizer
from model.text.vocabulary import N_SPECIAL
from model.weights import Progress, Quantize, chosen_quantization, compute_dtype, fill, make_model, row_blocks

WEIGHT_STD = 0.02
CORRECTION_STD = 0.01
_TINY_SHARDS = 3
_PROCESSOR_FILE = "processor_config.json"


class RandomWeights:
    """A source of random weights: norms are ones, everything else is normal with mean zero.

    Blocks of rows are seeded one by one, so values do not depend on what was drawn before.
    """

    def __init__(
        self, shapes: Mapping[str, Sequence[int]], seed: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._shapes = shapes
        self._seed = seed
        self._device = device
        self._dtype = dtype

    def read(self, name: str, start: int, stop: int) -> Tensor:
        """Return rows of one block of `model.weights.row_blocks`."""
        shape = self._shapes[name]
        if name.endswith(CORRECTION_BIAS):
            return self._normal(name, start, (stop - start,), CORRECTION_STD)
        if len(shape) == 1 and name.endswith(".weight"):
            return torch.ones(stop - start, dtype=self._dtype, device=self._device)
        return self._normal(name, start, (stop - start, *shape[1:]), WEIGHT_STD).to(self._dtype)

    def _normal(self, name: str, start: int, shape: Sequence[int], std: float) -> Tensor:
        generator = torch.Generator(self._device)
        generator.manual_seed(zlib.crc32(f"{self._seed}/{name}/{start}".encode()))
        return torch.randn(shape, generator=generator, device=self._device).mul_(std)


def random_model(
    config: KimiVLConfig,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | str = "auto",
    seed: int = 0,
    quantize: Quantize | None = None,
    progress: Progress | None = None,
) -> KimiVL:
    """Build a network with random weights directly on a device, quantised block by block when asked.

    Nothing is ever held unquantised beyond a block of 16 MiB. Weights are drawn in the config's
    dtype. Raises `ResourceError` when the network does not fit.
    """
    target = device if isinstance(device, torch.device) else choose_device(device)
    shapes = dense_tensors(config)
    stored = compute_dtype(config.dtype, config.dtype, target)
    source = RandomWeights(shapes, seed, target, stored)

    def fill_at_random(model: KimiVL) -> None:
        sizes = ((name, torch.Size(shape).numel() * stored.itemsize) for name, shape in shapes.items())
        fill(model, sizes, source, progress)

    compute = compute_dtype(dtype, config.dtype, target)
    return make_model(config, chosen_quantization(config, quantize), target, compute, fill_at_random)


def make_dummy(
    folder: Path,
    size: Size = "tiny",
    device: torch.device | str = "cpu",
    seed: int = 0,
    shards: int | None = None,
    dtype: str = "bfloat16",
    progress: Progress | None = None,
) -> Path:
    """Write a random-weight checkpoint in the real layout; "a3b" is the full size, 33 GB in bfloat16.

    ``device`` draws the weights, ``shards`` asks for at least so many files. The folder appears
    whole or not at all. Returns it. Raises `InputError` when it exists and `ResourceError` when
    the disk is too small, naming both sizes.
    """
    raw = preset_config(size, dtype)
    if shards is None and size == "tiny":
        shards = _TINY_SHARDS
    drawn_on = device if isinstance(device, torch.device) else choose_device(device)
    return write_random(folder, raw, drawn_on, seed, shards, progress)


def write_random(
    folder: Path,
    raw: Mapping[str, object],
    device: torch.device,
    seed: int = 0,
    shards: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a random-weight checkpoint for any config.json of the family; see `make_dummy`."""
    config = parse_config(raw)
    shapes = dense_tensors(config)
    stored_name = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}[config.dtype]
    source = RandomWeights(shapes, seed, device, compute_dtype(config.dtype, config.dtype, device))
    specs = [
        TensorSpec(name, "F32" if name.endswith(CORRECTION_BIAS) else stored_name, tuple(shape))
        for name, shape in shapes.items()
    ]
    specs += [TensorSpec(name, "F32", shape) for name, shape in ignored_tensors(config).items()]
    total = sum(spec.nbytes for spec in specs)
    shard_bytes = -(-total // shards) if shards else SHARD_BYTES
    with output_folder(folder, total) as partial:
        write_companions(partial, raw, config)
        write_shards(partial, specs, _blocks(source, config), shard_bytes, progress)
    return folder


def _blocks(source: RandomWeights, config: KimiVLConfig) -> Callable[[TensorSpec], Iterator[Tensor]]:
    ignored = ignored_tensors(config)

    def blocks(spec: TensorSpec) -> Iterator[Tensor]:
        if spec.name in ignored:
            exponents = torch.arange(spec.shape[0], dtype=torch.float32) / spec.shape[0]
            yield config.text.rope_theta**-exponents
            return
        for start, stop in row_blocks(spec.shape):
            yield source.read(spec.name, start, stop)

    return blocks


def write_companions(folder: Path, raw: Mapping[str, object], config: KimiVLConfig) -> None:
    """Write everything of a checkpoint but the weights, with a synthetic vocabulary of the config's size."""
    n_base = config.media_placeholder_token_id - 21
    if n_base + N_SPECIAL != config.text.vocab_size:
        raise InputError(f"vocab_size {config.text.vocab_size} is not {n_base} ranks and {N_SPECIAL} special tokens")
    write_tokenizer(folder, synthetic_ranks(n_base), config.text.max_position_embeddings)
    _write_json(folder / CONFIG_FILE, raw)
    _write_json(folder / PREPROCESS_FILE, preset_preprocessor())
    _write_json(folder / GENERATION_FILE, preset_generation(n_base))
    _write_json(folder / _PROCESSOR_FILE, {"processor_class": "KimiVLProcessor"})


def synthetic_ranks(count: int) -> dict[bytes, int]:
    """Return a vocabulary of exactly ``count`` tokens: bytes, digits, then words made of letters."""
    base = len(build_ranks([]))
    if count < base:
        raise InputError(f"a vocabulary of {count} tokens is too small", why=f"bytes and digits alone are {base}")
    words = (f" {''.join(letters)}" for letters in product(string.ascii_lowercase, repeat=4))
    return build_ranks(list(islice(words, count - base)))


def _write_json(path: Path, values: Mapping[str, object]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
