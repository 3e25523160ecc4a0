"""The engine from outside: what it answers, what it reuses, and that company changes nothing."""

import gc
import random
import threading
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.architecture.kimi_vl import KimiVL
from model.architecture.vision import Grid
from model.cache import FeatureCache
from model.chat import Completion, GenerateOptions, Message, complete, message
from model.engine import Engine
from model.errors import CheckpointError, InputError, ModelError
from model.generation import GenerationDefaults
from model.runtime import prompt as prompt_module
from model.runtime.scheduler import EngineLimits
from model.tokenizer import Tokenizer
from tests.model.engines import (
    NEVER_STOP,
    PREPROCESS,
    ask,
    byte_tokenizer,
    picture,
    spelled_tokenizer,
    tiny_engine,
    tiny_model,
)

PICTURES = [picture(0, 90, 60), picture(1, 200, 30), picture(2, 28, 28)]
Ask = tuple[list[Message], GenerateOptions]

PARTS = st.one_of(st.text("abc ", min_size=1, max_size=30), st.sampled_from(PICTURES))
QUESTIONS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: [message("user", *parts)])
TURNS = st.tuples(QUESTIONS, st.text("xyz", max_size=20), QUESTIONS).map(
    lambda turns: [*turns[0], message("assistant", turns[1]), *turns[2]]
)
OPTIONS = st.builds(
    GenerateOptions,
    max_tokens=st.integers(1, 20),
    temperature=st.sampled_from([0.0, 0.0, 0.8]),
    top_p=st.sampled_from([0.9, 1.0]),
    seed=st.integers(0, 99),
    prefix=st.sampled_from(["", "so"]),
    image_token_limit=st.sampled_from([None, 16]),
)


@pytest.fixture(scope="module")
def model() -> KimiVL:
    return tiny_model()


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def any_model(request: pytest.FixtureRequest) -> KimiVL:
    return tiny_model(request.param)


@pytest.fixture
def engine(model: KimiVL) -> Iterator[Engine]:
    with tiny_engine(model) as engine:
        yield engine


def at_once(engine: Engine, asks: list[Ask]) -> list[Completion]:
    """Answer requests from one thread each, started in order."""
    answers: dict[int, Completion] = {}

    def run(index: int) -> None:
        messages, options = asks[index]
        answers[index] = complete(engine, messages, options)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[index] for index in range(len(asks))]


@given(asks=st.lists(st.tuples(st.one_of(QUESTIONS, TURNS), OPTIONS), min_size=2, max_size=6), order=st.randoms())
@settings(max_examples=12, deadline=None, derandomize=True)
def test_alone_batched_and_with_warm_caches_the_tokens_are_the_same(
    any_model: KimiVL, asks: list[Ask], order: random.Random
) -> None:
    cold = EngineLimits(segment_cache_bytes=0, image_cache_bytes=0)
    with tiny_engine(any_model, limits=cold) as engine:
        alone = [complete(engine, messages, options).text for messages, options in asks]
        assert engine.stats().segment_cache_bytes == engine.stats().image_cache_bytes == 0
        together = [answer.text for answer in at_once(engine, asks)]
    with tiny_engine(any_model) as engine:
        fresh = [answer.text for answer in at_once(engine, asks)]
        shuffled = list(range(len(asks)))
        order.shuffle(shuffled)
        warm = at_once(engine, [asks[index] for index in shuffled])
    assert together == alone
    assert fresh == alone
    assert [answer.text for answer in warm] == [alone[index] for index in shuffled]
    assert all(answer.usage.cached_tokens == answer.usage.prompt_tokens for answer in warm)
    assert all(answer.usage.images_encoded == 0 for answer in warm)


