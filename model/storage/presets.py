"""config.json and its companions as the family ships them: full size, and a toy of the same build.

Values of the full size: config.json and preprocessor_config.json of moonshotai/Kimi-VL-A3B-Instruct.
generation_config.json: no copy was seen; a sibling of the same tokenizer (Moonlight) ends at ``<|im_end|>``.
"""

from typing import Any, Literal

from model.errors import InputError

Size = Literal["tiny", "a3b"]
Json = dict[str, Any]

_N_SPECIAL = 256
_MEDIA_PAD_OFFSET = 21
A3B_RANKS = 163_584
TINY_RANKS = 1_792

_TINY_TEXT: Json = {
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 256,
    "moe_intermediate_size": 64,
    "kv_lora_rank": 64,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16,
    "v_head_dim": 32,
    "n_routed_experts": 16,
    "num_experts_per_tok": 4,
}
_TINY_VISION: Json = {
    "hidden_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 192,
}


def preset_config(size: Size, dtype: str = "bfloat16") -> Json:
    """Return a fresh config.json: "a3b" is the released one, "tiny" has its structure at toy widths."""
    if size not in ("tiny", "a3b"):
        raise InputError(f"size {size!r} is unknown", remedy="choose tiny or a3b")
    n_base = A3B_RANKS if size == "a3b" else TINY_RANKS
    text = _text_config(n_base) | {"torch_dtype": dtype}
    vision = _vision_config() | {"torch_dtype": dtype}
    if size == "tiny":
        text |= _TINY_TEXT
        vision |= _TINY_VISION
    return {
        "architectures": ["KimiVLForConditionalGeneration"],
        "auto_map": {
            "AutoConfig": "configuration_kimi_vl.KimiVLConfig",
            "AutoModel": "modeling_kimi_vl.KimiVLForConditionalGeneration",
            "AutoModelForCausalLM": "modeling_kimi_vl.KimiVLForConditionalGeneration",
        },
        "ignore_index": -100,
        "media_placeholder_token_id": n_base + _MEDIA_PAD_OFFSET,
        "model_type": "kimi_vl",
        "text_config": text,
        "tie_word_embeddings": False,
        "torch_dtype": dtype,
        "transformers_version": "4.50.3",
        "vision_config": vision,
        "vocab_size": n_base + _N_SPECIAL,
    }


def _text_config(n_base: int) -> Json:
    return {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "aux_loss_alpha": 0.001,
        "bos_token_id": n_base,
        "eos_token_id": n_base + 1,
        "ep_size": 1,
        "first_k_dense_replace": 1,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "initializer_range": 0.02,
        "intermediate_size": 11264,
        "kv_lora_rank": 512,
        "max_position_embeddings": 131072,
        "moe_intermediate_size": 1408,
        "moe_layer_freq": 1,
        "n_group": 1,
        "n_routed_experts": 64,
        "n_shared_experts": 2,
        "norm_topk_prob": True,
        "num_attention_heads": 16,
        "num_experts_per_tok": 6,
        "num_hidden_layers": 27,
        "num_key_value_heads": 16,
        "pad_token_id": n_base + _N_SPECIAL - 1,
        "pretraining_tp": 1,
        "q_lora_rank": None,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": 800000.0,
        "routed_scaling_factor": 2.446,
        "scoring_func": "sigmoid",
        "seq_aux": True,
        "tie_word_embeddings": False,
        "topk_group": 1,
        "topk_method": "noaux_tc",
        "use_cache": True,
        "v_head_dim": 128,
        "vocab_size": n_base + _N_SPECIAL,
    }


def _vision_config() -> Json:
    return {
        "hidden_size": 1152,
        "init_pos_emb_height": 64,
        "init_pos_emb_width": 64,
        "intermediate_size": 4304,
        "merge_kernel_size": [2, 2],
        "model_type": "moonvit",
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "patch_size": 14,
    }


def preset_preprocessor() -> Json:
    """Return a fresh preprocessor_config.json of the Instruct variant."""
    return {
        "auto_map": {
            "AutoImageProcessor": "image_processing_kimi_vl.KimiVLImageProcessor",
            "AutoProcessor": "processing_kimi_vl.KimiVLProcessor",
        },
        "in_token_limit": 4096,
        "patch_size": 14,
        "num_pooled_tokens": 1024,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "pad_input": True,
        "merge_kernel_size": [2, 2],
    }


def preset_generation(n_base: int) -> Json:
    """Return a fresh generation_config.json that ends answers at the end of a turn."""
    return {
        "bos_token_id": n_base,
        "eos_token_id": n_base + 2,
        "pad_token_id": n_base + _N_SPECIAL - 2,
        "transformers_version": "4.50.3",
    }
