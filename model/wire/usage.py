"""What an answer cost, as OpenAI's usage object."""

import math
from dataclasses import asdict

from model.chat import Usage
from model.wire import Json


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
