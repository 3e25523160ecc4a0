import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletion

from model.chat import GenerateOptions, complete, message
from model.dummy import make_dummy
from model.engine import Engine
from model.serve import ModelCard, ServeSettings
from model.wire import Json
from tests.model.serving import (
    HI,
    TOKEN,
    Running,
    ask,
    client_of,
    post,
    raw_stream,
    refused,
    request_head,
    said,
    serving,
    user,
)
from tests.model.wire_samples import data_url, image_url, png, png_bomb

LONG = 3000


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[Engine]:
    with Engine.load(checkpoint, device="cpu", dtype="float32") as engine:
        yield engine


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "allowed").mkdir()
    (folder / "allowed" / "a.png").write_bytes(png((60, 40)))
    (folder / "outside.png").write_bytes(png((60, 40)))
    (folder / "allowed" / "link.png").symlink_to(folder / "outside.png")
    return folder


@pytest.fixture(scope="module")
def server(engine: Engine, media: Path) -> Iterator[Running]:
    """Serve the real engine; after everything that has been done to it, it must still answer."""
    settings = ServeSettings(token=TOKEN, media_dirs=(media / "allowed",), max_body_bytes=8 << 20)
    card = ModelCard("tiny", engine.info.capabilities, engine.info.context_tokens)
    with serving(engine, settings, card) as running:
        yield running
        running.wait_until(lambda health: health["active"] == 0)
        assert running.health()["in_flight"] == 0
        with client_of(running) as client:
            assert client.chat.completions.create(model="tiny", messages=HI, max_tokens=3).usage


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    with client_of(server) as client:
        yield client


# --- what works ---------------------------------------------------------------------------------


def test_the_model_is_listed_with_what_it_can_do(client: openai.OpenAI, engine: Engine) -> None:
    (listed,) = client.models.list().data
    assert listed.id == "tiny"
    assert listed.model_dump()["max_model_len"] == engine.info.context_tokens
    assert listed.model_dump()["capabilities"] == ["chat", "plan", "ground"]
    assert client.models.retrieve("tiny").id == "tiny"


def test_a_whole_answer_is_the_engines_own(client: openai.OpenAI, engine: Engine) -> None:
    answer = client.chat.completions.create(model="tiny", messages=HI, max_tokens=12, temperature=0)
    own = complete(engine, [message("user", "hi")], GenerateOptions(max_tokens=12, temperature=0))
    assert answer.choices[0].message.content == own.text
    assert answer.choices[0].finish_reason == own.finish
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (
        own.usage.prompt_tokens,
        own.usage.completion_tokens,
    )
    assert answer.usage.model_dump()["deskhand"]["total_ms"] > 0


def test_a_streamed_answer_is_the_same_in_pieces(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="tiny",
            messages=HI,
            max_tokens=12,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == ask(client)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 12
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_stream_on_the_wire_is_events_and_done(server: Running) -> None:
    events = raw_stream(server, {"messages": HI, "max_tokens": 3}).split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events[:-2])


def test_pictures_by_data_url_and_by_file_are_the_same_picture(
    client: openai.OpenAI, engine: Engine, media: Path
) -> None:
    file = media / "allowed" / "a.png"
    question = {"type": "text", "text": "what?"}
    own = complete(engine, [message("user", file, "what?")], GenerateOptions(max_tokens=10, temperature=0))
    for url in (data_url(file.read_bytes()), file.as_uri()):
        answer = client.chat.completions.create(
            model="tiny", messages=[user(image_url(url), question)], max_tokens=10, temperature=0
        )
        assert answer.choices[0].message.content == own.text
        usage = usage_of(answer)
        assert usage["deskhand"]["image_tokens"] == own.usage.image_tokens > 0
        assert usage["deskhand"]["images_encoded"] == 0, "the picture's embedding is in the engine's cache"
        assert usage["prompt_tokens_details"]["cached_tokens"] > 0


def usage_of(answer: ChatCompletion) -> Json:
    assert answer.usage is not None
    return answer.usage.model_dump()


def test_fewer_patches_make_fewer_image_tokens(client: openai.OpenAI) -> None:
    counts = [
        usage_of(
            client.chat.completions.create(
                model="tiny",
                messages=[user(image_url(data_url(png((200, 150)))))],
                max_tokens=1,
                extra_body={"mm_processor_kwargs": {"in_token_limit": limit}},
            )
        )["deskhand"]["image_tokens"]
        for limit in (64, 8)
    ]
    assert counts[0] > counts[1] > 0


def test_32_clients_at_once_get_what_each_gets_alone(client: openai.OpenAI) -> None:
    questions = [f"question {index} " + "x" * index for index in range(32)]
    alone = [ask(client, question) for question in questions]
    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(lambda question: ask(client, question), questions))
    assert together == alone
    assert len(set(alone)) > 1, "the questions should not all have one answer"


