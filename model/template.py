"""The family's chat template and its thinking markers.

Source: chat_template.jinja of moonshotai/Kimi-VL-A3B-* and the answers of its Thinking variants.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from model.chat import ImagePart, Message, Part, TextPart
from model.errors import InputError
from model.text.stop import held_length
from model.text.vocabulary import (
    IM_ASSISTANT,
    IM_END,
    IM_MIDDLE,
    IM_SYSTEM,
    IM_USER,
    MEDIA_CONTENT,
    MEDIA_END,
    MEDIA_PAD,
    MEDIA_START,
)
from model.tokenizer import Tokenizer

DEFAULT_SYSTEM = "You are a helpful assistant"
THINK_START = "◁think▷"
THINK_END = "◁/think▷"

_ROLE_TOKENS = {"system": IM_SYSTEM, "user": IM_USER, "assistant": IM_ASSISTANT}

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if loop.first and message['role'] != 'system' -%}"
    f"{{{{- '{IM_SYSTEM}system{IM_MIDDLE}{DEFAULT_SYSTEM}{IM_END}' -}}}}"
    "{%- endif -%}"
    "{%- if message['role'] in ['system', 'user', 'assistant'] -%}"
    "{{- '<|im_' ~ message['role'] ~ '|>' -}}"
    "{%- endif -%}"
    f"{{{{- message['role'] ~ '{IM_MIDDLE}' -}}}}"
    "{%- if message['content'] is string -%}"
    "{{- message['content'] -}}"
    "{%- else -%}"
    "{%- for item in message['content'] -%}"
    "{%- if item['type'] == 'image' or 'image' in item or 'image_url' in item -%}"
    f"{{{{- '{MEDIA_START}image{MEDIA_CONTENT}{MEDIA_PAD}{MEDIA_END}' -}}}}"
    "{%- else -%}"
    "{{- item['text'] -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    f"{{{{- '{IM_END}' -}}}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    f"{{{{- '{IM_ASSISTANT}assistant{IM_MIDDLE}' -}}}}"
    "{%- endif -%}"
)
"""The template in Jinja, for tools that read it from a checkpoint. `render` does not use it."""


def render(
    messages: Sequence[Message], tokenizer: Tokenizer, image_token_counts: Sequence[int], prefix: str = ""
) -> list[int]:
    """Render a conversation and the opening of the answer as token ids.

    ``image_token_counts`` says how many placeholders each image takes, in the images' order over
    the whole conversation. ``prefix`` is the beginning of the answer. Only the template writes
    special tokens: text that spells one stays text, so the placeholders are the images' alone.
    Raises `InputError` for no messages, an unknown role, or counts that do not fit the images.
    """
    if not messages:
        raise InputError("the conversation has no messages")
    n_images = sum(isinstance(part, ImagePart) for message in messages for part in message.parts)
    if n_images != len(image_token_counts):
        raise InputError(f"the conversation has {n_images} images, but {len(image_token_counts)} token counts")
    if any(count < 1 for count in image_token_counts):
        raise InputError(f"an image takes {min(image_token_counts)} tokens; at least 1 is needed")
    counts = iter(image_token_counts)
    ids: list[int] = []
    if messages[0].role != "system":
        ids += _turn("system", (TextPart(DEFAULT_SYSTEM),), tokenizer, counts)
    for message in messages:
        ids += _turn(message.role, message.parts, tokenizer, counts)
    return ids + _opening("assistant", tokenizer) + tokenizer.encode(prefix)


def _opening(role: str, tokenizer: Tokenizer) -> list[int]:
    if role not in _ROLE_TOKENS:
        raise InputError(f"the role {role!r} is unknown", remedy=f"use one of {', '.join(_ROLE_TOKENS)}")
    return [tokenizer.special(_ROLE_TOKENS[role]), *tokenizer.encode(role), tokenizer.special(IM_MIDDLE)]


def _turn(role: str, parts: Sequence[Part], tokenizer: Tokenizer, counts: Iterator[int]) -> list[int]:
    ids = _opening(role, tokenizer)
    for part in _joined(parts):
        ids += tokenizer.encode(part.text) if isinstance(part, TextPart) else _image(next(counts), tokenizer)
    return [*ids, tokenizer.special(IM_END)]


def _image(n_tokens: int, tokenizer: Tokenizer) -> list[int]:
    return [
        tokenizer.special(MEDIA_START),
        *tokenizer.encode("image"),
        tokenizer.special(MEDIA_CONTENT),
        *[tokenizer.special(MEDIA_PAD)] * n_tokens,
        tokenizer.special(MEDIA_END),
    ]


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    # The template writes neighbouring texts with nothing between, so they are tokenised as one.
    for is_text, group in groupby(parts, key=lambda part: isinstance(part, TextPart)):
        if is_text:
            yield TextPart("".join(part.text for part in group if isinstance(part, TextPart)))
        else:
            yield from group


def strip_thinking(text: str) -> str:
    """Return the answer of a finished text: what follows the end marker.

    A text whose thinking never ended has no answer. As in the family's own demo the marker counts
    wherever it stands, so an answer whose opening marker was lost is stripped as well.
    """
    _, marker, answer = text.partition(THINK_END)
    if marker:
        return answer
    return "" if text.lstrip().startswith(THINK_START) else text


def strip_history(messages: Sequence[Message]) -> list[Message]:
    """Remove the thinking from earlier assistant turns; other turns stay as they are."""
    return [
        replace(message, parts=tuple(_without_thinking(message.parts))) if message.role == "assistant" else message
        for message in messages
    ]


def _without_thinking(parts: Sequence[Part]) -> Iterator[Part]:
    for part in _joined(parts):
        yield TextPart(strip_thinking(part.text)) if isinstance(part, TextPart) else part


class ThinkingSplitter:
    """Separate reasoning from answer in a stream, however the markers are cut by the pushes.

    Thinking is recognised only at the very start of the answer, after optional white space, and
    ends at the first end marker; while that has not come, everything is thinking. The markers and
    the white space before the first are dropped.
    """

    def __init__(self) -> None:
        self._held = ""
        self._started = False
        self._thinking = False

    @property
    def thinking(self) -> bool:
        """Say whether thinking has begun and not ended: at the end of a stream, that there is no answer."""
        return self._thinking

    def push(self, text: str) -> tuple[str, str]:
        """Return the thinking and the answer that this text adds, holding back what may be a marker."""
        text = self._held + text
        self._held = ""
        if not self._started:
            seen = text.lstrip()
            if len(seen) < len(THINK_START) and THINK_START.startswith(seen):
                self._held = text
                return "", ""
            self._started = True
            self._thinking = seen.startswith(THINK_START)
            text = seen.removeprefix(THINK_START) if self._thinking else text
        if not self._thinking:
            return "", text
        thought, marker, answer = text.partition(THINK_END)
        if marker:
            self._thinking = False
            return thought, answer
        emitted = len(text) - held_length(text, (THINK_END,))
        self._held = text[emitted:]
        return text[:emitted], ""

    def flush(self) -> tuple[str, str]:
        """Return what was held back, as the stream has ended: a marker that is not whole is text."""
        held, self._held = self._held, ""
        return (held, "") if self._thinking else ("", held)
