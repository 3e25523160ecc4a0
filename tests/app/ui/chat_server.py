"""A real HTTP server that streams scripted chat answers, and misbehaves when told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Pieces = list[dict[str, str]]


@dataclass
class Script:
    """What the server does next. ``answers`` are used one after the other, the last one for ever.

    A piece is {"content": …} or {"reasoning_content": …}; {"wait": "…"} holds until `go`, {"drop": ""} cuts the line,
    {"nonsense": ""} sends what is no JSON. ``status`` other than 200 refuses.
    """

    answers: list[Pieces]
    status: int = 200
    capabilities: tuple[str, ...] = ("chat", "plan", "ground")
    pace_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def last_texts(self) -> list[str]:
        """The texts of the last request's messages, role first."""
        told = []
        for message in self.asked[-1]["messages"]:
            content = message["content"]
            text = content if isinstance(content, str) else "".join(part.get("text", "[picture]") for part in content)
            told.append(f"{message['role']}: {text}")
        return told


def words(text: str) -> Pieces:
    """Cut a text into pieces of a few characters."""
    return [{"content": text[at : at + 7]} for at in range(0, len(text), 7)]


@contextmanager
def chat_server(script: Script) -> Iterator[Script]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            card = {
                "id": "scripted",
                "object": "model",
                "max_model_len": 4096,
                "capabilities": list(script.capabilities),
                "deskhand": {"in_token_limit": 4096, "grounding_prompt": "bare"},
            }
            self._json(200, {"object": "list", "data": [card]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            script.asked.append(body)
            if script.status != 200:
                self._json(script.status, {"error": {"message": "out of sorts"}})
                return
            pieces = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            # The person may stop the answer.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._stream(pieces)

        def _stream(self, pieces: Pieces) -> None:
            for piece in pieces:
                if "drop" in piece:
                    self.connection.shutdown(2)
                    return
                if "nonsense" in piece:
                    self.wfile.write(b"data: {not json\n\n")
                    continue
                if "wait" in piece:
                    while not script.go.wait(0.02):
                        self.wfile.write(b": still here\n\n")
                        self.wfile.flush()
                    continue
                self._event({"choices": [{"index": 0, "delta": piece, "finish_reason": None}]})
                if script.pace_s:
                    threading.Event().wait(script.pace_s)
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            usage = {"prompt_tokens": 11, "completion_tokens": len(pieces), "total_tokens": 11 + len(pieces)}
            self._event({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, chunk: dict[str, Any]) -> None:
            whole = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "scripted", **chunk}
            self.wfile.write(b"data: " + json.dumps(whole).encode() + b"\n\n")
            self.wfile.flush()

        def _json(self, status: int, value: object) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="chat server")
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield script
    finally:
        script.go.set()
        server.shutdown()
        server.server_close()
        thread.join()
