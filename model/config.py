"""config.json of the Kimi-VL family, read into frozen values with every field checked.

Key names and values: config.json of moonshotai/Kimi-VL-A3B-Instruct. Class defaults of other
implementations are DeepSeek-V3's and differ, so nothing here has a silent default: what decides
the network's shape must stand in the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model.errors import CheckpointError, InputError

CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """MoonViT: sizes in channels, patches and layers."""

    patch_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    init_pos_emb_height: int
    init_pos_emb_width: int
    merge_kernel_size: tuple[int, int]

    @property
    def head_dim(self) -> int:
        """Channels a head."""
        return self.hidden_size // self.num_attention_heads


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The Moonlight decoder (DeepSeek-V3 layout without q-LoRA)."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    moe_intermediate_size: int
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    max_position_embeddings: int
    n_routed_experts: int
    n_shared_experts: int
    num_experts_per_tok: int
    first_k_dense_replace: int
    moe_layer_freq: int
    routed_scaling_factor: float
    norm_topk_prob: bool
    rope_theta: float
    rms_norm_eps: float
    eos_token_id: int
    pad_token_id: int

    @property
    def qk_head_dim(self) -> int:
        """Channels of a query or key head: the part without and the part with rotation."""
        return self.qk_nope_head_dim + self.qk_rope_head_dim

    @property
    def latent_dim(self) -> int:
        """Values cached for a token and layer: the normed latent and the rotated shared key."""
        return self.kv_lora_rank + self.qk_rope_head_dim

    def is_moe_layer(self, layer: int) -> bool:
        """Say whether a layer's feed-forward is a mixture of experts."""
        return layer >= self.first_k_dense_replace and layer % self.moe_layer_freq == 0


@dataclass(frozen=True, slots=True)
class QuantConfig:
    """Weight-only quantisation of a stored checkpoint, this project's own format."""

    bits: int
    group_size: int


@dataclass(frozen=True, slots=True)
class KimiVLConfig:
    """Everything that decides the network's shape, plus the stored dtype and quantisation."""

    text: TextConfig
    vision: VisionConfig
    media_placeholder_token_id: int
    dtype: str
    quantization: QuantConfig | None = None


QUANT_METHOD = "deskhand"
_GROUP_SIZES = (32, 64, 128, 256, 512)
_DTYPES = ("float32", "bfloat16", "float16")
_MAX_SIZE = 1 << 24
_MAX_JSON_BYTES = 1 << 28


