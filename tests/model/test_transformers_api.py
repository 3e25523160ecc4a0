"""Kimi-VL through transformers' Auto classes, on a random-weight checkpoint in the released layout."""

import json
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)

import model.transformers_api
from model.architecture.vision import Grid
from model.chat import GenerateOptions, ImagePart, complete, message
from model.checkpoint import inspect
from model.dummy import make_dummy
from model.engine import Engine
from model.errors import CheckpointError, InputError
from model.quantize import quantize_checkpoint
from model.tokenizer import Tokenizer
from model.transformers_api import (
    KimiVLConfig,
    KimiVLForConditionalGeneration,
    KimiVLImageProcessor,
    KimiVLProcessor,
    TikTokenTokenizer,
)
from model.weights import load_model
from tests.model.oracle import (
    grid_thw,
    interleaved_prompt,
    load_k25,
    random_model,
    random_patches,
    raw_config,
    relative_error,
)

pytestmark = pytest.mark.usefixtures("one_thread")

QUESTION = "What is the dome building in the picture? Think step by step."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("checkpoint") / "tiny", seed=3)


@dataclass(frozen=True)
class Loaded:
    folder: Path
    model: Any
    processor: Any


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Loaded:
    network: Any = AutoModelForCausalLM.from_pretrained(folder, torch_dtype="float32", device_map="auto")
    return Loaded(folder, network, AutoProcessor.from_pretrained(folder))


def _noise(name: str, size: tuple[int, int], folder: Path) -> Path:
    """Write a picture that is different for every size."""
    path = folder / f"{name}.png"
    pixels = torch.randint(0, 256, (size[1], size[0], 3), generator=torch.Generator().manual_seed(sum(size)))
    Image.fromarray(pixels.to(torch.uint8).numpy()).save(path)
    return path


def _conversation(question: str, *images: Path) -> list[dict[str, Any]]:
    pictures = [{"type": "image", "image": str(image)} for image in images]
    return [{"role": "user", "content": [*pictures, {"type": "text", "text": question}]}]


def test_the_model_cards_example_runs_unchanged(folder: Path, tmp_path: Path) -> None:
    model_path, image_path = str(folder), str(_noise("dome", (300, 200), tmp_path))

    model: Any = AutoModelForCausalLM.from_pretrained(
        model_path,
        torch_dtype="auto",
        device_map="auto",
        trust_remote_code=True,
    )
    processor = AutoProcessor.from_pretrained(model_path, trust_remote_code=True)
    image = Image.open(image_path)
    messages = [
        {"role": "user", "content": [{"type": "image", "image": image_path}, {"type": "text", "text": QUESTION}]}
    ]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
    inputs = processor(images=image, text=text, return_tensors="pt", padding=True, truncation=True).to(model.device)
    generated_ids = model.generate(**inputs, max_new_tokens=24)
    generated_ids_trimmed = [
        out_ids[len(in_ids) :] for in_ids, out_ids in zip(inputs.input_ids, generated_ids, strict=False)
    ]
    response = processor.batch_decode(
        generated_ids_trimmed, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )[0]

    assert isinstance(model, KimiVLForConditionalGeneration)
    assert isinstance(text, str)
    assert isinstance(response, str)
    assert 0 < len(generated_ids_trimmed[0]) <= 24


def _engine_answer(loaded: Loaded, question: str, images: list[Path], count: int) -> str:
    info = inspect(loaded.folder)
    network = load_model(info, dtype="float32")
    with Engine(network, Tokenizer.load(loaded.folder), info.preprocess, info.generation) as engine:
        asked = message("user", *(ImagePart(image) for image in images), question)
        answer = complete(engine, [asked], GenerateOptions(max_tokens=count, temperature=0.0))
    return answer.thinking + answer.text


@pytest.mark.parametrize("sizes", [[], [(300, 200)], [(56, 300), (400, 30)]], ids=["text", "one", "two"])
def test_greedy_answers_are_the_engines(loaded: Loaded, sizes: list[tuple[int, int]], tmp_path: Path) -> None:
    images = [_noise(str(n), size, tmp_path) for n, size in enumerate(sizes)]
    text = loaded.processor.apply_chat_template(_conversation(QUESTION, *images), add_generation_prompt=True)
    pictures = [Image.open(image) for image in images] or None
    inputs = loaded.processor(images=pictures, text=text, return_tensors="pt")
    out = loaded.model.generate(**inputs, max_new_tokens=32, do_sample=False)
    answer = loaded.processor.decode(out[0, inputs.input_ids.shape[1] :], skip_special_tokens=True)
    assert answer == _engine_answer(loaded, QUESTION, images, 32)


