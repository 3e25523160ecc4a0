import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from model.chat import GenerateOptions, Usage, complete, message
from model.client import Endpoint, Timeouts
from model.errors import EndpointError

HI = [message("user", "hi")]
FAST = Timeouts(connect_s=5, silence_s=20)


Script = Callable[[socket.socket, bytes], object]


@contextmanager
def scripted(*scripts: Script) -> Iterator[tuple[str, list[bytes]]]:
    """Run a server that treats each connection by the next script; yield its URL and the requests."""
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    def run() -> None:
        for script in scripts:
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            with wire:
                requests.append(_read_request(wire))
                script(wire, requests[-1])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield url, requests
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        assert not thread.is_alive()


def _read_request(wire: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += wire.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")), 0
    )
    while len(body) < length:
        body += wire.recv(65536)
    return head + b"\r\n\r\n" + body


def reply(status: str, body: bytes, kind: str = "application/json", extra: str = "") -> Script:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}Connection: close\r\n\r\n"
    )
    return lambda wire, _request: wire.sendall(head.encode() + body)


def events(*chunks: object, then: bytes = b"") -> bytes:
    lines = b"".join(
        b"data: " + (json.dumps(chunk).encode() if isinstance(chunk, dict | list | str) else b"") + b"\n\n"
        for chunk in chunks
    )
    return lines + then


def word(text: str, finish: str | None = None) -> dict[str, object]:
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
    }


def stream_of(*chunks: object, then: bytes = b"data: [DONE]\n\n") -> Script:
    return reply("200 OK", events(*chunks, then=then), "text/event-stream")


def failure(*scripts: Script) -> tuple[EndpointError, str]:
    with (
        scripted(*scripts) as (url, _),
        Endpoint(url, "m", timeouts=FAST) as there,
        pytest.raises(EndpointError) as caught,
    ):
        complete(there, HI)
    assert url in caught.value.what, "the error names the URL"
    assert caught.value.remedy
    assert caught.value.exit_code == 5
    assert "\n" not in str(caught.value)
    return caught.value, str(caught.value)


OPENAI_ERROR = json.dumps({"error": {"message": "the cat ate it", "type": "x", "code": "y"}}).encode()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (reply("401 Unauthorized", OPENAI_ERROR), ("API key", "the cat ate it")),
        (reply("403 Forbidden", OPENAI_ERROR), ("forbids", "the cat ate it")),
        (reply("404 Not Found", OPENAI_ERROR), ("'m'", "the cat ate it", "/v1/models")),
        (reply("400 Bad Request", OPENAI_ERROR), ("refuses the request", "HTTP 400", "the cat ate it")),
        (reply("422 X", b'{"detail": [{"loc": ["body"], "msg": "field required"}]}'), ("HTTP 422", "field required")),
        (reply("429 Too Many Requests", OPENAI_ERROR), ("too busy", "the cat ate it")),
        (reply("503 Service Unavailable", OPENAI_ERROR), ("not ready", "the cat ate it")),
        (reply("500 Oops", b"<html>a page</html>", "text/html"), ("HTTP 500", "a page")),
        (reply("502 Bad Gateway", b"", "text/html"), ("HTTP 502",)),
        (reply("200 OK", b"<html>welcome</html>", "text/html"), ("OpenAI-compatible", "text/html", "/v1")),
        (reply("200 OK", b'{"choices": []}'), ("OpenAI-compatible", "application/json")),
        (stream_of({"error": {"message": "the engine fell over"}}), ("broke off", "the engine fell over")),
        (stream_of(word("a"), then=b""), ("lost in the middle", "without saying")),
        (stream_of(word("a")), ("lost in the middle",)),
        (reply("200 OK", b"data: {broken\n\n", "text/event-stream"), ("OpenAI-compatible", "JSON")),
        (reply("200 OK", b"data: \xff\xfe\n\n", "text/event-stream"), ("OpenAI-compatible",)),
        (stream_of([1, 2]), ("OpenAI-compatible",)),
        (stream_of("text"), ("OpenAI-compatible",)),
        (stream_of({"choices": [{"delta": "text"}]}), ("OpenAI-compatible",)),
        (stream_of({"choices": [{"delta": {"content": 7}}]}), ("OpenAI-compatible",)),
        (stream_of({}), ("OpenAI-compatible",)),
        (lambda wire, _: wire.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), ("127.0.0.1",)),
        (lambda wire, _: None, ("lost",)),
    ],
)
def test_a_bad_server_is_named_with_its_words_and_a_remedy(script: Script, says: tuple[str, ...]) -> None:
    _, text = failure(script)
    for part in says:
        assert part in text


