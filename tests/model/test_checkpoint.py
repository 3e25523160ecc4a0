"""Inspection of checkpoint folders: what a good one tells, and each way of being broken in one line."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from model.checkpoint import inspect, read_tensors
from model.config import KimiVLConfig, load_config, parse_config
from model.dummy import make_dummy, write_companions
from model.errors import CheckpointError
from model.storage.layout import dense_tensors, expected_tensors, ignored_tensors
from model.storage.presets import preset_config
from model.storage.safetensors_file import TensorSpec, encode_header, read_header, shard_names, split_shards
from model.storage.skeleton import build_meta, slots

INDEX = "model.safetensors.index.json"
ROUTER = "language_model.model.layers.2.mlp.gate.weight"
EXPERT = "language_model.model.layers.3.mlp.experts.5.up_proj.weight"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("good") / "Kimi-VL-tiny-Instruct")


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "checkpoint"))


def places(folder: Path) -> dict[str, str]:
    return json.loads((folder / INDEX).read_text())["weight_map"]


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def edit_shard(folder: Path, tensor: str, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    """Rewrite the shard of a tensor with the safetensors library."""
    path = folder / places(folder)[tensor]
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    return path


def edit_header(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    change(header)
    raw = json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data[8 + size :])


def complaint(folder: Path) -> str:
    """Return the one line that inspecting a broken folder gives."""
    with pytest.raises(CheckpointError) as caught:
        inspect(folder)
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_good_folder_tells_all_about_itself(good: Path) -> None:
    info = inspect(good)
    assert info.name == "Kimi-VL-tiny-Instruct"
    assert info.variant == "instruct"
    assert info.config == load_config(good)
    assert info.preprocess.in_token_limit == 4096
    n_base = len((good / "tiktoken.model").read_bytes().splitlines())
    assert info.generation.stop_ids == {n_base + 1, n_base + 2}
    assert info.generation.temperature == 0.2
    assert info.capabilities == {"chat", "plan", "ground"}
    assert len(info.files) >= 3
    stored = {}
    for path in good.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 (not a mapping)
                stored[name] = (tuple(file.get_slice(name).get_shape()), path.name)
    assert {name: (tensor.shape, tensor.file.name) for name, tensor in info.tensors.items()} == {
        name: value for name, value in stored.items() if "inv_freq" not in name
    }
    assert info.weight_bytes == sum(tensor.nbytes for tensor in info.tensors.values())


def test_inspect_needs_no_torch(good: Path) -> None:
    code = "import sys; from pathlib import Path; from model.checkpoint import inspect; inspect(Path(sys.argv[1]))"
    code += "; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(good)], check=True)


def test_single_file_without_index(folder: Path) -> None:
    tensors = {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}
    for path in (*folder.glob("*.safetensors"), folder / INDEX):
        path.unlink()
    save_file(tensors, folder / "model.safetensors")
    assert [path.name for path in inspect(folder).files] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.update(model_type="kimi_k25"), ("'model_type' is 'kimi_k25'",)),
        (lambda c: c["text_config"].pop("kv_lora_rank"), ("text_config", "'kv_lora_rank' is missing")),
        (lambda c: c["text_config"].update(num_experts_per_tok=99), ("'num_experts_per_tok' is 99",)),
        (lambda c: c["text_config"].update(rms_norm_eps=-1), ("'rms_norm_eps' is -1",)),
        (lambda c: c["text_config"].update(hidden_size="big"), ("'hidden_size' must be a whole number",)),
        (lambda c: c["text_config"].update(rope_scaling={"type": "yarn"}), ("'rope_scaling'",)),
        (lambda c: c["vision_config"].update(num_attention_heads=7), ("vision_config", "'num_attention_heads' is 7")),
        (lambda c: c.update(media_placeholder_token_id=5), ("'media_placeholder_token_id' is 5", "<|media_pad|>")),
        (lambda c: c.update(quantization_config={"quant_method": "gptq"}), ("quantization_config", "'gptq'")),
        (
            lambda c: c.update(quantization_config={"quant_method": "deskhand", "bits": 3, "group_size": 64}),
            ("quantization_config", "'bits' is 3"),
        ),
        (lambda c: c["text_config"].update(num_hidden_layers=5), ("layers.4.", "is missing (and", "more)")),
        (lambda c: c["text_config"].update(num_hidden_layers=3), ("layers.3.", "not part of the network (and")),
        (lambda c: c["text_config"].update(hidden_size=256), ("embed_tokens.weight", "has shape", "not [2048, 256]")),
    ],
)
def test_config_values(folder: Path, change: Callable[[Any], None], says: tuple[str, ...]) -> None:
    edit_json(folder / "config.json", change)
    text = complaint(folder)
    assert "config.json" in text
    for part in says:
        assert part in text


@pytest.mark.parametrize(
    "name", ["config.json", "preprocessor_config.json", "tiktoken.model", "tokenizer_config.json", INDEX]
)
def test_missing_and_empty_files(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert name in complaint(folder)
    (folder / name).unlink()
    assert name in complaint(folder)


def test_folder_that_is_none(tmp_path: Path) -> None:
    assert "is not a folder" in complaint(tmp_path / "nothing")
    assert "config.json is missing" in complaint(tmp_path)


def test_index_that_names_a_missing_file(folder: Path) -> None:
    file = places(folder)[EXPERT]
    (folder / file).unlink()
    text = complaint(folder)
    assert f"{INDEX} names {file} for tensor 'language_model." in text
    assert "missing" in text


@pytest.mark.parametrize("file", ["../other.safetensors", "/etc/passwd", "model.bin", 7, "a\\b.safetensors"])
def test_index_that_points_elsewhere(folder: Path, file: object) -> None:
    edit_json(folder / INDEX, lambda index: index["weight_map"].update({ROUTER: file}))
    text = complaint(folder)
    assert INDEX in text
    assert ROUTER in text


def test_index_without_a_map(folder: Path) -> None:
    edit_json(folder / INDEX, lambda index: index.pop("weight_map"))
    assert f"{INDEX}: 'weight_map' is missing" in complaint(folder)


def test_tensor_that_is_in_the_index_but_not_in_its_shard(folder: Path) -> None:
    path = edit_shard(folder, EXPERT, lambda tensors: tensors.pop(EXPERT))
    assert f"{path}: tensor '{EXPERT}' is missing" in complaint(folder)


def test_tensor_that_is_in_a_shard_but_not_in_the_index(folder: Path) -> None:
    path = edit_shard(folder, EXPERT, lambda tensors: tensors.update(surplus=torch.zeros(2)))
    assert f"{path}: tensor 'surplus' is not in {INDEX}" in complaint(folder)


def test_tensor_that_is_nowhere(folder: Path) -> None:
    edit_shard(folder, ROUTER, lambda tensors: tensors.pop(ROUTER))
    edit_json(folder / INDEX, lambda index: index["weight_map"].pop(ROUTER))
    assert f"{INDEX}: tensor '{ROUTER}' is missing" in complaint(folder)


def test_tensor_that_the_network_does_not_have(folder: Path) -> None:
    path = edit_shard(folder, ROUTER, lambda tensors: tensors.update(surplus=torch.zeros(2)))
    edit_json(folder / INDEX, lambda index: index["weight_map"].update(surplus=path.name))
    assert f"{path}: tensor 'surplus' is not part of the network" in complaint(folder)


def test_wrong_shape(folder: Path) -> None:
    path = edit_shard(folder, ROUTER, lambda tensors: tensors.update({ROUTER: tensors[ROUTER].T.contiguous()}))
    assert f"{path}: tensor '{ROUTER}' has shape [128, 16], not [16, 128]" in complaint(folder)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64, torch.int8])
def test_wrong_dtype(folder: Path, dtype: torch.dtype) -> None:
    path = edit_shard(folder, ROUTER, lambda tensors: tensors.update({ROUTER: tensors[ROUTER].to(dtype)}))
    text = complaint(folder)
    assert f"{path}: tensor '{ROUTER}' is " in text
    assert "not F32 or BF16 or F16" in text


def test_ignored_buffers_may_be_absent(folder: Path) -> None:
    name = "language_model.model.layers.1.self_attn.rotary_emb.inv_freq"
    edit_shard(folder, name, lambda tensors: tensors.pop(name))
    edit_json(folder / INDEX, lambda index: index["weight_map"].pop(name))
    assert name not in inspect(folder).tensors


@pytest.mark.parametrize("kept", [0, 5, 8, 100, -1, -5000])
def test_truncated_shard(folder: Path, kept: int) -> None:
    path = folder / places(folder)[EXPERT]
    data = path.read_bytes()
    path.write_bytes(data[:kept])
    text = complaint(folder)
    assert str(path) in text
    if kept < 0:
        cut = next(name for end, name in sorted(ends(data).items()) if end > len(data) + kept)
        assert f"truncated: tensor '{cut}'" in text


def ends(shard: bytes) -> dict[int, str]:
    """Map the byte where each tensor of a shard ends to its name."""
    start = 8 + int.from_bytes(shard[:8], "little")
    header = json.loads(shard[8:start])
    return {start + entry["data_offsets"][1]: name for name, entry in header.items() if name != "__metadata__"}


def test_shard_with_bytes_to_spare(folder: Path) -> None:
    path = folder / places(folder)[EXPERT]
    path.write_bytes(path.read_bytes() + b"\0")
    assert f"{path} is damaged: 1 bytes follow the last tensor" in complaint(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dtype": "F77"}, "unknown dtype 'F77'"),
        ({"shape": [-1, 64]}, "has shape [-1, 64]"),
        ({"shape": ["a"]}, "has shape ['a']"),
        ({"shape": [1, 1]}, "takes 2 bytes, not"),
        ({"data_offsets": [0, 4]}, "bytes, not 4"),
        ({"data_offsets": "far"}, "has no dtype, shape and data_offsets"),
    ],
)
def test_damaged_header_entry(folder: Path, change: dict[str, object], says: str) -> None:
    path = folder / places(folder)[EXPERT]
    edit_header(path, lambda header: header[EXPERT].update(change))
    text = complaint(folder)
    assert f"{path} is damaged: tensor '{EXPERT}'" in text
    assert says in text


def test_overlapping_tensors(folder: Path) -> None:
    path = folder / places(folder)[EXPERT]
    other = EXPERT.replace("up_proj", "gate_proj")
    assert places(folder)[other] == path.name
    edit_header(path, lambda header: header[EXPERT].update(data_offsets=header[other]["data_offsets"]))
    text = complaint(folder)
    assert str(path) in text
    assert "overlaps" in text or "gap" in text


@pytest.mark.parametrize("raw", [b"[]", b"{", b"\xff\xff", b'{"a": 1, "a": 2}', b'{"a": null}', b"[" * 100_000])
def test_header_that_is_no_header(folder: Path, raw: bytes) -> None:
    path = folder / places(folder)[EXPERT]
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    assert f"{path} is damaged" in complaint(folder)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("preprocessor_config.json", lambda c: c.update(patch_size=16), "'patch_size' is 16"),
        ("preprocessor_config.json", lambda c: c.pop("image_mean"), "'image_mean' is missing"),
        ("generation_config.json", lambda c: c.update(eos_token_id=[1, 10**6]), "'eos_token_id'"),
        ("generation_config.json", lambda c: c.update(temperature="hot"), "'temperature'"),
        ("generation_config.json", lambda c: c.update(top_p=1.5), "'top_p'"),
        ("generation_config.json", lambda c: c.update(max_new_tokens=0), "'max_new_tokens'"),
        ("tokenizer_config.json", lambda c: c.update(added_tokens_decoder=[]), "'added_tokens_decoder'"),
    ],
)
def test_companion_values(folder: Path, name: str, change: Callable[[Any], None], says: str) -> None:
    edit_json(folder / name, change)
    text = complaint(folder)
    assert name in text
    assert says in text


def test_vocabulary_of_another_checkpoint(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    other = make_dummy(folder.parent / "other")
    lines = (other / "tiktoken.model").read_bytes().splitlines(keepends=True)
    (folder / "tiktoken.model").write_bytes(b"".join(lines[:-10]))
    assert "tiktoken.model" in complaint(folder)
    (folder / "tokenizer_config.json").write_text("{}")
    text = complaint(folder)
    assert "media_placeholder_token_id" in text
    assert str(config["media_placeholder_token_id"]) in text


@pytest.mark.parametrize(
    ("values", "stop", "temperature", "top_p", "limit"),
    [
        ({}, set(), 0.2, 1.0, None),
        ({"eos_token_id": 5}, {5}, 0.2, 1.0, None),
        ({"eos_token_id": [5, 6], "temperature": 0.7, "top_p": 0.9, "max_new_tokens": 7}, {5, 6}, 0.7, 0.9, 7),
        ({"temperature": 0.7, "do_sample": False}, set(), 0.0, 1.0, None),
    ],
)
def test_generation_config(
    folder: Path, values: dict[str, object], stop: set[int], temperature: float, top_p: float, limit: int | None
) -> None:
    (folder / "deskhand.json").write_text('{"name": "Kimi-VL-A3B-Instruct"}')
    (folder / "generation_config.json").write_text(json.dumps(values))
    defaults = inspect(folder).generation
    always = {1793, 1794}
    assert defaults.stop_ids == always | stop
    assert (defaults.temperature, defaults.top_p, defaults.max_new_tokens) == (temperature, top_p, limit)
    (folder / "generation_config.json").unlink()
    assert inspect(folder).generation.stop_ids == always


@pytest.mark.parametrize(
    ("name", "temperature"),
    [
        ("moonshotai/Kimi-VL-A3B-Thinking-2506", 0.8),
        ("Kimi-VL-A3B-Thinking", 0.6),
        ("Kimi-VL-A3B-Instruct", 0.2),
        ("mine", 0.0),
    ],
)
def test_temperature_of_the_variant(folder: Path, name: str, temperature: float) -> None:
    (folder / "deskhand.json").write_text(json.dumps({"name": name}))
    assert inspect(folder).generation.temperature == temperature


def test_sidecar(folder: Path) -> None:
    sidecar = {"name": "nano", "capabilities": ["ground"], "grounding_prompt": "find {x}", "licence": "MIT"}
    (folder / "deskhand.json").write_text(json.dumps(sidecar))
    info = inspect(folder)
    assert (info.name, info.capabilities) == ("nano", {"ground"})
    assert (info.sidecar.grounding_prompt, info.sidecar.licence) == ("find {x}", "MIT")
    for broken in (
        {"capabilities": ["fly"]},
        {"capabilities": []},
        {"name": 3},
        {"capabilities": [[]]},
        {"shapes_px": [[672]]},
        {"shapes_px": [[672, 0]]},
        {"shapes_px": [[672.5, 448]]},
        {"shapes_px": "672x448"},
    ):
        (folder / "deskhand.json").write_text(json.dumps(broken))
        assert "deskhand.json" in complaint(folder)


# The full size, from the table of the released checkpoint's tensors.


def table(layers: int = 27, experts: int = 64) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Write the released tensor list down again, number by number."""
    yield "language_model.model.embed_tokens.weight", (163840, 2048)
    yield "language_model.lm_head.weight", (163840, 2048)
    yield "language_model.model.norm.weight", (2048,)
    for n in range(layers):
        layer = f"language_model.model.layers.{n}"
        yield f"{layer}.input_layernorm.weight", (2048,)
        yield f"{layer}.post_attention_layernorm.weight", (2048,)
        yield f"{layer}.self_attn.q_proj.weight", (3072, 2048)
        yield f"{layer}.self_attn.kv_a_proj_with_mqa.weight", (576, 2048)
        yield f"{layer}.self_attn.kv_a_layernorm.weight", (512,)
        yield f"{layer}.self_attn.kv_b_proj.weight", (4096, 512)
        yield f"{layer}.self_attn.o_proj.weight", (2048, 2048)
        yield f"{layer}.self_attn.rotary_emb.inv_freq", (32,)
        widths = {"mlp": 11264} if n == 0 else {f"mlp.experts.{e}": 1408 for e in range(experts)}
        if n:
            yield f"{layer}.mlp.gate.weight", (64, 2048)
            yield f"{layer}.mlp.gate.e_score_correction_bias", (64,)
            widths["mlp.shared_experts"] = 2816
        for part, width in widths.items():
            yield f"{layer}.{part}.gate_proj.weight", (width, 2048)
            yield f"{layer}.{part}.up_proj.weight", (width, 2048)
            yield f"{layer}.{part}.down_proj.weight", (2048, width)
    vision: dict[str, tuple[int, ...]] = {
        "vision_tower.patch_embed.proj.weight": (1152, 3, 14, 14),
        "vision_tower.patch_embed.proj.bias": (1152,),
        "vision_tower.patch_embed.pos_emb.weight": (64, 64, 1152),
        "vision_tower.encoder.final_layernorm.weight": (1152,),
        "vision_tower.encoder.final_layernorm.bias": (1152,),
        "multi_modal_projector.pre_norm.weight": (1152,),
        "multi_modal_projector.pre_norm.bias": (1152,),
        "multi_modal_projector.linear_1.weight": (4608, 4608),
        "multi_modal_projector.linear_1.bias": (4608,),
        "multi_modal_projector.linear_2.weight": (2048, 4608),
        "multi_modal_projector.linear_2.bias": (2048,),
    }
    block: dict[str, tuple[int, ...]] = {
        "norm0.weight": (1152,),
        "norm0.bias": (1152,),
        "norm1.weight": (1152,),
        "norm1.bias": (1152,),
        "wqkv.weight": (3456, 1152),
        "wqkv.bias": (3456,),
        "wo.weight": (1152, 1152),
        "wo.bias": (1152,),
        "mlp.fc0.weight": (4304, 1152),
        "mlp.fc0.bias": (4304,),
        "mlp.fc1.weight": (1152, 4304),
        "mlp.fc1.bias": (1152,),
    }
    yield from vision.items()
    for n in range(27):
        for name, shape in block.items():
            yield f"vision_tower.encoder.blocks.{n}.{name}", shape


