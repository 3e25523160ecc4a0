"""The shipped checkpoint itself: it finds, it refuses, and it is the network that does so."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from agent.locate import LocateOptions, locate
from app.samples import Target, sample
from model.checkpoint import builtin_folder, inspect
from model.engine import Engine
from model.weights import load_model

ROOT = Path(__file__).parents[3]
SAMPLE, TARGETS = sample()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine.load("builtin") as engine:
        yield engine


def hits(engine: Engine, image: Image.Image, targets: list[Target]) -> int:
    options = LocateOptions.of(engine.info)
    count = 0
    for target in targets:
        point = locate(engine, image, target.instruction, options).point_px
        count += point is not None and target.distance_px(*point) == 0
    return count


def test_it_is_small_and_only_points() -> None:
    folder = builtin_folder()
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 64_000_000
    info = inspect(folder)
    assert info.capabilities == {"ground"}
    assert info.sidecar.licence == "MIT"


def test_it_finds_what_the_sample_shows(engine: Engine) -> None:
    image = Image.open(SAMPLE).convert("RGB")
    assert hits(engine, image, TARGETS[:1]) == 1, "the README's own command"
    # What the first stage of training reaches; the floor rises with the checkpoint.
    assert hits(engine, image, TARGETS) >= 3


def test_with_shuffled_weights_it_finds_nothing_but_by_chance(engine: Engine) -> None:
    model = load_model(builtin_folder(), "cpu", "bfloat16")
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        flat = parameter.data.flatten()
        parameter.data = flat[torch.randperm(flat.numel(), generator=generator)].view_as(parameter)
    info = engine.info
    image = Image.open(SAMPLE).convert("RGB")
    # Chance: the targets cover less than 2% of the picture.
    with Engine(
        model, engine.tokenizer, engine.preprocess, engine.defaults, grounding_prompt=info.grounding_prompt
    ) as shuffled:
        assert hits(shuffled, image, TARGETS[:3]) == 0


def test_ground_needs_no_network_and_says_when_nothing_is_there(tmp_path: Path) -> None:
    guard = (
        "import socket\n"
        "def refuse(*_): raise OSError('the network was used')\n"
        "socket.socket.connect = refuse\n"
        "import sys; from app.cli import run; sys.exit(run(sys.argv[1:]))"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}

    def ground(instruction: str) -> tuple[int, dict[str, Any]]:
        marked = tmp_path / "marked.png"
        command = [sys.executable, "-c", guard, "ground", str(SAMPLE), "--instruction", instruction]
        done = subprocess.run(
            [*command, "--json", "--annotate", str(marked)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert Image.open(marked).size == Image.open(SAMPLE).size
        return done.returncode, json.loads(done.stdout)

    code, report = ground(TARGETS[0].instruction)
    assert code == 0
    assert report["found"] is True
    x, y = report["point_px"]
    assert TARGETS[0].distance_px(x, y) == 0
    assert {"image", "instruction", "found", "point_px", "point_rel", "ms"} <= report.keys()
    code, report = ground("the Zeppelin button")
    assert (code, report["found"], report["point_px"], report["point_rel"]) == (3, False, None, None)


def test_chat_says_that_it_does_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "main.py", "chat", "How is the weather?"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot chat" in done.stderr
    assert "--model" in done.stderr
