"""config.json as transformers' configuration objects.

They carry what the file says and nothing else; `KimiVLConfig.checked` is the frozen, validated
form that the network is built from.
"""

from typing import Any, ClassVar

from transformers import PretrainedConfig

from model.config import KimiVLConfig as CheckedConfig
from model.config import parse_config

MODEL_TYPE = "kimi_vl"


class KimiVLTextConfig(PretrainedConfig):
    """text_config: the Moonlight decoder. Its keys become attributes."""

    model_type = "kimi_vl_text"
    base_config_key = "text_config"

    def __post_init__(self, **kwargs: Any) -> None:
        """Take every key of the file; raise `ValueError` for rotary scaling, which the family has not."""
        # Transformers turns this key into another one, and the file's null into a warning.
        if kwargs.pop("rope_scaling", None) is not None:
            raise ValueError("text_config: 'rope_scaling' must be null; the Kimi-VL family does not scale positions")
        super().__post_init__(**kwargs)


class KimiVLVisionConfig(PretrainedConfig):
    """vision_config: MoonViT. Its keys become attributes."""

    model_type = "moonvit"
    base_config_key = "vision_config"


def _without_defaults(config: PretrainedConfig) -> dict[str, Any]:
    neutral = PretrainedConfig().to_dict()
    values = config.to_dict()
    kept = {key: value for key, value in values.items() if key not in neutral or neutral[key] != value}
    for key in ("id2label", "label2id", "_name_or_path"):
        kept.pop(key, None)
    if "dtype" in kept:
        kept["torch_dtype"] = kept.pop("dtype")
    return kept


class KimiVLConfig(PretrainedConfig):
    """config.json of the Kimi-VL family, with ``text_config`` and ``vision_config`` inside."""

    model_type = MODEL_TYPE
    sub_configs: ClassVar[dict[str, Any]] = {  # pyright: ignore[reportIncompatibleMethodOverride]
        "text_config": KimiVLTextConfig,
        "vision_config": KimiVLVisionConfig,
    }
    attribute_map: ClassVar[dict[str, str]] = {"image_token_id": "media_placeholder_token_id"}

    text_config: Any = None
    vision_config: Any = None
    media_placeholder_token_id: int = 163605
    ignore_index: int = -100
    tie_word_embeddings: bool = False
    tokenizer_class: str = "TikTokenTokenizer"

    def __post_init__(self, **kwargs: Any) -> None:
        """Turn the two inner objects into configs of their own."""
        for key, config_class in self.sub_configs.items():
            value = getattr(self, key)
            if not isinstance(value, PretrainedConfig):
                setattr(self, key, config_class(**(value or {})))
        super().__post_init__(**kwargs)

    def to_diff_dict(self) -> dict[str, Any]:
        """Return what a saved config.json holds: the family's keys, without transformers' own defaults.

        ``auto_map`` is left out, because no remote code is saved beside it.
        """
        saved = _without_defaults(self)
        for key in self.sub_configs:
            saved[key] = _without_defaults(getattr(self, key))
        saved["text_config"].pop("model_type")
        saved.pop("auto_map", None)
        return saved

    def checked(self) -> CheckedConfig:
        """Return the validated form; raise `CheckpointError` naming the key."""
        return parse_config(self.to_dict(), self.name_or_path or "config")
