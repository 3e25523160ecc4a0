import json
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.chat import Completion, Delta, GenerateOptions, ImagePart, Message, TextPart, Usage, message
from model.errors import InputError, ModelError, ResourceError
from model.wire.answer import AnswerHead, delta_from_chunk, without_prefix
from model.wire.card import ModelCard, card_from_json, card_json
from model.wire.errors import RequestError, as_request_error, error_json
from model.wire.pictures import PictureReader
from model.wire.request import chat_request_json, parse_chat_request
from model.wire.usage import usage_from_json, usage_json
from tests.model.wire_samples import image_url, no_pictures, picture_url, refused, size_of

ASK = {"messages": [{"role": "user", "content": "hi"}]}


# --- requests -----------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
options = st.builds(
    GenerateOptions,
    max_tokens=st.integers(1, 1 << 31),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0.001, 1),
    seed=st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
    stop=st.lists(texts.filter(bool), max_size=4).map(tuple),
    prefix=texts,
    image_token_limit=st.none() | st.integers(1, 1 << 20),
)
text_parts = st.lists(texts.map(TextPart), min_size=1, max_size=3).map(tuple)
messages = st.lists(
    st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), parts=text_parts), min_size=1, max_size=4
)


@given(messages, options)
def test_a_request_comes_back_as_it_was_written(asked: list[Message], wished: GenerateOptions) -> None:
    body = json.loads(json.dumps(chat_request_json(asked, wished, picture_url)))
    parsed = parse_chat_request(body, no_pictures)
    assert parsed.messages == tuple(asked)
    assert parsed.options == wished
    assert not parsed.echo


def test_pictures_and_texts_keep_their_order() -> None:
    first, second = Image.new("RGB", (3, 2), "red"), Image.new("RGB", (2, 3), "blue")
    asked = message("user", "one", first, "two", second, "three")
    parsed = parse_chat_request(chat_request_json([asked], GenerateOptions(), picture_url), PictureReader().open)
    (back,) = parsed.messages
    assert [part.text if isinstance(part, TextPart) else size_of(part) for part in back.parts] == [
        "one",
        (3, 2),
        "two",
        (2, 3),
        "three",
    ]


def test_what_the_client_leaves_open_is_left_to_the_checkpoint() -> None:
    assert parse_chat_request(ASK, no_pictures).options == GenerateOptions()


@pytest.mark.parametrize(
    "extra",
    [
        {"user": "me", "metadata": {}, "store": False, "service_tier": "auto", "reasoning_effort": "low"},
        {"n": 1, "tools": [], "tool_choice": "auto", "logprobs": False, "top_logprobs": None, "logit_bias": {}},
        {"frequency_penalty": 0.0, "presence_penalty": 0, "response_format": {"type": "text"}, "top_k": -1},
        {"add_generation_prompt": True, "stream_options": None, "stop": None, "seed": None},
    ],
)
def test_parameters_that_ask_for_nothing_are_ignored(extra: dict[str, object]) -> None:
    assert parse_chat_request(ASK | extra, no_pictures).options == GenerateOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("tools", [{"type": "function"}]),
        ("tool_choice", "required"),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("frequency_penalty", 0.5),
        ("response_format", {"type": "json_schema", "json_schema": {}}),
        ("response_format", {"type": "json_object"}),
        ("logit_bias", {"50": 1}),
        ("top_k", 40),
        ("modalities", ["text", "audio"]),
    ],
)
def test_parameters_that_cannot_be_honoured_are_refused_by_name(name: str, value: object) -> None:
    error = refused(ASK | {name: value})
    assert (error.status, error.code, error.param) == (400, "unsupported_parameter", name)
    assert name in str(error)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["hi"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [image_url(None)]}]}, "messages[0].content[0].image_url"),
        ({"messages": [{"role": "user", "content": "\ud83d"}]}, "messages[0].content"),
        ({"messages": [{"role": "assistant", "content": "", "tool_calls": [1]}]}, "messages[0].tool_calls"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.01}, "top_p"),
        ({"seed": 1 << 63}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"stop": [""]}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"stop": 7}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"no": 1}}, "stream_options"),
        ({"model": 7}, "model"),
        ({"mm_processor_kwargs": {"in_token_limit": 0}}, "in_token_limit"),
        ({"mm_processor_kwargs": {"min_pixels": 1}}, "mm_processor_kwargs"),
        ({"continue_final_message": True}, "continue_final_message"),
        ({"add_generation_prompt": False}, "add_generation_prompt"),
    ],
)
def test_a_wrong_value_is_refused_by_name(change: dict[str, object], param: str) -> None:
    error = refused(ASK | change)
    assert (error.status, error.code, error.param) == (400, "invalid_value", param)
    assert error_json(error)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [None, [], "x", 7])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    assert refused(body).code == "invalid_json"


