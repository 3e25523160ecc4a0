"""Downloads against a real server that speaks the Hub's protocol and breaks in the ways networks do."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.checkpoint import inspect, resolve
from model.download import download
from model.dummy import make_dummy
from model.errors import CancelledByCallerError, CheckpointError, DownloadError, ModelError, ResourceError
from model.storage import transfer
from tests.model.hub_server import COMMIT, Hub, serve_hub, sha256

REPO = "someone/Kimi-VL-tiny"
SHARD = "model-00001-of-00004.safetensors"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_dummy(tmp_path_factory.mktemp("published") / "repo")
    for name in ("README.md", "modeling_kimi_vl.py", "pytorch_model.bin"):
        (folder / name).write_text("not needed")
    return folder


@pytest.fixture
def hub(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(transfer, "FIRST_WAIT_S", 0.01)
    folder = tmp_path / "served"
    shutil.copytree(published, folder)
    with serve_hub(folder, REPO) as server:
        yield server


def fetch(hub: Hub, cache: Path, **options: Any) -> Path:
    return download(options.pop("repo_id", REPO), endpoint=hub.endpoint, cache_dir=cache, **options)


def partials(cache: Path) -> list[int]:
    return [path.stat().st_size for path in cache.rglob("*.incomplete")]


def test_download_brings_what_loading_needs_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch(hub, tmp_path / "cache", progress=lambda done, total: seen.append((done, total)))
    assert folder == tmp_path / "cache" / f"models--{REPO.replace('/', '--')}" / "snapshots" / COMMIT
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in hub.folder.iterdir()} - {
        "README.md",
        "modeling_kimi_vl.py",
        "pytorch_model.bin",
    }
    for name in names:
        assert (folder / name).read_bytes() == (hub.folder / name).read_bytes()
    total = sum((folder / name).stat().st_size for name in names)
    assert {of for _, of in seen} == {total}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (total, total)
    assert inspect(folder).name == REPO


def test_config_comes_first_and_another_model_is_refused_before_its_weights(hub: Hub, tmp_path: Path) -> None:
    config = json.loads((hub.folder / "config.json").read_text())
    (hub.folder / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))
    with pytest.raises(CheckpointError, match="'model_type' is 'llama'"):
        fetch(hub, tmp_path)
    assert {file for method, file, _ in hub.requests if method == "GET"} == {"config.json"}


def test_second_download_fetches_nothing(hub: Hub, tmp_path: Path) -> None:
    first = fetch(hub, tmp_path)
    hub.requests.clear()
    assert fetch(hub, tmp_path) == first
    assert not [file for method, file, _ in hub.requests if method == "GET"]


def test_dropped_connection_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.faults.drops[SHARD] = [100_000, 200_000]
    folder = fetch(hub, tmp_path)
    starts = hub.fetched(SHARD)
    assert len(starts) == 3
    assert starts[0] == 0 < starts[1] < starts[2]
    assert (folder / SHARD).read_bytes() == (hub.folder / SHARD).read_bytes()


def test_line_that_stays_dead_gives_up_and_a_later_run_resumes(hub: Hub, tmp_path: Path) -> None:
    hub.faults.drops[SHARD] = [300_000] + [0] * 20
    with pytest.raises(DownloadError, match=f"{SHARD} stopped arriving.*resumes"):
        fetch(hub, tmp_path)
    (kept,) = partials(tmp_path)
    assert kept > 0
    hub.faults.drops.clear()
    hub.requests.clear()
    folder = fetch(hub, tmp_path)
    assert hub.fetched(SHARD) == [kept]
    assert (folder / SHARD).read_bytes() == (hub.folder / SHARD).read_bytes()
    assert not partials(tmp_path)


def test_server_without_ranges_starts_over(hub: Hub, tmp_path: Path) -> None:
    hub.faults.drops[SHARD] = [100_000]
    hub.faults.ignores_ranges = True
    folder = fetch(hub, tmp_path)
    assert (folder / SHARD).read_bytes() == (hub.folder / SHARD).read_bytes()


def test_cancel_in_mid_file_stops_and_resumes(hub: Hub, tmp_path: Path) -> None:
    cancel = threading.Event()
    whole = sum(path.stat().st_size for path in hub.folder.iterdir())

    def stop_half_way(done: int, total: int) -> None:
        if done > whole / 2:
            cancel.set()

    with pytest.raises(CancelledByCallerError, match=r"cancelled in model-.*resumes"):
        fetch(hub, tmp_path, progress=stop_half_way, cancel=cancel)
    (kept,) = partials(tmp_path)
    hub.requests.clear()
    folder = fetch(hub, tmp_path)
    assert kept in [start for method, _, start in hub.requests if method == "GET"]
    assert inspect(folder)


def test_cancel_on_a_line_that_has_gone_silent(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_READ_TIMEOUT_S", 0.2)
    cancel = threading.Event()
    hub.faults.stalls[SHARD] = 100_000

    def stop_when_reached(done: int, total: int) -> None:
        if hub.fetched(SHARD):
            cancel.set()

    with pytest.raises(CancelledByCallerError):
        fetch(hub, tmp_path, progress=stop_when_reached, cancel=cancel)


def test_file_that_is_not_the_published_one_is_refused_and_removed(hub: Hub, tmp_path: Path) -> None:
    data = bytearray((hub.folder / SHARD).read_bytes())
    data[-1] ^= 1
    hub.faults.replaced[SHARD] = bytes(data)
    with pytest.raises(DownloadError, match=f"{SHARD} is not the published file.*{sha256(bytes(data))}"):
        fetch(hub, tmp_path)
    assert not partials(tmp_path)
    hub.faults.replaced.clear()
    assert inspect(fetch(hub, tmp_path))


def test_small_file_is_verified_by_git_hash(hub: Hub, tmp_path: Path) -> None:
    hub.faults.replaced["config.json"] = (hub.folder / "config.json").read_bytes().replace(b"2.446", b"2.447")
    with pytest.raises(DownloadError, match=r"config\.json is not the published file"):
        fetch(hub, tmp_path)


def test_full_disk_is_said_before_the_first_byte(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 1_000_000, 1_000_000))
    with pytest.raises(ResourceError, match=r"6\d{6} and 1000000 bytes"):
        fetch(hub, tmp_path)
    assert not [file for method, file, _ in hub.requests if method == "GET"]


@pytest.mark.parametrize(
    ("revision", "repo_id", "says"),
    [
        ("nope", REPO, "has no revision 'nope'"),
        ("main", "someone/else", "the Hub has no model someone/else"),
    ],
)
def test_what_does_not_exist(hub: Hub, tmp_path: Path, revision: str, repo_id: str, says: str) -> None:
    with pytest.raises(DownloadError, match=says):
        fetch(hub, tmp_path, revision=revision, repo_id=repo_id)


def test_gated_repository_says_how_to_get_in(hub: Hub, tmp_path: Path) -> None:
    hub.faults.status["listing"] = 403
    hub.faults.error_codes["listing"] = "GatedRepo"
    with pytest.raises(DownloadError, match=r"is gated.*hf auth login"):
        fetch(hub, tmp_path)


def test_refused_file_says_how_to_get_in(hub: Hub, tmp_path: Path) -> None:
    hub.faults.status[SHARD] = 403
    with pytest.raises(DownloadError, match=f"access to {SHARD} was refused.*hf auth login"):
        fetch(hub, tmp_path)


def test_repository_of_another_layout_is_refused(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "tiktoken.model").unlink()
    with pytest.raises(DownloadError, match=r"lacks tiktoken\.model"):
        fetch(hub, tmp_path)


def test_two_downloads_at_once_share_the_work(hub: Hub, tmp_path: Path) -> None:
    results: list[Path | ModelError] = []

    def run() -> None:
        try:
            results.append(fetch(hub, tmp_path))
        except ModelError as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results[0] == results[1]
    assert hub.fetched(SHARD) == [0]


def test_offline_uses_the_cache_or_says_what_is_missing(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"not whole on this machine.*connect once"):
        fetch(hub, tmp_path, offline=True)
    folder = fetch(hub, tmp_path)
    hub.requests.clear()
    assert fetch(hub, tmp_path, offline=True) == folder
    assert fetch(hub, tmp_path, offline=True, revision=COMMIT) == folder
    assert not hub.requests
    (folder / SHARD).unlink()
    with pytest.raises(DownloadError, match=f"{SHARD} is missing"):
        fetch(hub, tmp_path, offline=True)


def test_unreachable_hub_falls_back_to_the_cache(hub: Hub, tmp_path: Path) -> None:
    folder = fetch(hub, tmp_path)
    nowhere = "http://127.0.0.1:9"
    assert download(REPO, endpoint=nowhere, cache_dir=tmp_path) == folder
    with pytest.raises(DownloadError, match="the Hub cannot be reached"):
        download("someone/else", endpoint=nowhere, cache_dir=tmp_path)


def test_resolve_in_a_fresh_process_downloads_then_works_offline(hub: Hub, tmp_path: Path) -> None:
    code = "import sys; from model.checkpoint import resolve, inspect; print(inspect(resolve(sys.argv[1])).folder)"
    env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": "hf_secret"}

    def run(ref: str, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, ref]
        return subprocess.run(command, env={**env, **extra}, capture_output=True, text=True, check=False)

    first = run(f"{REPO}@main")
    assert first.returncode == 0, first.stderr
    assert first.stdout.strip().endswith(COMMIT)
    assert "Bearer hf_secret" in hub.tokens
    offline = run(REPO, HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9")
    assert offline.stdout == first.stdout, offline.stderr


def test_resolve_takes_a_folder_and_refuses_what_is_nothing(published: Path, tmp_path: Path) -> None:
    assert resolve(str(published)) == published
    (tmp_path / "file").touch()
    for ref in ("./nowhere", "/nowhere/at/all", "a b/c", "", str(tmp_path / "file")):
        with pytest.raises(CheckpointError, match="not a checkpoint folder"):
            resolve(ref)