def test_a_stop_string_ends_the_answer(client: openai.OpenAI) -> None:
    whole = ask(client, max_tokens=30)
    middle = whole[len(whole) // 2]
    stopped = ask(client, max_tokens=30, stop=middle)
    assert stopped == whole.split(middle)[0]


def test_the_same_seed_gives_the_same_answer(client: openai.OpenAI) -> None:
    first, second, other = (ask(client, temperature=1.0, seed=seed, max_tokens=30) for seed in (7, 7, 8))
    assert first == second != other


# --- who may come in ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_a_wrong_token_is_refused_and_told_so(server: Running, given: str | None) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        connection.request("GET", "/v1/models", headers={} if given is None else {"Authorization": given})
        answer = connection.getresponse()
        error = json.loads(answer.read())["error"]
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert "token" in error["message"]
    assert TOKEN not in error["message"]


def test_the_openai_client_sees_a_wrong_token_as_such(server: Running) -> None:
    with client_of(server, "wrong") as client, pytest.raises(openai.AuthenticationError, match="token is wrong"):
        client.models.list()


def test_health_needs_no_token(server: Running) -> None:
    assert server.health() == {"status": "ready", "model": "tiny", "active": 0, "in_flight": 0}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", "", "["])
def test_another_name_for_this_machine_is_refused(server: Running, host: str) -> None:
    status, _, answer = post(server, b"{}", {"Host": host})
    assert (status, answer["error"]["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_this_machines_own_names_are_accepted(server: Running, host: str) -> None:
    status, _, answer = post(server, b"{}", {"Host": host})
    assert (status, answer["error"]["param"]) == (400, "messages")


def test_files_outside_the_allowed_folder_are_refused(client: openai.OpenAI, media: Path) -> None:
    for url in (
        (media / "outside.png").as_uri(),
        (media / "allowed" / "link.png").as_uri(),
        f"file://{media}/allowed/../outside.png",
        f"file://{media}/allowed/%2e%2e/outside.png",
        "file:///etc/passwd",
    ):
        error = refused(client, messages=[user(image_url(url))])
        assert isinstance(error, openai.PermissionDeniedError), url
        assert error.code == "path_not_allowed"
        assert "only inside the folders given by --media-dir" in said(error)


# --- how much they may bring --------------------------------------------------------------------


def test_a_200_megapixel_bomb_is_refused_before_it_is_decoded(client: openai.OpenAI) -> None:
    error = refused(client, messages=[user(image_url(data_url(png_bomb(20_000, 10_000))))])
    assert error.status_code == 400
    assert "200.0 megapixels" in said(error)
    assert error.param == "messages[0].content[0]"


def test_a_body_too_large_is_refused_by_its_length(server: Running) -> None:
    status, headers, answer = post(server, b" " * (9 << 20))
    assert (status, answer["error"]["code"], headers["connection"]) == (413, "body_too_large", "close")


def test_a_body_too_large_is_refused_while_it_is_read(server: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        connection.request(
            "POST",
            "/v1/chat/completions",
            (b" " * (1 << 20) for _ in range(12)),
            {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
            encode_chunked=True,
        )
        assert connection.getresponse().status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
        b'{"temperature": NaN, "messages": []}',
        b"[" * 200_000,
        b'{"max_tokens": ' + b"9" * 5000 + b"}",
    ],
)
def test_broken_json_is_refused(server: Running, body: bytes) -> None:
    status, _, answer = post(server, body)
    assert (status, answer["error"]["code"]) == (400, "invalid_json")


def test_an_unknown_role_and_no_messages_are_refused_by_name(client: openai.OpenAI) -> None:
    error = refused(client, messages=[{"role": "king", "content": "hi"}])
    assert error.param == "messages[0].role"
    assert "'king'" in said(error)
    assert refused(client, messages=[]).param == "messages"
    assert refused(client, n=2).code == "unsupported_parameter"


def test_a_prompt_longer_than_the_context_is_the_engines_own_error(client: openai.OpenAI, engine: Engine) -> None:
    error = refused(client, messages=[user("word " * engine.info.context_tokens)])
    assert (error.status_code, error.code) == (400, "invalid_input")


def test_an_unknown_model_path_and_method_are_told_apart(client: openai.OpenAI, server: Running) -> None:
    error = refused(client, model="gpt-9")
    assert isinstance(error, openai.NotFoundError)
    assert error.code == "model_not_found"
    assert "'tiny'" in said(error)
    assert post(server, b"{}", path="/v1/embeddings")[0] == 404
    status, headers, answer = post(server, b"{}", path="/v1/models")
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")
    assert "GET" in headers["allow"]


# --- clients that vanish ------------------------------------------------------------------------


def test_a_client_that_vanishes_mid_stream_stops_the_engine(
    client: openai.OpenAI, server: Running, engine: Engine
) -> None:
    stream = client.chat.completions.create(model="tiny", messages=HI, max_tokens=LONG, temperature=0, stream=True)
    for _, _chunk in zip(range(3), stream, strict=False):
        pass
    assert server.health()["active"] == 1
    stream.close()
    server.wait_until(lambda health: health["active"] == 0)
    assert engine.stats().active == 0


def test_a_client_that_vanishes_while_it_waits_for_a_whole_answer_stops_the_engine(
    server: Running, engine: Engine
) -> None:
    body = json.dumps({"messages": HI, "max_tokens": LONG}).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(request_head(server, len(body)) + body)
        server.wait_until(lambda health: health["active"] == 1)
    server.wait_until(lambda health: health["active"] == 0)
    assert engine.stats().active == 0


def test_a_client_that_vanishes_in_the_middle_of_its_body_leaves_nothing(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(request_head(server, 1000) + b"{")
        server.wait_until(lambda health: health["in_flight"] == 1)
    server.wait_until(lambda health: health["in_flight"] == 0)