def test_the_newer_name_for_the_longest_answer_goes_first() -> None:
    body = ASK | {"max_tokens": 5, "max_completion_tokens": 9}
    assert parse_chat_request(body, no_pictures).options.max_tokens == 9


def test_a_last_assistant_message_to_be_continued_is_the_prefix() -> None:
    body = {
        "messages": [*ASK["messages"], {"role": "assistant", "content": "Once"}],
        "continue_final_message": True,
        "add_generation_prompt": False,
        "echo": True,
    }
    parsed = parse_chat_request(body, no_pictures)
    assert parsed.options.prefix == "Once"
    assert [turn.role for turn in parsed.messages] == ["user"]
    assert parsed.echo


def test_history_without_content_and_the_developer_role_are_understood() -> None:
    body = {"messages": [{"role": "developer", "content": "be kind"}, {"role": "assistant", "content": None}]}
    assert [(turn.role, turn.text) for turn in parse_chat_request(body, no_pictures).messages] == [
        ("system", "be kind"),
        ("assistant", ""),
    ]


# --- answers ------------------------------------------------------------------------------------

HEAD = AnswerHead("chatcmpl-1", 12, "tiny")
usages = st.builds(
    Usage,
    **{name: st.integers(0, 1 << 40) for name, value in asdict(Usage()).items() if isinstance(value, int)},
    **{name: st.floats(0, 1e9) for name, value in asdict(Usage()).items() if isinstance(value, float)},
)


@given(usages)
def test_usage_comes_back_as_it_was_written(usage: Usage) -> None:
    assert usage_from_json(json.loads(json.dumps(usage_json(usage)))) == usage


@pytest.mark.parametrize(
    "value", [None, [], 7, {}, {"prompt_tokens": None, "deskhand": 3, "prompt_tokens_details": []}]
)
def test_a_usage_that_states_nothing_is_zero(value: object) -> None:
    assert usage_from_json(value) == Usage()


def test_the_usage_of_other_servers_is_understood() -> None:
    stated = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}
    assert usage_from_json(stated) == Usage(prompt_tokens=9, completion_tokens=4, cached_tokens=8)


@given(texts, texts, st.sampled_from([None, "stop", "length", "cancelled"]))
def test_a_delta_comes_back_as_it_was_written(text: str, thinking: str, finish: str | None) -> None:
    delta = Delta(text=text, thinking=thinking, finish=finish)  # pyright: ignore[reportArgumentType]
    chunk = HEAD.delta(delta)
    assert (Delta() if chunk is None else delta_from_chunk(json.loads(json.dumps(chunk)))) == delta


def test_the_usage_chunk_and_the_opening_chunk_carry_no_text() -> None:
    assert delta_from_chunk(HEAD.usage(Usage(prompt_tokens=3))) == Delta(usage=Usage(prompt_tokens=3))
    assert delta_from_chunk(HEAD.opening()) == Delta()