@pytest.mark.parametrize("segment_tokens", [16, 37])
def test_short_segments_are_exact_among_themselves(any_model: KimiVL, segment_tokens: int) -> None:
    asks: list[Ask] = [
        ([message("user", "x" * (40 * index), PICTURES[index % 3], "?")], GenerateOptions(max_tokens=9))
        for index in range(5)
    ]
    with tiny_engine(any_model, limits=EngineLimits(segment_tokens=segment_tokens)) as engine:
        together = [answer.text for answer in at_once(engine, asks)]
        warm = [complete(engine, *each).text for each in asks]
        engine.clear_caches()
        assert [complete(engine, *each).text for each in asks] == together == warm


def test_many_more_requests_than_rows_are_all_answered_as_alone(model: KimiVL) -> None:
    asks: list[Ask] = [
        ([message("user", f"question {index}", PICTURES[index % 3])], GenerateOptions(max_tokens=3 + index % 7))
        for index in range(40)
    ]
    with tiny_engine(model, limits=EngineLimits(max_active=20)) as engine:
        together = at_once(engine, asks)
        assert engine.stats().active == engine.stats().queued == 0
    with tiny_engine(model) as engine:
        for (messages, options), answer in zip(asks, together, strict=True):
            assert complete(engine, messages, options).text == answer.text


def test_greedy_answer_is_that_of_the_plain_network(model: KimiVL) -> None:
    rules = prompt_module.PromptRules(spelled_tokenizer(), PREPROCESS, 4096)
    with tiny_engine(model) as engine:
        prompt = prompt_module.prepare([message("user", PICTURES[0], "hi", PICTURES[1])], rules, FeatureCache(0))
        answer = ask(engine, message("user", PICTURES[0], "hi", PICTURES[1]), max_tokens=12, temperature=0)
    ids = list(prompt.token_ids)
    patches = torch.cat([torch.from_numpy(image.patches) for image in prompt.images])
    forbidden = [274, 275, 276, 277]
    with torch.inference_mode():
        for letter in answer.text:
            scores = model(torch.tensor(ids), patches, [Grid(*image.grid) for image in prompt.images])[-1]
            scores[forbidden] = -torch.inf
            assert ord(letter) - 0x4E00 == int(scores.argmax())
            ids.append(int(scores.argmax()))


def test_a_second_question_about_a_picture_encodes_nothing(engine: Engine) -> None:
    first = ask(engine, message("user", PICTURES[0], "what is this?"), max_tokens=3).usage
    second = ask(engine, message("user", PICTURES[0].copy(), "and where?"), max_tokens=3).usage
    assert (first.images_encoded, first.cached_tokens) == (1, 0)
    assert second.images_encoded == 0
    assert second.image_tokens == 12
    assert second.image_tokens < second.cached_tokens < second.prompt_tokens


def test_a_picture_behind_other_words_is_prefilled_but_not_encoded(engine: Engine) -> None:
    ask(engine, message("user", "one", PICTURES[0]), max_tokens=1)
    usage = ask(engine, message("user", "two", PICTURES[0]), max_tokens=1).usage
    assert (usage.images_encoded, usage.cached_tokens) == (0, 0)


def test_the_next_turn_reuses_the_whole_first_prompt(engine: Engine) -> None:
    question = message("user", PICTURES[1], "first")
    first = ask(engine, question, max_tokens=5)
    second = ask(engine, question, message("assistant", "any answer"), message("user", "next"), max_tokens=5)
    assert second.usage.cached_tokens == first.usage.prompt_tokens


def test_a_picture_shown_twice_is_encoded_once(engine: Engine) -> None:
    usage = ask(engine, message("user", PICTURES[0], "and", PICTURES[0]), max_tokens=1).usage
    assert (usage.images_encoded, usage.image_tokens) == (1, 24)


def test_caches_stay_within_their_bytes(model: KimiVL) -> None:
    limits = EngineLimits(segment_cache_bytes=60_000, image_cache_bytes=9_000)
    with tiny_engine(model, limits=limits) as engine:
        for seed in range(8):
            ask(engine, message("user", picture(seed), "q"), max_tokens=1)
            stats = engine.stats()
            assert 0 < stats.segment_cache_bytes <= 60_000
            assert 0 < stats.image_cache_bytes <= 9_000