def test_a_connection_that_drops_mid_stream_is_told_from_an_answer_that_ended() -> None:
    def drop(wire: socket.socket, _request: bytes) -> None:
        body = events(word("one"), word("two"))
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n")

    with scripted(drop) as (url, _), Endpoint(url, "m") as there:
        stream = there.stream(HI)
        assert [next(stream).text, next(stream).text] == ["one", "two"], "what came before the loss is delivered"
        with pytest.raises(EndpointError, match="lost in the middle"):
            next(stream)


def test_a_server_that_is_not_there_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    for model in ("m", None):
        with Endpoint(url, model) as there, pytest.raises(EndpointError, match="no server can be reached") as caught:
            complete(there, HI)
        assert url in caught.value.what
    with Endpoint(url) as there, pytest.raises(EndpointError, match="no server can be reached"):
        there.card()


def test_a_silent_server_is_given_up() -> None:
    over = threading.Event()
    with scripted(lambda _wire, _request: over.wait(20)) as (url, _):
        there = Endpoint(url, "m", timeouts=Timeouts(silence_s=0.3))
        with there, pytest.raises(EndpointError, match=r"did not answer within 0\.3 s"):
            complete(there, HI)
        over.set()


@pytest.mark.parametrize("listing", [b"{}", b'{"data": []}', b'{"data": [{}]}', b"[]", b"7", b"nonsense"])
def test_a_server_whose_list_of_models_is_none_is_said_so(listing: bytes) -> None:
    server = scripted(reply("200 OK", listing))
    with server as (url, _), Endpoint(url) as there, pytest.raises(EndpointError, match="OpenAI-compatible"):
        complete(there, HI)


def test_a_model_that_is_not_served_is_named() -> None:
    server = scripted(reply("200 OK", b'{"data": [{"id": "other"}]}'))
    with server as (url, _), Endpoint(url, "mine") as there, pytest.raises(EndpointError, match="'mine'"):
        there.card()


def test_by_default_nothing_is_tried_twice() -> None:
    with scripted(reply("503 Busy", OPENAI_ERROR), stream_of(word("a", "stop"))) as (url, requests):
        with Endpoint(url, "m") as there, pytest.raises(EndpointError, match="not ready"):
            complete(there, HI)
        assert len(requests) == 1


def test_what_may_pass_is_tried_again_before_the_first_word() -> None:
    scripts = (reply("503 Busy", OPENAI_ERROR), lambda _wire, _request: None, stream_of(word("a", "stop")))
    with scripted(*scripts) as (url, requests), Endpoint(url, "m", retries=2) as there:
        assert complete(there, HI).text == "a"
        assert len(requests) == 3


def test_what_will_not_pass_is_not_tried_again() -> None:
    with scripted(reply("400 No", OPENAI_ERROR), stream_of(word("a", "stop"))) as (url, requests):
        with Endpoint(url, "m", retries=2) as there, pytest.raises(EndpointError, match="HTTP 400"):
            complete(there, HI)
        assert len(requests) == 1


def test_nothing_is_tried_again_after_the_first_word() -> None:
    with scripted(stream_of(word("a"), then=b""), stream_of(word("a", "stop"))) as (url, requests):
        with Endpoint(url, "m", retries=2) as there, pytest.raises(EndpointError, match="middle"):
            complete(there, HI)
        assert len(requests) == 1


def test_a_plain_server_without_usage_is_enough() -> None:
    with scripted(stream_of(word("four"), word("", "stop"))) as (url, requests), Endpoint(url, "m") as there:
        answer = complete(there, HI, GenerateOptions(temperature=0))
    assert (answer.text, answer.finish) == ("four", "stop")
    assert answer.usage.total_ms > 0
    assert answer.usage.prompt_tokens == Usage().prompt_tokens
    sent = json.loads(requests[0].partition(b"\r\n\r\n")[2])
    assert sent == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 1024,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }, "nothing is sent that a strict server might not know"


def test_no_key_and_nothing_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "a-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with scripted(stream_of(word("a", "stop")), stream_of(word("a", "stop"))) as (url, requests):
        with Endpoint(url, "m") as there:
            complete(there, HI)
        with Endpoint(url, "m", "my-key") as there:
            complete(there, HI)
    assert b"authorization" not in requests[0].lower()
    assert b"authorization: bearer my-key" in requests[1].lower()
    assert not any(b"a-secret" in request for request in requests)


def test_importing_and_making_an_endpoint_loads_neither_torch_nor_openai() -> None:
    code = (
        "import model.client as c, sys; c.Endpoint('http://h'); sys.exit(bool({'torch', 'openai'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
