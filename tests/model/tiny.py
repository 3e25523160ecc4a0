"""A toy config of the family for tests: every mechanism present, nothing large."""

from typing import Any

from model.config import KimiVLConfig, parse_config

TINY: dict[str, Any] = {
    "architectures": ["KimiVLForConditionalGeneration"],
    "model_type": "kimi_vl",
    "ignore_index": -100,
    "media_placeholder_token_id": 277,
    "vocab_size": 512,
    "torch_dtype": "float32",
    "tie_word_embeddings": False,
    "text_config": {
        "vocab_size": 512,
        "hidden_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "intermediate_size": 96,
        "moe_intermediate_size": 32,
        "q_lora_rank": None,
        "kv_lora_rank": 32,
        "qk_nope_head_dim": 16,
        "qk_rope_head_dim": 8,
        "v_head_dim": 16,
        "max_position_embeddings": 4096,
        "n_routed_experts": 8,
        "n_shared_experts": 2,
        "num_experts_per_tok": 3,
        "first_k_dense_replace": 1,
        "moe_layer_freq": 1,
        "routed_scaling_factor": 2.446,
        "scoring_func": "sigmoid",
        "topk_method": "noaux_tc",
        "norm_topk_prob": True,
        "n_group": 1,
        "topk_group": 1,
        "rope_theta": 800000.0,
        "rope_scaling": None,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "bos_token_id": 256,
        "eos_token_id": 257,
        "pad_token_id": 511,
        "torch_dtype": "float32",
        "ep_size": 1,
        "pretraining_tp": 1,
        "aux_loss_alpha": 0.001,
        "seq_aux": True,
        "initializer_range": 0.02,
    },
    "vision_config": {
        "model_type": "moonvit",
        "patch_size": 14,
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 80,
        "init_pos_emb_height": 8,
        "init_pos_emb_width": 8,
        "merge_kernel_size": [2, 2],
        "torch_dtype": "float32",
    },
}


def tiny_config(**text_changes: object) -> KimiVLConfig:
    """Return the toy config, with changed text_config keys."""
    return parse_config({**TINY, "text_config": {**TINY["text_config"], **text_changes}})