class _Fields:
    """Read and check the keys of one JSON object, naming file and key in every complaint."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise CheckpointError(f"{where} is not a JSON object")
        self._values: Mapping[str, object] = values
        self._where = where

    def fail(self, key: str, why: str) -> CheckpointError:
        return CheckpointError(f"{self._where}: '{key}' {why}", remedy="download the checkpoint's config.json again")

    def get(self, key: str) -> object:
        if key not in self._values:
            raise self.fail(key, "is missing")
        return self._values[key]

    def optional(self, key: str) -> object:
        return self._values.get(key)

    def integer(self, key: str, low: int = 1, high: int = _MAX_SIZE) -> int:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail(key, f"must be a whole number, not {value!r}")
        if not low <= value <= high:
            raise self.fail(key, f"is {value}, outside {low}..{high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(key, f"must be a number, not {value!r}")
        # Also what is not a number, or a whole number too large to become one.
        if not low <= value <= high:
            raise self.fail(key, f"is {value}, outside {low}..{high}")
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.fail(key, f"must be true or false, not {value!r}")
        return value

    def only(self, key: str, *allowed: object) -> None:
        """Refuse a variant of the architecture that this engine does not implement."""
        value = self._values.get(key, allowed[0])
        if value not in allowed:
            raise self.fail(key, f"is {value!r}; this engine implements only {allowed[0]!r}")


def _text_config(raw: object, where: str) -> TextConfig:
    f = _Fields(raw, f"{where}: text_config")
    f.only("q_lora_rank", None)
    f.only("rope_scaling", None)
    f.only("scoring_func", "sigmoid")
    f.only("topk_method", "noaux_tc")
    f.only("hidden_act", "silu")
    f.only("attention_bias", False)
    f.only("tie_word_embeddings", False)
    f.only("n_group", 1, None)
    f.only("topk_group", 1, None)
    config = TextConfig(
        vocab_size=f.integer("vocab_size"),
        hidden_size=f.integer("hidden_size"),
        num_hidden_layers=f.integer("num_hidden_layers", 1, 256),
        num_attention_heads=f.integer("num_attention_heads", 1, 1024),
        intermediate_size=f.integer("intermediate_size"),
        moe_intermediate_size=f.integer("moe_intermediate_size"),
        kv_lora_rank=f.integer("kv_lora_rank"),
        qk_nope_head_dim=f.integer("qk_nope_head_dim"),
        qk_rope_head_dim=f.integer("qk_rope_head_dim"),
        v_head_dim=f.integer("v_head_dim"),
        max_position_embeddings=f.integer("max_position_embeddings"),
        n_routed_experts=f.integer("n_routed_experts", 1, 1024),
        n_shared_experts=f.integer("n_shared_experts", 1, 64),
        num_experts_per_tok=f.integer("num_experts_per_tok", 1, 1024),
        first_k_dense_replace=f.integer("first_k_dense_replace", 0, 1024),
        moe_layer_freq=f.integer("moe_layer_freq", 1, 1024),
        routed_scaling_factor=f.number("routed_scaling_factor", 1e-3, 1e3),
        norm_topk_prob=f.flag("norm_topk_prob"),
        rope_theta=f.number("rope_theta", 1.0, 1e9),
        rms_norm_eps=f.number("rms_norm_eps", 1e-12, 1e-1),
        eos_token_id=f.integer("eos_token_id", 0),
        pad_token_id=f.integer("pad_token_id", 0),
    )
    if config.qk_rope_head_dim % 2:
        raise f.fail("qk_rope_head_dim", f"is {config.qk_rope_head_dim}; rotation needs an even number")
    if config.num_experts_per_tok > config.n_routed_experts:
        raise f.fail(
            "num_experts_per_tok", f"is {config.num_experts_per_tok} of only {config.n_routed_experts} experts"
        )
    kv_heads = f.optional("num_key_value_heads")
    if kv_heads is not None and kv_heads != config.num_attention_heads:
        raise f.fail("num_key_value_heads", f"is {kv_heads!r}; it must equal num_attention_heads")
    for key, value in (("eos_token_id", config.eos_token_id), ("pad_token_id", config.pad_token_id)):
        if value >= config.vocab_size:
            raise f.fail(key, f"is {value}, outside the vocabulary of {config.vocab_size}")
    return config


def _vision_config(raw: object, where: str) -> VisionConfig:
    f = _Fields(raw, f"{where}: vision_config")
    kernel = f.get("merge_kernel_size")
    if kernel not in ([2, 2], (2, 2)):
        raise f.fail("merge_kernel_size", f"is {kernel!r}; this engine implements only [2, 2]")
    config = VisionConfig(
        patch_size=f.integer("patch_size", 1, 256),
        hidden_size=f.integer("hidden_size"),
        num_hidden_layers=f.integer("num_hidden_layers", 1, 256),
        num_attention_heads=f.integer("num_attention_heads", 1, 1024),
        intermediate_size=f.integer("intermediate_size"),
        init_pos_emb_height=f.integer("init_pos_emb_height", 1, 4096),
        init_pos_emb_width=f.integer("init_pos_emb_width", 1, 4096),
        merge_kernel_size=(2, 2),
    )
    if config.hidden_size % config.num_attention_heads or config.head_dim % 4:
        raise f.fail(
            "num_attention_heads",
            f"is {config.num_attention_heads}; {config.hidden_size} channels must split into heads of a multiple of 4",
        )
    return config


def _quantization(raw: object, where: str) -> QuantConfig | None:
    if raw is None:
        return None
    f = _Fields(raw, f"{where}: quantization_config")
    if f.get("quant_method") != QUANT_METHOD:
        method = f.get("quant_method")
        raise f.fail("quant_method", f"is {method!r}; only this project's own format {QUANT_METHOD!r} is read")
    try:
        return check_quantization(f.integer("bits"), f.integer("group_size"))
    except InputError as error:
        raise CheckpointError(f"{where}: quantization_config: {error.what}") from error


def check_quantization(bits: int, group_size: int) -> QuantConfig:
    """Return the two as a value; raise `InputError` for what is not implemented."""
    if bits not in (4, 8):
        raise InputError(f"'bits' is {bits}; only 4 and 8 are implemented")
    if group_size not in _GROUP_SIZES:
        raise InputError(f"'group_size' is {group_size}, not one of {', '.join(map(str, _GROUP_SIZES))}")
    return QuantConfig(bits, group_size)


def parse_config(raw: object, where: str = CONFIG_FILE) -> KimiVLConfig:
    """Check a decoded config.json and freeze it.

    Raises `CheckpointError`, naming file and key, for what is missing, of the wrong type, out of
    range, or a variant of the architecture that is not implemented.
    """
    f = _Fields(raw, where)
    if f.get("model_type") != "kimi_vl":
        raise CheckpointError(
            f"{where}: 'model_type' is {f.get('model_type')!r}, not 'kimi_vl'",
            remedy="this engine runs the Kimi-VL family; run other models behind an endpoint",
        )
    text = _text_config(f.get("text_config"), where)
    vision = _vision_config(f.get("vision_config"), where)
    dtype = f.optional("torch_dtype") or f.optional("dtype") or "bfloat16"
    if dtype not in _DTYPES:
        raise f.fail("torch_dtype", f"is {dtype!r}; one of {', '.join(_DTYPES)} is needed")
    placeholder = f.integer("media_placeholder_token_id", 0)
    if placeholder >= text.vocab_size:
        raise f.fail("media_placeholder_token_id", f"is {placeholder}, outside the vocabulary of {text.vocab_size}")
    return KimiVLConfig(text, vision, placeholder, str(dtype), _quantization(f.optional("quantization_config"), where))


def read_json(path: Path) -> object:
    """Read one JSON file of a checkpoint; raise `CheckpointError` naming it when that fails."""
    try:
        if path.exists() and not path.is_file():
            raise CheckpointError(f"{path} is not a file", remedy="point at a folder in the Kimi-VL layout")
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise CheckpointError(f"{path} is larger than {_MAX_JSON_BYTES} bytes", remedy="download it again")
        return parse_json(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing", remedy="point at a folder in the Kimi-VL layout") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read", why=str(error), remedy="download it again") from error


def parse_json(data: bytes, where: str) -> object:
    """Decode JSON of a checkpoint; raise `CheckpointError` for what is no JSON, nests too deep or counts too far."""
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{where} cannot be read", why=str(error), remedy="download it again") from error


def load_config(folder: Path) -> KimiVLConfig:
    """Read and check ``folder/config.json``."""
    path = folder / CONFIG_FILE
    return parse_config(read_json(path), str(path))
