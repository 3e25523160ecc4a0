"""A real HTTP server that speaks what a download needs of the Hub's protocol, with faults on order."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PIECE = 16 << 10


@dataclass
class Faults:
    """What goes wrong, by file name. ``drops`` cut one response each after so many bytes of body."""

    drops: dict[str, list[int]] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    error_codes: dict[str, str] = field(default_factory=dict)
    ignores_ranges: bool = False
    released: threading.Event = field(default_factory=threading.Event)


@dataclass
class Hub:
    """The server's address, its faults, and what it was asked: (method, file, first byte)."""

    endpoint: str
    folder: Path
    repo_id: str
    faults: Faults = field(default_factory=Faults)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)

    def fetched(self, name: str) -> list[int]:
        """Return the first byte of each GET of a file."""
        return [start for method, file, start in self.requests if method == "GET" and file == name]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".model"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def _answer(self, method: str) -> None:
        hub = self.hub
        path = self.path.partition("?")[0]
        hub.tokens.add(self.headers.get("Authorization"))
        listing = re.fullmatch(rf"/api/models/{hub.repo_id}(?:/revision/(.+))?", path)
        file = re.fullmatch(rf"/{hub.repo_id}/resolve/([^/]+)/(.+)", path)
        cdn = re.fullmatch(r"/cdn/(.+)", path)
        if listing:
            self._listing(listing[1] or "main")
        elif file and file[1] in ("main", COMMIT) and (hub.folder / file[2]).is_file():
            self._file(method, file[2])
        elif cdn:
            self._body(method, cdn[1], (hub.folder / cdn[1]).read_bytes())
        else:
            self._refuse(404, "RepoNotFound" if path.startswith("/api/") else "EntryNotFound")

    def _listing(self, revision: str) -> None:
        faults = self.hub.faults
        if "listing" in faults.status:
            self._refuse(faults.status["listing"], faults.error_codes.get("listing", ""))
            return
        if revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound")
            return
        siblings: list[dict[str, object]] = []
        for path in sorted(self.hub.folder.iterdir()):
            data = path.read_bytes()
            entry: dict[str, object] = {"rfilename": path.name, "size": len(data), "blobId": git_sha1(data)}
            if _is_large(path.name):
                entry["lfs"] = {"size": len(data), "sha256": sha256(data), "pointerSize": 134}
            siblings.append(entry)
        self._json({"_id": "1", "id": self.hub.repo_id, "sha": COMMIT, "siblings": siblings})

    def _file(self, method: str, name: str) -> None:
        data = (self.hub.folder / name).read_bytes()
        if name in self.hub.faults.status and method == "GET":
            self._refuse(self.hub.faults.status[name], self.hub.faults.error_codes.get(name, ""))
        elif _is_large(name):
            self.send_response(302)
            self.send_header("Location", f"/cdn/{name}" if method == "GET" else f"{self.hub.endpoint}/cdn/{name}")
            self.send_header("X-Linked-Etag", f'"{sha256(data)}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._body(method, name, data)

    def _body(self, method: str, name: str, data: bytes) -> None:
        faults = self.hub.faults
        total = len(data)
        sent = faults.replaced.get(name, data)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and not faults.ignores_ranges else 0
        self.hub.requests.append((method, name, int(asked[1]) if asked else 0))
        if start >= total > 0 and start:
            self._refuse(416, "")
            return
        self.send_response(206 if asked and not faults.ignores_ranges else 200)
        if asked and not faults.ignores_ranges:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.send_header("ETag", f'"{sha256(data) if _is_large(name) else git_sha1(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if method == "HEAD":
            return
        drops = faults.drops.get(name)
        self._send(name, sent[start:], drops.pop(0) if drops else None)

    def _send(self, name: str, body: bytes, drop_after: int | None) -> None:
        stall_after = self.hub.faults.stalls.get(name)
        for at in range(0, len(body), _PIECE):
            if stall_after is not None and at >= stall_after:
                self.hub.faults.released.wait(30)
            if drop_after is not None and at >= drop_after:
                self.close_connection = True
                self.connection.close()
                return
            try:
                self.wfile.write(body[at : at + _PIECE])
            except OSError:
                self.close_connection = True
                return

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if code:
            self.send_header("X-Error-Code", code)
        self.end_headers()

    def _json(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serve_hub(folder: Path, repo_id: str) -> Iterator[Hub]:
    """Serve a folder's files as one model repository on a loopback port."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_address[1]}", folder, repo_id)
    handler.hub = hub
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hub
    finally:
        hub.faults.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
