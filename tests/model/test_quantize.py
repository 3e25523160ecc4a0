"""Weight-only quantisation: its bounds, its packing, and folders that equal quantising while loading."""

import json
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from model.architecture import linear
from model.architecture.experts import Experts, QuantExperts
from model.architecture.kimi_vl import KimiVL
from model.architecture.linear import Linear, QuantLinear, dequantize, quantize
from model.checkpoint import inspect
from model.config import QuantConfig, parse_config
from model.dummy import make_dummy, write_random
from model.errors import CancelledByCallerError, InputError, ResourceError
from model.quantize import quantize_checkpoint
from model.storage.layout import dense_tensors, expected_tensors, group_size_for, weight_quantization
from model.storage.presets import preset_config
from model.storage.skeleton import build_meta
from model.weights import Quantize, load_model

FLOATS = [torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("dummy") / "tiny")


def unpack(packed: Tensor, bits: int) -> np.ndarray:
    """Read packed integers one by one, the slow way."""
    rows = packed.numpy().astype(np.int64)
    if bits == 8:
        return rows
    out = np.zeros((rows.shape[0], rows.shape[1] * 2), np.int64)
    for (row, column), byte in np.ndenumerate(rows):
        out[row, 2 * column] = byte % 16 - 8
        out[row, 2 * column + 1] = byte // 16 - 8
    return out


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 5),
    groups=st.integers(1, 4),
    group_size=st.sampled_from([32, 64, 128]),
    bits=st.sampled_from([4, 8]),
    dtype=st.sampled_from(FLOATS),
    magnitude=st.sampled_from([0.0, 1e-9, 1e-6, 1e-3, 0.02, 1.0, 1e3]),
)
@settings(max_examples=150, deadline=None)
def test_rounding_stays_within_half_a_scale(
    seed: int, rows: int, groups: int, group_size: int, bits: int, dtype: torch.dtype, magnitude: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight = (torch.randn(rows, groups * group_size, generator=generator) * magnitude).to(dtype)
    packed, scale = quantize(weight, bits, group_size)
    assert packed.dtype == (torch.int8 if bits == 8 else torch.uint8)
    assert packed.shape == (rows, groups * group_size // (1 if bits == 8 else 2))
    assert scale.dtype == dtype
    assert scale.shape == (rows, groups)
    integers = unpack(packed, bits)
    limit = 127 if bits == 8 else 7
    assert abs(integers).max() <= limit
    scales = scale.double().numpy().repeat(group_size, 1)
    assert (scales > 0).all()
    error = abs(weight.double().numpy() - integers * scales)
    # The largest value of a group may miss by a little more: its scale is rounded to the dtype.
    assert (error <= scales * (0.5 + 1e-6)).all()
    expanded = dequantize(packed, scale, bits)
    assert expanded.dtype == dtype
    exact = torch.from_numpy(integers).to(dtype) * torch.from_numpy(scales).to(dtype)
    assert torch.equal(expanded, exact)


def test_representable_weights_come_back_exactly() -> None:
    integers = torch.randint(-7, 8, (6, 256))
    integers[:, ::64] = 7
    scale = torch.tensor([2.0**-n for n in range(6)])[:, None]
    weight = integers * scale
    packed, scales = quantize(weight, 4, 64)
    assert torch.equal(dequantize(packed, scales, 4), weight)
    assert torch.equal(scales, scale.expand(6, 4))


def test_weight_is_left_as_it_was() -> None:
    weight = torch.randn(4, 64)
    before = weight.clone()
    quantize(weight, 4, 32)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("bias", [True, False])
def test_layer_in_blocks_equals_the_dense_layer(bits: int, bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = QuantLinear(64, 37, bias, bits, 32)
    weight = torch.randn(37, 64)
    layer.packed, layer.scale = quantize(weight, bits, 32)
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 5, 64)
    expected = torch.nn.functional.linear(x, layer.dense(), layer.bias)
    assert torch.equal(layer(x), expected)
    monkeypatch.setattr(linear, "EXPAND_VALUES", 64 * 10)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("bits", [4, 8])
def test_experts_equal_their_dense_selves(bits: int) -> None:
    dense = Experts(4, 64, 96)
    experts = QuantExperts(4, 64, 96, bits, 64, 32)
    torch.nn.init.normal_(dense.gate_up)
    torch.nn.init.normal_(dense.down)
    experts.gate_up_packed, experts.gate_up_scale = quantize(dense.gate_up.detach(), bits, 64)
    experts.down_packed, experts.down_scale = quantize(dense.down.detach(), bits, 32)
    for index in range(4):
        gate_up, down = experts.expert(index)
        dense.gate_up.data[index] = gate_up
        dense.down.data[index] = down
    x = torch.randn(9, 64)
    chosen = torch.randint(0, 4, (9, 2))
    weights = torch.rand(9, 2)
    assert torch.equal(experts(x, chosen, weights), dense(x, chosen, weights))


@pytest.mark.parametrize(
    ("in_features", "wanted", "group"),
    [
        (2048, 128, 128),
        (1408, 128, 128),
        (192, 128, 64),
        (96, 128, 32),
        (80, 128, None),
        (128, 32, 32),
        (33, 128, None),
    ],
)
def test_group_sizes(in_features: int, wanted: int, group: int | None) -> None:
    assert group_size_for(in_features, wanted) == group


def kept_in(config: QuantConfig) -> dict[str, set[int | None]]:
    """Return the bits that each kind of the full size's weights is kept in."""
    full = parse_config(preset_config("a3b"))
    kinds: dict[str, set[int | None]] = {}
    for name, shape in dense_tensors(full).items():
        chosen = weight_quantization(name, shape[-1], config, full.text)
        kind = ".".join(part for part in name.split(".") if not part.isdigit())
        kinds.setdefault(kind, set()).add(chosen.bits if chosen else None)
    return kinds


@pytest.mark.parametrize("bits", [4, 8])
def test_what_is_quantised(bits: int) -> None:
    kinds = kept_in(QuantConfig(bits, 128))
    layers = "language_model.model.layers"
    attention = {f"{layers}.self_attn.{name}" for name in ("q_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj")}
    parts = ("gate_proj", "up_proj", "down_proj")
    wide = {f"{layers}.mlp.{name}" for name in parts} | {f"{layers}.mlp.shared_experts.{name}" for name in parts}
    in_eight = {f"{name}.weight" for name in attention | wide | {"language_model.lm_head"}}
    routed = {f"{layers}.mlp.experts.{name}.weight" for name in parts}
    assert {kind for kind, kept in kinds.items() if kept == {8}} == (in_eight if bits == 4 else in_eight | routed)
    assert {kind for kind, kept in kinds.items() if kept == {4}} == (routed if bits == 4 else set())
    assert all(len(kept) == 1 for kept in kinds.values())


@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_loading_quantised_rounds_what_is_stored(folder: Path, quantization: Quantize) -> None:
    model = load_model(folder, dtype="float32", quantize=quantization)
    stored = {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}
    prefix = "language_model.model.layers.2"
    head = model.language_model.lm_head
    assert isinstance(head, QuantLinear)
    packed, scale = quantize(stored["language_model.lm_head.weight"], 8, 128)
    assert torch.equal(head.packed, packed)
    assert torch.equal(head.scale, scale.float())
    experts = model.get_submodule(f"{prefix}.mlp.experts")
    assert isinstance(experts, QuantExperts)
    bits = 4 if quantization == "int4" else 8
    for expert in range(16):
        gate, up, down = (
            quantize(stored[f"{prefix}.mlp.experts.{expert}.{part}_proj.weight"], bits, size)
            for part, size in (("gate", 128), ("up", 128), ("down", 64))
        )
        assert torch.equal(experts.gate_up_packed[expert], torch.cat((gate[0], up[0])))
        assert torch.equal(experts.gate_up_scale[expert], torch.cat((gate[1], up[1])).float())
        assert torch.equal(experts.down_packed[expert], down[0])
        assert torch.equal(experts.down_scale[expert], down[1].float())
    assert not any(isinstance(module, QuantLinear) for module in model.vision_tower.modules())
    assert not any(isinstance(module, QuantLinear) for module in model.multi_modal_projector.modules())


@pytest.mark.parametrize(("quantization", "bound"), [("int8", 0.06), ("int4", 0.3)])
def test_quantised_network_answers_nearly_the_same(folder: Path, quantization: Quantize, bound: float) -> None:
    tokens = torch.arange(40) * 7
    exact = load_model(folder, dtype="float32")(tokens)
    rounded = load_model(folder, dtype="float32", quantize=quantization)(tokens)
    assert 0 < (rounded - exact).norm() / exact.norm() < bound


def same(a: KimiVL, b: KimiVL) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype and torch.equal(left[name], right[name]) for name in left
    )


@pytest.mark.parametrize("bits", [4, 8])
def test_quantised_folder_equals_quantising_while_loading(folder: Path, tmp_path: Path, bits: int) -> None:
    seen: list[tuple[int, int]] = []
    target = quantize_checkpoint(
        folder, tmp_path / "small", bits, shard_bytes=1_000_000, progress=lambda *at: seen.append(at)
    )
    assert len(list(target.glob("*.safetensors"))) > 1
    assert seen[-1][0] == seen[-1][1] == sum(t.nbytes for t in inspect(target).tensors.values())
    quantization: Quantize = "int4" if bits == 4 else "int8"
    for dtype in ("float32", "float16"):
        from_copy = load_model(target, dtype=dtype)
        assert same(from_copy, load_model(folder, dtype=dtype, quantize=quantization))
    assert same(from_copy, load_model(target, dtype=dtype, quantize=quantization))


def test_quantised_folder_keeps_everything_else(folder: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(folder, tmp_path / "source"))
    (source / "deskhand.json").write_text('{"capabilities": ["ground"]}')
    (source / "old.bin").write_bytes(b"pickle")
    target = quantize_checkpoint(source, tmp_path / "small", 8, group_size=64)
    config = json.loads((target / "config.json").read_text())
    assert config.pop("quantization_config") == {"quant_method": "deskhand", "bits": 8, "group_size": 64}
    assert config == json.loads((source / "config.json").read_text())
    names = {path.name for path in source.iterdir() if "safetensors" not in path.name} - {"old.bin", "config.json"}
    assert names == {path.name for path in target.iterdir() if "safetensors" not in path.name} - {"config.json"}
    for name in names:
        assert (target / name).read_bytes() == (source / name).read_bytes()
    info = inspect(target)
    assert info.config.quantization == QuantConfig(8, 64)
    assert {name: tensor.shape for name, tensor in info.tensors.items()} == {
        name: tensor.shape for name, tensor in expected_tensors(info.config).items()
    }


def test_sizes_that_do_not_split_stay_dense(tmp_path: Path) -> None:
    raw = preset_config("tiny")
    raw["text_config"] |= {"moe_intermediate_size": 40, "intermediate_size": 200, "kv_lora_rank": 48}
    source = write_random(tmp_path / "odd", raw, torch.device("cpu"))
    model = load_model(source, dtype="float32", quantize="int4")
    layer = model.language_model.layers[1]
    assert isinstance(layer.mlp.get_submodule("experts"), Experts)
    assert isinstance(layer.self_attn.kv_b_proj, Linear)
    assert isinstance(layer.self_attn.q_proj, QuantLinear)
    assert isinstance(layer.mlp.get_submodule("shared_experts.down_proj"), Linear)
    assert isinstance(layer.mlp.get_submodule("shared_experts.up_proj"), QuantLinear)
    target = quantize_checkpoint(source, tmp_path / "small", 4)
    assert same(load_model(target, dtype="float32"), model)


def test_existing_destination_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "precious").write_text("data")
    with pytest.raises(InputError, match="exists already"):
        quantize_checkpoint(folder, tmp_path / "there")
    assert (tmp_path / "there" / "precious").read_text() == "data"