def test_statistics_add_up(engine: Engine) -> None:
    usage = ask(engine, message("user", PICTURES[0], "tell"), max_tokens=9).usage
    assert usage.completion_tokens == 9
    assert usage.prompt_tokens > usage.image_tokens == 12
    assert usage.queue_ms >= 0
    assert 0 < usage.prefill_ms <= usage.time_to_first_token_ms < usage.total_ms
    assert usage.decode_tokens_per_s > 0
    assert usage.peak_memory_bytes > 1 << 20


def test_an_answer_ends_at_max_tokens_and_at_the_end_of_the_context(model: KimiVL) -> None:
    with tiny_engine(model, limits=EngineLimits(context_tokens=100)) as engine:
        short = ask(engine, message("user", "a"), max_tokens=1)
        assert (short.finish, short.usage.completion_tokens) == ("length", 1)
        full = ask(engine, message("user", "a"), max_tokens=1000)
        assert full.finish == "length"
        assert full.usage.prompt_tokens + full.usage.completion_tokens == 100


def test_an_answer_longer_than_its_first_memory_goes_on(engine: Engine) -> None:
    assert ask(engine, message("user", "a"), max_tokens=700).usage.completion_tokens == 700


def test_an_answer_ends_at_a_stop_token_without_its_text(model: KimiVL) -> None:
    with tiny_engine(model) as engine:
        whole = ask(engine, message("user", "count"), max_tokens=20).text
    last = ord(whole[8]) - 0x4E00
    length = whole.index(whole[8])
    with tiny_engine(model, defaults=GenerationDefaults(frozenset((last,)))) as engine:
        answer = ask(engine, message("user", "count"), max_tokens=20)
    assert (answer.text, answer.finish) == (whole[:length], "stop")
    assert answer.usage.completion_tokens == length + 1


def test_a_stop_string_over_several_tokens_is_never_shown(engine: Engine) -> None:
    whole = ask(engine, message("user", "count"), max_tokens=20).text
    stop = whole[6:9]
    pieces = [delta.text for delta in engine.stream([message("user", "count")], GenerateOptions(20, stop=(stop, "?")))]
    assert "".join(pieces) == whole[: whole.index(stop)]
    assert ask(engine, message("user", "count"), max_tokens=20, stop=(stop,)).finish == "stop"


def test_the_prefix_begins_the_answer_and_decides_it(engine: Engine) -> None:
    plain = ask(engine, message("user", "q"), max_tokens=5)
    started = ask(engine, message("user", "q"), max_tokens=5, prefix="click(x=")
    assert started.text.startswith("click(x=")
    assert started.usage.completion_tokens == 5
    assert started.usage.prompt_tokens == plain.usage.prompt_tokens + len("click(x=")
    assert started.text.removeprefix("click(x=") != plain.text


def test_a_stop_string_inside_the_prefix_stops_nothing(engine: Engine) -> None:
    answer = ask(engine, message("user", "q"), max_tokens=5, prefix="a.b", stop=(".",))
    assert answer.text.startswith("a.b")
    assert answer.finish == "length"


def test_thinking_that_never_ends_is_all_thinking(engine: Engine) -> None:
    answer = ask(engine, message("user", "q"), max_tokens=6, prefix="◁think▷well, ", stop=("well",))
    assert answer.text == ""
    assert answer.thinking.startswith("well, ")
    assert len(answer.thinking) == len("well, ") + 6
    assert answer.finish == "length"


def test_thinking_that_ends_is_followed_by_the_answer(engine: Engine) -> None:
    answer = ask(engine, message("user", "q"), max_tokens=6, prefix="◁think▷well◁/think▷so ")
    assert answer.thinking == "well"
    assert answer.text.startswith("so ")


class _ThinkingTokenizer(Tokenizer):
    """Writes a whole answer with thinking, a piece a token, whatever the tokens are."""

    def __init__(self) -> None:
        super().__init__({bytes([byte]): byte for byte in range(256)})
        self.pieces = iter(["◁thi", "nk▷", "a b", "◁/th", "ink▷", "c", " d"])

    def decode_bytes(self, ids: object, skip_special: bool = True) -> bytes:
        return next(self.pieces, "").encode()


