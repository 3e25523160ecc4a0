"""What a person's hands did, as the steps that it will be. Knows no Qt."""

import io
import re
import threading
import unicodedata
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from agent.accessible import Told
from agent.consequences import names_secret
from agent.runbook.steps import (
    ClickStep,
    Direction,
    DragStep,
    Element,
    PressStep,
    ScrollStep,
    SecretName,
    Step,
    TypeStep,
)
from agent.types import Button, Frame, Modifier, Point, Rect

MAX_TAKEN = 200
"""Steps after which a recording ends by itself."""

_COVER_RGB = (128, 128, 128)
_ARTICLE = re.compile(r"^(?:the|a|an) ", re.IGNORECASE)
_NOUN = re.compile(r" (?:field|box|text field|input|entry)$", re.IGNORECASE)

Kind = Literal["click", "drag", "scroll", "type", "press"]


class Shot:
    """The screen right before, and where it lies on the virtual desktop; packed without loss when there is time."""

    def __init__(self, frame: Frame) -> None:
        self.rect_px: Rect = frame.rect_px
        self._frame: Frame | None = frame
        self._packed = b""
        self._to_cover: list[Rect] = []
        self._covered: set[Rect] = set()
        self._packing = threading.Lock()

    def pack(self) -> None:
        """Make it small; from any thread."""
        with self._packing:
            self._pack()

    def _pack(self) -> None:
        if self._frame is not None:
            self._packed, self._frame = _png(self._frame.image()), None

    @property
    def packed(self) -> bytes:
        """The picture as PNG."""
        with self._packing:
            self._pack()
            if self._to_cover:
                image = Image.open(io.BytesIO(self._packed)).convert("RGB")
                drawn = ImageDraw.Draw(image)
                for rect in self._to_cover:
                    drawn.rectangle((rect.left, rect.top, rect.right - 1, rect.bottom - 1), fill=_COVER_RGB)
                self._packed, self._to_cover = _png(image), []
            return self._packed

    def image(self) -> Image.Image:
        """Return the picture."""
        return Image.open(io.BytesIO(self.packed)).convert("RGB")

    def cover(self, rect_px: Rect) -> None:
        """Paint over a rectangle of the virtual desktop, for good: it may show a secret."""
        inside, left, top = rect_px.intersection(self.rect_px), self.rect_px.left, self.rect_px.top
        if inside is None:
            return
        covered = Rect(inside.left - left, inside.top - top, inside.right - left, inside.bottom - top)
        with self._packing:
            if rect_px not in self._covered:
                self._covered.add(rect_px)
                self._to_cover.append(covered)


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that was done.

    ``words`` are what its target is called, ``end_words`` what it is dragged to: what the program says (``told``)
    until the person says otherwise. Of a ``secret`` no ``text`` is kept. ``number`` and ``end_number`` are those of
    the questions about its elements. ``secret_as`` is what its secret is called among others: see `numbered`.
    """

    kind: Kind
    point: Point | None = None
    end: Point | None = None
    button: Button = "left"
    count: int = 1
    way: Direction = "down"
    text: str = ""
    keys: tuple[str, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    shot: Shot | None = None
    words: str = ""
    end_words: str = ""
    secret: bool = False
    told: Told | None = None
    number: int = 0
    end_number: int = 0
    secret_as: str = ""

    @property
    def is_named(self) -> bool:
        """Whether it has a target that is called something."""
        return self.kind in ("click", "drag") or self.secret

    @property
    def needs_words(self) -> bool:
        """Whether somebody has to say what the target is called."""
        if self.unsayable or not self.is_named:
            return False
        return not self.words.strip() or (self.kind == "drag" and not self.end_words.strip())

    @property
    def unsayable(self) -> str:
        """What it is, where no step of a runbook can say it."""
        if not self.modifiers and (self.kind != "drag" or self.button == "left"):
            return ""
        if self.kind not in ("click", "drag", "scroll"):
            return ""
        held = "".join(f"{name.capitalize()}+" for name in self.modifiers)
        many = {2: "double-", 3: "triple-"}.get(self.count, "") if self.kind == "click" else ""
        button = "" if self.button == "left" else f"{self.button}-"
        end = f" to {self.end_words.strip()}" if self.end_words.strip() else ""
        return f"{held}{button}{many}{self.kind} {self.words.strip()}{end}".strip()

    def step(self) -> Step:
        """Return it as a step. Raises ValueError while words are missing, or for what no step can do."""
        if self.unsayable:
            raise ValueError(self.unsayable)
        match self.kind:
            case "click":
                return ClickStep(element_of(self.words), self.button, self.count)
            case "drag":
                return DragStep(element_of(self.words), element_of(self.end_words))
            case "scroll":
                return ScrollStep(self.way, min(self.count, 100))
            case "type" if self.secret:
                return TypeStep(SecretName(self.secret_as or secret_name(self.words)), element_of(self.words))
            case "type":
                return TypeStep(_plain(self.text))
            case "press":
                return PressStep(self.keys, min(self.count, 100) if len(self.keys) == 1 else 1)


def element_of(words: str) -> Element:
    """Return what words describe; words in quotes are a text that is shown."""
    words = words.strip()
    if len(words) > 2 and words[0] == words[-1] == '"' and '"' not in words[1:-1]:
        return Element(_plain(words[1:-1]), literal=True)
    return Element(_plain(words))


def secret_name(words: str) -> str:
    """Name a secret after its field: ``password`` for the Password field."""
    plain = unicodedata.normalize("NFKD", _bare(words)).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]
    return name if name[:1].isalpha() else "secret"


def is_secret_name(words: str) -> bool:
    """Say whether a field that is called so is one for passwords, codes or keys."""
    return names_secret(words) or names_secret(_bare(words))


def _bare(words: str) -> str:
    return _NOUN.sub("", _ARTICLE.sub("", words.strip().strip('"')))


def _plain(text: str) -> str:
    """Keep what was typed from being read as a variable."""
    return text.replace("${", "$${")


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
