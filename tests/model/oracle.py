"""Networks that nobody here wrote, fed with this network's weights: transformers' Kimi-K2.5 and DeepSeek-V3.

Three renames make a Kimi-VL checkpoint a Kimi-K2.5 one; transformers' own loader fuses the
experts, splits ``wqkv`` and permutes it for its rotary layout. So the weights travel as a
checkpoint folder, as they would from the hub.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import DeepseekV3ForCausalLM, Kimi_K25ForConditionalGeneration

from model.architecture.kimi_vl import KimiVL
from model.architecture.vision import Grid
from model.config import parse_config
from tests.model.tiny import TINY

PROJECTOR_RENAMES = {
    "multi_modal_projector.pre_norm": "mm_projector.pre_norm",
    "multi_modal_projector.linear_1": "mm_projector.proj.0",
    "multi_modal_projector.linear_2": "mm_projector.proj.2",
}


def raw_config(text: Mapping[str, object] = {}, vision: Mapping[str, object] = {}) -> dict[str, Any]:
    """Return the toy config.json with changed text_config and vision_config keys."""
    return {
        **TINY,
        "vocab_size": text.get("vocab_size", TINY["vocab_size"]),
        "text_config": {**TINY["text_config"], **text},
        "vision_config": {**TINY["vision_config"], **vision},
    }


REAL_HEADS = raw_config(
    {
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "num_key_value_heads": 3,
        "intermediate_size": 384,
        "moe_intermediate_size": 96,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": 64,
        "num_experts_per_tok": 6,
        "max_position_embeddings": 131072,
    },
    {
        "hidden_size": 288,
        "num_hidden_layers": 2,
        "intermediate_size": 320,
        "init_pos_emb_height": 64,
        "init_pos_emb_width": 64,
    },
)
"""The released sizes of heads, latents, router and position table, in an otherwise small network."""


def random_model(raw: Mapping[str, Any], seed: int) -> KimiVL:
    """Build the network with weights that leave nothing at a neutral value.

    Norm weights spread around 1, all biases are non-zero, and the router's correction bias is as
    large as the spread of the scores, so that it changes which experts are chosen.
    """
    model = KimiVL(parse_config(raw))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                parameter.copy_(1 + 0.3 * noise)
            elif name.endswith(("bias", "pos_emb.weight")):
                parameter.copy_(0.3 * noise)
            elif name.endswith("embed_tokens.weight"):
                parameter.copy_(noise)
            else:
                parameter.copy_(noise * 1.2 * parameter[0].numel() ** -0.5 if "experts" not in name else noise * 0.15)
    return model.eval().requires_grad_(False)


def checkpoint_tensors(model: KimiVL) -> dict[str, Tensor]:
    """Return the weights under the released checkpoints' names, one tensor an expert and projection."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("experts.gate_up"):
            for index, expert in enumerate(tensor):
                gate, up = expert.chunk(2)
                prefix = name.removesuffix("gate_up") + str(index)
                tensors[f"{prefix}.gate_proj.weight"] = gate.contiguous()
                tensors[f"{prefix}.up_proj.weight"] = up.contiguous()
        elif name.endswith("experts.down"):
            for index, expert in enumerate(tensor):
                tensors[f"{name.removesuffix('down')}{index}.down_proj.weight"] = expert.contiguous()
        else:
            tensors[name] = tensor.contiguous()
    return tensors


def _write(folder: Path, config: Mapping[str, Any], tensors: dict[str, Tensor]) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _load(network: Any, folder: Path) -> Any:
    loaded, info = network.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]
    return loaded.eval()


def load_k25(raw: Mapping[str, Any], model: KimiVL, folder: Path) -> Any:
    """Load the weights into transformers' Kimi-K2.5, through a checkpoint in ``folder``."""
    vision: dict[str, Any] = dict(raw["vision_config"])
    config = {
        "architectures": ["Kimi_K25ForConditionalGeneration"],
        "model_type": "kimi_k25",
        "image_token_id": raw["media_placeholder_token_id"],
        "video_token_id": raw["vocab_size"],
        "projection_hidden_size": vision["hidden_size"],
        "tie_word_embeddings": False,
        "text_config": {**raw["text_config"], "model_type": "deepseek_v3", "num_mtp_layers": 0},
        "vision_config": {
            **{key: value for key, value in vision.items() if not key.startswith(("init_", "model_type"))},
            "pos_emb_height": vision["init_pos_emb_height"],
            "pos_emb_width": vision["init_pos_emb_width"],
        },
    }
    tensors: dict[str, Tensor] = {}
    for name, tensor in checkpoint_tensors(model).items():
        old = next((old for old in PROJECTOR_RENAMES if name.startswith(old)), "")
        tensors[PROJECTOR_RENAMES.get(old, "") + name.removeprefix(old)] = tensor
    _write(folder, config, tensors)
    return _load(Kimi_K25ForConditionalGeneration, folder)


def load_deepseek(raw: Mapping[str, Any], model: KimiVL, folder: Path) -> Any:
    """Load the language half into transformers' DeepSeek-V3, through a checkpoint in ``folder``."""
    config = {
        "architectures": ["DeepseekV3ForCausalLM"],
        **raw["text_config"],
        "model_type": "deepseek_v3",
        "num_mtp_layers": 0,
    }
    prefix = "language_model."
    tensors = {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint_tensors(model).items()
        if name.startswith(prefix)
    }
    _write(folder, config, tensors)
    return _load(DeepseekV3ForCausalLM, folder)


def random_patches(grids: Sequence[Grid], seed: int, patch_size: int = 14) -> Tensor:
    """Return packed patches ``(L, 3, p, p)`` in the range of normalised pixels."""
    count = sum(grid.patches for grid in grids)
    return torch.rand(count, 3, patch_size, patch_size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def grid_thw(grids: Sequence[Grid]) -> Tensor:
    """Return the grids as Kimi-K2.5 takes them: rows of one frame, height, width."""
    return torch.tensor([[1, grid.height, grid.width] for grid in grids])


def interleaved_prompt(raw: Mapping[str, Any], grids: Sequence[Grid], seed: int, words: int = 7) -> Tensor:
    """Return token ids ``(T,)``: text, an image's placeholders, text, … , text."""
    generator = torch.Generator().manual_seed(seed)

    def text() -> Tensor:
        return torch.randint(0, raw["media_placeholder_token_id"], (words,), generator=generator)

    parts = [text()]
    for grid in grids:
        parts += [torch.full((grid.tokens,), raw["media_placeholder_token_id"]), text()]
    return torch.cat(parts)


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference over the largest magnitude."""
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())