def test_thinking_arrives_apart_from_the_answer(model: KimiVL) -> None:
    with Engine(model, _ThinkingTokenizer(), PREPROCESS, NEVER_STOP) as engine:
        deltas = list(engine.stream([message("user", "q")], GenerateOptions(max_tokens=7)))
    assert [(delta.thinking, delta.text) for delta in deltas] == [("a b", ""), ("", "c"), ("", " d"), ("", "")]
    assert deltas[-1].finish == "length"


def test_text_comes_in_whole_characters(model: KimiVL) -> None:
    with tiny_engine(model, spelled=False) as engine:
        stream = engine.stream([message("user", "q")], GenerateOptions(max_tokens=200))
        pieces = [delta.text for delta in stream]
    with tiny_engine(model) as engine:
        ids = [ord(letter) - 0x4E00 for letter in ask(engine, message("user", "q"), max_tokens=200).text]
    assert "".join(pieces) == byte_tokenizer().decode(ids)


def test_ids_without_text_and_placeholders_are_never_chosen() -> None:
    # A vocabulary larger than the tokenizer's, and scores that would often choose from beyond it.
    model = tiny_model(vocab_size=1024)
    with tiny_engine(model) as engine:
        text = ask(engine, message("user", "q"), max_tokens=300, temperature=3.0, seed=0).text
    ids = {ord(letter) - 0x4E00 for letter in text}
    assert max(ids) < 512
    assert len(ids) > 50
    assert not ids & {274, 275, 276, 277}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"stop": ("",)}, "stop string is empty"),
        ({"image_token_limit": 0}, "image token limit is 0"),
        ({"prefix": "x" * 5000}, "context holds 4096"),
    ],
)
def test_impossible_requests_are_refused_before_they_queue(
    engine: Engine, options: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        engine.stream([message("user", "q", PICTURES[2])], GenerateOptions(**options))  # pyright: ignore[reportArgumentType]
    assert ask(engine, message("user", "q"), max_tokens=1).finish == "length"


def test_a_conversation_without_messages_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="no messages"):
        engine.stream([])


def test_a_tokenizer_of_another_checkpoint_is_refused(model: KimiVL) -> None:
    other = Tokenizer({bytes([byte]): byte for byte in range(256)} | {b"ab": 256})
    with pytest.raises(CheckpointError, match="placeholder"):
        Engine(model, other, PREPROCESS)


def test_the_checkpoints_defaults_apply_where_the_request_says_nothing(model: KimiVL) -> None:
    with tiny_engine(model, defaults=GenerationDefaults(frozenset(), temperature=1.5)) as engine:
        by_default = ask(engine, message("user", "q"), max_tokens=10, seed=1).text
        asked_for = ask(engine, message("user", "q"), max_tokens=10, seed=1, temperature=1.5, top_p=1.0).text
        greedy = ask(engine, message("user", "q"), max_tokens=10, seed=1, temperature=0.0).text
    assert by_default == asked_for != greedy


def test_without_defaults_the_end_of_a_turn_and_of_text_stop_an_answer(model: KimiVL) -> None:
    with Engine(model, byte_tokenizer(), PREPROCESS) as engine:
        assert engine.defaults.stop_ids == {257, 258}
        assert engine.info.context_tokens == 4096
        assert (engine.info.device, engine.info.dtype) == ("cpu", "float32")


def test_a_forgotten_engine_ends_its_thread(model: KimiVL) -> None:
    engine = tiny_engine(model)
    ask(engine, message("user", "q"), max_tokens=1)
    threads = [thread for thread in threading.enumerate() if thread.name == "deskhand-engine"]
    assert threads
    del engine
    gc.collect()
    assert not any(thread.is_alive() for thread in threads)


def test_a_closed_engine_says_so(model: KimiVL) -> None:
    engine = tiny_engine(model)
    engine.close()
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        ask(engine, message("user", "q"))
