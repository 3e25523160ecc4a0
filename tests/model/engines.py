"""Small in-memory engines for tests: a toy network with random weights and a tokenizer of single bytes."""

from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image

from model.architecture.kimi_vl import KimiVL, init_weights
from model.chat import Completion, GenerateOptions, Message, complete
from model.engine import Engine
from model.generation import GenerationDefaults
from model.image import PreprocessConfig
from model.runtime.scheduler import EngineLimits
from model.tokenizer import Tokenizer
from tests.model.tiny import tiny_config

PREPROCESS = PreprocessConfig(14, 64, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), pad_input=True)
NEVER_STOP = GenerationDefaults(stop_ids=frozenset())


class SpelledTokenizer(Tokenizer):
    """Bytes in; out comes one visible character for each token, so that a text shows exactly which tokens it was."""

    def decode_bytes(self, ids: Iterable[int], skip_special: bool = True) -> bytes:
        return "".join(chr(0x4E00 + token_id) for token_id in ids).encode()


def byte_tokenizer() -> Tokenizer:
    """Make a tokenizer whose tokens are the 256 bytes."""
    return Tokenizer({bytes([byte]): byte for byte in range(256)})


def spelled_tokenizer() -> Tokenizer:
    """Make the same tokenizer with answers that show their tokens."""
    return SpelledTokenizer({bytes([byte]): byte for byte in range(256)})


def tiny_model(dtype: torch.dtype = torch.float32, seed: int = 0, **text_changes: object) -> KimiVL:
    """Make the toy network with weights large enough that its answers vary."""
    model = KimiVL(tiny_config(**text_changes))
    init_weights(model, seed, std=0.2)
    router_bias = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name.endswith("e_score_correction_bias"):
            parameter.data.normal_(0, 0.1, generator=router_bias)
        else:
            parameter.data = parameter.data.to(dtype)
    return model.eval()


def tiny_engine(
    model: KimiVL | None = None,
    *,
    spelled: bool = True,
    defaults: GenerationDefaults = NEVER_STOP,
    limits: EngineLimits = EngineLimits(),
) -> Engine:
    """Make an engine on the toy network."""
    tokenizer = spelled_tokenizer() if spelled else byte_tokenizer()
    return Engine(model or tiny_model(), tokenizer, PREPROCESS, defaults, limits)


def picture(seed: int, width: int = 90, height: int = 60) -> Image.Image:
    """Make a picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def ask(engine: Engine, *messages: Message, **options: object) -> Completion:
    """Answer messages with an engine."""
    return complete(engine, messages, GenerateOptions(**options))  # pyright: ignore[reportArgumentType]
