"""The tokenizer and the processor that transformers gets, against this project's own."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.errors import CheckpointError, InputError
from model.hf.processor import KimiVLImageProcessor, KimiVLProcessor
from model.hf.tokenizer import TikTokenTokenizer
from model.image import load_preprocess, open_image, preprocess
from model.storage.presets import preset_preprocessor
from model.text.tokenizer_build import build_ranks, write_tokenizer
from model.text.vocabulary import MEDIA_PAD, SPECIAL_NAMES
from model.tokenizer import Tokenizer

PIECES = (*SPECIAL_NAMES.values(), "<|", "|>", "<|im_", "end|>", "[", "]", " ", "\n", "今天", "◁think▷", "\u0301", "🙂")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processor")
    write_tokenizer(folder, build_ranks([" hello", "Hello", " world"]))
    (folder / "preprocessor_config.json").write_text(json.dumps(preset_preprocessor()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return TikTokenTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def processor(folder: Path) -> Any:
    return KimiVLProcessor.from_pretrained(folder)


@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=8).map("".join))
@settings(max_examples=150, deadline=None)
def test_texts_encode_and_decode_as_the_family_does(folder: Path, tokenizer: Any, text: str) -> None:
    own = tokenizer.tiktoken
    ids = tokenizer(text).input_ids
    assert ids == own.encode_with_specials(text)
    assert tokenizer(text, split_special_tokens=True).input_ids == own.encode(text)
    for skip in (False, True):
        assert tokenizer.decode(ids, skip_special_tokens=skip) == own.decode(ids, skip_special=skip)
    assert tokenizer.convert_tokens_to_ids(tokenizer.convert_ids_to_tokens(ids)) == ids
    assert tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(ids)) == own.decode(ids, False)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side(tokenizer: Any, side: str) -> None:
    batch = tokenizer(["Hello world", "a"], padding=True, padding_side=side, return_tensors="pt")
    pad = tokenizer.tiktoken.special("[PAD]")
    short = [ord("a")]
    missing = batch.input_ids.shape[1] - 1
    row = [pad] * missing + short if side == "left" else short + [pad] * missing
    assert batch.input_ids[1].tolist() == row
    assert batch.attention_mask[1].tolist() == [int(token != pad) for token in row]
    assert tokenizer.padding_side == "left"


def test_every_id_of_the_vocabulary_has_a_token(tokenizer: Any) -> None:
    own = tokenizer.tiktoken
    assert len(tokenizer) == tokenizer.vocab_size == own.n_vocab
    assert sorted(tokenizer.get_vocab().values()) == list(range(own.n_vocab))
    assert set(own.specials.values()) <= set(tokenizer.added_tokens_decoder)


def test_new_tokens_are_refused(tokenizer: Any) -> None:
    assert tokenizer.add_tokens(["<|im_end|>"], special_tokens=True) == 0
    with pytest.raises(ValueError, match="no embeddings for new tokens: <new>"):
        tokenizer.add_tokens(["<new>"])


def test_a_damaged_vocabulary_is_said(folder: Path, tmp_path: Path) -> None:
    for name in ("tiktoken.model", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    ranks = tmp_path / "tiktoken.model"
    ranks.write_bytes(ranks.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match=r"tiktoken\.model"):
        TikTokenTokenizer.from_pretrained(tmp_path)


def test_the_processor_survives_pickling(processor: Any) -> None:
    again = pickle.loads(pickle.dumps(processor))
    assert again.tokenizer("a <|im_end|>").input_ids == processor.tokenizer("a <|im_end|>").input_ids
    assert again.image_processor.to_dict() == processor.image_processor.to_dict()


def _picture(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 4), np.uint8)
    return Image.fromarray(pixels, "RGBA").convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_pictures_become_this_projects_patches(processor: Any, folder: Path, tmp_path: Path, mode: str) -> None:
    picture = _picture((150, 70), mode)
    path = tmp_path / ("picture.tiff" if mode == "CMYK" else "picture.png")
    picture.save(path)
    expected = preprocess(open_image(path), load_preprocess(folder))
    for source in (picture, path, str(path), path.read_bytes()):
        out = processor.image_processor(source, return_tensors="pt")
        assert np.array_equal(out.pixel_values.numpy(), expected.values)
        assert out.image_grid_hws.tolist() == [list(expected.fit.grid)]


def test_arrays_and_tensors_are_pictures_too(processor: Any) -> None:
    picture = _picture((60, 40))
    array = np.asarray(picture)
    expected = processor.image_processor(picture, return_tensors="np").pixel_values
    for source in (array, torch.from_numpy(array.transpose(2, 0, 1).copy())):
        assert np.array_equal(processor.image_processor(source, return_tensors="np").pixel_values, expected)


def test_several_pictures_are_packed_in_order(processor: Any) -> None:
    pictures = [_picture((150, 70)), _picture((28, 28)), _picture((30, 300))]
    for nested in (pictures, [pictures[:1], pictures[1:]]):
        out = processor.image_processor(nested, return_tensors="pt")
        assert out.image_grid_hws.tolist() == [[6, 12], [2, 2], [22, 4]]
        assert out.pixel_values.shape == (6 * 12 + 4 + 22 * 4, 3, 14, 14)


def test_the_limit_can_be_set_for_a_call_and_for_good(folder: Path) -> None:
    processor: Any = KimiVLProcessor.from_pretrained(folder, in_token_limit=64)
    picture = _picture((700, 500))
    assert len(processor.image_processor(picture)["pixel_values"]) < 120
    assert len(processor.image_processor(picture, in_token_limit=4096)["pixel_values"]) > 1500
    text = f"{MEDIA_PAD}"
    one = processor(images=picture, text=text, in_token_limit=16, return_tensors="pt")
    assert len(one["pixel_values"]) == 4 * one["input_ids"].shape[1] < 60


def test_placeholders_take_the_place_of_pictures(processor: Any) -> None:
    special = processor.tokenizer.tiktoken.special
    texts = [f"a{MEDIA_PAD}b{MEDIA_PAD}", "none", f"{MEDIA_PAD}"]
    pictures = [_picture((28, 28)), _picture((56, 28)), _picture((84, 56))]
    out = processor(images=pictures, text=texts, padding=True, return_tensors="pt")
    pad = special(MEDIA_PAD)
    assert [(row == pad).sum().item() for row in out.input_ids] == [1 + 2, 0, 6]
    assert out.input_ids[0][out.attention_mask[0].bool()].tolist() == [ord("a"), pad, ord("b"), pad, pad]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_placeholders_and_pictures_must_agree_in_number(processor: Any, count: int) -> None:
    pictures = [_picture((28, 28))] * count
    with pytest.raises(ValueError, match=r"media_pad|number"):
        processor(images=pictures or None, text=MEDIA_PAD * 2)


def test_what_is_no_picture_is_said(processor: Any, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match="not a picture"):
        processor.image_processor(tmp_path / "text.png")
    with pytest.raises(TypeError, match="not int"):
        processor.image_processor(5)
    with pytest.raises(ValueError, match="does not take do_resize"):
        processor.image_processor(_picture((28, 28)), do_resize=False)
    with pytest.raises(ValueError, match="pictures only"):
        processor(text="a", videos=[_picture((28, 28))])
    with pytest.raises(CheckpointError, match="in_token_limit"):
        KimiVLImageProcessor(**{**preset_preprocessor(), "in_token_limit": 0})


def test_the_template_is_the_familys(processor: Any) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "image", "image": _picture((56, 56))},
                {"type": "text", "text": "What is "},
                {"type": "text", "text": "this?"},
            ],
        },
    ]
    text = processor.apply_chat_template(conversation, add_generation_prompt=True)
    assert text == (
        "<|im_system|>system<|im_middle|>Be brief.<|im_end|>"
        "<|im_user|>user<|im_middle|><|media_start|>image<|media_content|><|media_pad|><|media_end|>What is this?"
        "<|im_end|><|im_assistant|>assistant<|im_middle|>"
    )
    out = processor.apply_chat_template(
        conversation, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    expanded = text.replace(MEDIA_PAD, MEDIA_PAD * 4)
    assert out["input_ids"][0].tolist() == processor.tokenizer.tiktoken.encode_with_specials(expanded)
    assert out["image_grid_hws"].tolist() == [[4, 4]]


def test_saved_files_are_the_familys(processor: Any, folder: Path, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"tiktoken.model", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json"}
    assert load_preprocess(tmp_path) == load_preprocess(folder)
    assert Tokenizer.load(tmp_path).specials == Tokenizer.load(folder).specials
    assert (tmp_path / "tiktoken.model").read_bytes() == (folder / "tiktoken.model").read_bytes()
