"""A checkpoint folder, checked from end to end before any memory is spent.

`inspect` reads the JSON files, the vocabulary and the headers of the shards, never tensor data,
and needs no torch. Layout: the released moonshotai/Kimi-VL-A3B folders.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from model.chat import Capability
from model.config import CONFIG_FILE, KimiVLConfig, load_config, read_json
from model.errors import CheckpointError
from model.generation import GenerationDefaults, Variant, load_generation, variant_of
from model.image import PREPROCESS_FILE, PreprocessConfig, load_preprocess
from model.storage.layout import IGNORED_SUFFIX, expected_tensors
from model.storage.safetensors_file import StoredTensor, read_header
from model.text.vocabulary import (
    EOS,
    IM_END,
    MEDIA_PAD,
    N_SPECIAL,
    RANKS_FILE,
    TOKENIZER_CONFIG_FILE,
    read_ranks,
    read_special_names,
    special_ids,
)

INDEX_FILE = "model.safetensors.index.json"
SINGLE_FILE = "model.safetensors"
SIDECAR_FILE = "deskhand.json"
BUILTIN = "builtin"

_HUB_ID = re.compile(r"([\w][\w.-]*/[\w][\w.-]*)(?:@([\w][\w./-]*))?", re.ASCII)
_ALL_CAPABILITIES: frozenset[Capability] = frozenset(get_args(Capability))
# The family's tokenizer class makes two slots more than the embedding has rows; they are never used.
_UNUSED_SLOTS = 2
_MIN_SHAPE_PX, _MAX_SHAPE_PX = 28, 4096


@dataclass(frozen=True, slots=True)
class Sidecar:
    """deskhand.json: what this project adds to the family's layout. Every key is optional."""

    name: str | None = None
    capabilities: frozenset[Capability] = _ALL_CAPABILITIES
    grounding_prompt: str | None = None
    licence: str | None = None
    shapes_px: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """A folder that has been checked: everything known about it without reading a weight.

    ``tensors`` holds what loading reads, in stored form and by stored name; ``files`` the shards;
    ``weight_bytes`` the size of those tensors on disk.
    """

    folder: Path
    name: str
    variant: Variant | None
    config: KimiVLConfig
    preprocess: PreprocessConfig
    generation: GenerationDefaults
    sidecar: Sidecar
    tensors: Mapping[str, StoredTensor]
    files: tuple[Path, ...]

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the checkpoint says it can do."""
        return self.sidecar.capabilities

    @property
    def weight_bytes(self) -> int:
        """Size of the tensors that loading reads."""
        return sum(tensor.nbytes for tensor in self.tensors.values())


def builtin_folder() -> Path:
    """Return where the checkpoint that ships with this package lies."""
    return Path(__file__).resolve().parents[1] / "assets" / "checkpoint"


def resolve(
    ref: str | Path,
    *,
    offline: bool = False,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """Turn "builtin", a folder or a Hub id ("org/name" or "org/name@revision") into a local folder.

    A Hub id is downloaded unless the cache has it; see `model.download.download` for progress,
    cancelling, and the errors. Raises `CheckpointError` for anything else.
    """
    if ref == BUILTIN:
        folder = builtin_folder()
        if not (folder / CONFIG_FILE).is_file():
            raise CheckpointError(f"the built-in checkpoint is missing: {folder}", remedy="install Deskhand again")
        return folder
    folder = Path(ref).expanduser()
    if str(ref) and folder.is_dir():
        return folder
    hub_id = _HUB_ID.fullmatch(str(ref))
    if not hub_id or folder.exists():
        raise CheckpointError(
            f"{str(ref)!r} is not a checkpoint folder",
            remedy="give 'builtin', a folder, or a Hugging Face id like org/name",
        )
    from model.download import download  # the Hub's library takes most of a second to import

    repo_id, revision = hub_id.groups()
    return download(repo_id, revision or "main", offline=offline, progress=progress, cancel=cancel)


def inspect(folder: Path) -> CheckpointInfo:
    """Check a whole checkpoint folder without reading tensor data.

    Raises one `CheckpointError` that names the file and the tensor or key: the first problem
    found, and how many more tensors are wrong.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder", remedy="point at a folder in the Kimi-VL layout")
    config = load_config(folder)
    sidecar = load_sidecar(folder)
    preprocess = replace(load_preprocess(folder), shapes_px=sidecar.shapes_px)
    if preprocess.patch_size != config.vision.patch_size:
        raise CheckpointError(
            f"{folder / PREPROCESS_FILE}: 'patch_size' is {preprocess.patch_size}",
            why=f"config.json's vision_config says {config.vision.patch_size}",
        )
    specials = _check_vocabulary(folder, config)
    name = sidecar.name or name_of(folder)
    variant = variant_of(name)
    stop_ids = (specials[IM_END], specials[EOS], config.text.eos_token_id)
    generation = load_generation(folder, stop_ids, config.text.vocab_size, variant)
    tensors = read_tensors(folder, config)
    files = tuple(sorted({tensor.file for tensor in tensors.values()}))
    return CheckpointInfo(folder, name, variant, config, preprocess, generation, sidecar, tensors, files)


