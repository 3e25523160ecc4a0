"""Several tries at one question, and the one that the others agree with most."""

import math
import threading
from dataclasses import dataclass, replace

from PIL import Image

from agent.locate import LocateOptions, Location, locate
from model.chat import ChatModel

VOTE_TEMPERATURE = 0.7
"""Of every try but the first, which is greedy."""

_NEAR_PX = 14
"""How near, each way, counts as the same place: one patch of the model's."""


@dataclass(frozen=True, slots=True)
class Vote:
    """The chosen try, how often the model was asked in all, and the share of tries that say the same."""

    location: Location
    looks: int
    agreement: float


def vote(
    model: ChatModel,
    image: Image.Image,
    instruction: str,
    options: LocateOptions = LocateOptions(),
    votes: int = 1,
    cancel: threading.Event | None = None,
) -> Vote:
    """Locate ``votes`` times and choose.

    The first try is greedy, each other is drawn with a seed of its own, so a model that honours seeds gives
    the same tries again. Found or not is decided by the majority (found, at a draw); among points the one
    with the smallest sum of distances to the others is chosen.
    """
    tries = [locate(model, image, instruction, options, cancel)]
    for seed in range(1, votes):
        generate = replace(options.generate, temperature=VOTE_TEMPERATURE, seed=seed)
        tries.append(locate(model, image, instruction, replace(options, generate=generate), cancel))
    looks = sum(len(location.looks) for location in tries)
    hits = [location for location in tries if location.found]
    if 2 * len(hits) < len(tries):
        misses = [location for location in tries if not location.found]
        return Vote(misses[0], looks, len(misses) / votes)
    chosen = min(hits, key=lambda hit: sum(_distance_px(hit, other) for other in hits))
    near = sum(max(_offsets_px(chosen, other)) <= _NEAR_PX for other in hits)
    return Vote(chosen, looks, near / votes)


def _distance_px(one: Location, other: Location) -> float:
    return math.hypot(*_offsets_px(one, other))


def _offsets_px(one: Location, other: Location) -> tuple[int, int]:
    if one.point_px is None or other.point_px is None:
        raise ValueError("only found places have a distance")
    return abs(one.point_px[0] - other.point_px[0]), abs(one.point_px[1] - other.point_px[1])
