"""The network as a transformers model: loaded by this project's loader, driven by `generate`.

The cache holds latents: of each layer's two tensors in a transformers cache, the keys are the
normed latents ``(B, 1, S, rank)`` and the values the rotated shared keys ``(B, 1, S, rope)``.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import Cache, DynamicCache, GenerationConfig, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from model.architecture.kimi_vl import KimiVL, init_weights
from model.architecture.vision import Grid
from model.checkpoint import CheckpointInfo, inspect, resolve
from model.generation import GENERATION_FILE
from model.hf.config import KimiVLConfig
from model.hf.rows import cached_attention, padding, positions, repeat_pictures
from model.hf.save import save_network
from model.text.vocabulary import MEDIA_CONTENT, MEDIA_END, MEDIA_PAD, MEDIA_START
from model.tokenizer import Tokenizer
from model.weights import compute_dtype, load_model

_WITHOUT_EFFECT = {
    "_commit_hash",
    "_from_auto",
    "_from_pipeline",
    "adapter_kwargs",
    "attn_implementation",
    "low_cpu_mem_usage",
    "trust_remote_code",
    "use_safetensors",
    "weights_only",
}
"""Arguments of other models' loading that are accepted: there is one loader, one attention, no remote code."""


class KimiVLForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Kimi-VL for ``AutoModelForCausalLM``; ``network`` is the plain module.

    Loaded weights are frozen; call ``requires_grad_(True)`` to train them.
    """

    config_class = KimiVLConfig
    base_model_prefix = "network"
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: KimiVLConfig, network: KimiVL | None = None) -> None:
        super().__init__(config)
        if network is None:
            network = KimiVL(config.checked())
            init_weights(network, int(torch.randint(2**31, ())))
        self.network = network
        self.post_init()

    def init_weights(self) -> None:
        """Leave the weights alone: they are loaded, or drawn in ``__init__``."""

    @classmethod
    def from_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, pretrained_model_name_or_path: Any, *model_args: Any, config: KimiVLConfig | None = None, **kwargs: Any
    ) -> Self:
        """Load a folder or a Hub id through `model.weights.load_model`.

        ``torch_dtype`` or ``dtype`` ("auto": see `model.weights.compute_dtype`), ``device_map`` (one
        device; "auto" is the GPU when there is one), ``quantize`` ("int8", "int4"), ``revision`` and
        ``local_files_only`` are followed. Raises `ModelError` as the loader does, `TypeError` for other
        arguments, and `ValueError` for a ``config`` that is not the checkpoint's.
        """
        device = _one_device(kwargs.pop("device_map", None))
        dtype = kwargs.pop("torch_dtype", None)
        dtype = kwargs.pop("dtype", None) or dtype or "auto"
        quantize = kwargs.pop("quantize", None)
        offline = bool(kwargs.pop("local_files_only", False))
        revision = kwargs.pop("revision", None)
        unknown = [key for key, value in kwargs.items() if key not in _WITHOUT_EFFECT and value is not None]
        if model_args or unknown:
            raise TypeError(f"loading Kimi-VL does not take {', '.join(unknown) or model_args}")
        ref = str(pretrained_model_name_or_path)
        hub = revision is not None and not Path(ref).is_dir()
        info = inspect(resolve(f"{ref}@{revision}" if hub else ref, offline=offline))
        compute = compute_dtype(dtype, info.config.dtype, device)
        config = config or KimiVLConfig.from_pretrained(info.folder)
        if replace(config.checked(), dtype=info.config.dtype) != info.config:
            raise ValueError(f"the config given is not the one in {info.folder}")
        network = load_model(info, device, compute, quantize)
        config.dtype = network.dtype
        model = cls(config, network)
        model.generation_config = generation_config(info)
        return model.eval()

    def save_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, save_directory: Any, max_shard_size: int | str = "5GB", push_to_hub: bool = False, **_: Any
    ) -> None:
        """Write config.json, generation_config.json and shards under the released checkpoints' tensor names.

        With the processor saved into the same folder it is a whole checkpoint. Raises `ValueError`
        for a network that was quantised while loading; "models quantize" writes such a folder.
        """
        if push_to_hub:
            raise ValueError("save the model to a folder and upload that")
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        save_network(self.network, folder, max_shard_size)
        self.config.architectures = [type(self).__name__]
        self.config.save_pretrained(folder)
        self.generation_config.save_pretrained(folder)

    def get_input_embeddings(self) -> nn.Module:
        """Return the token embeddings."""
        return self.network.language_model.model.embed_tokens

    def get_output_embeddings(self) -> nn.Module:
        """Return the output head."""
        return self.network.language_model.lm_head

    def get_image_features(self, pixel_values: Tensor, image_grid_hws: Tensor) -> list[Tensor]:
        """Encode packed patches to projected features ``(tokens, hidden)``, one tensor a picture."""
        grids = [Grid(*size) for size in image_grid_hws.tolist()]
        return self.network.encode_images(pixel_values.to(self.device), grids)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_grid_hws: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        return_dict: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast | tuple[Any, ...]:
        """Run ``(B, T)`` tokens behind what the cache holds; return float32 logits.

        ``attention_mask`` is ``(B, S)`` over cached and new positions, false or 0 on padding, on
        either side. ``pixel_values`` and ``image_grid_hws`` hold the pictures of all rows in order.
        Raises `ValueError` when pictures and placeholders do not match, for a mask of another
        shape, and when attentions or hidden states are asked for, which are not kept.
        """
        if output_attentions or output_hidden_states:
            raise ValueError("attentions and hidden states are not kept")
        past = past_key_values.get_seq_length() if past_key_values is not None else 0
        x = self._embed(input_ids, pixel_values, image_grid_hws) if inputs_embeds is None else inputs_embeds
        mask = padding(attention_mask, past, x)
        if position_ids is None:
            position_ids = positions(mask, past, x)
        if use_cache is None:
            use_cache = not self.training
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config.get_text_config())
        attend = cached_attention(past_key_values if use_cache else None, past, mask)
        language = self.network.language_model
        hidden = language.model(x, position_ids, attend)
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = language.lm_head(hidden[:, kept]).float()
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits, labels=labels, vocab_size=self.network.config.text.vocab_size, **kwargs
            )
        output = CausalLMOutputWithPast(
            loss=loss, logits=logits, past_key_values=past_key_values if use_cache else None
        )
        return output.to_tuple() if return_dict is False else output

    def _embed(self, input_ids: Tensor | None, pixels: Tensor | None, grids: Tensor | None) -> Tensor:
        if input_ids is None:
            raise ValueError("input_ids or inputs_embeds is needed")
        ids = input_ids.to(self.device)
        features = None
        if pixels is not None:
            if grids is None:
                raise ValueError("pixel_values need image_grid_hws")
            features = torch.cat(self.get_image_features(pixels, grids))
        elif (ids == self.network.config.media_placeholder_token_id).any():
            raise ValueError("the input has media placeholders, but no pixel_values")
        return self.network.embed(ids.flatten(), features).view(*ids.shape, -1)

    def create_masks_for_generate(self, attention_mask: Tensor | None = None, **_: Any) -> Tensor | None:
        """Keep the mask of padding as it is: attention takes the rows apart by it."""
        return attention_mask

    def _expand_inputs_for_generation(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: Tensor | None = None,
        **model_kwargs: Any,
    ) -> tuple[Tensor | None, dict[str, Any]]:
        # Pictures are packed over the rows, so their first dimension is not the batch's.
        pixels, grids = (model_kwargs.pop(key, None) for key in ("pixel_values", "image_grid_hws"))
        if expand_size > 1 and pixels is not None and grids is not None and input_ids is not None:
            counts = (input_ids == self.network.config.media_placeholder_token_id).sum(-1).tolist()
            pixels, grids = repeat_pictures(pixels, grids, counts, expand_size)
        parent: Any = super()
        input_ids, model_kwargs = parent._expand_inputs_for_generation(
            expand_size, is_encoder_decoder, input_ids, **model_kwargs
        )
        if pixels is not None:
            model_kwargs |= {"pixel_values": pixels, "image_grid_hws": grids}
        return input_ids, model_kwargs


def generation_config(info: CheckpointInfo) -> GenerationConfig:
    """Read generation_config.json, and end and restrain answers as the engine does.

    Every stop token of the checkpoint ends an answer, not only the file's; media tokens and ids
    beyond the vocabulary are never chosen.
    """
    stated = (info.folder / GENERATION_FILE).is_file()
    config = GenerationConfig.from_pretrained(info.folder) if stated else GenerationConfig()
    config.eos_token_id = sorted(info.generation.stop_ids)
    tokenizer = Tokenizer.load(info.folder)
    vocab_size = info.config.text.vocab_size
    never = [tokenizer.special(name) for name in (MEDIA_START, MEDIA_CONTENT, MEDIA_PAD, MEDIA_END)]
    never += range(min(tokenizer.n_vocab, vocab_size), vocab_size)
    config.suppress_tokens = sorted({*never, *(config.suppress_tokens or ())})
    if config.pad_token_id is None:
        config.pad_token_id = info.config.text.pad_token_id
    return config


def _one_device(device_map: Any) -> torch.device:
    if isinstance(device_map, dict):
        places = {str(place) for place in device_map.values()}
        if len(places) != 1:
            raise ValueError("Kimi-VL is loaded onto one device; give device_map one device, or 'auto'")
        device_map = next(iter(device_map.values()))
    if device_map in ("auto", "balanced", "balanced_low_0", "sequential"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if isinstance(device_map, int):
        return torch.device("cuda", device_map)
    return torch.device(device_map or "cpu")
