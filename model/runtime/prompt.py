"""From messages to what the engine prefills: token ids, pictures, and segments with their cache keys.

Runs in the caller's thread: opening and resizing pictures is the processor's work, not the model's.
"""

import hashlib
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from model.cache import SEGMENT_TOKENS, FeatureCache
from model.chat import ImagePart, Message
from model.errors import InputError
from model.image import PreprocessConfig, content_key, fit, open_image, preprocess
from model.template import render, strip_history
from model.text.vocabulary import IM_ASSISTANT, IM_MIDDLE, MEDIA_END, MEDIA_PAD
from model.tokenizer import Tokenizer


@dataclass(slots=True, eq=False)
class PromptImage:
    """One picture of a prompt: either its features are known, or its patches are there to be encoded.

    ``key`` names content and size in patches; ``grid`` is (rows, columns); ``patches`` is float32
    (rows · columns, 3, p, p). A picture that stands in a prompt twice has patches once.
    """

    key: str
    grid: tuple[int, int]
    tokens: int
    patches: npt.NDArray[np.float32] | None = None
    features: Tensor | None = None


@dataclass(frozen=True, slots=True)
class ImageSlice:
    """The feature rows ``start`` to ``stop`` of a prompt's picture number ``image``."""

    image: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Positions ``start`` to ``stop`` of a prompt, prefilled in one go.

    ``key`` hashes everything from the prompt's start to the segment's end, pictures included.
    """

    start: int
    stop: int
    key: str
    images: tuple[ImageSlice, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """A rendered conversation up to the answer's opening and prefix."""

    token_ids: list[int]
    images: tuple[PromptImage, ...]
    segments: tuple[Segment, ...]

    @property
    def image_tokens(self) -> int:
        """Positions that pictures take."""
        return sum(image.tokens for image in self.images)


@dataclass(frozen=True, slots=True)
class PromptRules:
    """What turns messages into a prompt: the checkpoint's tokenizer and picture rule, and the context's size."""

    tokenizer: Tokenizer
    preprocess: PreprocessConfig
    context_tokens: int
    segment_tokens: int = SEGMENT_TOKENS


def prepare(
    messages: Sequence[Message],
    rules: PromptRules,
    known: FeatureCache,
    prefix: str = "",
    image_token_limit: int | None = None,
) -> Prompt:
    """Render messages, earlier turns without their thinking, and preprocess pictures not in ``known``.

    Raises `InputError` for an unreadable picture, a wrong role or limit, or a prompt that leaves no
    room for an answer.
    """
    history = strip_history(messages)
    images: list[PromptImage] = []
    tokens = 0
    for message in history:
        for part in message.parts:
            if isinstance(part, ImagePart):
                images.append(_image(part, rules.preprocess, known, images, image_token_limit))
                tokens += images[-1].tokens
                # Before the next picture is opened: hundreds of them would fill the memory for nothing.
                _check_length(tokens, rules.context_tokens, "at least ")
    token_ids = render(history, rules.tokenizer, [image.tokens for image in images], prefix)
    _check_length(len(token_ids), rules.context_tokens)
    return Prompt(token_ids, tuple(images), segments(token_ids, images, rules.tokenizer, rules.segment_tokens))


def _check_length(tokens: int, context_tokens: int, least: str = "") -> None:
    if tokens >= context_tokens:
        raise InputError(
            f"the prompt has {least}{tokens} tokens",
            why=f"the context holds {context_tokens}, and the answer needs at least 1 of them",
            remedy="shorten the conversation, or lower the image token limit",
        )


def _image(
    part: ImagePart,
    config: PreprocessConfig,
    known: FeatureCache,
    earlier: Collection[PromptImage],
    image_token_limit: int | None,
) -> PromptImage:
    picture = open_image(part.image)
    shape = fit(picture.size, config, image_token_limit)
    key = f"{content_key(picture)} {shape.resized_px[0]}x{shape.resized_px[1]}"
    twin = next((image for image in earlier if image.key == key), None)
    if twin is not None:
        return PromptImage(key, shape.grid, shape.tokens, features=twin.features)
    features = known.get(key)
    patches = preprocess(picture, config, image_token_limit).values if features is None else None
    return PromptImage(key, shape.grid, shape.tokens, patches, features)


def segments(
    token_ids: Sequence[int], images: Sequence[PromptImage], tokenizer: Tokenizer, segment_tokens: int
) -> tuple[Segment, ...]:
    """Cut a prompt where a later prompt may part from it, and at every ``segment_tokens``.

    Cuts come after each picture and after each answer's opening, so the next question about the
    same screen and the next turn of the same conversation both begin with whole segments. They
    depend on the tokens alone, never on what is cached.
    """
    cuts = sorted({*_joints(token_ids, tokenizer), len(token_ids)})
    runs = _image_runs(token_ids, images, tokenizer.special(MEDIA_PAD))
    found: list[Segment] = []
    key = ""
    start = 0
    for cut in cuts:
        while start < cut:
            stop = min(start + segment_tokens, cut)
            slices = tuple(
                ImageSlice(index, max(start, begin) - begin, min(stop, end) - begin)
                for index, (begin, end) in enumerate(runs)
                if begin < stop and end > start
            )
            key = _chained(key, token_ids[start:stop], [images[part.image].key for part in slices])
            found.append(Segment(start, stop, key, slices))
            start = stop
    return tuple(found)


def _joints(token_ids: Sequence[int], tokenizer: Tokenizer) -> list[int]:
    media_end, opening = tokenizer.special(MEDIA_END), tokenizer.special(IM_ASSISTANT)
    middle = tokenizer.special(IM_MIDDLE)
    openings = [place for place, token in enumerate(token_ids) if token == opening]
    # The last opening is the present answer's: what follows it is its prefix, too short to cut off.
    after_openings = [token_ids.index(middle, place) + 1 for place in openings[:-1]]
    return after_openings + [place + 1 for place, token in enumerate(token_ids) if token == media_end]


def _image_runs(token_ids: Sequence[int], images: Sequence[PromptImage], pad: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    place = 0
    for image in images:
        place = token_ids.index(pad, place)
        runs.append((place, place + image.tokens))
        place += image.tokens
    return runs


def _chained(key: str, token_ids: Sequence[int], image_keys: Sequence[str]) -> str:
    digest = hashlib.blake2b(key.encode(), digest_size=16)
    digest.update(array("q", (len(token_ids), *token_ids)).tobytes())
    digest.update("\n".join(image_keys).encode())
    return digest.hexdigest()
