"""The one wire: messages in, a stream of deltas out.

Shapes follow the OpenAI chat-completions format; both implementations (`model.engine.Engine` in
this process, `model.client.Endpoint` for any server) speak exactly this.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]
Capability = Literal["chat", "plan", "ground"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A run of text. It is data: whatever looks like a special token in it stays text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """One picture: a file, encoded bytes (PNG, JPEG, …) or a decoded image."""

    image: Path | bytes | Image.Image


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: a role and its interleaved parts."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Join the text parts, leaving the pictures out."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


def message(role: Role, *parts: Part | str | Path | bytes | Image.Image) -> Message:
    """Build a message from strings (text), paths, bytes or images (pictures) in the given order."""
    return Message(role, tuple(_as_part(part) for part in parts))


def _as_part(part: Part | str | Path | bytes | Image.Image) -> Part:
    if isinstance(part, TextPart | ImagePart):
        return part
    return TextPart(part) if isinstance(part, str) else ImagePart(part)


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How to generate: ``None`` means the checkpoint's own default.

    ``temperature`` 0 is greedy and deterministic. ``prefix`` is written into the answer before
    the model continues it and is part of the returned text. ``image_token_limit`` overrides the
    checkpoint's limit of patches (14 × 14 px) an image, the family's ``in_token_limit``.
    """

    max_tokens: int = 1024
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    prefix: str = ""
    image_token_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took. Times in milliseconds of wall clock; memory in bytes."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    image_tokens: int = 0
    images_encoded: int = 0
    queue_ms: float = 0.0
    prefill_ms: float = 0.0
    time_to_first_token_ms: float = 0.0
    total_ms: float = 0.0
    decode_tokens_per_s: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer. The last one of a stream carries ``finish`` and ``usage``."""

    text: str = ""
    thinking: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer."""

    text: str
    thinking: str
    finish: FinishReason
    usage: Usage = field(default_factory=Usage)


class ChatModel(Protocol):
    """Anything that answers messages with a stream of text."""

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Yield the answer piece by piece; stop soon after ``cancel`` is set or the iterator is closed."""
        ...


def complete(
    model: ChatModel,
    messages: Sequence[Message],
    options: GenerateOptions = GenerateOptions(),
    cancel: threading.Event | None = None,
) -> Completion:
    """Collect a whole stream into one `Completion`."""
    text: list[str] = []
    thinking: list[str] = []
    finish: FinishReason = "stop"
    usage = Usage()
    for delta in model.stream(messages, options, cancel):
        text.append(delta.text)
        thinking.append(delta.thinking)
        finish = delta.finish or finish
        usage = delta.usage or usage
    return Completion("".join(text), "".join(thinking), finish, usage)
