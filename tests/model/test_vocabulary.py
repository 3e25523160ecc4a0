"""Vocabulary files as a user may have them: whole, damaged, cut short, or another model's."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model.errors import CheckpointError
from model.text.tokenizer_build import build_ranks, write_tokenizer
from model.tokenizer import SPECIAL_NAMES, Tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path, build_ranks(["click", " button"]))
    return tmp_path


def change(folder: Path, edit: Callable[[list[bytes]], None]) -> None:
    path = folder / "tiktoken.model"
    lines = path.read_bytes().splitlines()
    edit(lines)
    path.write_bytes(b"\n".join(lines) + b"\n")


def set_line(number: int, line: bytes) -> Callable[[list[bytes]], None]:
    return lambda lines: lines.__setitem__(number - 1, line)


def drop_lines(first: int, last: int | None = None) -> Callable[[list[bytes]], None]:
    return lambda lines: lines.__delitem__(slice(first - 1, last or first))


def test_what_was_written_is_loaded(folder: Path) -> None:
    ranks = build_ranks(["click", " button"])
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.n_base == len(ranks)
    for token, rank in ranks.items():
        assert tokenizer.decode_bytes([rank]) == token
    assert tokenizer.encode("click") == [ranks[b"click"]]


def test_blank_lines_and_windows_line_ends_are_read(folder: Path) -> None:
    path = folder / "tiktoken.model"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\n\n")
    assert Tokenizer.load(folder).encode("click") == [256 + 100 + 1000]


def test_the_vocabulary_alone_is_enough(folder: Path) -> None:
    for name in ("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        (folder / name).unlink()
    tokenizer = Tokenizer.load(folder)
    assert {name: tokenizer.special(name) - tokenizer.n_base for name in SPECIAL_NAMES.values()} == {
        name: offset for offset, name in SPECIAL_NAMES.items()
    }


@pytest.mark.parametrize(
    ("edit", "line", "why"),
    [
        (set_line(7, b"!!! 6"), 7, "not base64"),
        (set_line(7, b"QUJ 6"), 7, "not base64"),
        (set_line(7, b"\xff\xfe 6"), 7, "not base64"),
        (set_line(7, base64.b64encode(b"new")), 7, "base64 and a rank expected"),
        (set_line(7, b"a b c"), 7, "base64 and a rank expected"),
        (set_line(7, b"<html><body>not found</body></html>"), 7, "not base64"),
        (set_line(7, base64.b64encode(b"new") + b" six"), 7, "not a rank"),
        (set_line(7, base64.b64encode(b"new") + b" -6"), 7, "not a rank"),
        (set_line(7, base64.b64encode(b"new") + b" " + b"9" * 5000), 7, "not a rank"),
        (set_line(300, base64.b64encode(b"new") + b" 0"), 300, "rank 0 stands already on line 1"),
        (set_line(300, base64.b64encode(b"A") + b" 299"), 300, "token b'A' stands already on line 66"),
        (drop_lines(400), 1357, "rank 1357 stands here, but rank 399 nowhere"),
        (set_line(66, base64.b64encode(b"new") + b" 65"), 1358, "ends without byte 0x41"),
        (drop_lines(200, 5000), 199, "ends without byte 0xc7"),
        (drop_lines(1, 5000), 0, "ends without byte 0x00"),
    ],
)
def test_a_damaged_vocabulary_names_file_and_line(
    folder: Path, edit: Callable[[list[bytes]], None], line: int, why: str
) -> None:
    change(folder, edit)
    with pytest.raises(CheckpointError) as caught:
        Tokenizer.load(folder)
    assert str(caught.value).startswith(f"{folder / 'tiktoken.model'}, line {line}: ")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 4, 8, 13, 14, 20, 40, 400, 9000])
def test_a_truncated_vocabulary_is_noticed(folder: Path, n_bytes: int) -> None:
    path = folder / "tiktoken.model"
    whole = path.read_bytes()
    path.write_bytes(whole[:-n_bytes])
    if n_bytes == 1:
        assert Tokenizer.load(folder).encode(" button") == [1357]
        return
    with pytest.raises(CheckpointError, match=r"tiktoken\.model"):
        Tokenizer.load(folder)


def test_a_missing_vocabulary_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tiktoken\.model is missing"):
        Tokenizer.load(tmp_path)


def test_a_folder_in_the_vocabulary_s_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "tiktoken.model").mkdir()
    with pytest.raises(CheckpointError, match=r"tiktoken\.model cannot be read"):
        Tokenizer.load(tmp_path)


def rewrite(folder: Path, decoder: object) -> None:
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["added_tokens_decoder"] = decoder
    path.write_text(json.dumps(config))


def test_names_in_the_file_win_over_the_default_ones(folder: Path) -> None:
    n_base = Tokenizer.load(folder).n_base
    swapped = {"[UNK]": 254, "[PAD]": 255, "<|start_header_id|>": 6}
    rewrite(folder, {str(n_base + offset): {"content": name} for name, offset in swapped.items()})
    tokenizer = Tokenizer.load(folder)
    for name, offset in (swapped | {"<|im_end|>": 2, f"<|reserved_token_{n_base + 7}|>": 7}).items():
        assert tokenizer.special(name) == n_base + offset


def test_one_name_moved_leaves_its_old_id_reserved(folder: Path) -> None:
    n_base = Tokenizer.load(folder).n_base
    rewrite(folder, {str(n_base + 100): {"content": "[PAD]"}})
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.special("[PAD]") == n_base + 100
    assert tokenizer.special(f"<|reserved_token_{n_base + 254}|>") == n_base + 254


def test_the_family_s_two_surplus_slots_are_passed_over(folder: Path) -> None:
    n_base = Tokenizer.load(folder).n_base
    surplus = n_base + 256
    rewrite(folder, {str(surplus): {"content": f"<|reserved_token_{surplus}|>"}})
    assert Tokenizer.load(folder).n_vocab == surplus


@pytest.mark.parametrize(
    ("decoder", "why"),
    [
        ([], "'added_tokens_decoder' is not a JSON object"),
        ({"x": {"content": "[BOS]"}}, "entry 'x' has no id or content"),
        ({"9" * 5000: {"content": "[BOS]"}}, "has no id or content"),
        ({"1358": {}}, "entry '1358' has no id or content"),
        ({"1358": "[BOS]"}, "entry '1358' has no id or content"),
        ({"1358": {"content": ""}}, "entry '1358' has no id or content"),
        ({"163584": {"content": "[BOS]"}}, "'[BOS]' has id 163584, but tiktoken.model beside it holds 1358 ranks"),
        ({"12": {"content": "[BOS]"}}, "'[BOS]' has id 12, but tiktoken.model beside it holds 1358 ranks"),
        ({"1358": {"content": "[X]"}, "1359": {"content": "[X]"}}, "gives one name to two ids"),
        ({"1376": {"content": "<|media_begin|>"}}, "has no <|media_start|>"),
    ],
)
def test_broken_special_tokens_are_named(folder: Path, decoder: object, why: str) -> None:
    rewrite(folder, decoder)
    with pytest.raises(CheckpointError) as caught:
        Tokenizer.load(folder)
    assert "tokenizer_config.json" in str(caught.value)
    assert why in str(caught.value)


def test_a_config_that_is_not_json_is_named(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"added_tokens_decoder": {')
    with pytest.raises(CheckpointError, match=r"tokenizer_config\.json cannot be read"):
        Tokenizer.load(folder)
