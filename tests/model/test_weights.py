"""Loading: every value where it belongs, little memory beside the network, and errors that say what is short."""

import gc
import itertools
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from model import weights
from model.architecture.experts import Experts
from model.architecture.kimi_vl import KimiVL
from model.checkpoint import inspect
from model.dummy import make_dummy, write_random
from model.errors import CancelledByCallerError, CheckpointError, InputError, ResourceError
from model.storage.presets import preset_config
from model.weights import compute_dtype, load_model, make_model

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("dummy") / "tiny")


def stored_tensors(folder: Path) -> dict[str, Tensor]:
    """Read a folder with the safetensors library."""
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_value_arrives(folder: Path, dtype: torch.dtype) -> None:
    model = load_model(folder, "cpu", dtype)
    stored = {name: tensor for name, tensor in stored_tensors(folder).items() if "inv_freq" not in name}
    for layer, name in itertools.product(range(1, 4), ("gate_up", "down")):
        fused = model.get_parameter(f"language_model.model.layers.{layer}.mlp.experts.{name}")
        for expert in range(16):
            prefix = f"language_model.model.layers.{layer}.mlp.experts.{expert}"
            if name == "down":
                expected = stored.pop(f"{prefix}.down_proj.weight")
            else:
                halves = stored.pop(f"{prefix}.gate_proj.weight"), stored.pop(f"{prefix}.up_proj.weight")
                expected = torch.cat(halves)
            assert torch.equal(fused[expert], expected.to(dtype))
    parameters = {name: p for name, p in model.named_parameters() if ".experts." not in name}
    assert parameters.keys() == stored.keys()
    for name, parameter in parameters.items():
        wanted = torch.float32 if name.endswith("e_score_correction_bias") else dtype
        assert parameter.dtype == wanted, name
        assert torch.equal(parameter, stored[name].to(wanted)), name


def test_loaded_for_inference(folder: Path) -> None:
    model = load_model(folder)
    assert not model.training
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model(torch.arange(9)).isfinite().all()


def test_blocks_do_not_show(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_model(folder, dtype="float32", quantize="int4").state_dict()
    monkeypatch.setattr(weights, "BLOCK_VALUES", 1000)
    for name, tensor in load_model(folder, dtype="float32", quantize="int4").state_dict().items():
        assert torch.equal(tensor, whole[name]), name


def test_progress_counts_bytes(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    load_model(folder, progress=lambda done, total: seen.append((done, total)))
    info = inspect(folder)
    assert {total for _, total in seen} == {info.weight_bytes}
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1][0] == info.weight_bytes


def test_cancel_ends_loading(folder: Path) -> None:
    cancel = threading.Event()
    calls: list[int] = []

    def cancel_at_third(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == 3:
            cancel.set()

    with pytest.raises(CancelledByCallerError):
        load_model(folder, progress=cancel_at_third, cancel=cancel)
    assert len(calls) == 3


def test_file_that_shrinks_while_loading(tmp_path: Path) -> None:
    folder = make_dummy(tmp_path / "tiny")
    info = inspect(folder)
    tensor = max(info.tensors.values(), key=lambda tensor: (tensor.file, tensor.offset))
    tensor.file.write_bytes(tensor.file.read_bytes()[: tensor.offset + tensor.nbytes - 1])
    with pytest.raises(CheckpointError, match=f"{tensor.file}: tensor '{tensor.name}' is cut off"):
        load_model(info)


def test_embeddings_on_the_host(folder: Path) -> None:
    model = load_model(folder, device=torch.device("meta"), embed_on_host=True)
    on_host = [name for name, parameter in model.named_parameters() if parameter.device == CPU]
    assert on_host == ["language_model.model.embed_tokens.weight"]


def test_too_little_memory_is_said_before_anything_is_allocated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = sum(tensor.nbytes for tensor in load_model(folder).state_dict().values())
    monkeypatch.setattr(weights, "free_bytes", lambda _: 1_000_000)
    monkeypatch.setattr(weights, "allocate", lambda *_: pytest.fail("allocated"))
    with pytest.raises(ResourceError, match=rf"\({needed} and 1000000 bytes\).*quantise") as caught:
        load_model(folder)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "failure", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("DefaultCPUAllocator: no")]
)
def test_memory_that_runs_out_half_way_is_given_back(folder: Path, failure: Exception) -> None:
    config = inspect(folder).config
    models: list[weakref.ref[KimiVL]] = []

    def fail_half_way(model: KimiVL) -> None:
        models.append(weakref.ref(model))
        raise failure

    with pytest.raises(ResourceError, match=r"the weights need .* GB on cpu") as caught:
        make_model(config, None, CPU, torch.float32, fail_half_way)
    failure.__traceback__ = None
    gc.collect()
    assert caught.value.exit_code == 4
    assert models[0]() is None


