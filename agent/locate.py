"""Find one described element in a picture: ask, zoom into the answer, ask again.

Zooming pays when the model saw the picture reduced: on ScreenSpot-Pro logs a second look at a half
frame lifts 61.4% to 70.5%, a third adds 1.6 points. So each look is a crop of the native picture
half as wide and high as the one before, as long as the one before was reduced.
"""

import math
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from PIL import Image

from agent.coords import Rect, crop_around, from_crop, relative_to_pixel
from model.chat import ChatModel, GenerateOptions, complete
from model.grounding import Found, NotThere, Prompt, Unreadable, ask, prompt_named, read_answer

FAMILY_PATCH_PX = 14
ANSWER_TOKENS: dict[Prompt, int] = {"code": 512, "bare": 48}
"""Tokens that an answer to each prompt may take; the family may explain itself first."""
SHARP_SCALE: dict[Prompt, float] = {"code": 0.85, "bare": 0.6}
"""Below which reduction a closer look pays. The built-in checkpoint, which alone is asked barely, reads small text
well and loses more by missing surroundings: on held-out screens of 1000 to 1500 px 91% with one look, 82% with two."""
ZOOM: dict[Prompt, float] = {"code": 2.0, "bare": 3.0}
"""How much closer the next look is. A third of a 4K screen is of a size that the built-in one reads best."""


class Stated(Protocol):
    """What a loaded model, or the card of a served one, says about its looking; None is unknown."""

    @property
    def grounding_prompt(self) -> str | None:
        """Name of the prompt it was taught, see `model.grounding`."""
        ...

    @property
    def in_token_limit(self) -> int | None:
        """Patches of a picture that it looks at."""
        ...

    @property
    def patch_px(self) -> int | None:
        """Side of a patch."""
        ...


@dataclass(frozen=True, slots=True)
class LocateOptions:
    """How to look. ``limit_patches`` is the model's own limit of patches of ``patch_px`` an image.

    ``max_looks`` 1 never zooms. A look counts as reduced below ``sharp_scale`` of native size, and the next
    one is ``zoom`` times closer.
    """

    prompt: Prompt = "code"
    limit_patches: int = 4096
    patch_px: int = FAMILY_PATCH_PX
    max_looks: int = 3
    sharp_scale: float = 0.85
    zoom: float = 2.0
    generate: GenerateOptions = field(
        default_factory=lambda: GenerateOptions(max_tokens=ANSWER_TOKENS["code"], temperature=0.0)
    )

    @classmethod
    def of(cls, stated: Stated | None, max_looks: int = 3) -> Self:
        """Take what a model states about itself, and the family's own for what it leaves out."""
        prompt = prompt_named(stated.grounding_prompt if stated else None)
        default = cls()
        return replace(
            default,
            prompt=prompt,
            limit_patches=(stated.in_token_limit if stated else None) or default.limit_patches,
            patch_px=(stated.patch_px if stated else None) or default.patch_px,
            max_looks=max_looks,
            sharp_scale=SHARP_SCALE[prompt],
            zoom=ZOOM[prompt],
            generate=GenerateOptions(max_tokens=ANSWER_TOKENS[prompt], temperature=0.0),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One question: the window of the picture that was shown, and what came back."""

    window: Rect
    scale: float
    answer: Found | NotThere | Unreadable
    text: str
    ms: float


@dataclass(frozen=True, slots=True)
class Location:
    """Where the element is: a pixel of the picture and the same point relative to it; or not found."""

    found: bool
    point_px: tuple[int, int] | None
    point_rel: tuple[float, float] | None
    looks: tuple[Look, ...]
    ms: float

    @property
    def reason(self) -> str:
        """Say why nothing was found, in words for a person."""
        if self.found:
            return ""
        last = self.looks[-1]
        if isinstance(last.answer, NotThere):
            return "the model says that it is not in the picture"
        return f"the model's answer has no point in it: {last.text.strip()[:200]!r}"


def locate(
    model: ChatModel,
    image: Image.Image,
    instruction: str,
    options: LocateOptions = LocateOptions(),
    cancel: threading.Event | None = None,
) -> Location:
    """Find what ``instruction`` describes in a picture.

    A closer look that finds nothing readable leaves the answer before it standing; one that says
    "not there" after a hit on a reduced picture is believed, because it saw more.
    """
    started = time.monotonic()
    whole = Rect(0, 0, image.width, image.height)
    looks: list[Look] = []
    window, point = whole, None
    while len(looks) < max(1, options.max_looks):
        look = _look(model, image, window, instruction, options, cancel)
        looks.append(look)
        if isinstance(look.answer, Found):
            point = from_crop(look.answer.x_rel, look.answer.y_rel, window, image.width, image.height)
        elif isinstance(look.answer, NotThere):
            point = None
        if point is None or look.scale >= options.sharp_scale:
            break
        width, height = math.ceil(window.width / options.zoom), math.ceil(window.height / options.zoom)
        window = crop_around(*point, whole, width, height)
    elapsed_ms = (time.monotonic() - started) * 1000
    if point is None:
        return Location(False, None, None, tuple(looks), elapsed_ms)
    return Location(True, relative_to_pixel(*point, image.width, image.height), point, tuple(looks), elapsed_ms)


def shown_scale(width_px: int, height_px: int, limit_patches: int, patch_px: int = FAMILY_PATCH_PX) -> float:
    """Return the factor by which the family's rule reduces a picture, 1.0 at most."""
    patches = (width_px // patch_px) * (height_px // patch_px)
    return min(1.0, math.sqrt(limit_patches / patches)) if patches else 1.0


def _look(
    model: ChatModel,
    image: Image.Image,
    window: Rect,
    instruction: str,
    options: LocateOptions,
    cancel: threading.Event | None,
) -> Look:
    started = time.monotonic()
    whole = window.width == image.width and window.height == image.height
    shown = image if whole else image.crop((window.left, window.top, window.right, window.bottom))
    generate = replace(options.generate, image_token_limit=options.limit_patches)
    answer = complete(model, ask(shown, instruction, options.prompt), generate, cancel)
    return Look(
        window=window,
        scale=shown_scale(window.width, window.height, options.limit_patches, options.patch_px),
        answer=read_answer(answer.text),
        text=answer.text,
        ms=(time.monotonic() - started) * 1000,
    )