def a3b() -> KimiVLConfig:
    return parse_config(preset_config("a3b"))


def test_full_size_tensors_are_the_released_ones() -> None:
    released = dict(table())
    assert len(released) == 5679
    config = a3b()
    ours = dense_tensors(config)
    assert ours | ignored_tensors(config) == released
    assert sum(math.prod(shape) for shape in ours.values()) == 16_407_656_048
    assert {name: tensor.shape for name, tensor in expected_tensors(config).items()} == ours


def test_full_size_network_has_a_place_for_every_tensor() -> None:
    config = a3b()
    model = build_meta(config, None)
    assert sum(parameter.numel() for parameter in model.parameters()) == 16_407_656_048
    shapes = {name: tuple(slot.dense.shape) for name, slot in slots(model).items() if slot.dense is not None}
    assert shapes == dense_tensors(config)


def bytes_read() -> int:
    """Return what this process has read so far, from cache or disk; 0 where the system does not say."""
    return getattr(psutil.Process().io_counters(), "read_chars", 0) if hasattr(psutil.Process, "io_counters") else 0


def test_full_size_folder_is_inspected_without_reading_its_33_gb(tmp_path: Path) -> None:
    """Shards with true headers, and holes for data."""
    raw = preset_config("a3b")
    config = parse_config(raw)
    write_companions(tmp_path, raw, config)
    specs = [TensorSpec(name, "BF16", shape) for name, shape in dict(table()).items()]
    shards = split_shards(specs, 5_000_000_000)
    assert len(shards) == 7
    weight_map: dict[str, str] = {}
    for name, shard in zip(shard_names(7), shards, strict=True):
        header = encode_header(shard)
        with (tmp_path / name).open("wb") as file:
            file.write(header)
            file.truncate(len(header) + sum(spec.nbytes for spec in shard))
        weight_map |= {spec.name: name for spec in shard}
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    before = bytes_read()
    info = inspect(tmp_path)
    assert bytes_read() - before < 50_000_000
    assert info.weight_bytes == 2 * 16_407_656_048
    assert info.generation.stop_ids == {163585, 163586}
    assert info.config.media_placeholder_token_id == 163605


