"""Random-weight checkpoints: the real layout, the same numbers for the same seed, and no disk where none is needed."""

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from model.checkpoint import inspect
from model.config import parse_config
from model.dummy import make_dummy, random_model, synthetic_ranks, write_random
from model.errors import InputError, ResourceError
from model.storage.presets import A3B_RANKS, preset_config
from model.tokenizer import Tokenizer
from model.weights import Quantize, load_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("dummy") / "tiny", seed=3)


def test_tiny_has_the_real_layout(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {
        "config.json",
        "generation_config.json",
        "model.safetensors.index.json",
        "preprocessor_config.json",
        "special_tokens_map.json",
        "tiktoken.model",
        "tokenizer_config.json",
    } <= names
    shards = sorted(folder.glob("model-0000?-of-0000?.safetensors"))
    assert len(shards) >= 3
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    for path in shards:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 (not a mapping)
                assert index["weight_map"][name] == path.name
                assert file.get_tensor(name).isfinite().all()
    assert sum(name.endswith("rotary_emb.inv_freq") for name in index["weight_map"]) == 4
    info = inspect(folder)
    text = info.config.text
    assert text.num_hidden_layers > text.first_k_dense_replace > 0
    assert text.n_routed_experts >= 8
    assert info.config.vision.num_hidden_layers >= 2


def test_config_has_every_key_of_the_released_one() -> None:
    tiny, full = preset_config("tiny"), preset_config("a3b")
    assert tiny.keys() == full.keys()
    for part in ("text_config", "vision_config"):
        assert tiny[part].keys() == full[part].keys()
    assert full["text_config"]["routed_scaling_factor"] == 2.446
    assert full["text_config"]["bos_token_id"] == 163584
    assert full["text_config"]["pad_token_id"] == 163839
    assert full["media_placeholder_token_id"] == 163605
    assert full["vocab_size"] == 163840


def test_statistics_of_the_weights(folder: Path) -> None:
    state = load_model(folder, dtype="float32").state_dict()
    assert state["language_model.model.norm.weight"].eq(1).all()
    assert state["vision_tower.encoder.blocks.0.norm1.weight"].eq(1).all()
    head = state["language_model.lm_head.weight"]
    assert abs(head.mean()) < 1e-3
    assert head.std() == pytest.approx(0.02, rel=0.02)
    bias = state["language_model.model.layers.1.mlp.gate.e_score_correction_bias"]
    assert 0 < bias.abs().max() < 0.1
    up = state["language_model.model.layers.1.mlp.experts.gate_up"]
    assert not torch.equal(up[0], up[1])


def test_seed_decides(folder: Path, tmp_path: Path) -> None:
    again = make_dummy(tmp_path / "again", seed=3, shards=5)
    other = make_dummy(tmp_path / "other", seed=4)
    first, second, third = (load_model(path).state_dict() for path in (folder, again, other))
    assert all(torch.equal(first[name], second[name]) for name in first)
    head = "language_model.lm_head.weight"
    assert not torch.equal(first[head], third[head])


@pytest.mark.parametrize("quantize", [None, "int8", "int4"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_random_network_equals_the_loaded_folder(folder: Path, quantize: Quantize | None, dtype: str) -> None:
    loaded = load_model(folder, dtype=dtype, quantize=quantize).state_dict()
    made = random_model(inspect(folder).config, dtype=dtype, seed=3, quantize=quantize)
    assert not any(parameter.requires_grad for parameter in made.parameters())
    state = made.state_dict()
    assert state.keys() == loaded.keys()
    for name, tensor in loaded.items():
        assert state[name].dtype == tensor.dtype, name
        assert torch.equal(state[name], tensor), name


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_other_dtypes(tmp_path: Path, dtype: str) -> None:
    info = inspect(make_dummy(tmp_path / "x", dtype=dtype))
    assert info.config.dtype == dtype
    assert {tensor.dtype for tensor in info.tensors.values()} <= {"F32", "F16"}


def test_full_size_vocabulary_has_the_real_special_ids(tmp_path: Path) -> None:
    tokenizer = Tokenizer(synthetic_ranks(A3B_RANKS))
    assert tokenizer.n_base == 163584
    assert tokenizer.special("<|im_end|>") == 163586
    assert tokenizer.special("<|media_pad|>") == 163605
    text = "Any text, 中文 too, 12345 – spelled in bytes.\n"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_full_size_says_how_much_disk_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, 10**9))
    with pytest.raises(ResourceError, match=r"32\.8\d GB are needed .* 1\.00 GB are free"):
        make_dummy(tmp_path / "full", "a3b")
    assert not list(tmp_path.iterdir())


def test_existing_folder_is_not_overwritten(folder: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        make_dummy(folder)
    inspect(folder)


def test_empty_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    inspect(make_dummy(tmp_path / "empty"))


def test_unknown_size(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'huge' is unknown"):
        make_dummy(tmp_path / "x", "huge")  # type: ignore[arg-type]


def test_any_config_of_the_family(tmp_path: Path) -> None:
    raw = preset_config("tiny")
    raw["text_config"]["num_hidden_layers"] = 2
    raw["text_config"]["first_k_dense_replace"] = 0
    info = inspect(write_random(tmp_path / "x", raw, torch.device("cpu")))
    assert info.config == parse_config(raw)
    assert [path.name for path in info.files] == ["model.safetensors"]


def test_progress_covers_all(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = make_dummy(tmp_path / "x", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert seen[-1][1] < sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def test_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="cuda:99 is not there"):
        make_dummy(tmp_path / "x", device="cuda:99")
    assert not list(tmp_path.iterdir())
