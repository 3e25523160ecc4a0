"""Kimi-VL for transformers' Auto classes, without remote code.

After ``import model.transformers_api`` the model cards' example runs as it stands:
``AutoModelForCausalLM``, ``AutoProcessor``, ``AutoTokenizer`` and ``AutoConfig`` take a folder or a
Hub id of the family. Nothing in the folder is executed, whether or not ``trust_remote_code`` is
asked for. Registration is this module's whole purpose, so importing it does it.
"""

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)

from model.hf.config import MODEL_TYPE, KimiVLConfig, KimiVLTextConfig, KimiVLVisionConfig
from model.hf.network import KimiVLForConditionalGeneration
from model.hf.processor import KimiVLImageProcessor, KimiVLProcessor
from model.hf.tokenizer import TikTokenTokenizer

__all__ = [
    "KimiVLConfig",
    "KimiVLForConditionalGeneration",
    "KimiVLImageProcessor",
    "KimiVLProcessor",
    "KimiVLTextConfig",
    "KimiVLVisionConfig",
    "TikTokenTokenizer",
    "register",
]


def register() -> None:
    """Enter the classes in transformers' registries; again changes nothing."""
    AutoConfig.register(MODEL_TYPE, KimiVLConfig, exist_ok=True)
    for auto in (AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText):
        auto.register(KimiVLConfig, KimiVLForConditionalGeneration, exist_ok=True)
    AutoProcessor.register(KimiVLConfig, KimiVLProcessor, exist_ok=True)
    # Not under KimiVLConfig: a tokenizer found by its class name wins over the folder's code even
    # when trust_remote_code is asked for, one found by its config does not.
    AutoTokenizer.register(KimiVLTextConfig, slow_tokenizer_class=TikTokenTokenizer, exist_ok=True)
    try:
        backends: dict[str, type] = dict.fromkeys(("pil", "torchvision"), KimiVLImageProcessor)
        AutoImageProcessor.register(KimiVLConfig, image_processor_classes=backends, exist_ok=True)
    except ImportError:
        # Transformers before 5.20 has no AutoImageProcessor without torchvision; AutoProcessor needs none.
        return


register()
