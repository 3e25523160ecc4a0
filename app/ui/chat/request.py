"""From stored messages to what a model is asked, and from its answer to points. Knows no Qt."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.store import Attachment, Figures, History, StoredMessage, StoredPoint

if TYPE_CHECKING:
    from model.chat import ChatModel, Delta, GenerateOptions, Message, Part, Usage
    from model.wire.card import ModelCard

MAX_ANSWER_TOKENS = 8192


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask: the shown path up to the message that wants an answer."""

    path: tuple[StoredMessage, ...]

    @property
    def asked(self) -> StoredMessage:
        """The message that wants an answer."""
        return self.path[-1]

    @property
    def pictures(self) -> list[Attachment]:
        """The pictures of that message or, when it has none, of the latest before it that has."""
        for message in reversed(self.path):
            found = [each for each in message.content.attachments if each.kind == "image"]
            if found:
                return found
        return []


def only_grounds(card: "ModelCard | None") -> bool:
    """Whether a model finds places in pictures and does not talk."""
    return card is not None and "chat" not in card.capabilities and "ground" in card.capabilities


def may_find(card: "ModelCard | None") -> bool:
    """Whether a model talks and finds places, so that a person may choose."""
    return card is not None and "chat" in card.capabilities and "ground" in card.capabilities


class _Loaded(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def card(self) -> "ModelCard | None": ...


def model_name(engine: _Loaded) -> str:
    """Return what the model calls itself, or else what was asked for."""
    return engine.card.id if engine.card is not None else engine.name


def messages_of(history: History, question: Question) -> "list[Message]":
    """Build the model's messages; answers that failed before their first word are left out.

    Raises `InputError` for an attachment that cannot be read, or whose reader is not installed.
    """
    from model.chat import Message, TextPart
    from model.media import media_parts

    messages = []
    for stored in question.path:
        content = stored.content
        if content.role == "assistant":
            if content.text:
                messages.append(Message("assistant", (TextPart(content.text),)))
            continue
        parts: list[Part] = []
        for attachment in content.attachments:
            parts += media_parts(_file(history, attachment))
        if content.text or not parts:
            parts.append(TextPart(content.text))
        messages.append(Message("user", tuple(parts)))
    return messages


def _file(history: History, attachment: Attachment) -> Path:
    from model.errors import InputError

    path = history.files.path(attachment.digest)
    if not path.is_file():
        raise InputError(f"the attachment {attachment.name} is gone", remedy="attach it again")
    return path


def options_for(card: "ModelCard | None", prefix: str = "") -> "GenerateOptions":
    """Let an answer take half of the context at most."""
    from model.chat import GenerateOptions

    context = card.context_tokens if card is not None else None
    return GenerateOptions(max_tokens=min(MAX_ANSWER_TOKENS, (context or 2 * MAX_ANSWER_TOKENS) // 2), prefix=prefix)


def prefix_of(text: str, thinking: str) -> str:
    """Write the beginning of an answer as the family's models do, so that they go on with it."""
    from model.template import THINK_END, THINK_START

    if not thinking:
        return text
    return f"{THINK_START}{thinking}{THINK_END}{text}" if text else f"{THINK_START}{thinking}"


def points_in(text: str, question: Question) -> tuple[StoredPoint, ...]:
    """Return the place that an answer names on the last picture; nothing without a picture."""
    from model.grounding import Found, read_answer

    pictures = question.pictures
    answer = read_answer(text) if pictures else None
    if not isinstance(answer, Found):
        return ()
    return (StoredPoint(answer.x_rel, answer.y_rel, len(pictures) - 1),)


def figures_of(usage: "Usage", card: "ModelCard | None") -> Figures:
    """Keep what a person may want to know."""
    return Figures(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        image_tokens=usage.image_tokens,
        first_token_ms=round(usage.time_to_first_token_ms, 1),
        total_ms=round(usage.total_ms, 1),
        tokens_per_s=round(usage.decode_tokens_per_s, 2),
        context_tokens=(card.context_tokens if card is not None else None) or 0,
    )


class CountingModel:
    """A `ChatModel` that adds up what its answers took."""

    def __init__(self, model: "ChatModel") -> None:
        self._model = model
        self.used: list[Usage] = []

    def stream(
        self,
        messages: "Sequence[Message]",
        options: "GenerateOptions | None" = None,
        cancel: threading.Event | None = None,
    ) -> "Iterator[Delta]":
        """Answer as the model does."""
        from model.chat import GenerateOptions

        for delta in self._model.stream(messages, options or GenerateOptions(), cancel):
            if delta.usage is not None:
                self.used.append(delta.usage)
            yield delta

    def figures(self, card: "ModelCard | None") -> Figures:
        """Return the sum of all answers; the first token is the first one's, the context the largest."""
        if not self.used:
            return Figures()
        decode_s = sum(u.completion_tokens / u.decode_tokens_per_s for u in self.used if u.decode_tokens_per_s > 0)
        tokens = sum(u.completion_tokens for u in self.used)
        return Figures(
            prompt_tokens=max(u.prompt_tokens for u in self.used),
            completion_tokens=tokens,
            image_tokens=sum(u.image_tokens for u in self.used),
            first_token_ms=round(self.used[0].time_to_first_token_ms, 1),
            total_ms=round(sum(u.total_ms for u in self.used), 1),
            tokens_per_s=round(tokens / decode_s, 2) if decode_s else 0.0,
            context_tokens=(card.context_tokens if card is not None else None) or 0,
        )
