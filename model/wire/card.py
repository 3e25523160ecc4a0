"""The served model's card, as an entry of ``GET /v1/models``."""

from dataclasses import dataclass

from model.chat import Capability
from model.wire import Json

ALL_CAPABILITIES: tuple[Capability, ...] = ("chat", "plan", "ground")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a server says about its model; None is unknown.

    ``context_tokens`` counts prompt and answer, ``in_token_limit`` the patches of a picture, each ``patch_px`` wide.
    ``grounding_prompt`` is the checkpoint's own, see `model.grounding`. ``gpu_used_bytes`` of
    ``gpu_total_bytes`` are held at the moment of asking, by a server of ours with a GPU.
    """

    id: str = "deskhand"
    capabilities: tuple[Capability, ...] = ALL_CAPABILITIES
    context_tokens: int | None = None
    in_token_limit: int | None = None
    grounding_prompt: str | None = None
    patch_px: int | None = None
    gpu_used_bytes: int | None = None
    gpu_total_bytes: int | None = None


def card_json(card: ModelCard) -> Json:
    """Write a card as an entry of ``GET /v1/models``; ``max_model_len`` is vLLM's name for the context."""
    return {
        "id": card.id,
        "object": "model",
        "created": 0,
        "owned_by": "deskhand",
        "max_model_len": card.context_tokens,
        "capabilities": list(card.capabilities),
        "deskhand": {
            "in_token_limit": card.in_token_limit,
            "grounding_prompt": card.grounding_prompt,
            "patch_px": card.patch_px,
            "gpu_used_bytes": card.gpu_used_bytes,
            "gpu_total_bytes": card.gpu_total_bytes,
        },
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
    patch = extra.get("patch_px")
    used, total = extra.get("gpu_used_bytes"), extra.get("gpu_total_bytes")
    return ModelCard(
        id=name,
        capabilities=tuple(known for known in ALL_CAPABILITIES if not isinstance(stated, list) or known in stated),
        context_tokens=length if isinstance(length, int) else None,
        in_token_limit=limit if isinstance(limit, int) else None,
        grounding_prompt=prompt if isinstance(prompt, str) else None,
        patch_px=patch if isinstance(patch, int) else None,
        gpu_used_bytes=used if isinstance(used, int) else None,
        gpu_total_bytes=total if isinstance(total, int) else None,
    )
