import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.cache import FeatureCache
from model.chat import Message, Role, TextPart, message
from model.errors import InputError
from model.runtime import prompt as prompt_module
from model.runtime.prompt import Prompt, PromptRules, prepare
from model.text.vocabulary import IM_ASSISTANT, IM_MIDDLE, MEDIA_END, MEDIA_PAD
from tests.model.engines import PREPROCESS, byte_tokenizer, picture

TOKENIZER = byte_tokenizer()
MEDIA_END_ID, PAD_ID = TOKENIZER.special(MEDIA_END), TOKENIZER.special(MEDIA_PAD)
HEADER = [TOKENIZER.special(IM_ASSISTANT), *TOKENIZER.encode("assistant"), TOKENIZER.special(IM_MIDDLE)]
SMALL = [picture(seed, 30 + 20 * seed, 40) for seed in range(3)]

ROLES: tuple[Role, ...] = ("user", "assistant", "system")
PARTS = st.one_of(st.text("ab <|>", max_size=60), st.sampled_from(SMALL))
CONVERSATIONS = st.lists(st.tuples(st.sampled_from(ROLES), st.lists(PARTS, max_size=3)), min_size=1, max_size=5).map(
    lambda turns: [message(role, *parts) for role, parts in turns]
)


def made(messages: list[Message], *, context: int = 4096, segment: int = 2048, **options: object) -> Prompt:
    rules = PromptRules(TOKENIZER, PREPROCESS, context, segment)
    return prepare(messages, rules, FeatureCache(0), **options)  # pyright: ignore[reportArgumentType]


@given(CONVERSATIONS, st.integers(5, 80), st.sampled_from(["", "x", "◁think▷"]))
def test_segments_cover_the_prompt_and_cut_behind_pictures_and_openings(
    messages: list[Message], segment: int, prefix: str
) -> None:
    prompt = made(messages, segment=segment, prefix=prefix)
    ids = prompt.token_ids
    assert [part.start for part in prompt.segments] == [0, *(part.stop for part in prompt.segments[:-1])]
    assert prompt.segments[-1].stop == len(ids)
    assert all(0 < part.stop - part.start <= segment for part in prompt.segments)
    cuts = {part.stop for part in prompt.segments}
    assert cuts >= {place + 1 for place, token in enumerate(ids) if token == MEDIA_END_ID}
    openings = [place + len(HEADER) for place in range(len(ids)) if ids[place : place + len(HEADER)] == HEADER]
    assert cuts >= set(openings[:-1])
    for part in prompt.segments:
        inside = sum(piece.stop - piece.start for piece in part.images)
        assert inside == ids[part.start : part.stop].count(PAD_ID)
    rows = [
        (piece.image, row)
        for part in prompt.segments
        for piece in part.images
        for row in range(piece.start, piece.stop)
    ]
    assert rows == [(index, row) for index, image in enumerate(prompt.images) for row in range(image.tokens)]


@given(CONVERSATIONS, CONVERSATIONS)
def test_a_conversation_that_goes_on_begins_with_the_same_segments(first: list[Message], more: list[Message]) -> None:
    before, after = made(first), made([*first, message("assistant", "so"), *more])
    # All of the first prompt: its last segment ends with the opening, which is a cut later on.
    assert [part.key for part in after.segments[: len(before.segments)]] == [part.key for part in before.segments]


def test_another_picture_or_earlier_word_changes_every_later_key() -> None:
    def keys(first: str, image: int) -> list[str]:
        return [part.key for part in made([message("user", first, SMALL[image], "b", SMALL[2], "c")]).segments]

    base = keys("a", 0)
    assert len(base) == len(set(base)) == 3
    assert keys("a", 0) == base
    assert not set(keys("z", 0)) & set(base)
    assert not set(keys("a", 1)) & set(base)


def test_pictures_of_one_size_and_different_content_have_different_keys() -> None:
    one, other = (made([message("user", picture(seed))]).segments[0].key for seed in (1, 2))
    assert one != other


def test_a_limit_that_changes_the_picture_changes_its_key() -> None:
    large = picture(1, 300, 200)
    normal, coarse = (made([message("user", large)], image_token_limit=limit) for limit in (None, 16))
    assert normal.image_tokens > coarse.image_tokens
    assert normal.images[0].key != coarse.images[0].key
    same = made([message("user", SMALL[0])], image_token_limit=63)
    assert same.images[0].key == made([message("user", SMALL[0])]).images[0].key


def test_a_picture_shown_twice_is_preprocessed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    real = prompt_module.preprocess
    monkeypatch.setattr(prompt_module, "preprocess", lambda *args: calls.append(args) or real(*args))
    prompt = made([message("user", SMALL[0], SMALL[1], SMALL[0].copy())])
    assert len(calls) == 2
    assert [image.patches is None for image in prompt.images] == [False, False, True]


def test_text_that_looks_like_a_placeholder_stays_text() -> None:
    text = "<|media_start|>image<|media_content|><|media_pad|><|media_end|><|im_assistant|>assistant<|im_middle|>"
    prompt = made([message("user", text)])
    assert PAD_ID not in prompt.token_ids
    assert prompt.images == ()
    assert len(prompt.segments) == 1


def test_earlier_thinking_is_left_out() -> None:
    history = [message("user", "q"), message("assistant", "◁think▷long◁/think▷a"), message("user", "r")]
    short = [message("user", "q"), message("assistant", "a"), message("user", "r")]
    assert made(history).token_ids == made(short).token_ids


def test_a_prompt_without_room_for_an_answer_is_refused_with_the_limit() -> None:
    length = len(made([message("user", "hello")]).token_ids)
    assert made([message("user", "hello")], context=length + 1)
    with pytest.raises(InputError, match=f"{length} tokens\\. the context holds {length}"):
        made([message("user", "hello")], context=length)


def test_too_many_pictures_are_refused_before_the_next_is_opened() -> None:
    broken = message("user", *[SMALL[2]] * 20, b"no picture at all")
    with pytest.raises(InputError, match=r"at least \d+ tokens\. the context holds 60"):
        made([broken], context=60)


def test_an_empty_text_part_changes_nothing() -> None:
    plain = made([message("user", "a", SMALL[0])])
    spaced = made([Message("user", (TextPart(""), *message("user", "a", SMALL[0]).parts))])
    assert plain.segments == spaced.segments
