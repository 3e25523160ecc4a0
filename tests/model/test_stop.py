"""Stop strings: however the text arrives, the same part of it comes out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InputError
from model.text.stop import StopStrings, held_length

letters = st.text("ab", max_size=12)
stop_lists = st.lists(st.text("ab", min_size=1, max_size=4), max_size=3)


def chunks(text: str, rng: random.Random) -> list[str]:
    cuts = sorted(rng.randrange(len(text) + 1) for _ in range(rng.randrange(6)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def naive(text: str, stops: list[str]) -> tuple[str, bool]:
    """Read on letter by letter until what was read ends with a stop string."""
    for end in range(len(text) + 1):
        ending = [stop for stop in stops if text[:end].endswith(stop)]
        if ending:
            return text[: end - max(map(len, ending))], True
    return text, False


@given(letters, stop_lists, st.randoms())
def test_any_cutting_gives_what_reading_letter_by_letter_gives(text: str, stops: list[str], rng: random.Random) -> None:
    matcher = StopStrings(stops)
    out = ""
    for chunk in chunks(text, rng):
        emitted, hit = matcher.push(chunk)
        out += emitted
        assert hit == matcher.hit
    out += matcher.flush()
    assert (out, matcher.hit) == naive(text, stops)


@given(letters, stop_lists)
def test_no_more_is_held_back_than_may_become_a_stop_string(text: str, stops: list[str]) -> None:
    matcher = StopStrings(stops)
    emitted, hit = matcher.push(text)
    if not hit:
        held = text.removeprefix(emitted)
        assert emitted + held == text
        assert held == "" or any(stop.startswith(held) and stop != held for stop in stops)
        assert all(not stop.startswith(text[-n:]) for n in range(len(held) + 1, len(text) + 1) for stop in stops)


def test_nothing_of_a_stop_string_is_let_out() -> None:
    matcher = StopStrings(["</answer>"])
    assert matcher.push("fine </ans") == ("fine ", False)
    assert matcher.push("wer") == ("", False)
    assert matcher.push("> and more") == ("", True)
    assert matcher.push("still more") == ("", True)
    assert matcher.flush() == ""


def test_what_only_looked_like_a_stop_string_comes_out() -> None:
    matcher = StopStrings(["\n\n"])
    assert matcher.push("a\n") == ("a", False)
    assert matcher.push("b\n") == ("\nb", False)
    assert matcher.flush() == "\n"


def test_without_stop_strings_everything_passes() -> None:
    assert StopStrings(()).push("anything") == ("anything", False)
    assert held_length("anything", ()) == 0


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(InputError, match="stop string is empty"):
        StopStrings(["a", ""])
