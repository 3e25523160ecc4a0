"""Batches on a real Ray of this machine: several workers with an engine each, one of them killed."""

import os
import pickle
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from agent.batch import Row, ground
from agent.batch_output import ResultFile
from agent.locate import LocateOptions
from agent.ray_batch import Pool, Worker, ground_on_ray
from model.chat import ChatModel, GenerateOptions
from model.dummy import make_dummy
from model.engine import Engine
from model.errors import CheckpointError
from model.image import open_image
from tests.agent.grounding_sets import write_picture

ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")

WORKERS = 3
COUNT = 48
SETTINGS: dict[str, object] = {"model": "tiny", "max_looks": 2}


@dataclass(frozen=True)
class LoadTiny:
    """Loads the small random checkpoint, in whatever process it is called."""

    folder: Path

    @contextmanager
    def __call__(self) -> Iterator[tuple[ChatModel, LocateOptions, int]]:
        with Engine.load(self.folder, device="cpu", dtype="float32") as engine:
            options = replace(LocateOptions.of(engine.info, 2), prompt="bare", generate=GenerateOptions(48, 0.0))
            yield engine, options, 2


@dataclass(frozen=True)
class OpenAfter:
    """Opens a picture once a gate is there, so that a test can act while work is certainly going on."""

    gate: Path

    def __call__(self, source: Path | bytes) -> Image.Image:
        if isinstance(source, Path) and source.stem == "late":
            self.gate.with_suffix(".waits").touch()
            while not self.gate.exists():
                time.sleep(0.02)
        return open_image(source)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=WORKERS + 1,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80 << 20,
    )
    yield
    ray.shutdown()


def workers() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::MapWorker"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def make_rows(folder: Path) -> list[Row]:
    early = write_picture(folder / "early.png", (56, 42))
    late = write_picture(folder / "late.png", (70, 42))
    rows = [Row.of(str(n), early if n < COUNT // 2 else late, f"thing {n}") for n in range(COUNT)]
    rows[5] = Row.of("5", folder / "gone.png", "thing 5")
    rows[7] = Row.of("7", early.read_bytes(), "thing 7", "inside")
    rows[9] = Row.of("9", early, " ")
    return rows


def test_what_is_wrong_with_the_model_comes_back_as_itself(tmp_path: Path) -> None:
    worker = Worker(LoadTiny(tmp_path / "nowhere"), open_image, 1)
    batch = {"row": np.array([pickle.dumps(row) for row in make_rows(tmp_path)], dtype=object)}
    (told,) = worker(batch)["result"]
    error = pickle.loads(told)
    assert isinstance(error, CheckpointError)
    assert "nowhere" in str(error)


@pytest.mark.usefixtures("cluster")
def test_one_of_three_workers_killed_in_mid_run_changes_nothing(tmp_path: Path) -> None:
    load = LoadTiny(make_dummy(tmp_path / "tiny"))
    rows = make_rows(tmp_path)
    plain, killed = tmp_path / "plain.jsonl", tmp_path / "killed.jsonl"
    with load() as (engine, options, _), ResultFile(plain, SETTINGS) as out:
        for result in ground(rows, engine, open_image, options):
            out.append(result)

    gate = tmp_path / "gate"
    pool = Pool(WORKERS, batch_rows=4)
    with ResultFile(killed, SETTINGS) as out:
        results = ground_on_ray(iter(rows), load, OpenAfter(gate), pool)
        for count, result in enumerate(results, start=1):
            out.append(result)
            if count == 1:
                # The second half waits for the gate, so whoever is killed now has work, or gets it later.
                while not gate.with_suffix(".waits").exists():
                    time.sleep(0.02)
                before = workers()
                assert len(before) == WORKERS
                os.kill(before[0].pid, signal.SIGKILL)
                psutil.wait_procs(before[:1], timeout=20)
                gate.touch()
    assert killed.read_bytes() == plain.read_bytes()
    assert plain.read_bytes().count(b'"bad_row"') == 2

    # An interrupted run on the cluster is taken up where it was.
    lines = plain.read_bytes().splitlines(keepends=True)
    killed.write_bytes(b"".join(lines[: COUNT - 6]) + lines[-1][:40])
    with ResultFile(killed, SETTINGS, resume=True) as out:
        coming = iter(rows)
        assert out.skip_done(coming) == COUNT - 6
        for result in ground_on_ray(coming, load, open_image, Pool(1, batch_rows=4)):
            out.append(result)
    assert killed.read_bytes() == plain.read_bytes()
