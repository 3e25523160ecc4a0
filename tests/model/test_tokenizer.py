"""The tokenizer against an independent engine, a naive second writing, and itself read backwards."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby, pairwise
from unicodedata import ucd_3_2_0

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from model.errors import CheckpointError, InputError
from model.text.tokenizer_build import build_ranks, pieces
from model.tokenizer import PATTERN, SPECIAL_NAMES, IncrementalDecoder, Tokenizer, cut

SCRIPTS = (
    "The quick brown Fox's tail — 'twas HTTPServer2000, x=0.884\t\tend",
    "Größe ÄÖÜ straße ÉCOLE naïve İstanbul ǅ ʰ café e\u0301te",
    "你好，世界！中文字 日本語テキスト ひらがな ー 한국어 문장",
    "Привет, мир! Ελληνικά עברית العربية हिन्दी ไทย ᾳ",
    "😀👍🏽👨\u200d👩\u200d👧🇩🇪 ◁think▷ok◁/think▷ €£¥ ≤≥≠ …",
    "١٢٣ 45 678 9012 ²³ ½ Ⅷ ① \r\n\r\n  \n \u3000 \u00a0 \u2028 don't WE'LL I'd",
)


def scrambled_ranks() -> dict[bytes, int]:
    """Add merges, drawn at random from real text, that neither begin nor end where characters do."""
    rng = random.Random(7)
    ranks = build_ranks(["click", " pyautogui", "◁think"])
    pool = [text.encode() for text in SCRIPTS]
    parts = [[bytes([byte]) for byte in text] for text in pool]
    for _ in range(700):
        line = rng.choice(parts)
        if len(line) < 2:
            continue
        at = rng.randrange(len(line) - 1)
        left, right = line[at], line[at + 1]
        ranks.setdefault(left + right, len(ranks))
        line[at : at + 2] = [left + right]
    return ranks


RANKS = scrambled_ranks()
TOKENIZER = Tokenizer(RANKS)
SPECIALS = list(TOKENIZER.specials)

look_alikes = st.sampled_from([*SPECIALS[:30], SPECIALS[-2], SPECIALS[-1], "<|im_", "im_end|>", "<|", "[EOS"])
samples = st.sampled_from(SCRIPTS).flatmap(
    lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(lambda ab: text[min(ab) : max(ab)])
)
texts = st.lists(st.text(max_size=20) | samples | look_alikes, max_size=5).map("".join)
token_ids = st.lists(st.integers(0, TOKENIZER.n_vocab - 1), max_size=40)


@given(texts)
def test_text_survives_encoding_and_decoding(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text), skip_special=False) == text


def test_every_character_of_unicode_survives() -> None:
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    assert TOKENIZER.decode(TOKENIZER.encode(everything)) == everything


@given(texts)
def test_text_never_becomes_a_special_token(text: str) -> None:
    assert all(token_id < TOKENIZER.n_base for token_id in TOKENIZER.encode(text))


def test_special_tokens_are_read_only_on_request() -> None:
    for name in SPECIALS:
        inside = f"a {name}b"
        assert TOKENIZER.decode(TOKENIZER.encode(inside)) == inside
        expected = [*TOKENIZER.encode("a "), TOKENIZER.special(name), *TOKENIZER.encode("b")]
        assert TOKENIZER.encode_with_specials(inside) == expected


@given(texts)
def test_a_parsed_prompt_is_written_back_the_same(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode_with_specials(text), skip_special=False) == text


@given(st.lists(samples | look_alikes, max_size=6))
def test_parsing_equals_a_scan_by_hand(parts: list[str]) -> None:
    text = "".join(parts)
    expected: list[int] = []
    plain = ""
    while text:
        name = next((name for name in SPECIALS if text.startswith(name)), None)
        if name is None:
            plain, text = plain + text[0], text[1:]
            continue
        expected += [*TOKENIZER.encode(plain), TOKENIZER.special(name)]
        plain, text = "", text.removeprefix(name)
    expected += TOKENIZER.encode(plain)
    assert TOKENIZER.encode_with_specials("".join(parts)) == expected


def test_special_ids_are_the_family_s_offsets() -> None:
    assert TOKENIZER.n_vocab == TOKENIZER.n_base + 256 == len(RANKS) + 256
    assert list(TOKENIZER.specials.values()) == list(range(TOKENIZER.n_base, TOKENIZER.n_vocab))
    for offset, name in SPECIAL_NAMES.items():
        assert TOKENIZER.special(name) == TOKENIZER.n_base + offset
    unnamed = TOKENIZER.n_base + 5
    assert TOKENIZER.special(f"<|reserved_token_{unnamed}|>") == unnamed
    with pytest.raises(CheckpointError, match="no special token '<|nothing|>'".replace("|", r"\|")):
        TOKENIZER.special("<|nothing|>")


def test_lone_surrogates_become_replacement_characters() -> None:
    assert TOKENIZER.decode(TOKENIZER.encode("a\ud800b")) == "a\ufffdb"


# An independent pattern engine, and a second writing of the merging.

# Characters added later are classed by whichever version of Unicode an engine was built with.
_ASSIGNED = [chr(point) for point in range(0x110000) if ucd_3_2_0.category(chr(point)) not in ("Cn", "Cs", "Co")]

# The eight alternatives as the family's own code lists them.
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
_FAMILY_PATTERN = (
    r"[\p{Han}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)
_INDEPENDENT = regex.compile(_FAMILY_PATTERN, regex.V1)


def test_the_pattern_is_the_family_s() -> None:
    assert PATTERN == _FAMILY_PATTERN


def mixed_strings(count: int) -> Iterator[str]:
    rng = random.Random(11)
    common = [*"aZ é中1٣ '_-.!\n\r\t", " ", "  ", "\r\n", "'s", "'LL", "'ſ", "\u0301", "ー", "ǅ", "😀", "\u3000"]
    for _ in range(count):
        pool = common if rng.random() < 0.5 else _ASSIGNED
        yield "".join(
            rng.choice(pool if rng.random() < 0.7 else common) * rng.choice((1, 1, 1, 2, 4))
            for _ in range(rng.randrange(1, 16))
        )


def test_pieces_agree_with_an_independent_engine() -> None:
    for text in mixed_strings(2000):
        assert pieces(text) == _INDEPENDENT.findall(text), ascii(text)


def class_boundaries() -> Iterator[str]:
    """Yield the first, the last and a middle character of every run that the pattern classes alike."""
    classes = [regex.compile(c, regex.V1) for c in (r"\p{Han}", _UPPER, _LOWER, r"\p{L}", r"\p{N}", r"\s")]
    for _, group in groupby(_ASSIGNED, key=lambda character: [bool(c.match(character)) for c in classes]):
        run = list(group)
        yield from dict.fromkeys((run[0], run[len(run) // 2], run[-1]))


def test_every_kind_of_character_is_classed_as_by_the_independent_engine() -> None:
    for batch in batched("".join(class_boundaries()), 32):
        for frame in ("A{}a", "a{}A ", "1{}1"):
            text = "\n".join(frame.format(character) for character in batch)
            assert pieces(text, max_chars=8) == _INDEPENDENT.findall(text), ascii(text)


def batched(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def naive_encode(text: str) -> list[int]:
    ids: list[int] = []
    for piece in _INDEPENDENT.findall(text):
        parts = [bytes([byte]) for byte in piece.encode()]
        if piece.encode() in RANKS:
            parts = [piece.encode()]
        while pairs := [(RANKS[a + b], at) for at, (a, b) in enumerate(pairwise(parts)) if a + b in RANKS]:
            _, at = min(pairs)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        ids += [RANKS[part] for part in parts]
    return ids


def test_ids_agree_with_a_naive_merging() -> None:
    rng = random.Random(3)
    for text in SCRIPTS:
        assert TOKENIZER.encode(text) == naive_encode(text)
    for _ in range(500):
        text = "".join(rng.choice(SCRIPTS)[(at := rng.randrange(60)) : at + rng.randrange(12)] for _ in range(4))
        assert TOKENIZER.encode(text) == naive_encode(text), ascii(text)


# Long inputs.


def naive_cut(text: str, max_chars: int, max_run: int) -> list[str]:
    out: list[str] = []
    for start in range(0, len(text), max_chars):
        run = 0
        piece = ""
        for character in text[start : start + max_chars]:
            same = bool(piece) and character.isspace() == piece[-1].isspace()
            run = run + 1 if same else 1
            if run > max_run:
                out.append(piece)
                piece, run = "", 1
            piece += character
        out.append(piece)
    return out


@pytest.mark.parametrize("unit", ["a", " ", "中", "a ", "a" * 24_999 + "\n", " " * 25_000 + "x", "b" * 25_001 + " "])
def test_long_inputs_are_cut_as_the_family_does(unit: str) -> None:
    text = (unit * (430_000 // len(unit) + 1))[:430_000]
    assert list(cut(text)) == naive_cut(text, 400_000, 25_000)


@pytest.mark.parametrize("unit", ["a", "A", "7", " ", "\n", " \n", "中", "!", "ก", "é", "😀", "'s", "aB", "\x1c"])
def test_long_runs_of_one_kind_are_encoded(unit: str) -> None:
    text = (unit * 120_000)[:120_000]
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_many_placeholders_in_a_row_stay_whole() -> None:
    n_tokens = 40_000
    pad = TOKENIZER.special("<|media_pad|>")
    assert TOKENIZER.encode_with_specials("<|media_pad|>" * n_tokens) == [pad] * n_tokens


# Decoding.


def test_special_tokens_are_left_out_or_named() -> None:
    ids = [*TOKENIZER.encode("Hi"), TOKENIZER.special("<|im_end|>"), TOKENIZER.n_vocab - 3]
    assert TOKENIZER.decode(ids) == "Hi"
    assert TOKENIZER.decode(ids, skip_special=False) == f"Hi<|im_end|><|reserved_token_{TOKENIZER.n_vocab - 3}|>"
    assert TOKENIZER.decode_bytes(ids) == b"Hi"


@pytest.mark.parametrize("token_id", [-1, TOKENIZER.n_vocab, TOKENIZER.n_vocab + 1, 1 << 40])
def test_ids_outside_the_vocabulary_are_refused(token_id: int) -> None:
    with pytest.raises(InputError, match=f"token id {token_id} is outside the vocabulary of {TOKENIZER.n_vocab}"):
        TOKENIZER.decode([65, token_id])
    with pytest.raises(InputError, match="outside the vocabulary"):
        IncrementalDecoder(TOKENIZER).push(token_id)


def stream(ids: list[int], skip_special: bool = True) -> list[str]:
    decoder = IncrementalDecoder(TOKENIZER, skip_special)
    return [*(decoder.push(token_id) for token_id in ids), decoder.flush()]


@given(texts)
def test_streamed_text_has_no_half_characters(text: str) -> None:
    streamed = stream(TOKENIZER.encode(text))
    assert "".join(streamed) == text
    assert streamed[-1] == ""
    assert text.startswith("".join(streamed[: len(streamed) // 2]))


@given(token_ids, st.booleans())
def test_streaming_any_tokens_equals_decoding_them(ids: list[int], skip_special: bool) -> None:
    assert "".join(stream(ids, skip_special)) == TOKENIZER.decode(ids, skip_special)


@given(st.binary(max_size=24), st.randoms())
def test_streaming_any_bytes_equals_decoding_them(data: bytes, rng: random.Random) -> None:
    parts: list[int] = []
    while data:
        size = rng.choice([size for size in range(1, len(data) + 1) if data[:size] in RANKS])
        parts.append(RANKS[data[:size]])
        data = data[size:]
    assert "".join(stream(parts)) == TOKENIZER.decode(parts)


@pytest.mark.parametrize("head", ["e2", "e297", "f09f98", "ed", "f4", "c3"])
def test_broken_bytes_do_not_hold_text_back(head: str) -> None:
    ids = [RANKS[bytes([byte])] for byte in bytes.fromhex(head) + b"abc"]
    streamed = stream(ids)
    assert streamed[-4:] == ["\ufffda", "b", "c", ""]
    assert stream(ids[:-3])[-1] == "\ufffd"


@given(st.binary(max_size=64))
def test_at_most_three_bytes_are_held_back(data: bytes) -> None:
    decoder = IncrementalDecoder(TOKENIZER)
    seen = ""
    for count, byte in enumerate(data, 1):
        seen += decoder.push(RANKS[bytes([byte])])
        assert any(seen == data[:end].decode("utf-8", "replace") for end in range(max(count - 3, 0), count + 1)), data[
            :count
        ]


def test_a_decoder_starts_afresh_after_a_flush() -> None:
    decoder = IncrementalDecoder(TOKENIZER)
    assert decoder.push(RANKS[b"\xe2"]) == ""
    assert decoder.flush() == "\ufffd"
    assert decoder.push(RANKS[b"a"]) == "a"


def test_no_torch_is_imported() -> None:
    code = "import sys, model.tokenizer, model.template, model.text.tokenizer_build; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "False"


def test_the_scrambled_vocabulary_has_tokens_that_end_inside_characters() -> None:
    broken = [
        token for token in RANKS if len(token) > 1 and not re.fullmatch(r"[^\ufffd]*", token.decode("utf-8", "replace"))
    ]
    assert len(broken) > 50