def name_of(folder: Path) -> str:
    """Name a checkpoint by its folder, or by its repository when the folder lies in the Hub's cache."""
    for part in reversed(folder.absolute().parts):
        if part.startswith("models--"):
            return part.removeprefix("models--").replace("--", "/")
    return folder.resolve().name


def load_sidecar(folder: Path) -> Sidecar:
    """Read ``folder/deskhand.json``, or return the defaults; raise `CheckpointError` naming file and key."""
    path = folder / SIDECAR_FILE
    if not path.exists():
        return Sidecar()
    raw = read_json(path)
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} is not a JSON object")

    def text(key: str) -> str | None:
        value = raw.get(key)
        if value is not None and not isinstance(value, str):
            raise CheckpointError(f"{path}: '{key}' must be a text, not {value!r}")
        return value or None

    known = sorted(_ALL_CAPABILITIES)
    given = raw.get("capabilities", known)
    if not isinstance(given, list) or not given or not all(item in known for item in given):
        raise CheckpointError(f"{path}: 'capabilities' must list some of {', '.join(known)}, not {given!r}")
    able = frozenset(cast(list[Capability], given))
    return Sidecar(
        text("name"), able, text("grounding_prompt"), text("licence"), _shapes(path, raw.get("shapes_px", []))
    )


def _shapes(path: Path, raw: object) -> tuple[tuple[int, int], ...]:
    shapes: list[tuple[int, int]] = []
    for entry in raw if isinstance(raw, list) else [raw]:
        match entry:
            case [int(width), int(height)] if all(_MIN_SHAPE_PX <= side <= _MAX_SHAPE_PX for side in (width, height)):
                shapes.append((width, height))
            case _:
                raise CheckpointError(
                    f"{path}: 'shapes_px' must list pairs of width and height in {_MIN_SHAPE_PX}..{_MAX_SHAPE_PX}, "
                    f"not {entry!r}"
                )
    return tuple(shapes)


def _check_vocabulary(folder: Path, config: KimiVLConfig) -> dict[str, int]:
    n_base = len(read_ranks(folder / RANKS_FILE))
    specials = special_ids(n_base, read_special_names(folder / TOKENIZER_CONFIG_FILE, n_base))
    if n_base + N_SPECIAL > config.text.vocab_size + _UNUSED_SLOTS:
        raise CheckpointError(
            f"{folder / RANKS_FILE} holds {n_base} ranks",
            why=f"with {N_SPECIAL} special tokens they do not fit config.json's vocab_size {config.text.vocab_size}",
            remedy="the two files are of different checkpoints; download both again",
        )
    if specials[MEDIA_PAD] != config.media_placeholder_token_id:
        raise CheckpointError(
            f"{folder / 'config.json'}: 'media_placeholder_token_id' is {config.media_placeholder_token_id}",
            why=f"{MEDIA_PAD} is token {specials[MEDIA_PAD]} of {RANKS_FILE}",
            remedy="the two files are of different checkpoints; download both again",
        )
    return specials


