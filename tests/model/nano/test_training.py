"""The pieces of training against independent writings of the same mathematics."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from model.architecture.kimi_vl import KimiVL, init_weights
from model.config import parse_config
from model.nano.block_attention import attend_questions
from model.nano.codec import Codec, nano_ranks
from model.nano.config import nano_config
from model.nano.elements import Query, Screen
from model.nano.evaluate import judge, table
from model.nano.losses import Heads, patchify, step_losses
from model.nano.muon import Muon, orthogonalise
from model.text.tokenizer_build import write_tokenizer
from model.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    folder = tmp_path_factory.mktemp("nano")
    write_tokenizer(folder, nano_ranks())
    return Codec(Tokenizer.load(folder))


@pytest.mark.parametrize(("prefix", "questions", "length"), [(37, 4, 9), (1, 1, 1), (20, 3, 16)])
def test_block_attention_equals_a_dense_mask_forwards_and_backwards(prefix: int, questions: int, length: int) -> None:
    torch.manual_seed(prefix)
    total = prefix + questions * length
    inputs = [torch.randn(2, 3, total, 16, requires_grad=True) for _ in range(3)]
    seen = torch.zeros(total, total, dtype=torch.bool)
    for i in range(total):
        for j in range(i + 1):
            same_question = i >= prefix and j >= prefix and (i - prefix) // length == (j - prefix) // length
            seen[i, j] = j < prefix or same_question
    expected = F.scaled_dot_product_attention(*inputs, attn_mask=seen, scale=0.2)
    weight = torch.randn_like(expected)
    expected_grads = torch.autograd.grad(expected, inputs, weight)

    (qp, q), (kp, k), (vp, v) = ((t[:, :, :prefix], t[:, :, prefix:]) for t in inputs)
    first = F.scaled_dot_product_attention(qp, kp, vp, is_causal=True, scale=0.2)
    rest = attend_questions(q, kp, vp, k, v, questions, 0.2)
    actual = torch.cat((first, rest), dim=2)
    actual_grads = torch.autograd.grad(actual, inputs, weight)
    for want, got in zip((expected, *expected_grads), (actual, *actual_grads), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_what_muon_does_not_orthogonalise_is_adamw() -> None:
    torch.manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(5, 3))
    theirs = torch.nn.Parameter(ours.detach().clone())
    muon = Muon([("language_model.lm_head.weight", ours)], weight_decay=0.05)
    adam = torch.optim.AdamW([theirs], lr=5e-4, betas=(0.9, 0.95), weight_decay=0.05, eps=1e-8)
    for _ in range(5):
        grad = torch.randn(5, 3)
        ours.grad, theirs.grad = grad.clone(), grad.clone()
        muon.step(1e-3)
        adam.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("shape", [(4, 8, 24), (2, 24, 8), (1, 16, 16)])
def test_orthogonalising_evens_the_singular_values_out(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
    assert values.min() > 0.5
    assert values.max() < 1.35


def test_training_patches_are_the_engine_s_own(codec: Codec) -> None:
    from PIL import Image

    from model.image import PreprocessConfig, preprocess

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (56, 84, 3), np.uint8)
    config = PreprocessConfig(14, 4096, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), True)
    wanted = preprocess(Image.fromarray(pixels), config).values
    got = patchify(torch.from_numpy(pixels)[None], 14, torch.float32)
    torch.testing.assert_close(got, torch.from_numpy(np.asarray(wanted)), atol=1e-6, rtol=0)


def test_questions_and_answers_are_spelled_as_the_engine_reads_them(codec: Codec) -> None:
    from model.grounding import Found, ask, read_answer
    from model.template import render

    whole = render(ask(b"", "the Save button", "bare"), codec.tokenizer, [6])
    assert codec.prefix(6) + codec.question("the Save button") == whole
    answer = codec.answer((100, 40, 140, 60), 400, 200)
    assert read_answer(codec.tokenizer.decode(list(answer.ids))) == Found(0.3, 0.25)
    assert answer.coordinates is not None
    x, y = answer.coordinates
    assert codec.tokenizer.decode([answer.ids[x]]) == "300"
    assert codec.tokenizer.decode([answer.ids[y]]) == "250"


def _coloured(rng: np.random.Generator) -> tuple[Screen, list[Query]]:
    pixels = np.full((56, 84, 3), 255, np.uint8)
    x, y = int(rng.integers(0, 60)), int(rng.integers(0, 32))
    pixels[y : y + 24, x : x + 24] = (255, 0, 0)
    queries = [Query("red", (x, y, x + 24, y + 24)), Query("green", None)]
    return Screen(pixels, (), np.array([[65, x, y]], np.float32)), queries


def test_a_toy_learns_to_point_and_to_refuse(codec: Codec) -> None:
    pytest.importorskip("skia", reason="the dataset module draws with skia: pip install 'deskhand[nano]'")
    from model.nano.dataset import collate

    torch.manual_seed(0)
    raw = nano_config(codec.tokenizer.n_base)
    raw["text_config"] |= {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128}
    raw["vision_config"] |= {"hidden_size": 48, "num_hidden_layers": 1, "intermediate_size": 96}
    model = KimiVL(parse_config(raw))
    init_weights(model, 0)
    heads = Heads(48, 64)
    muon = Muon([*model.named_parameters(), *((f"heads.{n}", p) for n, p in heads.named_parameters())])
    ids = torch.tensor(codec.coordinate_ids)
    rng = np.random.default_rng(0)
    totals, refused = [], []
    for _ in range(60):
        screens = [_coloured(rng) for _ in range(8)]
        batch = collate([s for s, _ in screens], [q for _, q in screens], codec, 2)
        losses = step_losses(model, heads, batch, ids, 0)
        losses.total.backward()
        muon.step(1e-2)
        totals.append(float(losses.total.detach()))
        refused.append(float(losses.refused) - float(losses.wrongly_refused))
    assert sum(totals[-5:]) < 0.75 * sum(totals[:5])
    assert sum(refused[-5:]) > 4


def test_judging_counts_points_in_boxes_and_refusals() -> None:
    screen = Screen(np.zeros((10, 20, 3), np.uint8), (), np.zeros((0, 3), np.float32))
    present, absent = Query("a", (2, 2, 6, 4), "text"), Query("b", None, "absent")
    assert judge(present, (2, 2), "s", screen).hit
    assert not judge(present, (6, 3), "s", screen).hit
    assert judge(present, None, "s", screen).refused
    assert judge(absent, None, "s", screen).hit
    assert not judge(absent, (1, 1), "s", screen).hit
    outcomes = [judge(query, point, "s", screen) for query in (present, absent) for point in ((3, 3), None)]
    rows = {row.title: row for row in table(outcomes)}
    assert (rows["s: found"].count, rows["s: found"].right) == (2, 1)
    assert (rows["s: absent targets refused"].count, rows["s: absent targets refused"].right) == (2, 1)
    assert (rows["s: present targets refused"].count, rows["s: present targets refused"].right) == (2, 1)


def test_exported_tensors_are_the_layout_s(tmp_path: Path) -> None:
    from model.checkpoint import inspect
    from model.nano.export import checkpoint_tensors, write_settings, write_shards
    from model.weights import load_model

    write_settings(tmp_path, {"screens": 0})
    model = KimiVL(parse_config(nano_config(len(nano_ranks()))))
    init_weights(model, 3)
    weights = {name: p.detach() for name, p in model.named_parameters()}
    biases = {name: p for name, p in weights.items() if name.endswith("e_score_correction_bias")}
    write_shards(tmp_path, checkpoint_tensors(weights, biases))
    info = inspect(tmp_path)
    assert info.capabilities == {"ground"}
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 64_000_000
    loaded = dict(load_model(info, "cpu", "bfloat16").named_parameters())
    for name, weight in weights.items():
        torch.testing.assert_close(loaded[name].float(), weight.to(loaded[name].dtype).float())
