"""What fits: the estimate's numbers against networks that are really built."""

from pathlib import Path

import pytest
import torch

from model.checkpoint import CheckpointInfo, inspect
from model.config import KimiVLConfig, QuantConfig, parse_config
from model.dummy import make_dummy
from model.errors import InputError
from model.estimate import Estimate, estimate, weight_bytes
from model.quantize import quantize_checkpoint
from model.storage.presets import preset_config
from model.storage.skeleton import allocated_bytes, build_meta
from model.weights import Quantize, load_model

GB = 10**9


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> CheckpointInfo:
    return inspect(make_dummy(tmp_path_factory.mktemp("dummy") / "tiny"))


@pytest.fixture(scope="module")
def full(tiny: CheckpointInfo) -> CheckpointInfo:
    """Give the full size by its config; an estimate reads nothing else of the tensors."""
    return CheckpointInfo(
        tiny.folder, "full", None, a3b(), tiny.preprocess, tiny.generation, tiny.sidecar, tiny.tensors, tiny.files
    )


def a3b() -> KimiVLConfig:
    return parse_config(preset_config("a3b"))


@pytest.mark.parametrize("quantize", [None, "int8", "int4"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_are_counted_to_the_byte(tiny: CheckpointInfo, quantize: Quantize | None, dtype: str) -> None:
    model = load_model(tiny, dtype=dtype, quantize=quantize)
    taken = sum(tensor.nbytes for tensor in model.state_dict().values())
    assert estimate(tiny, quantize, dtype=dtype).weight_bytes == taken


@pytest.mark.parametrize("quantization", [None, QuantConfig(8, 128), QuantConfig(4, 128), QuantConfig(4, 32)])
def test_full_size_weights_are_counted_to_the_byte(quantization: QuantConfig | None) -> None:
    model = build_meta(a3b(), quantization)
    assert weight_bytes(a3b(), quantization, 2) == allocated_bytes(model, torch.bfloat16)


def test_stored_quantisation_is_seen(tiny: CheckpointInfo, tmp_path: Path) -> None:
    small = inspect(quantize_checkpoint(tiny, tmp_path / "small", 8))
    assert estimate(small).bits == 8
    assert estimate(small).weight_bytes == estimate(tiny, "int8").weight_bytes
    with pytest.raises(InputError):
        estimate(small, "int4")


def test_full_size_numbers(full: CheckpointInfo) -> None:
    bf16 = estimate(full, dtype="bfloat16", context_tokens=1)
    assert bf16.weight_bytes == 2 * 16_407_656_048 + 26 * 64 * 2
    assert bf16.cache_bytes == 31_104
    assert estimate(full, dtype="bfloat16", context_tokens=10**9).context_tokens == 131_072


def test_int4_with_context_and_a_4k_screenshot_stays_below_12_gb(full: CheckpointInfo) -> None:
    plan = estimate(
        full, "int4", dtype="bfloat16", context_tokens=16_384, image_patches=98 * 172, available_bytes=12 * GB
    )
    assert plan.total_bytes < 12 * GB
    assert plan.verdict != "will not fit"


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.5, "fits"), (0.89, "fits"), (0.91, "tight"), (0.999, "tight"), (1.01, "will not fit")]
)
def test_verdict(tiny: CheckpointInfo, share: float, verdict: str) -> None:
    total = estimate(tiny).total_bytes
    assert estimate(tiny, available_bytes=int(total / share)).verdict == verdict


def test_line_says_everything() -> None:
    plan = Estimate("Kimi", "cuda:0", "bfloat16", 4, 8192, 4096, 10_240 * 10**6, 255 * 10**6, 600 * 10**6, 12 * GB)
    assert plan.line() == (
        "Kimi as int4 on cuda:0: weights 10.24 GB + context of 8192 tokens 0.26 GB + work 0.60 GB"
        " = 11.10 GB; 12.00 GB free: tight"
    )


def test_device_is_asked_when_nothing_is_said(tiny: CheckpointInfo) -> None:
    plan = estimate(tiny, device="cpu")
    assert plan.available_bytes > 10**8
    assert plan.verdict == "fits"
    assert plan.image_patches == tiny.preprocess.in_token_limit
