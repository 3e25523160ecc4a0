"""The small vocabulary: the given words are single tokens, and nothing else with a letter is merged."""

import json
import keyword
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InputError
from model.text.tokenizer_build import build_ranks, pieces, write_tokenizer
from model.tokenizer import Tokenizer

PROMPT = (
    "You are a GUI agent. You are given a task and a screenshot of the screen. You need to perform a series of "
    "pyautogui actions to complete the task.\n\n## Action:\nclick(x=0.884, y=0.144)\n## Code:\nimport pyautogui"
)
WORDS = [piece for piece in dict.fromkeys(pieces(PROMPT)) if len(piece.encode()) > 2 and not piece.isdigit()]
RANKS = build_ranks(WORDS)
TOKENIZER = Tokenizer(RANKS)

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
word_neighbours = st.tuples(st.sampled_from(WORDS), st.integers(0, 12), words).map(lambda t: t[0][: t[1]] + t[2])


def test_bytes_digits_and_words_are_single_tokens() -> None:
    numbers = [f"{number:02}" for number in range(100)] + [f"{number:03}" for number in range(1000)]
    for text in [*map(chr, range(128)), *numbers, *WORDS]:
        assert len(TOKENIZER.encode(text)) == 1
    assert len(RANKS) == 256 + 1100 + len(WORDS) == max(RANKS.values()) + 1


def test_the_prompt_it_was_made_for_is_one_token_a_piece() -> None:
    tokens = [TOKENIZER.decode([token_id]) for token_id in TOKENIZER.encode(PROMPT)]
    cut = pieces(PROMPT)
    assert "".join(tokens) == PROMPT
    assert len(tokens) == len(cut) + sum(piece not in WORDS and len(piece) == 2 for piece in cut)


def assert_spelled(text: str) -> None:
    """Every piece is a given word, bytes one by one, or has runs of digits."""
    for piece in pieces(text, max_chars=24):
        tokens = [TOKENIZER.decode_bytes([token_id]) for token_id in TOKENIZER.encode(piece)]
        if piece not in WORDS:
            assert all(len(token) == 1 or (token.isdigit() and len(token) <= 3) for token in tokens), (piece, tokens)


@given(words)
def test_any_text_is_spelled_in_bytes(text: str) -> None:
    assert_spelled(text)


@given(word_neighbours)
def test_words_that_begin_like_given_ones_are_spelled_in_bytes(text: str) -> None:
    assert_spelled(text)


def test_words_of_programs_are_spelled_in_bytes() -> None:
    names = [*keyword.kwlist, *dir(os), *dir(str), "Save", "Save as…", "Remember me", "clicks", "a-click", "screens"]
    for frame in ("{}", " {}", '"{}"'):
        text = "\n".join(frame.format(name) for name in names)
        assert_spelled(text)
        assert_spelled(text.upper())


def test_pairs_of_signs_merge_only_among_signs() -> None:
    tokenizer = Tokenizer(build_ranks(["##", '="', "  "]))
    assert [tokenizer.decode([i]) for i in tokenizer.encode('### a="b"')] == ["##", "#", " ", "a", '="', "b", '"']


@pytest.mark.parametrize("word", ["ok", " x", "é", "'s", "x1", "٣"])
def test_two_bytes_that_stand_in_words_are_refused(word: str) -> None:
    with pytest.raises(InputError, match="would be merged inside other words"):
        build_ranks([word])


@pytest.mark.parametrize(
    ("word", "why"), [("two words", "two and  words"), ("x=0", "x and = and 0"), ("1234", "123 and 4")]
)
def test_a_word_of_several_pieces_is_refused(word: str, why: str) -> None:
    with pytest.raises(InputError, match=f"cuts it into {why}"):
        build_ranks(["fine", word])


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(InputError, match="''"):
        build_ranks([""])


def test_repeated_words_and_existing_tokens_take_no_second_rank() -> None:
    assert len(build_ranks(["click", "click", "42", "a"])) == 256 + 1100 + 1


@given(st.text(max_size=30))
def test_pieces_make_up_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_the_files_have_the_family_s_keys(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, RANKS, model_max_length=4096)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert set(config) == {
        "added_tokens_decoder",
        "additional_special_tokens",
        "bos_token",
        "eos_token",
        "pad_token",
        "unk_token",
        "clean_up_tokenization_spaces",
        "model_max_length",
        "tokenizer_class",
        "chat_template",
    }
    assert (config["tokenizer_class"], config["model_max_length"]) == ("TikTokenTokenizer", 4096)
    entry = config["added_tokens_decoder"][str(len(RANKS) + 21)]
    assert entry == {
        "content": "<|media_pad|>",
        "lstrip": False,
        "normalized": False,
        "rstrip": False,
        "single_word": False,
        "special": True,
    }
    special = json.loads((tmp_path / "special_tokens_map.json").read_text())
    assert special["eos_token"] == "[EOS]"
    assert "<|im_end|>" in special["additional_special_tokens"]
    assert (tmp_path / "chat_template.jinja").read_text() == config["chat_template"]