def _answers(loaded: Loaded, inputs: Any, count: int = 16, **options: Any) -> list[list[int]]:
    out = loaded.model.generate(**inputs, max_new_tokens=count, do_sample=False, **options)
    return out[:, inputs["input_ids"].shape[1] :].tolist()


def test_batches_give_the_one_by_one_answers(loaded: Loaded, tmp_path: Path) -> None:
    images = [_noise(str(n), size, tmp_path) for n, size in enumerate([(300, 200), (60, 90), (400, 30)])]
    conversations = [
        _conversation("Hello"),
        _conversation(QUESTION, images[0]),
        _conversation("Compare them.", images[1], images[2]),
    ]
    pictures = [[], [Image.open(images[0])], [Image.open(image) for image in images[1:]]]
    texts = [loaded.processor.apply_chat_template(c, add_generation_prompt=True) for c in conversations]
    flat = [image for group in pictures for image in group]
    batch = loaded.processor(images=flat, text=texts, return_tensors="pt", padding=True)
    together = _answers(loaded, batch)
    for text, group, answer in zip(texts, pictures, together, strict=True):
        alone = loaded.processor(images=group or None, text=text, return_tensors="pt")
        assert answer == _answers(loaded, alone)[0]


@pytest.mark.parametrize("side", ["left", "right"])
def test_logits_do_not_depend_on_padding(loaded: Loaded, side: str) -> None:
    texts = ["a", "Hello there, how are you today?", "123 4567"]
    batch = loaded.processor.tokenizer(texts, return_tensors="pt", padding=True, padding_side=side)
    with torch.no_grad():
        logits = loaded.model(**batch).logits
        for row, text in enumerate(texts):
            alone = loaded.model(**loaded.processor.tokenizer(text, return_tensors="pt")).logits[0]
            real = logits[row][batch.attention_mask[row].bool()]
            assert relative_error(real, alone) < 1e-5


