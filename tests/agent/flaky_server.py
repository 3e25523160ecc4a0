"""A real HTTP server in front of another: fails as servers under load do, by a fixed script, then passes on."""

import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Manner = Literal["pass", "500", "429", "503-date", "drop", "half", "html", "nonsense", "400", "401"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str, manners: Sequence[Manner], rest: Manner) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.manners = self._each(manners, rest)
        self.lock = threading.Lock()
        self.now = self.most = self.asked = 0

    @staticmethod
    def _each(manners: Sequence[Manner], rest: Manner) -> Iterator[Manner]:
        yield from manners
        while True:
            yield rest

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that are cut off are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  # it is the one that starts the handlers

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.asked += 1
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
            manner = next(self.server.manners)
        try:
            self._misbehave(manner, body)
        finally:
            with self.server.lock:
                self.server.now -= 1

    def _misbehave(self, manner: Manner, body: bytes) -> None:
        match manner:
            case "pass":
                self._pass_on(body)
            case "429":
                self._answer(429, b'{"error": {"message": "slow down"}}', [("Retry-After", "0.2")])
            case "503-date":
                self._answer(503, b"{}", [("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")])
            case "500" | "400" | "401":
                self._answer(int(manner), b'{"error": {"message": "broken inside"}}')
            case "html":
                self._answer(200, b"<html>a load balancer's page</html>", [("Content-Type", "text/html")])
            case "nonsense":
                self._answer(200, b"data: 17\n\n", [("Content-Type", "text/event-stream")])
            case "half":
                half = b'data: {"choices": [{"index": 0, "delta": {"content": "pyauto"}}]}\n\n'
                self._answer(200, half, [("Content-Type", "text/event-stream")])
            case "drop":
                self.close_connection = True
                self.connection.close()

    def _answer(self, status: int, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self, body: bytes | None) -> None:
        request = urllib.request.Request(self.server.upstream + self.path, body)
        for name in ("Authorization", "Content-Type"):
            if name in self.headers:
                request.add_header(name, self.headers[name])
        with urllib.request.urlopen(request) as answer:
            kind = answer.headers["Content-Type"]
            self._answer(answer.status, answer.read(), [("Content-Type", kind)])


@contextmanager
def flaky(upstream: str, *manners: Manner, rest: Manner = "pass") -> Iterator[_Server]:
    """Run the server in front of ``upstream`` (without /v1); each request to it is treated by the next manner."""
    server = _Server(upstream, manners, rest)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
