"""How a checkpoint wants its answers made: generation_config.json and the family's own defaults."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from model.config import read_json
from model.errors import CheckpointError

GENERATION_FILE = "generation_config.json"

Variant = Literal["instruct", "thinking", "thinking-2506"]

VARIANT_TEMPERATURES: dict[Variant, float] = {"instruct": 0.2, "thinking": 0.6, "thinking-2506": 0.8}
"""The model cards' recommendations, for files that state none."""


@dataclass(frozen=True, slots=True)
class GenerationDefaults:
    """What applies when a request leaves it open. ``max_new_tokens`` None: the checkpoint states none."""

    stop_ids: frozenset[int]
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int | None = None


def variant_of(name: str) -> Variant | None:
    """Tell the variant from a checkpoint's name; None for a name that says nothing."""
    lower = name.lower()
    if "2506" in lower:
        return "thinking-2506"
    if "thinking" in lower:
        return "thinking"
    return "instruct" if "instruct" in lower else None


def load_generation(
    folder: Path, stop_ids: Iterable[int], vocab_size: int, variant: Variant | None
) -> GenerationDefaults:
    """Read ``folder/generation_config.json`` when there is one and fill the gaps.

    ``stop_ids`` always end an answer; the file's ``eos_token_id``, a number or a list, adds to
    them: the family's end of text alone would run past the end of a turn. Without a temperature in
    the file the variant's applies, and greedy for an unknown one. Raises `CheckpointError` naming
    file and key for a value of the wrong type or out of range.
    """
    path = folder / GENERATION_FILE
    raw = read_json(path) if path.exists() else {}
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path} is not a JSON object")

    def fail(key: str, why: str) -> CheckpointError:
        return CheckpointError(f"{path}: '{key}' {why}", remedy=f"download {GENERATION_FILE} again, or delete it")

    def number(key: str, high: float, default: float) -> float:
        value = raw.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise fail(key, f"must be a number in 0..{high:g}, not {value!r}")
        return float(value)

    eos = raw.get("eos_token_id")
    eos_ids = [] if eos is None else eos if isinstance(eos, list) else [eos]
    for token_id in eos_ids:
        if isinstance(token_id, bool) or not isinstance(token_id, int) or not 0 <= token_id < vocab_size:
            raise fail("eos_token_id", f"must name tokens below {vocab_size}, not {token_id!r}")
    limit = raw.get("max_new_tokens")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise fail("max_new_tokens", f"must be a whole number above 0, not {limit!r}")
    temperature = number("temperature", 100.0, VARIANT_TEMPERATURES[variant] if variant else 0.0)
    return GenerationDefaults(
        stop_ids=frozenset((*stop_ids, *eos_ids)),
        temperature=0.0 if raw.get("do_sample") is False else temperature,
        top_p=number("top_p", 1.0, 1.0) or 1.0,
        max_new_tokens=limit,
    )
