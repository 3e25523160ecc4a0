"""The OpenAI-compatible wire, in both directions: our values and the JSON that travels."""

from typing import Any

Json = dict[str, Any]
