"""From scores to a token: greedy, temperature and top-p, each request with its own random numbers.

A token is drawn by one uniform number from the cumulative distribution over tokens in falling
order of score, equal scores by id. The number comes from the request's own generator, so what else
is in the batch cannot change the draw.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.chat import GenerateOptions
from model.errors import InputError
from model.generation import GenerationDefaults

_TOP = 256
_GREEDY_BELOW = 1e-5
_MAX_SEED = 2**63 - 1


class Sampler:
    """Draw tokens for one request.

    Raises `InputError` for a temperature below 0, a top-p outside (0, 1] or a seed outside
    0…2⁶³-1. Without a seed every sampler draws differently.
    """

    def __init__(self, temperature: float, top_p: float = 1.0, seed: int | None = None) -> None:
        if not (math.isfinite(temperature) and temperature >= 0):
            raise InputError(f"the temperature is {temperature}", remedy="give 0 (greedy) or a positive number")
        if not 0 < top_p <= 1:
            raise InputError(f"top_p is {top_p}", remedy="give a number above 0 and at most 1")
        if seed is not None and not 0 <= seed <= _MAX_SEED:
            raise InputError(f"the seed is {seed}", remedy=f"give a whole number in 0..{_MAX_SEED}")
        self.temperature = temperature
        self.top_p = top_p
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed)

    @classmethod
    def of(cls, options: GenerateOptions, defaults: GenerationDefaults) -> "Sampler":
        """Make a request's sampler from its options and the checkpoint's defaults."""
        temperature = defaults.temperature if options.temperature is None else options.temperature
        top_p = defaults.top_p if options.top_p is None else options.top_p
        return cls(temperature, top_p, options.seed)

    @property
    def greedy(self) -> bool:
        """Say whether the highest score always wins: a division by less would leave float32's range."""
        return self.temperature < _GREEDY_BELOW

    def uniform(self) -> float:
        """Return the next random number in [0, 1)."""
        return torch.rand((), generator=self._generator, dtype=torch.float64).item()


def choose(scores: Tensor, samplers: Sequence[Sampler]) -> list[int | None]:
    """Choose one token for each of the first ``len(samplers)`` rows of float32 scores ``(rows, vocabulary)``.

    None stands for a row that has scores that are not numbers. Reads back from the device once;
    again only for a row whose draw falls outside its 256 best tokens.
    """
    best = scores[: len(samplers)].max(-1)
    drawing = [row for row, sampler in enumerate(samplers) if not sampler.greedy]
    packed = [best.values.double(), best.indices.double()]
    packed += [_head(scores[row], samplers[row].temperature) for row in drawing]
    host = torch.cat(packed).cpu().numpy()
    count = len(samplers)
    tokens = [int(host[count + row]) if math.isfinite(host[row]) else None for row in range(count)]
    heads = host[2 * count :].reshape(len(drawing), -1) if drawing else ()
    for row, head in zip(drawing, heads, strict=True):
        if tokens[row] is not None:
            tokens[row] = _draw(head, scores[row], samplers[row])
    return tokens


def _head(scores: Tensor, temperature: float) -> Tensor:
    """Return what most draws need of one row: its log-sum-exp, and its best scores and their ids, float64."""
    top = scores.topk(min(_TOP, scores.shape[0]))
    log_total = ((scores - top.values[0]) / temperature).logsumexp(-1, keepdim=True)
    return torch.cat((log_total.double(), top.values.double(), top.indices.double()))


def _draw(head: npt.NDArray[np.float64], scores: Tensor, sampler: Sampler) -> int:
    log_total, values, ids = head[0], *np.split(head[1:], 2)
    uniform = sampler.uniform()
    if len(values) < scores.shape[0]:
        # Which of several equal last ones made it into the head is the device's choice; leave them out.
        certain = values > values[-1]
        token = _inverse(values[certain], ids[certain], log_total, uniform, sampler, whole=False)
        if token is not None:
            return token
        values = scores.double().cpu().numpy()
        ids = np.arange(len(values), dtype=np.float64)
    token = _inverse(values, ids, log_total, uniform, sampler, whole=True)
    assert token is not None  # noqa: S101 - the whole distribution always holds the draw
    return token


def _inverse(
    values: npt.NDArray[np.float64],
    ids: npt.NDArray[np.float64],
    log_total: float,
    uniform: float,
    sampler: Sampler,
    *,
    whole: bool,
) -> int | None:
    """Draw from the highest scores of a distribution; None when they do not reach far enough."""
    if not len(values):
        return None
    order = np.lexsort((ids, -values))
    values, ids = values[order], ids[order]
    below = np.exp((values - values[0]) / sampler.temperature - log_total).cumsum()
    mass = 1.0
    if sampler.top_p < 1:
        last = int(below.searchsorted(sampler.top_p))
        if last == len(below) and not whole:
            return None
        mass = below[min(last, len(below) - 1)]
    place = int(below.searchsorted(uniform * mass, side="right"))
    if place == len(below):
        if not whole:
            return None
        # Rounding left the sum below 1: the least likely token that is possible at all.
        place = int(below.searchsorted(below[-1]))
    return int(ids[place])
