"""Checkpoints from the Hugging Face Hub into its own cache, so that other programs find them there.

huggingface_hub lists the repository and lays out the cache; `model.storage.transfer` moves the bytes.
Cache layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from huggingface_hub import HfApi, constants, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from model.checkpoint import INDEX_FILE, SINGLE_FILE
from model.config import CONFIG_FILE, load_config, read_json
from model.errors import CancelledByCallerError, CheckpointError, DownloadError
from model.image import PREPROCESS_FILE
from model.storage.output_folder import check_disk
from model.storage.transfer import TRANSPORT_ERRORS, RemoteFile, transfer
from model.text.vocabulary import RANKS_FILE, TOKENIZER_CONFIG_FILE

Progress = Callable[[int, int], None]

REQUIRED_FILES: tuple[str, ...] = (CONFIG_FILE, PREPROCESS_FILE, RANKS_FILE, TOKENIZER_CONFIG_FILE)
_OPTIONAL = re.compile(r"[^/]+\.(json|jinja)|LICENSE[^/]*")
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LIST_TIMEOUT_S = 15.0
_LOCK_POLL_S = 0.2


def download(
    repo_id: str,
    revision: str = "main",
    *,
    offline: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    endpoint: str | None = None,
    cache_dir: Path | None = None,
) -> Path:
    """Fetch a checkpoint, or find it in the cache; return its folder.

    ``progress`` is called with bytes there and bytes in all. A call after a cancelled or broken
    one resumes. ``offline``, or HF_HUB_OFFLINE, uses the cache alone, and so does a Hub that
    cannot be reached when the cache has the whole checkpoint. Raises `DownloadError` for what
    does not exist, is not permitted, does not arrive or is not the published file;
    `CheckpointError` for another kind of model; `ResourceError`, before the first byte, for a disk
    that is too small; `CancelledByCallerError`.
    """
    cache = Path(cache_dir or constants.HF_HUB_CACHE)
    storage = cache / f"models--{repo_id.replace('/', '--')}"
    if offline or constants.is_offline_mode():
        return _from_cache(storage, repo_id, revision, "the network is switched off (--offline or HF_HUB_OFFLINE)")
    try:
        listing = HfApi(endpoint=endpoint).model_info(
            repo_id, revision=revision, files_metadata=True, timeout=_LIST_TIMEOUT_S
        )
    except (HFValidationError, HfHubHTTPError) as error:
        raise _refusal(repo_id, revision, error) from error
    except (*TRANSPORT_ERRORS, OfflineModeIsEnabled) as error:
        return _from_cache(storage, repo_id, revision, f"the Hub cannot be reached ({error})")
    if not listing.sha:
        raise DownloadError(f"the Hub names no commit for {repo_id}@{revision}")
    files = needed_files(listing)
    _fetch_all(repo_id, listing.sha, files, storage, progress, cancel, endpoint)
    _write_ref(storage, revision, listing.sha)
    return storage / "snapshots" / listing.sha


def needed_files(listing: ModelInfo) -> list[RepoSibling]:
    """Choose what loading reads from a repository's listing, small files first.

    Raises `DownloadError` when it lacks a part of the family's layout.
    """
    there = {sibling.rfilename: sibling for sibling in listing.siblings or ()}
    sharded = INDEX_FILE in there
    weights = [name for name in there if (_SHARD.fullmatch(name) if sharded else name == SINGLE_FILE)]
    missing = [name for name in REQUIRED_FILES if name not in there] + ([] if weights else [SINGLE_FILE])
    if missing:
        raise DownloadError(
            f"{listing.id} lacks {', '.join(missing)}",
            why="it is not a checkpoint in the Kimi-VL layout",
            remedy="choose one of moonshotai/Kimi-VL-A3B-*",
        )
    small = [name for name in there if name in REQUIRED_FILES or _OPTIONAL.fullmatch(name)]
    chosen = [there[name] for name in (*small, *weights)]
    if any(sibling.size is None for sibling in chosen):
        raise DownloadError(f"the Hub does not say how large the files of {listing.id} are")
    return sorted(chosen, key=lambda sibling: (sibling.size or 0, sibling.rfilename))


def _fetch_all(
    repo_id: str,
    commit: str,
    files: list[RepoSibling],
    storage: Path,
    progress: Progress | None,
    cancel: threading.Event | None,
    endpoint: str | None,
) -> None:
    blobs = storage / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    remotes = [_remote(repo_id, commit, sibling, endpoint) for sibling in files]
    there = [_bytes_there(storage, commit, remote) for remote in remotes]
    total = sum(remote.size_bytes for remote in remotes)
    check_disk(blobs, total - sum(there))
    folder = storage / "snapshots" / commit
    done = 0
    # config.json first: another kind of model is refused before gigabytes of it have come.
    for remote in sorted(remotes, key=lambda remote: remote.name != CONFIG_FILE):

        def report(file_bytes: int, before: int = done) -> None:
            if progress is not None:
                progress(before + file_bytes, total)

        with _locked(storage, remote, cancel):
            if not _is_complete(storage, commit, remote):
                blob = blobs / remote.digest
                if not blob.exists():
                    partial = blobs / f"{remote.digest}.incomplete"
                    transfer(remote, partial, report, cancel)
                    partial.replace(blob)
                _link(repo_id, commit, remote.name, storage, endpoint)
        done += remote.size_bytes
        report(0, done)
        if remote.name == CONFIG_FILE:
            load_config(folder)


def _remote(repo_id: str, commit: str, sibling: RepoSibling, endpoint: str | None) -> RemoteFile:
    digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
    if not digest or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digest):
        raise DownloadError(f"the Hub publishes no hash for {sibling.rfilename}")
    url = hf_hub_url(repo_id, sibling.rfilename, revision=commit, endpoint=endpoint)
    return RemoteFile(sibling.rfilename, url, sibling.size or 0, digest)


def _is_complete(storage: Path, commit: str, remote: RemoteFile) -> bool:
    path = storage / "snapshots" / commit / remote.name
    return path.is_file() and path.stat().st_size == remote.size_bytes


def _bytes_there(storage: Path, commit: str, remote: RemoteFile) -> int:
    if _is_complete(storage, commit, remote) or (storage / "blobs" / remote.digest).exists():
        return remote.size_bytes
    partial = storage / "blobs" / f"{remote.digest}.incomplete"
    return min(partial.stat().st_size, remote.size_bytes) if partial.exists() else 0


def _link(repo_id: str, commit: str, name: str, storage: Path, endpoint: str | None) -> None:
    """Let the library put a finished blob into the snapshot: by link, or by copy where links are not allowed."""
    try:
        hf_hub_download(repo_id, name, revision=commit, cache_dir=storage.parent, endpoint=endpoint)
    except (*TRANSPORT_ERRORS, OSError) as error:
        raise DownloadError(f"{name} could not be put in place", why=str(error), remedy="run it again") from error


@contextmanager
def _locked(storage: Path, remote: RemoteFile, cancel: threading.Event | None) -> Iterator[None]:
    """Let one process at a time fetch a file; the others wait and then find it."""
    folder = storage.parent / ".locks" / storage.name
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{remote.digest}.deskhand.lock")
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_S)
            break
        except Timeout:
            if cancel is not None and cancel.is_set():
                raise CancelledByCallerError("the download was cancelled", remedy="run it again; it resumes") from None
    try:
        yield
    finally:
        lock.release()


def _write_ref(storage: Path, revision: str, commit: str) -> None:
    if revision != commit:
        ref = storage / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit, encoding="utf-8")


def _from_cache(storage: Path, repo_id: str, revision: str, why: str) -> Path:
    ref = storage / "refs" / revision
    commit = revision if _COMMIT.fullmatch(revision) else ref.read_text("utf-8").strip() if ref.is_file() else ""
    folder = storage / "snapshots" / commit
    missing = _missing_files(folder) if commit else [CONFIG_FILE]
    if missing:
        raise DownloadError(
            f"{repo_id}@{revision} is not whole on this machine: {missing[0]} is missing",
            why=why,
            remedy=f"connect once and run 'deskhand models download {repo_id}'",
        )
    return folder


def _missing_files(folder: Path) -> list[str]:
    wanted = list(REQUIRED_FILES)
    index = folder / INDEX_FILE
    if index.is_file():
        raw = read_json(index)
        places = raw.get("weight_map") if isinstance(raw, dict) else None
        wanted += sorted({str(file) for file in places.values()}) if isinstance(places, dict) else [INDEX_FILE]
    else:
        wanted.append(SINGLE_FILE)
    return [name for name in wanted if not (folder / name).is_file()]


def _refusal(repo_id: str, revision: str, error: Exception) -> DownloadError | CheckpointError:
    if isinstance(error, HFValidationError):
        return CheckpointError(f"{repo_id!r} is neither a folder nor a Hugging Face id", why=str(error))
    if isinstance(error, GatedRepoError):
        return DownloadError(
            f"{repo_id} is gated",
            remedy="accept its licence on its page and log in with 'hf auth login', or set HF_TOKEN",
        )
    if isinstance(error, RevisionNotFoundError):
        return DownloadError(f"{repo_id} has no revision {revision!r}")
    if isinstance(error, RepositoryNotFoundError):
        return DownloadError(
            f"the Hub has no model {repo_id}", remedy="check its name; a private one needs 'hf auth login' or HF_TOKEN"
        )
    return DownloadError(f"the Hub refused to list {repo_id}", why=str(error), remedy="try again later")
