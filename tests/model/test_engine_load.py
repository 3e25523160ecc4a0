"""Engines from checkpoint folders: what they say about themselves, and that they answer."""

import json
import queue
import signal
import threading
from pathlib import Path

import pytest
import torch

from model import engine
from model.chat import GenerateOptions, complete, message
from model.checkpoint import SIDECAR_FILE
from model.dummy import make_dummy
from model.engine import Engine
from model.errors import CancelledByCallerError, CheckpointError, InputError
from model.generation import GENERATION_FILE
from model.weights import Quantize
from tests.model.engines import ask, picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("checkpoints") / "tiny")


def test_an_engine_from_a_folder_answers_and_says_what_it_is(folder: Path) -> None:
    notices: list[str] = []
    bytes_done: list[tuple[int, int]] = []
    with Engine.load(
        folder,
        device="cpu",
        dtype="float32",
        notice=notices.append,
        progress=lambda done, total: bytes_done.append((done, total)),
    ) as engine:
        assert engine.info.name == "tiny"
        assert engine.info.capabilities == ("chat", "plan", "ground")
        assert (engine.info.device, engine.info.dtype, engine.info.in_token_limit) == ("cpu", "float32", 4096)
        answer = ask(engine, message("user", picture(0, 640, 480), "hello"), max_tokens=4)
        assert answer.usage.image_tokens == 414
        assert answer.usage.images_encoded == 1
    assert len(notices) == 1
    assert "weights" in notices[0]
    assert notices[0].endswith("fits")
    done, total = zip(*bytes_done, strict=True)
    assert list(done) == sorted(done)
    assert set(total) == {done[-1]}


@pytest.mark.parametrize("quantize", ["int8", "int4"])
def test_a_quantised_engine_answers_the_same_in_company_as_alone(folder: Path, quantize: Quantize) -> None:
    asks = [([message("user", f"question {n}", picture(n))], GenerateOptions(max_tokens=5 + n)) for n in range(5)]
    with Engine.load(folder, dtype="float32", quantize=quantize) as engine:
        together: dict[int, str] = {}

        def run(index: int) -> None:
            together[index] = complete(engine, *asks[index]).text

        threads = [threading.Thread(target=run, args=(index,)) for index in range(len(asks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for index, (messages, options) in enumerate(asks):
            engine.clear_caches()
            assert complete(engine, messages, options).text == together[index]


def test_the_sidecar_and_the_generation_file_are_respected(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / SIDECAR_FILE).unlink(missing_ok=True)
    sidecar = {"name": "Pointer", "capabilities": ["ground"], "grounding_prompt": "bare"}
    (tmp_path / SIDECAR_FILE).write_text(json.dumps(sidecar))
    (tmp_path / GENERATION_FILE).unlink(missing_ok=True)
    (tmp_path / GENERATION_FILE).write_text(json.dumps({"temperature": 0.7, "top_p": 0.9, "eos_token_id": 5}))
    with Engine.load(tmp_path) as engine:
        assert engine.info.name == "Pointer"
        assert engine.info.capabilities == ("ground",)
        assert engine.info.grounding_prompt == "bare"
        assert (engine.defaults.temperature, engine.defaults.top_p) == (0.7, 0.9)
        assert 5 in engine.defaults.stop_ids


def test_what_cannot_be_loaded_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        Engine.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="device 'gpu'"):
        Engine.load(folder, device="gpu")
    with pytest.raises(InputError, match="dtype 'int3'"):
        Engine.load(folder, dtype="int3")


def test_loading_can_be_cancelled(folder: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledByCallerError):
        Engine.load(folder, cancel=cancel)


def test_an_interrupt_ends_the_loading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def interrupted(*args: object) -> None:
        stop = args[-1]
        assert isinstance(stop, threading.Event)
        signal.raise_signal(signal.SIGINT)
        stopped.put(stop.wait(60))

    monkeypatch.setattr(engine, "load_model", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Engine.load(folder, device="cpu")
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.get(timeout=90)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_gpu_gives_the_same_tokens_in_company_as_alone(folder: Path, dtype: str) -> None:
    asks = [([message("user", f"question {n}", picture(n))], GenerateOptions(max_tokens=9 + n)) for n in range(9)]
    with Engine.load(folder, device="cuda", dtype=dtype) as engine:
        alone = [complete(engine, *each).text for each in asks]
        engine.clear_caches()
        together: dict[int, str] = {}
        threads = [
            threading.Thread(target=lambda n=n: together.__setitem__(n, complete(engine, *asks[n]).text))
            for n in range(len(asks))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [together[n] for n in range(len(asks))] == alone
        assert complete(engine, *asks[0]).usage.peak_memory_bytes > 0