def test_other_failures_pass_through(folder: Path) -> None:
    def fail(model: KimiVL) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        make_model(inspect(folder).config, None, CPU, torch.float32, fail)


@pytest.mark.parametrize(
    ("asked", "stored", "device", "fast", "chosen"),
    [
        ("auto", "bfloat16", "cuda", False, torch.bfloat16),
        ("auto", "float16", "cuda", False, torch.float16),
        ("auto", "float32", "cuda", False, torch.float32),
        ("auto", "bfloat16", "cpu", True, torch.bfloat16),
        ("auto", "bfloat16", "cpu", False, torch.float32),
        ("auto", "float16", "cpu", True, torch.float32),
        ("float16", "bfloat16", "cpu", True, torch.float16),
        (torch.float32, "bfloat16", "cuda", True, torch.float32),
    ],
)
def test_compute_dtype(
    asked: str | torch.dtype,
    stored: str,
    device: str,
    fast: bool,
    chosen: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "has_fast_bfloat16", lambda: fast)
    assert compute_dtype(asked, stored, torch.device(device)) == chosen


@pytest.mark.parametrize("dtype", ["int8", "float64", torch.int32])
def test_unknown_dtype(folder: Path, dtype: str | torch.dtype) -> None:
    with pytest.raises(InputError, match="unknown"):
        load_model(folder, dtype=dtype)


def test_unknown_quantisation(folder: Path) -> None:
    with pytest.raises(InputError, match="'int2' is unknown"):
        load_model(folder, quantize="int2")  # type: ignore[arg-type]


def test_experts_stay_fused(folder: Path) -> None:
    experts = load_model(folder).language_model.layers[1].mlp.get_submodule("experts")
    assert isinstance(experts, Experts)
    assert experts.gate_up.shape == (16, 128, 128)


LOAD_IN_A_CHILD = """
import re, sys
from pathlib import Path
import torch
from model.checkpoint import inspect
from model.weights import load_model

def peak():
    # Not getrusage: its peak is inherited from the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

big, small, device, quantize = sys.argv[1:]
quantize = quantize if quantize != "none" else None
# A small one first, so that what libraries set up once is not counted as the loader's.
load_model(Path(small), "cpu", "bfloat16", quantize)
info = inspect(Path(big))
before = peak()
model = load_model(info, torch.device(device), "bfloat16", quantize)
print(peak() - before, sum(t.nbytes for t in model.state_dict().values()))
"""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards of 50 MB with tensors up to 25 MB."""
    raw = preset_config("tiny")
    raw["text_config"] |= {"hidden_size": 768, "intermediate_size": 16384, "moe_intermediate_size": 256}
    return write_random(tmp_path_factory.mktemp("wide") / "wide", raw, CPU, shards=3)


@pytest.mark.skipif(sys.platform != "linux", reason="a process's own peak is read from /proc")
@pytest.mark.parametrize(("device", "quantize"), [("meta", "none"), ("cpu", "none"), ("cpu", "int8")])
def test_host_memory_beside_the_network_stays_under_a_shard(
    wide: Path, folder: Path, device: str, quantize: str
) -> None:
    """On "meta" the network takes nothing, as on a GPU, so all growth is the loader's."""
    command = [sys.executable, "-c", LOAD_IN_A_CHILD, str(wide), str(folder), device, quantize]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    growth, network = map(int, result.stdout.split())
    shard = max(path.stat().st_size for path in wide.glob("*.safetensors"))
    assert len(list(wide.glob("*.safetensors"))) >= 3
    assert growth - (network if device == "cpu" else 0) < 1.2 * shard


def test_device_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ResourceError, match="cuda:99 is not there"):
        load_model(folder, device="cuda:99")
    with pytest.raises(InputError, match="'abacus'"):
        load_model(folder, device="abacus")
