"""A server that speaks OpenAI's chat completions and answers from a list: a planner whose answers are known."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Conversation:
    """Where the server is, and what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)

    def texts(self, number: int) -> str:
        """Return all text of a request."""
        parts = [message["content"] for message in self.asked[number]["messages"]]
        texts = [part if isinstance(part, str) else "".join(p.get("text", "") for p in part) for part in parts]
        return "\n".join(texts)


@contextmanager
def planning_server(answers: Sequence[str]) -> Iterator[Conversation]:
    """Serve the answers in order, the last one for ever."""
    conversation = Conversation("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send("application/json", json.dumps({"object": "list", "data": [{"id": "planner"}]}))

        def do_POST(self) -> None:
            conversation.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = answers[min(len(conversation.asked), len(answers)) - 1]
            head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "planner"}
            deltas = [({"role": "assistant", "content": answer}, None), ({}, "stop")]
            chunks = [
                json.dumps({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
                for delta, finish in deltas
            ]
            self._send("text/event-stream", "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"]))

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _send(self, kind: str, body: str) -> None:
            data = body.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    conversation.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield conversation
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
