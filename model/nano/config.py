"""The built-in checkpoint's size: the family's config keys at toy widths.

Chosen so that bfloat16 weights stay below 64 MB.
"""

from typing import Any

IN_TOKEN_LIMIT = 4096

SMALL = ((672, 448, 3.0), (616, 504, 1.0), (784, 392, 1.0), (560, 560, 0.5), (448, 672, 0.5), (728, 434, 1.0))
LARGE = (
    (1137, 710, 3.0),
    (1196, 672, 2.0),
    (1035, 776, 1.0),
    (896, 896, 0.3),
    (640, 1137, 0.3),
    (1024, 640, 2.0),
    (854, 534, 2.0),
    (840, 560, 2.0),
)
"""Picture sizes with their weights in training: what the 4096-patch limit makes of common screens, and zoom crops.

The model learns these grids and no others: shown a screen on another one, it reads rows off by the ratio of the
grids (29 of 29 points too high at 2048 patches). So they go into the checkpoint's ``shapes_px``."""


def nano_config(base_ranks: int) -> dict[str, Any]:
    """Return the content of config.json for a vocabulary of ``base_ranks`` plus 256 special tokens."""
    vocabulary = base_ranks + 256
    return {
        "architectures": ["KimiVLForConditionalGeneration"],
        "model_type": "kimi_vl",
        "ignore_index": -100,
        "media_placeholder_token_id": base_ranks + 21,
        "vocab_size": vocabulary,
        "torch_dtype": "bfloat16",
        "tie_word_embeddings": False,
        "text_config": {
            "vocab_size": vocabulary,
            "hidden_size": 384,
            "num_hidden_layers": 6,
            "num_attention_heads": 6,
            "num_key_value_heads": 6,
            "intermediate_size": 1024,
            "moe_intermediate_size": 176,
            "q_lora_rank": None,
            "kv_lora_rank": 128,
            "qk_nope_head_dim": 48,
            "qk_rope_head_dim": 32,
            "v_head_dim": 64,
            "max_position_embeddings": 8192,
            "n_routed_experts": 6,
            "n_shared_experts": 2,
            "num_experts_per_tok": 2,
            "first_k_dense_replace": 1,
            "moe_layer_freq": 1,
            "routed_scaling_factor": 1.0,
            "scoring_func": "sigmoid",
            "topk_method": "noaux_tc",
            "norm_topk_prob": True,
            "n_group": 1,
            "topk_group": 1,
            "rope_theta": 50000.0,
            "rope_scaling": None,
            "rms_norm_eps": 1e-05,
            "hidden_act": "silu",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "tie_word_embeddings": False,
            "use_cache": True,
            "bos_token_id": base_ranks,
            "eos_token_id": base_ranks + 1,
            "pad_token_id": base_ranks + 255,
            "torch_dtype": "bfloat16",
            "ep_size": 1,
            "pretraining_tp": 1,
            "aux_loss_alpha": 0.0,
            "seq_aux": True,
            "initializer_range": 0.02,
        },
        "vision_config": {
            "model_type": "moonvit",
            "patch_size": 14,
            "hidden_size": 384,
            "num_hidden_layers": 8,
            "num_attention_heads": 6,
            "intermediate_size": 1536,
            "init_pos_emb_height": 32,
            "init_pos_emb_width": 32,
            "merge_kernel_size": [2, 2],
            "torch_dtype": "bfloat16",
        },
    }
