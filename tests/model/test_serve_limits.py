import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import openai
import pytest

from model.chat import GenerateOptions
from model.errors import InputError, ModelError, ResourceError
from model.serve import ServeSettings
from model.wire.pictures import PictureLimits
from tests.model.serving import (
    HI,
    TOKEN,
    PacedModel,
    ask,
    client_of,
    post,
    raw_stream,
    refused,
    request_head,
    serving,
    user,
    words,
)
from tests.model.wire_samples import data_url, image_url, png

LONG = 3000


def test_options_reach_the_model_and_thinking_comes_back_apart() -> None:
    model = PacedModel()
    with serving(model) as server, client_of(server) as client:
        answer = client.chat.completions.create(
            model="tiny",
            messages=[*HI, {"role": "assistant", "content": "Once"}],
            max_completion_tokens=5,
            temperature=0.5,
            top_p=0.9,
            seed=3,
            stop=["a", "b"],
            extra_body={"continue_final_message": True, "mm_processor_kwargs": {"in_token_limit": 9}},
        )
        echoed = client.chat.completions.create(
            model="tiny",
            messages=[*HI, {"role": "assistant", "content": "Once"}],
            max_tokens=3,
            extra_body={"continue_final_message": True, "add_generation_prompt": False, "echo": True},
        )
    (asked, options), _ = model.seen
    assert options == GenerateOptions(5, 0.5, 0.9, 3, ("a", "b"), "Once", 9)
    expected = list(words(asked, options))
    assert answer.choices[0].message.model_dump()["reasoning_content"] == "".join(expected[:2])
    assert answer.choices[0].message.content == "".join(expected[2:])
    assert (echoed.choices[0].message.content or "").startswith("Once")


def test_a_web_page_cannot_post_without_a_preflight() -> None:
    with serving(PacedModel(), ServeSettings()) as server:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            status, headers, answer = post(server, json.dumps({"messages": HI}).encode(), {"Content-Type": kind})
            assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
            assert "access-control-allow-origin" not in headers
        assert post(server, json.dumps({"messages": HI, "max_tokens": 1}).encode())[0] == 200


def test_too_many_pictures_are_refused() -> None:
    settings = ServeSettings(token=TOKEN, pictures=PictureLimits(images=2))
    with serving(PacedModel(), settings) as server:
        body = {"messages": [user(*[image_url(data_url(png()))] * 3)]}
        status, _, answer = post(server, json.dumps(body).encode())
    assert (status, answer["error"]["code"]) == (400, "too_many_images")


def test_a_body_that_never_comes_is_given_up() -> None:
    with serving(PacedModel(), ServeSettings(token=TOKEN, body_timeout_s=0.2)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as wire:
            wire.sendall(request_head(server, 100))
            assert b"408" in wire.recv(200)
        server.wait_until(lambda health: health["in_flight"] == 0)


def test_a_full_queue_asks_to_come_back() -> None:
    settings = ServeSettings(token=TOKEN, max_in_flight=1)
    with serving(PacedModel(pace_s=0.01), settings) as server, client_of(server) as client:
        stream = client.chat.completions.create(model="tiny", messages=HI, max_tokens=LONG, stream=True)
        next(iter(stream))
        error = refused(client)
        assert isinstance(error, openai.RateLimitError)
        assert error.response.headers["retry-after"] == "1"
        stream.close()
        server.wait_until(lambda health: health["in_flight"] == 0)
        assert ask(client, max_tokens=1) == ""


def test_a_client_that_stops_reading_is_given_up() -> None:
    model = PacedModel()
    with serving(model, ServeSettings(token=TOKEN, write_timeout_s=0.3)) as server:
        body = json.dumps({"messages": HI, "max_tokens": 200_000, "stream": True}).encode()
        with socket.create_connection(("127.0.0.1", server.port)) as wire:
            wire.sendall(request_head(server, len(body)) + body)
            server.wait_until(lambda _health: model.closed == 1)
            assert model.cancelled == 1


def test_48_streams_at_once_all_move() -> None:
    model = PacedModel(pace_s=0.005)
    started = threading.Barrier(48, timeout=60)

    def one(index: int) -> str:
        stream = client.chat.completions.create(model="tiny", messages=[user(str(index))], max_tokens=20, stream=True)
        chunks = iter(stream)
        next(chunks)
        started.wait()  # nobody goes on before all have begun: no stream may wait for another's end
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    before = threading.active_count()
    with serving(model) as server, client_of(server) as client:
        with ThreadPoolExecutor(48) as pool:
            answers = list(pool.map(one, range(48)))
        server.wait_until(lambda health: health["active"] == 0)
    assert len(set(answers)) == 48
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("error", "status", "words_in_it"),
    [
        (InputError("the prompt has 9 tokens", why="the context holds 4"), 400, "the context holds 4"),
        (ResourceError("out of memory", why="8 GB needed"), 503, "8 GB needed"),
        (ModelError("the engine is closed"), 500, "closed"),
        (RuntimeError("a bug"), 500, "RuntimeError: a bug"),
    ],
)
def test_an_engine_error_has_its_status_and_the_server_goes_on(error: Exception, status: int, words_in_it: str) -> None:
    with serving(PacedModel(refusal=error)) as server:
        for streamed in (False, True):
            body = json.dumps({"messages": HI, "stream": streamed}).encode()
            got, _, answer = post(server, body)
            assert got == status
            assert words_in_it in answer["error"]["message"]
        assert server.health() == {"status": "ready", "model": "tiny", "active": 0, "in_flight": 0}


def test_an_engine_that_fails_mid_stream_says_so_in_the_stream() -> None:
    model = PacedModel(pace_s=0.01, error=ResourceError("out of memory"))
    with serving(model) as server, client_of(server) as client:
        stream = client.chat.completions.create(model="tiny", messages=HI, max_tokens=20, stream=True)
        pieces: list[str] = []
        with pytest.raises(openai.APIError, match="out of memory"):
            pieces += [chunk.choices[0].delta.content or "" for chunk in stream]


def test_a_quiet_engine_still_shows_life() -> None:
    with serving(PacedModel(pace_s=0.4), ServeSettings(token=TOKEN, heartbeat_s=0.05)) as server:
        assert ": still working\n\n" in raw_stream(server, {"messages": HI, "max_tokens": 1})


def test_until_the_model_is_loaded_requests_are_told_to_wait() -> None:
    with serving(None) as server:
        status, headers, answer = post(server, json.dumps({"messages": HI}).encode())
        assert (status, answer["error"]["code"]) == (503, "model_loading")
        assert headers["retry-after"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        with closing(connection):
            connection.request("GET", "/health")
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["status"]) == (503, "loading")