def read_tensors(folder: Path, config: KimiVLConfig) -> dict[str, StoredTensor]:
    """Find every tensor the network needs in the folder's shards and check it against the config.

    Raises `CheckpointError` when the index names a file that is missing, a header is damaged, a
    shard is truncated, or a tensor is missing, unknown, or of the wrong shape or dtype.
    """
    index = folder / INDEX_FILE
    if index.exists():
        stored = _read_indexed(folder, index)
        where = index
    else:
        where = folder / SINGLE_FILE
        if not where.exists():
            raise CheckpointError(
                f"{folder} has neither {INDEX_FILE} nor {SINGLE_FILE}", remedy="download the checkpoint again"
            )
        stored = read_header(where)
    stored = {name: tensor for name, tensor in stored.items() if not name.endswith(IGNORED_SUFFIX)}
    _report(_mismatches(stored, config, where), "config.json and the weights are not of one checkpoint")
    return stored


def _mismatches(stored: Mapping[str, StoredTensor], config: KimiVLConfig, where: Path) -> Iterable[str]:
    expected = expected_tensors(config)
    for name, needed in expected.items():
        tensor = stored.get(name)
        if tensor is None:
            yield f"{where}: tensor '{name}' is missing"
        elif tensor.shape != needed.shape:
            yield f"{tensor.file}: tensor '{name}' has shape {list(tensor.shape)}, not {list(needed.shape)}"
        elif tensor.dtype not in needed.dtypes:
            yield f"{tensor.file}: tensor '{name}' is {tensor.dtype}, not {' or '.join(needed.dtypes)}"
    for name, tensor in stored.items():
        if name not in expected:
            yield f"{tensor.file}: tensor '{name}' is not part of the network"


def _read_indexed(folder: Path, index: Path) -> dict[str, StoredTensor]:
    places = _read_weight_map(index)
    shards = {file: read_header(folder / file) for file in _existing(folder, index, places)}
    _report(_misplaced(folder, index, places, shards), "the index and the shards are not of one checkpoint")
    return {name: shards[file][name] for name, file in places.items()}


def _read_weight_map(index: Path) -> dict[str, str]:
    raw = read_json(index)
    places = raw.get("weight_map") if isinstance(raw, dict) else None
    if not isinstance(places, dict) or not places:
        raise CheckpointError(f"{index}: 'weight_map' is missing or empty", remedy="download the index again")
    for name, file in places.items():
        plain = isinstance(file, str) and file.endswith(".safetensors") and not {"/", "\\", "\0"} & set(file)
        if not plain:
            raise CheckpointError(
                f"{index}: tensor '{name}' lies in {file!r}", why="only safetensors files beside the index are read"
            )
    return places


def _existing(folder: Path, index: Path, places: Mapping[str, str]) -> list[str]:
    first_tensor: dict[str, str] = {}
    for name, file in places.items():
        first_tensor.setdefault(file, name)
    missing = (
        f"{index} names {file} for tensor '{name}', but that file is missing"
        for file, name in first_tensor.items()
        if not (folder / file).is_file()
    )
    _report(missing, "", remedy="download the checkpoint again; only what is missing is fetched")
    return list(first_tensor)


def _misplaced(
    folder: Path, index: Path, places: Mapping[str, str], shards: Mapping[str, Mapping[str, StoredTensor]]
) -> Iterable[str]:
    for name, file in places.items():
        if name not in shards[file]:
            yield f"{folder / file}: tensor '{name}' is missing, though {index.name} places it there"
    for file, tensors in shards.items():
        for name in tensors:
            if places.get(name) != file and not name.endswith(IGNORED_SUFFIX):
                yield f"{folder / file}: tensor '{name}' is not in {index.name}"


def _report(problems: Iterable[str], why: str, remedy: str = "download the checkpoint again") -> None:
    found = list(problems)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise CheckpointError(found[0] + more, why=why, remedy=remedy)


def write_index(folder: Path, places: Mapping[str, str], total_bytes: int) -> None:
    """Write model.safetensors.index.json: tensor name to file, and the size of all tensors."""
    index = {"metadata": {"total_size": total_bytes}, "weight_map": dict(sorted(places.items()))}
    (folder / INDEX_FILE).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