def test_quantised_source_is_refused(folder: Path, tmp_path: Path) -> None:
    small = quantize_checkpoint(folder, tmp_path / "small", 8)
    with pytest.raises(InputError, match="quantised already"):
        quantize_checkpoint(small, tmp_path / "smaller", 4)
    with pytest.raises(InputError, match="stored as int8"):
        load_model(small, quantize="int4")


@pytest.mark.parametrize(("bits", "group_size"), [(3, 128), (4, 100), (4, 16), (8, 0)])
def test_impossible_settings(folder: Path, tmp_path: Path, bits: int, group_size: int) -> None:
    with pytest.raises(InputError):
        quantize_checkpoint(folder, tmp_path / "small", bits, group_size)
    assert not list(tmp_path.iterdir())


def test_full_disk_is_said_before_writing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 5, 5))
    with pytest.raises(ResourceError, match=r"\(\d+ and 5 bytes\)"):
        quantize_checkpoint(folder, tmp_path / "small")
    assert not list(tmp_path.iterdir())


def test_cancel_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(CancelledByCallerError):
        quantize_checkpoint(folder, tmp_path / "small", progress=lambda *_: cancel.set(), cancel=cancel)
    assert not list(tmp_path.iterdir())


def test_remains_of_a_killed_run_do_not_hinder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "small.partial").mkdir()
    (tmp_path / "small.partial" / "model-00001-of-00009.safetensors").write_bytes(b"half")
    target = quantize_checkpoint(folder, tmp_path / "small")
    assert inspect(target)
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_full_size_int4_network_is_built_of_quantised_parts() -> None:
    model = build_meta(parse_config(preset_config("a3b")), QuantConfig(4, 128))
    experts = model.get_submodule("language_model.model.layers.26.mlp.experts")
    assert isinstance(experts, QuantExperts)
    assert experts.gate_up_packed.shape == (64, 2816, 1024)
    assert experts.down_scale.shape == (64, 2048, 11)
    dense = [name for name, module in model.language_model.named_modules() if isinstance(module, Linear | Experts)]
    assert not dense
