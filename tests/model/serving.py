"""A real server on loopback in a thread, and a small model whose every delta is known beforehand."""

import hashlib
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from typing import Any

import openai
import pytest
import uvicorn
from PIL import Image

from model.chat import ChatModel, Delta, FinishReason, GenerateOptions, ImagePart, Message, Usage
from model.serve import ModelCard, ServeSettings, create_app
from model.wire import Json

TOKEN = "a-token-for-tests"
HI: Any = [{"role": "user", "content": "hi"}]


class PacedModel:
    """Answers with words drawn from a hash of the request, one every ``pace_s``; honours every option of the wire.

    ``refusal`` is raised before the first word, ``error`` after the last.
    """

    def __init__(self, pace_s: float = 0.0, error: Exception | None = None, refusal: Exception | None = None) -> None:
        self.pace_s = pace_s
        self.refusal = refusal
        self.error = error
        self.seen: list[tuple[tuple[Message, ...], GenerateOptions]] = []
        self.cancelled = 0
        self.closed = 0
        self._lock = threading.Lock()

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        with self._lock:
            self.seen.append((tuple(messages), options))
        if self.refusal is not None:
            raise self.refusal
        cancel = cancel or threading.Event()
        finish: FinishReason = "length"
        count = 0
        try:
            if options.prefix:
                yield Delta(text=options.prefix)
            for count, word in enumerate(words(messages, options), start=1):
                if cancel.wait(self.pace_s) if self.pace_s else cancel.is_set():
                    finish = "cancelled"
                    break
                yield Delta(thinking=word) if count <= 2 else Delta(text=word)
            if self.error is not None:
                raise self.error
            usage = Usage(prompt_tokens=len(messages), completion_tokens=count, cached_tokens=1, image_tokens=7)
            yield Delta(finish=finish, usage=usage)
        finally:
            with self._lock:
                self.cancelled += cancel.is_set()
                self.closed += 1


def words(messages: Sequence[Message], options: GenerateOptions) -> Iterator[str]:
    """Return ``options.max_tokens`` words that depend on everything that was sent."""
    seed = hashlib.sha256(repr((options.seed, options.temperature)).encode())
    for message in messages:
        for part in message.parts:
            if isinstance(part, ImagePart):
                image = part.image
                assert isinstance(image, Image.Image), "the server decodes pictures"
                seed.update(image.tobytes())
            else:
                seed.update(part.text.encode())
    for index in range(options.max_tokens):
        yield hashlib.sha256(seed.digest() + index.to_bytes(4, "big")).hexdigest()[:6] + " "


@dataclass
class Running:
    """A server that answers at ``url``."""

    url: str
    port: int
    token: str | None = field(default=TOKEN)

    def health(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health") as answer:
            return json.load(answer)

    def wait_until(self, condition: Callable[[dict[str, object]], bool], seconds: float = 20.0) -> dict[str, object]:
        """Poll /health until it says what the test needs; fail with what it said instead."""
        deadline = time.monotonic() + seconds
        while not condition(health := self.health()):
            assert time.monotonic() < deadline, f"/health still says {health}"
            time.sleep(0.01)
        return health


@contextmanager
def serving(
    model: ChatModel | None, settings: ServeSettings = ServeSettings(token=TOKEN), card: ModelCard = ModelCard("tiny")
) -> Iterator[Running]:
    """Serve with uvicorn in a thread until the block ends; leave no thread behind."""
    config = uvicorn.Config(
        create_app(model, settings, card), http="h11", lifespan="on", log_config=None, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="test server")
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server died"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    port = listener.getsockname()[1]
    try:
        yield Running(f"http://127.0.0.1:{port}/v1", port, settings.token)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not end"
        listener.close()


@contextmanager
def client_of(server: Running, api_key: str = TOKEN) -> Iterator[openai.OpenAI]:
    """Open the real ``openai`` client, without retries."""
    with openai.OpenAI(base_url=server.url, api_key=api_key, max_retries=0, timeout=120) as client:
        yield client


def ask(client: openai.OpenAI, text: str = "hi", **changes: Any) -> str:
    """Return the text of a greedy answer to one question."""
    answer = client.chat.completions.create(
        **({"model": "tiny", "messages": [user(text)], "max_tokens": 12, "temperature": 0} | changes)
    )
    return answer.choices[0].message.content


def user(*parts: object) -> Any:
    """Write a user's message: one text, or parts."""
    return {"role": "user", "content": parts[0] if isinstance(parts[0], str) else list(parts)}


def refused(client: openai.OpenAI, **changes: Any) -> openai.APIStatusError:
    """Return the error of a request that must be refused."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**({"model": "tiny", "messages": HI, "max_tokens": 4} | changes))
    return caught.value


def said(error: openai.APIStatusError) -> str:
    """Return the server's own message."""
    assert isinstance(error.body, dict)
    return error.body["message"]


def post(
    server: Running, body: bytes, headers: dict[str, str] | None = None, path: str = "/v1/chat/completions"
) -> tuple[int, HTTPMessage, Json]:
    """Send bytes as they are; return the status, the headers and the decoded answer."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"} | (headers or {})
        connection.request("POST", path, body, given)
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())


def raw_stream(server: Running, body: Json) -> str:
    """Return everything a streamed answer writes."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body | {"stream": True}), headers)
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")
        return answer.read().decode()


def request_head(server: Running, length: int) -> bytes:
    """Write the head of a request for which the body is sent by hand."""
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()