# The container format.


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(["F32", "BF16", "I8"]), st.lists(st.integers(0, 5), max_size=3)),
        max_size=6,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_headers_round_trip(tmp_path: Path, tensors: dict[str, tuple[str, list[int]]]) -> None:
    specs = [TensorSpec(name, dtype, tuple(shape)) for name, (dtype, shape) in tensors.items()]
    path = tmp_path / "x.safetensors"
    path.write_bytes(encode_header(specs) + bytes(sum(spec.nbytes for spec in specs)))
    read = read_header(path)
    assert [(t.name, t.dtype, t.shape, t.nbytes) for t in read.values()] == [
        (s.name, s.dtype, s.shape, s.nbytes) for s in specs
    ]
    with safe_open(path, "np") as file:
        assert set(file.keys()) == set(tensors)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_damage_to_a_header_is_one_kind_of_error(tmp_path: Path, data: st.DataObject) -> None:
    whole = encode_header([TensorSpec("a", "F32", (2, 3)), TensorSpec("b", "I8", (4,))]) + bytes(28)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.safetensors"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(whole)))])
    said = str(path)
    try:
        read_header(path)
    except CheckpointError as error:
        said = str(error)
    assert str(path) in said


def test_read_tensors_of_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="neither"):
        read_tensors(tmp_path, a3b())


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a": ' + "9" * 6000 + "}", '{"a"', "\udcff"],
    ids=["deep", "long number", "cut", "not utf-8"],
)
@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "generation_config.json"])
def test_hostile_json_is_one_line_naming_the_file(tmp_path: Path, name: str, text: str) -> None:
    folder = make_dummy(tmp_path / "dummy")
    (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match=name) as caught:
        inspect(folder)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("key", ["rope_theta", "rms_norm_eps", "routed_scaling_factor", "num_hidden_layers"])
def test_numbers_too_large_for_anything_are_out_of_range(tmp_path: Path, key: str) -> None:
    folder = make_dummy(tmp_path / "dummy")
    config = json.loads((folder / "config.json").read_text())
    config["text_config"][key] = 10**400
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=key):
        inspect(folder)


def test_a_pipe_in_a_file_s_place_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    folder = make_dummy(tmp_path / "dummy")
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    with pytest.raises(CheckpointError, match="not a file"):
        inspect(folder)