def test_other_servers_names_for_thinking_and_endings_are_understood() -> None:
    def chunk(delta: object, reason: object = None) -> Delta:
        return delta_from_chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    assert chunk({"reasoning": "hm"}) == Delta(thinking="hm")
    assert chunk({"content": None, "reasoning_content": "hm"}) == Delta(thinking="hm")
    assert chunk({}, "eos") == Delta(finish="stop")
    assert chunk({}, "abort") == Delta(finish="cancelled")


@pytest.mark.parametrize(
    "chunk",
    [{}, {"choices": 7}, {"choices": [7]}, {"choices": [{}]}, {"choices": [{"delta": {"content": 7}}]}],
)
def test_what_is_no_chunk_is_refused(chunk: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="chunk"):
        delta_from_chunk(chunk)


def test_a_whole_answer_has_openais_shape() -> None:
    value = HEAD.completion(Completion("four", "two and two", "stop", Usage(prompt_tokens=2, completion_tokens=3)))
    assert value["object"] == "chat.completion"
    assert value["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "four", "reasoning_content": "two and two"},
            "finish_reason": "stop",
        }
    ]
    assert value["usage"]["total_tokens"] == 5


@given(texts, texts, st.lists(st.integers(0, 40), max_size=6))
def test_the_prefix_is_taken_off_however_the_text_is_cut(prefix: str, rest: str, cuts: list[int]) -> None:
    whole = prefix + rest
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    deltas = [Delta(text=whole[start:end]) for start, end in pairwise(edges)]
    assert "".join(delta.text for delta in without_prefix(iter(deltas), prefix)) == rest


def test_an_answer_that_does_not_begin_with_the_prefix_is_let_through_whole() -> None:
    deltas = [Delta(text="On"), Delta(text="ly"), Delta(text=" this")]
    assert "".join(delta.text for delta in without_prefix(iter(deltas), "Once ")) == "Only this"


def test_a_prefix_that_thinks_is_taken_off_the_thinking() -> None:
    deltas = [Delta(thinking="let me"), Delta(thinking=" see"), Delta(text="four")]
    left = list(without_prefix(iter(deltas), "◁think▷let me"))
    assert "".join(delta.thinking for delta in left) == " see"
    assert "".join(delta.text for delta in left) == "four"


# --- errors and cards ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InputError("too long"), 400, "invalid_request_error"),
        (ResourceError("no memory"), 503, "server_error"),
        (ModelError("lost"), 500, "server_error"),
        (RuntimeError("CUDA\nerror"), 500, "server_error"),
        (RequestError("no", status=401), 401, "authentication_error"),
        (RequestError("no", status=403), 403, "permission_error"),
        (RequestError("no", status=404), 404, "not_found_error"),
        (RequestError("no", status=429), 429, "rate_limit_error"),
    ],
)
def test_every_error_has_its_status_and_one_line(error: Exception, status: int, kind: str) -> None:
    said = error_json(as_request_error(error))["error"]
    assert as_request_error(error).status == status
    assert said["type"] == kind
    assert "\n" not in said["message"]


def test_a_card_comes_back_as_it_was_written() -> None:
    card = ModelCard("nano", ("ground",), 8192, 1024, "point at {}")
    assert card_from_json(json.loads(json.dumps(card_json(card)))) == card


def test_a_card_of_another_server_has_every_capability() -> None:
    assert card_from_json({"id": "x", "object": "model"}) == ModelCard("x")
    with pytest.raises(ValueError, match="id"):
        card_from_json({"object": "model"})


def test_a_held_part_of_a_message_is_what_was_asked_for() -> None:
    seen: list[ImagePart] = []

    def url_of(part: ImagePart) -> str:
        seen.append(part)
        return "file:///x"

    body = chat_request_json([message("user", b"x", "see")], GenerateOptions(), url_of)
    assert body["messages"][0]["content"][0] == image_url("file:///x")
    assert seen == [ImagePart(b"x")]
