"""An answer in both directions: deltas as chat-completion chunks, and whole completions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from model.chat import Completion, Delta, FinishReason, Usage
from model.template import THINK_START, ThinkingSplitter
from model.wire import Json
from model.wire.usage import usage_from_json, usage_json

# OpenAI's clients know only its own reasons; "abort" is vLLM's word for a cancelled answer.
_FINISH_TO_WIRE: dict[FinishReason, str] = {"stop": "stop", "length": "length", "cancelled": "abort"}
_FINISH_FROM_WIRE: dict[str, FinishReason] = {"length": "length", "abort": "cancelled", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """What every chunk of one answer repeats. ``created`` is Unix time in seconds."""

    id: str
    created: int
    model: str

    def chunk(self, choices: list[Json], usage: Json | None = None) -> Json:
        """Write one ``chat.completion.chunk``."""
        return self._object("chat.completion.chunk", choices) | {"usage": usage}

    def _object(self, kind: str, choices: list[Json]) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices}

    def opening(self) -> Json:
        """Write the first chunk, which only names the role."""
        return self.chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])

    def delta(self, delta: Delta) -> Json | None:
        """Write a delta, or None when it says nothing; its usage goes into `usage`."""
        content: Json = {}
        if delta.thinking:
            content["reasoning_content"] = delta.thinking
        if delta.text:
            content["content"] = delta.text
        if not content and delta.finish is None:
            return None
        finish = _FINISH_TO_WIRE[delta.finish] if delta.finish else None
        return self.chunk([{"index": 0, "delta": content, "finish_reason": finish}])

    def usage(self, usage: Usage) -> Json:
        """Write the last chunk, for those who asked with ``stream_options.include_usage``."""
        return self.chunk([], usage_json(usage))

    def completion(self, completion: Completion) -> Json:
        """Write a whole answer."""
        message: Json = {"role": "assistant", "content": completion.text}
        if completion.thinking:
            message["reasoning_content"] = completion.thinking
        choice = {"index": 0, "message": message, "finish_reason": _FINISH_TO_WIRE[completion.finish]}
        return self._object("chat.completion", [choice]) | {"usage": usage_json(completion.usage)}


def without_prefix(deltas: Iterator[Delta], prefix: str) -> Iterator[Delta]:
    """Take ``prefix`` off the front of an answer, as vLLM's convention does not send it back."""
    return _cut(deltas, *split_prefix(prefix)) if prefix else deltas


def split_prefix(prefix: str) -> tuple[str, str]:
    """Return the thinking and the text that an answer with this prefix begins with."""
    return ThinkingSplitter().push(prefix) if prefix.lstrip().startswith(THINK_START) else ("", prefix)


def _cut(deltas: Iterator[Delta], thinking: str, text: str) -> Iterator[Delta]:
    thinking_front, text_front = _Front(thinking), _Front(text)
    for delta in deltas:
        yield replace(delta, thinking=thinking_front.cut(delta.thinking), text=text_front.cut(delta.text))


class _Front:
    """A known beginning, taken off pieces of text; another beginning is let through whole."""

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._at = 0

    def cut(self, piece: str) -> str:
        rest = self._expected[self._at :]
        if rest.startswith(piece):
            self._at += len(piece)
            return ""
        seen, self._expected, self._at = self._expected[: self._at], "", 0
        return piece.removeprefix(rest) if piece.startswith(rest) else seen + piece


def delta_from_chunk(chunk: Mapping[str, Any]) -> Delta:
    """Read one chunk of any server's stream.

    Thinking is read from ``reasoning_content`` (vLLM, SGLang, llama.cpp) and ``reasoning`` (newer
    vLLM). Raises ValueError for what is not a chunk.
    """
    raw_usage = chunk.get("usage")
    usage = usage_from_json(raw_usage) if isinstance(raw_usage, dict) else None
    match chunk.get("choices"):
        case [] | None if usage is not None:
            return Delta(usage=usage)
        case []:
            return Delta()
        case [{"delta": dict() as delta, **choice}, *_]:
            text, thinking = delta.get("content"), delta.get("reasoning_content") or delta.get("reasoning")
            if not isinstance(text, str | None) or not isinstance(thinking, str | None):
                raise ValueError("a chunk whose content is not text")
            reason = choice.get("finish_reason")
            finish = _FINISH_FROM_WIRE.get(str(reason), "stop") if reason else None
            return Delta(text=text or "", thinking=thinking or "", finish=finish, usage=usage)
        case _:
            raise ValueError("a chunk without choices")