@pytest.mark.parametrize(
    "options",
    [{"use_cache": False}, {"cache_implementation": "static"}, {"prompt_lookup_num_tokens": 2}],
    ids=["no cache", "static cache", "speculative"],
)
def test_every_cache_gives_the_same_tokens(loaded: Loaded, options: dict[str, Any], tmp_path: Path) -> None:
    image = _noise("one", (120, 80), tmp_path)
    inputs = loaded.processor.apply_chat_template(
        _conversation(QUESTION, image), add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    assert _answers(loaded, inputs, **options) == _answers(loaded, inputs)


def test_the_prompt_is_run_once_and_then_token_by_token(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    forward = loaded.model.network.language_model.model.forward

    def counted(x: Tensor, *args: Any) -> Tensor:
        lengths.append(x.shape[1])
        return forward(x, *args)

    monkeypatch.setattr(loaded.model.network.language_model.model, "forward", counted)
    inputs = loaded.processor.tokenizer("Hello there", return_tensors="pt")
    cache = loaded.model.generate(
        **inputs, max_new_tokens=5, do_sample=False, eos_token_id=None, return_dict_in_generate=True
    ).past_key_values
    prompt = inputs.input_ids.shape[1]
    assert lengths == [prompt, 1, 1, 1, 1]
    text = loaded.model.network.config.text
    held = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
    assert sum(tensor.shape[-1] for tensor in held) == text.latent_dim * text.num_hidden_layers
    assert all(tensor.shape[:3] == (1, 1, prompt + 4) for tensor in held)


def test_a_conversation_can_go_on_from_its_cache(loaded: Loaded) -> None:
    first = loaded.processor.tokenizer("Hello there", return_tensors="pt").input_ids
    more = loaded.processor.tokenizer(" and again", return_tensors="pt").input_ids
    with torch.no_grad():
        begun = loaded.model(first, use_cache=True)
        continued = loaded.model(more, past_key_values=begun.past_key_values).logits[0]
        whole = loaded.model(torch.cat((first, more), dim=1)).logits[0, first.shape[1] :]
    assert relative_error(continued, whole) < 1e-5


def test_sampling_arguments_work(loaded: Loaded) -> None:
    inputs = loaded.processor.tokenizer("Hello there", return_tensors="pt")
    runs = []
    for _ in range(2):
        torch.manual_seed(5)
        runs.append(
            loaded.model.generate(
                **inputs, max_new_tokens=12, do_sample=True, temperature=2.0, top_p=0.95, num_return_sequences=2
            ).tolist()
        )
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_answers_stream(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = loaded.processor.tokenizer
    inputs = tokenizer("Hello there", return_tensors="pt")
    out = loaded.model.generate(
        **inputs, max_new_tokens=12, do_sample=False, streamer=transformers.TextStreamer(tokenizer, skip_prompt=True)
    )
    assert capsys.readouterr().out == tokenizer.decode(out[0, inputs.input_ids.shape[1] :]) + "\n"


def test_pipelines_answer(folder: Path, loaded: Loaded, tmp_path: Path) -> None:
    asked = _conversation("What is this?", _noise("one", (90, 60), tmp_path))
    pipeline: Any = transformers.pipeline("image-text-to-text", model=str(folder), dtype="float32")
    answer = pipeline(text=asked, max_new_tokens=8, return_full_text=False, generate_kwargs={"do_sample": False})
    inputs = loaded.processor.apply_chat_template(
        asked, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    expected = loaded.processor.decode(_answers(loaded, inputs, 8)[0], skip_special_tokens=True)
    assert answer[0]["generated_text"] == expected


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Put the same random weights into this model and into transformers' Kimi-K2.5."""
    raw = raw_config()
    network = random_model(raw, 9)
    ours = KimiVLForConditionalGeneration(KimiVLConfig(**raw), network).eval()
    return ours, load_k25(raw, network, tmp_path_factory.mktemp("twin") / "k25")


@pytest.mark.parametrize(
    "options",
    [
        {"do_sample": False},
        {"do_sample": False, "num_beams": 3},
        {"do_sample": False, "num_beams": 4, "num_return_sequences": 3},
        {"do_sample": True, "temperature": 1.5, "top_k": 20, "num_return_sequences": 2},
        {"do_sample": False, "repetition_penalty": 1.4},
    ],
    ids=["greedy", "beams", "beams returned", "samples", "penalty"],
)
def test_generation_with_pictures_is_kimi_k25s(twins: tuple[Any, Any], options: dict[str, Any]) -> None:
    ours, theirs = twins
    raw = raw_config()
    rows = [[Grid(4, 6), Grid(2, 2)], [Grid(2, 8)]]
    if options.keys() & {"num_beams", "num_return_sequences"} and not hasattr(theirs, "_expand_multimodal_outputs"):
        pytest.skip("this transformers release repeats Kimi-K2.5's packed patches one by one")
    prompts = [interleaved_prompt(raw, grids, 1) for grids in rows]
    longest = max(map(len, prompts))
    ids = torch.stack([torch.cat((torch.full((longest - len(p),), 511), p)) for p in prompts])
    mask = torch.stack([torch.arange(longest) >= longest - len(p) for p in prompts]).long()
    grids = rows[0] + rows[1]
    patches = random_patches(grids, 2)
    common = {
        "input_ids": ids,
        "attention_mask": mask,
        "pixel_values": patches,
        "max_new_tokens": 10,
        "eos_token_id": 3,
        "pad_token_id": 511,
        "suppress_tokens": [277],
        **options,
    }
    torch.manual_seed(1)
    expected = theirs.generate(image_grid_thw=grid_thw(grids), **common)
    torch.manual_seed(1)
    assert torch.equal(ours.generate(image_grid_hws=torch.tensor(grids), **common), expected)


def test_loss_and_gradients_are_kimi_k25s(twins: tuple[Any, Any]) -> None:
    ours, theirs = twins
    ids = torch.randint(0, 250, (2, 12), generator=torch.Generator().manual_seed(4))
    loss = ours(input_ids=ids, labels=ids).loss
    assert loss.item() == pytest.approx(theirs(input_ids=ids, labels=ids).loss.item(), rel=1e-5)
    head = ours.get_output_embeddings().weight.requires_grad_(True)
    ours(input_ids=ids, labels=ids).loss.backward()
    theirs(input_ids=ids, labels=ids).loss.backward()
    assert relative_error(head.grad, theirs.lm_head.weight.grad) < 1e-4
    head.requires_grad_(False)


REMOTE_CODE = "import pathlib\npathlib.Path({marker!r}).write_text('ran')\nraise RuntimeError('remote code ran')\n"


@pytest.fixture
def hostile(folder: Path, tmp_path: Path) -> Path:
    """Put remote code beside the checkpoint, named as the released ones name theirs."""
    copy = shutil.copytree(folder, tmp_path / "hostile")
    classes = {
        "config.json": {
            "AutoConfig": "configuration_kimi_vl.KimiVLConfig",
            "AutoModel": "modeling_kimi_vl.KimiVLForConditionalGeneration",
            "AutoModelForCausalLM": "modeling_kimi_vl.KimiVLForConditionalGeneration",
        },
        "tokenizer_config.json": {"AutoTokenizer": ["tokenization_moonshot.TikTokenTokenizer", None]},
        "preprocessor_config.json": {
            "AutoImageProcessor": "image_processing_kimi_vl.KimiVLImageProcessor",
            "AutoProcessor": "processing_kimi_vl.KimiVLProcessor",
        },
        "processor_config.json": {"AutoProcessor": "processing_kimi_vl.KimiVLProcessor"},
    }
    for name, auto_map in classes.items():
        values = json.loads((copy / name).read_text(encoding="utf-8"))
        (copy / name).write_text(json.dumps({**values, "auto_map": auto_map}), encoding="utf-8")
    code = REMOTE_CODE.format(marker=str(tmp_path / "ran"))
    for kind in ("configuration", "modeling", "image_processing", "processing"):
        (copy / f"{kind}_kimi_vl.py").write_text(code, encoding="utf-8")
    (copy / "tokenization_moonshot.py").write_text(code, encoding="utf-8")
    return copy


@pytest.mark.parametrize("trust", [None, False, True], ids=str)
def test_remote_code_never_runs_and_nothing_is_asked(
    hostile: Path, tmp_path: Path, trust: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("a local folder needs no network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    expected = {
        AutoConfig: KimiVLConfig,
        AutoModelForCausalLM: KimiVLForConditionalGeneration,
        AutoModelForImageTextToText: KimiVLForConditionalGeneration,
        AutoTokenizer: TikTokenTokenizer,
        AutoProcessor: KimiVLProcessor,
    }
    for auto, kind in expected.items():
        assert type(auto.from_pretrained(hostile, trust_remote_code=trust)) is kind
    assert not (tmp_path / "ran").exists()


def test_the_image_processor_alone(hostile: Path, tmp_path: Path) -> None:
    try:
        auto = transformers.AutoImageProcessor.from_pretrained
    except ImportError:
        pytest.skip("this transformers release has no AutoImageProcessor without torchvision")
    processor = auto(hostile, trust_remote_code=True)
    assert type(processor) is KimiVLImageProcessor
    assert not (tmp_path / "ran").exists()


def test_generation_config_is_followed(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    stated = {"max_new_tokens": 3, "do_sample": False, "repetition_penalty": 1.3, "eos_token_id": 7}
    (copy / "generation_config.json").write_text(json.dumps(stated), encoding="utf-8")
    model: Any = AutoModelForCausalLM.from_pretrained(copy, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(copy)
    config = model.generation_config
    assert config.repetition_penalty == 1.3
    special = tokenizer.tiktoken.special
    assert set(config.eos_token_id) == {7, special("<|im_end|>"), special("[EOS]")}
    inputs = tokenizer("Hello", return_tensors="pt")
    assert model.generate(**inputs).shape[1] == inputs.input_ids.shape[1] + 3
    (copy / "generation_config.json").unlink()
    bare = AutoModelForCausalLM.from_pretrained(copy, dtype="float32").generation_config
    assert special("<|im_end|>") in bare.eos_token_id


def test_answers_end_at_a_stop_token_and_never_hold_media_tokens(loaded: Loaded) -> None:
    special = loaded.processor.tokenizer.tiktoken.special
    inputs = loaded.processor.tokenizer("Hello", return_tensors="pt")
    first = _answers(loaded, inputs, 1)[0][0]
    end = loaded.model.generate(**inputs, max_new_tokens=8, do_sample=False, eos_token_id=first)
    assert end[0, inputs.input_ids.shape[1] :].tolist() == [first]
    torch.manual_seed(0)
    wild = loaded.model.generate(**inputs, max_new_tokens=200, do_sample=True, temperature=50.0, eos_token_id=None)
    media = {special(f"<|media_{name}|>") for name in ("start", "content", "pad", "end")}
    assert not media & set(wild[0].tolist())


def _same_weights(a: Any, b: Any) -> bool:
    theirs = b.network.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in a.network.state_dict().items())


def test_what_is_saved_is_a_whole_checkpoint(loaded: Loaded, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    loaded.model.save_pretrained(saved, max_shard_size="2MB")
    loaded.processor.save_pretrained(saved)
    info, original = inspect(saved), inspect(loaded.folder)
    assert len(info.files) > 1
    assert set(info.tensors) == set(original.tensors)
    assert info.config.text == original.config.text
    assert info.config.vision == original.config.vision
    assert info.config.dtype == "float32"
    assert info.preprocess == original.preprocess
    assert info.generation == original.generation
    assert "auto_map" not in (saved / "config.json").read_text(encoding="utf-8")
    again: Any = AutoModelForCausalLM.from_pretrained(saved, dtype="float32")
    assert _same_weights(loaded.model, again)
    assert again.generation_config.to_dict() == loaded.model.generation_config.to_dict()
    processor = AutoProcessor.from_pretrained(saved)
    text = processor.apply_chat_template(_conversation("Hi <|im_end|> ◁think▷"), add_generation_prompt=True)
    assert processor.tokenizer(text).input_ids == loaded.processor.tokenizer(text).input_ids


def test_saving_again_replaces_the_shards(loaded: Loaded, tmp_path: Path) -> None:
    loaded.processor.save_pretrained(tmp_path)
    loaded.model.save_pretrained(tmp_path, max_shard_size="2MB")
    loaded.model.save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.glob("*.safetensors*")] == ["model.safetensors"]
    assert inspect(tmp_path).files == (tmp_path / "model.safetensors",)


@pytest.mark.parametrize("bits", [4, 8])
def test_quantised_folders_load_and_save(folder: Path, tmp_path: Path, bits: int) -> None:
    quantised = quantize_checkpoint(folder, tmp_path / "quantised", bits, group_size=32)
    model: Any = AutoModelForCausalLM.from_pretrained(quantised, dtype="float32")
    processor = AutoProcessor.from_pretrained(quantised)
    inputs = processor.tokenizer("Hello", return_tensors="pt")
    assert model.generate(**inputs, max_new_tokens=4, do_sample=False).shape[0] == 1
    model.save_pretrained(tmp_path / "saved")
    processor.save_pretrained(tmp_path / "saved")
    assert inspect(tmp_path / "saved").config.quantization == inspect(quantised).config.quantization
    assert _same_weights(model, AutoModelForCausalLM.from_pretrained(tmp_path / "saved", dtype="float32"))


def test_quantised_while_loading_is_not_saved(folder: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, quantize="int8")
    with pytest.raises(ValueError, match="models quantize"):
        model.save_pretrained(tmp_path / "saved")


def test_a_model_from_a_config_alone_has_random_weights() -> None:
    config = KimiVLConfig(**raw_config())
    torch.manual_seed(1)
    model: Any = AutoModelForCausalLM.from_config(config)
    assert torch.isfinite(model(torch.tensor([[1, 2, 3]])).logits).all()
    assert model.get_input_embeddings().weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", torch.float16], ids=str)
def test_dtype_and_device_are_followed(folder: Path, dtype: str | torch.dtype) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=dtype, device_map={"": "cpu"})
    assert str(model.dtype).removeprefix("torch.") == str(dtype).removeprefix("torch.")
    assert model.config.dtype == model.dtype
    assert model.device == torch.device("cpu")
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_what_cannot_be_loaded_is_said(folder: Path, tmp_path: Path) -> None:
    load = AutoModelForCausalLM.from_pretrained
    with pytest.raises(TypeError, match="does not take quantization_config"):
        load(folder, quantization_config={"load_in_4bit": True})
    with pytest.raises(ValueError, match="one device"):
        load(folder, device_map={"vision": "cpu", "language": "meta"})
    with pytest.raises(InputError, match="float64"):
        load(folder, dtype=torch.float64)
    with pytest.raises(ValueError, match="not the one in"):
        load(folder, config=KimiVLConfig(**raw_config()))
    broken = shutil.copytree(folder, tmp_path / "broken")
    next(broken.glob("*.safetensors")).unlink()
    with pytest.raises(CheckpointError, match="missing"):
        load(broken)
    scaled = raw_config({"rope_scaling": {"type": "yarn", "factor": 4}})
    with pytest.raises(ValueError, match="rope_scaling"):
        KimiVLConfig(**scaled)


def test_wrong_inputs_are_said(loaded: Loaded) -> None:
    tokenizer = loaded.processor.tokenizer
    ids = torch.tensor([[1, tokenizer.tiktoken.special("<|media_pad|>"), 2]])
    with pytest.raises(ValueError, match="no pixel_values"):
        loaded.model(ids)
    with pytest.raises(ValueError, match="1 media placeholders for 4 image features"):
        loaded.model(ids, pixel_values=torch.zeros(16, 3, 14, 14), image_grid_hws=torch.tensor([[4, 4]]))
    with pytest.raises(ValueError, match="attention_mask is"):
        loaded.model(torch.tensor([[1, 2]]), attention_mask=torch.ones(1, 1))
    with pytest.raises(ValueError, match="not kept"):
        loaded.model(torch.tensor([[1, 2]]), output_attentions=True)


def test_the_module_names_what_it_registers() -> None:
    model.transformers_api.register()
    assert AutoModelForCausalLM._model_mapping[KimiVLConfig] is KimiVLForConditionalGeneration
