"""Whether two runs over the same items differ by more than chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from agent.scoring import Score

_DRAWS = 10_000
_SEED = 20_240_607


@dataclass(frozen=True, slots=True)
class Paired:
    """Two runs on the items that both judged. ``only_first`` counts what the first alone has right.

    ``difference`` is the second's accuracy less the first's; ``low`` and ``high`` bound it at 95% (bootstrap
    over items); ``p`` is McNemar's exact two-sided one.
    """

    total: int
    both: int
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p: float


def compare(pairs: Sequence[tuple[bool, bool]]) -> Paired:
    """Compare what two runs have right, item by item."""
    both = sum(a and b for a, b in pairs)
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    low, high = bootstrap(only_first, only_second, len(pairs))
    difference = (only_second - only_first) / len(pairs) if pairs else 0.0
    return Paired(len(pairs), both, only_first, only_second, difference, low, high, mcnemar(only_first, only_second))


def pairs_of(first: Score, second: Score) -> dict[str, tuple[bool, bool]]:
    """Map the items that both scores judged to whether each has them right, in the first's order."""
    right = {row.item.id: row.verdict == "correct" for row in second.judged}
    return {row.item.id: (row.verdict == "correct", right[row.item.id]) for row in first.judged if row.item.id in right}


def mcnemar(only_first: int, only_second: int) -> float:
    """Return McNemar's exact two-sided p: how likely so uneven a split of the discordant items is by chance."""
    discordant = only_first + only_second
    tail = sum(math.comb(discordant, count) for count in range(min(only_first, only_second) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**discordant)))


def bootstrap(only_first: int, only_second: int, total: int) -> tuple[float, float]:
    """Return the 95% percentile interval of the difference in accuracy over resampled items.

    Each item contributes -1, 0 or 1, so drawing items with replacement is drawing from a multinomial
    distribution. The seed is fixed: the same runs give the same interval.
    """
    if not total:
        return -1.0, 1.0
    shares = [only_first / total, only_second / total, (total - only_first - only_second) / total]
    draws = np.random.default_rng(_SEED).multinomial(total, shares, size=_DRAWS)
    low, high = np.percentile((draws[:, 1] - draws[:, 0]) / total, [2.5, 97.5])
    return float(low), float(high)
