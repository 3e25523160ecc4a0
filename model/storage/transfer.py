"""One file over HTTP: resumable across processes, cancellable, verified.

huggingface_hub's own transfer throws an unfinished file away, which for a 5 GB shard on a slow
line means that it never arrives. Sessions, headers and URLs are the library's.
"""

import errno
import hashlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from huggingface_hub import get_session
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import build_hf_headers

from model.errors import CancelledByCallerError, DownloadError, ResourceError

# The library moved from httpx to httpx2; both call the root of their errors so.
TRANSPORT_ERRORS: tuple[type[BaseException], ...] = tuple(
    base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"
)

MAX_STALLS = 6
"""Attempts in a row that bring no byte before giving up."""
FIRST_WAIT_S = 0.5
_CONNECT_TIMEOUT_S = 10.0
_READ_TIMEOUT_S = 4.0
_HASH_BYTES = 1 << 22
_OK, _PARTIAL, _RANGE_REFUSED = 200, 206, 416
_RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to fetch: its name for people, its address, size, and published hash.

    ``digest`` is a SHA-256 for large files (64 hexadecimal digits), else git's own blob hash.
    """

    name: str
    url: str
    size_bytes: int
    digest: str


class _Interrupted(Exception):  # noqa: N818 (control flow, never shown)
    """The line broke; what has arrived is kept."""


def transfer(
    remote: RemoteFile, partial: Path, progress: Callable[[int], None], cancel: threading.Event | None = None
) -> None:
    """Fetch a file into ``partial``, going on after whatever that holds already, and verify it.

    ``progress`` is called with the bytes of this file that are there. A broken line is taken up
    again; raises `DownloadError` after `MAX_STALLS` attempts without a byte, for a refusal, or for
    a file that is not the published one (which is removed); `ResourceError` for a full disk;
    `CancelledByCallerError` within seconds of ``cancel``, leaving the partial file to resume from.
    """
    stalls = 0
    reason = ""
    # Unbuffered: what a full disk did not take must not be tried again when the file is closed.
    with partial.open("ab", buffering=0) as file:
        while file.tell() < remote.size_bytes:
            _check(cancel, remote)
            before = file.tell()
            progress(before)
            try:
                _attempt(remote, file, progress, cancel, stalls)
            except _Interrupted as error:
                reason = str(error)
            except OSError as error:
                raise _write_error(remote, partial, error) from error
            stalls = 0 if file.tell() > before else stalls + 1
            if stalls > MAX_STALLS:
                raise DownloadError(
                    f"{remote.name} stopped arriving",
                    why=reason,
                    remedy="check the network and run it again; it resumes",
                )
            if stalls:
                _wait(cancel, FIRST_WAIT_S * 2 ** (stalls - 1))
    _verify(remote, partial, cancel)
    progress(remote.size_bytes)


def _attempt(
    remote: RemoteFile,
    file: FileIO,
    progress: Callable[[int], None],
    cancel: threading.Event | None,
    stalls: int,
) -> None:
    start = file.tell()
    try:
        with _request(remote, start, stalls) as response:
            _accept(remote, response, file, start)
            for chunk in response.iter_raw():
                _check(cancel, remote)
                _write(file, memoryview(chunk)[: remote.size_bytes - file.tell()])
                progress(file.tell())
    except TRANSPORT_ERRORS as error:
        raise _Interrupted(f"{type(error).__name__}: {error}") from error


def _write(file: FileIO, data: memoryview) -> None:
    while data:
        data = data[file.write(data) :]


def _request(remote: RemoteFile, start: int, stalls: int) -> AbstractContextManager[Any]:
    headers = {**build_hf_headers(library_name="deskhand"), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    client: Any = get_session()
    timeouts = type(client.timeout)(_READ_TIMEOUT_S * (1 + stalls), connect=_CONNECT_TIMEOUT_S)
    return client.stream("GET", remote.url, headers=headers, timeout=timeouts, follow_redirects=True)


def _accept(remote: RemoteFile, response: Any, file: FileIO, start: int) -> None:
    """Decide from the response's head whether its body belongs at the end of the file."""
    status = int(response.status_code)
    if status == _PARTIAL:
        if not str(response.headers.get("Content-Range", "")).startswith(f"bytes {start}-"):
            raise DownloadError(f"the server sent another part of {remote.name} than was asked for")
    elif status == _OK or (status == _RANGE_REFUSED and start):
        # The server does not resume: take the whole file from its beginning.
        file.seek(0)
        file.truncate()
        if status == _RANGE_REFUSED:
            raise _Interrupted("the server refused to resume")
    elif status in _RETRIED:
        raise _Interrupted(f"the server answered {status}")
    elif status in (401, 403):
        raise DownloadError(
            f"access to {remote.name} was refused ({status})",
            remedy="accept the licence on the model's page and log in with 'hf auth login', or set HF_TOKEN",
        )
    else:
        raise DownloadError(f"the server answered {status} for {remote.name}")


def _check(cancel: threading.Event | None, remote: RemoteFile) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledByCallerError(f"the download was cancelled in {remote.name}", remedy="run it again; it resumes")


def _wait(cancel: threading.Event | None, seconds: float) -> None:
    (cancel or threading.Event()).wait(seconds)


def _write_error(remote: RemoteFile, partial: Path, error: OSError) -> DownloadError | ResourceError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(
            f"the disk of {partial.parent} is full",
            why=f"{remote.name} did not fit",
            remedy="make room and run it again",
        )
    return DownloadError(f"{remote.name} could not be fetched", why=str(error), remedy="run it again; it resumes")


def _verify(remote: RemoteFile, partial: Path, cancel: threading.Event | None) -> None:
    if len(remote.digest) == hashlib.sha256().digest_size * 2:
        digest = hashlib.sha256()
    else:
        # What git calls a file: the hash of a short header and the contents.
        digest = hashlib.sha1(b"blob %d\0" % remote.size_bytes, usedforsecurity=False)
    with partial.open("rb") as file:
        while chunk := file.read(_HASH_BYTES):
            _check(cancel, remote)
            digest.update(chunk)
    if digest.hexdigest() != remote.digest:
        partial.unlink()
        raise DownloadError(
            f"{remote.name} is not the published file", why=f"its hash is {digest.hexdigest()}", remedy="run it again"
        )
