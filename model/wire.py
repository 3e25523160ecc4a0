"""What both ends of the wire share: the served model's card, usage and errors, each as OpenAI's JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from model.chat import Capability, Usage
from model.errors import InputError, ModelError, ResourceError

Json = dict[str, Any]

ALL_CAPABILITIES: tuple[Capability, ...] = ("chat", "plan", "ground")

_ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a server says about its model; None is unknown.

    ``context_tokens`` counts prompt and answer, ``in_token_limit`` the patches of a picture.
    ``grounding_prompt`` is the checkpoint's own, see `model.grounding`.
    """

    id: str = "deskhand"
    capabilities: tuple[Capability, ...] = ALL_CAPABILITIES
    context_tokens: int | None = None
    in_token_limit: int | None = None
    grounding_prompt: str | None = None


def card_json(card: ModelCard) -> Json:
    """Write a card as an entry of ``GET /v1/models``; ``max_model_len`` is vLLM's name for the context."""
    return {
        "id": card.id,
        "object": "model",
        "created": 0,
        "owned_by": "deskhand",
        "max_model_len": card.context_tokens,
        "capabilities": list(card.capabilities),
        "deskhand": {"in_token_limit": card.in_token_limit, "grounding_prompt": card.grounding_prompt},
    }


def card_from_json(entry: object) -> ModelCard:
    """Read an entry of ``GET /v1/models``; a server that states no capabilities has them all.

    Raises ValueError for an entry without a name.
    """
    name = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(name, str) or not name:
        raise ValueError("a model without an id")
    stated, extra = entry.get("capabilities"), entry.get("deskhand")
    extra = extra if isinstance(extra, dict) else {}
    length, limit, prompt = entry.get("max_model_len"), extra.get("in_token_limit"), extra.get("grounding_prompt")
    return ModelCard(
        id=name,
        capabilities=tuple(known for known in ALL_CAPABILITIES if not isinstance(stated, list) or known in stated),
        context_tokens=length if isinstance(length, int) else None,
        in_token_limit=limit if isinstance(limit, int) else None,
        grounding_prompt=prompt if isinstance(prompt, str) else None,
    )


def usage_json(usage: Usage) -> Json:
    """Write OpenAI's usage object; what it has no name for stands under ``deskhand``."""
    extra = {key: value for key, value in asdict(usage).items() if key not in ("prompt_tokens", "completion_tokens")}
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "deskhand": extra,
    }


def usage_from_json(value: object) -> Usage:
    """Read a usage object of any server; what it does not state is 0."""
    raw: Json = value if isinstance(value, dict) else {}
    details = raw.get("prompt_tokens_details")
    stated = {
        **raw,
        **(details if isinstance(details, dict) else {}),
        **(raw["deskhand"] if isinstance(raw.get("deskhand"), dict) else {}),
    }
    known = asdict(Usage())
    for key, default in known.items():
        number = stated.get(key)
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            known[key] = type(default)(number)
    return Usage(**known)


class RequestError(InputError):
    """A request that the server refuses: the HTTP status, OpenAI's ``code`` and the ``param`` at fault."""

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        status: int = 400,
        code: str = "invalid_request",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.status = status
        self.code = code
        self.param = param
        self.headers = dict(headers or {})


def as_request_error(error: BaseException) -> RequestError:
    """Say any error of the engine in HTTP's terms: 400 for the input, 503 for memory, else 500."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, InputError):
        status, code = 400, "invalid_input"
    elif isinstance(error, ResourceError):
        status, code = 503, "insufficient_resources"
    else:
        status, code = 500, "internal_error"
    if isinstance(error, ModelError):
        return RequestError(error.what, why=error.why, remedy=error.remedy, status=status, code=code)
    return RequestError(
        "the engine failed",
        why=f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}",
        remedy="see the server's log",
        status=status,
        code=code,
    )


def error_json(error: RequestError) -> Json:
    """Write OpenAI's error object."""
    kind = _ERROR_TYPES.get(error.status, "server_error" if error.status >= 500 else "invalid_request_error")
    return {"error": {"message": str(error), "type": kind, "code": error.code, "param": error.param}}
