"""Pictures and text together as transformers expects them; `model.image` does the work."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from transformers import BaseImageProcessor, BatchFeature, ProcessorMixin
from transformers.image_transforms import to_pil_image
from transformers.image_utils import load_image
from transformers.processing_utils import ImagesKwargs

from model.hf.tokenizer import TikTokenTokenizer
from model.image import PreprocessConfig, open_image, parse_preprocess, preprocess
from model.text.vocabulary import MEDIA_PAD

PROCESSOR_FILE = "processor_config.json"
_RULES = ("patch_size", "in_token_limit", "image_mean", "image_std", "pad_input", "merge_kernel_size")
_HUB_ARGUMENTS = (
    "cache_dir",
    "force_download",
    "local_files_only",
    "proxies",
    "revision",
    "subfolder",
    "token",
)


class KimiVLImagesKwargs(ImagesKwargs, total=False):
    """What can be said about the pictures of one call: the limit of patches each."""

    in_token_limit: int


class KimiVLImageProcessor(BaseImageProcessor):
    """Turn pictures into ``pixel_values`` (ΣL, 3, p, p) and ``image_grid_hws`` (N, 2), rows and columns of patches.

    The fields of preprocessor_config.json are attributes. Raises `CheckpointError` for a broken
    one and `InputError` for a picture that cannot be used.
    """

    model_input_names = ["pixel_values", "image_grid_hws"]  # noqa: RUF012 - transformers' own declaration
    valid_kwargs = KimiVLImagesKwargs

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("auto_map", None)
        kwargs.setdefault("patch_size", 14)
        kwargs.setdefault("merge_kernel_size", [2, 2])
        super().__init__(**kwargs)
        self.rules(None)

    def rules(self, in_token_limit: int | None) -> PreprocessConfig:
        """Return the attributes, checked, with another limit when one is given."""
        values = {key: getattr(self, key) for key in _RULES if hasattr(self, key)}
        values |= {key: list(value) for key, value in values.items() if isinstance(value, tuple)}
        return parse_preprocess(values | ({} if in_token_limit is None else {"in_token_limit": in_token_limit}))

    def fetch_images(self, image_url_or_urls: Any) -> Any:
        """Open paths, URLs, bytes, arrays and images as upright opaque RGB; lists keep their nesting."""
        if isinstance(image_url_or_urls, list | tuple):
            return [self.fetch_images(image) for image in image_url_or_urls]
        return _open(image_url_or_urls)

    def preprocess(  # pyright: ignore[reportIncompatibleMethodOverride] - transformers has two BatchFeatures
        self, images: Any, *args: Any, **kwargs: Any
    ) -> BatchFeature:
        """Process one picture or any nesting of several, in order.

        ``in_token_limit`` replaces the checkpoint's. Raises `ValueError` for other settings, which
        the family's rule leaves no room for.
        """
        limit = kwargs.pop("in_token_limit", None)
        return_tensors = kwargs.pop("return_tensors", None)
        unknown = [key for key, value in kwargs.items() if value is not None]
        if args or unknown:
            raise ValueError(f"the Kimi-VL image processor does not take {', '.join(unknown) or args}")
        rules = self.rules(limit)
        done = [preprocess(image, rules) for image in _flat(self.fetch_images(images))]
        size = rules.patch_size
        values = [patches.values for patches in done]
        data = {
            "pixel_values": np.concatenate(values) if values else np.empty((0, 3, size, size), np.float32),
            "image_grid_hws": np.array([patches.fit.grid for patches in done], np.int64).reshape(-1, 2),
        }
        return BatchFeature(data, tensor_type=return_tensors)

    def to_dict(self) -> dict[str, Any]:
        """Return what preprocessor_config.json holds."""
        return {key: getattr(self, key) for key in _RULES} | {"image_processor_type": type(self).__name__}


def _open(source: Any) -> Image.Image:
    if isinstance(source, Image.Image | bytes | Path):
        return open_image(source)
    if isinstance(source, str):
        return open_image(Path(source) if Path(source).is_file() else load_image(source))
    if isinstance(source, np.ndarray | torch.Tensor):
        return open_image(to_pil_image(source))
    raise TypeError(f"a picture is a path, a URL, bytes, an array or an image, not {type(source).__name__}")


def _flat(images: Any) -> Iterator[Image.Image]:
    if isinstance(images, list):
        for image in images:
            yield from _flat(image)
    else:
        yield images


class KimiVLProcessor(ProcessorMixin):
    """The tokenizer and the image processor behind one call.

    Every ``<|media_pad|>`` in the text stands for one picture, in order, and becomes as many
    placeholders as the picture takes. Raises `ValueError` when their numbers differ.
    """

    image_token = MEDIA_PAD

    def __init__(
        self, image_processor: KimiVLImageProcessor, tokenizer: TikTokenTokenizer, chat_template: Any = None
    ) -> None:
        self.image_token_id = tokenizer.tiktoken.special(MEDIA_PAD)
        super().__init__(image_processor, tokenizer, chat_template=chat_template or tokenizer.chat_template)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, **kwargs: Any) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Load both parts from a folder or the Hub. Code in the folder is never run, whatever is asked for."""
        hub = {key: kwargs[key] for key in _HUB_ARGUMENTS if kwargs.get(key) is not None}
        pictures = {key: kwargs.pop(key) for key in KimiVLImagesKwargs.__annotations__ if key in kwargs}
        texts = {key: value for key, value in kwargs.items() if key in ("padding_side", "model_max_length")}
        return cls(
            KimiVLImageProcessor.from_pretrained(pretrained_model_name_or_path, **hub, **pictures),
            TikTokenTokenizer.from_pretrained(pretrained_model_name_or_path, **hub, **texts),
        )

    def save_pretrained(self, save_directory: Any, push_to_hub: bool = False, **_: Any) -> list[str]:
        """Write the processor's files in the family's layout; return their paths."""
        if push_to_hub:
            raise ValueError("save the processor to a folder and upload that")
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.chat_template = self.chat_template
        files = [*self.tokenizer.save_pretrained(folder), *self.image_processor.save_pretrained(folder)]
        (folder / PROCESSOR_FILE).write_text(
            json.dumps({"processor_class": type(self).__name__}, indent=2) + "\n", encoding="utf-8"
        )
        return [*files, str(folder / PROCESSOR_FILE)]

    def validate_inputs(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, images: Any = None, text: Any = None, **kwargs: Any
    ) -> None:
        """Refuse video and audio, which the family takes as pictures or not at all, and wrong numbers of pictures."""
        if kwargs.get("videos") is not None or kwargs.get("audio") is not None:
            raise ValueError("the Kimi-VL processor takes pictures only; sample a video's frames first")
        super().validate_inputs(images=images, text=text, **kwargs)
        if text is not None:
            wanted = sum(sample.count(self.image_token) for sample in text)
            given = len(list(_flat(images))) if images is not None else 0
            if wanted != given:
                raise ValueError(f"the text has {wanted} {self.image_token} for {given} pictures")

    def replace_image_token(self, image_inputs: Any, image_idx: int, **_: Any) -> str:
        """Return the placeholders of one picture."""
        rows, columns = (int(size) for size in image_inputs["image_grid_hws"][image_idx])
        return self.image_token * (rows * columns // 4)

    @property
    def model_input_names(self) -> list[str]:
        """Name everything that a call can return."""
        return ["input_ids", "attention_mask", *KimiVLImageProcessor.model_input_names]

    def batch_decode(self, *args: Any, **kwargs: Any) -> list[str]:
        """Decode several answers; see the tokenizer."""
        return self.tokenizer.batch_decode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """Decode one answer; see the tokenizer."""
        return self.tokenizer.decode(*args, **kwargs)
