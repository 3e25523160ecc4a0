import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model import sampling
from model.errors import InputError
from model.sampling import Sampler, choose

SCORES = st.lists(st.floats(-8, 8, width=16), min_size=2, max_size=40)


def naive_nucleus(scores: list[float], temperature: float, top_p: float) -> dict[int, float]:
    """Second writing of the definition: the fewest most likely tokens that reach top_p, and their shares."""
    peak = max(scores)
    weights = [math.exp((score - peak) / temperature) for score in scores]
    total = sum(weights)
    kept: dict[int, float] = {}
    for token in sorted(range(len(scores)), key=lambda token: (-scores[token], token)):
        if sum(kept.values()) >= top_p:
            break
        kept[token] = weights[token] / total
    mass = sum(kept.values())
    return {token: share / mass for token, share in kept.items()}


def test_greedy_takes_the_best_and_of_equals_the_first() -> None:
    scores = torch.tensor([[0.0, 3.0, 3.0], [5.0, -1.0, 4.0]])
    assert choose(scores, [Sampler(0), Sampler(0)]) == [1, 0]


@given(SCORES, st.floats(0.05, 3), st.floats(0.05, 1), st.integers(0, 2**32))
def test_only_the_nucleus_is_drawn_from(scores: list[float], temperature: float, top_p: float, seed: int) -> None:
    sampler = Sampler(temperature, top_p, seed)
    drawn = {choose(torch.tensor([scores]), [sampler])[0] for _ in range(8)}
    # A little more than top_p, as a sum that reaches it exactly may round either way.
    assert drawn <= naive_nucleus(scores, temperature, min(top_p + 1e-6, 1)).keys()


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 0.9), (2.0, 0.6)])
def test_draws_follow_the_distribution(temperature: float, top_p: float) -> None:
    scores = [2.0, -1.0, 0.5, 1.5, 0.0, 1.0]
    sampler = Sampler(temperature, top_p, seed=7)
    count = 4000
    seen = Counter(choose(torch.tensor([scores]), [sampler])[0] for _ in range(count))
    wanted = naive_nucleus(scores, temperature, top_p)
    for token in range(len(scores)):
        share = wanted.get(token, 0.0)
        assert abs(seen[token] / count - share) < 4 * math.sqrt(share * (1 - share) / count) + 1e-9


@given(
    st.lists(st.floats(-8, 8, width=16), min_size=12, max_size=40),
    st.floats(0.05, 3),
    st.sampled_from([0.3, 0.9, 0.99, 1.0]),
    st.integers(0, 2**32),
)
@settings(max_examples=200)
def test_the_best_few_give_the_draw_of_the_whole_row(
    scores: list[float], temperature: float, top_p: float, seed: int
) -> None:
    row = torch.tensor([scores])
    few, whole = Sampler(temperature, top_p, seed), Sampler(temperature, top_p, seed)
    for _ in range(8):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sampling, "_TOP", 5)
            token = choose(row, [few])
        assert choose(row, [whole]) == token


@given(st.lists(st.tuples(SCORES, st.floats(0, 2), st.integers(0, 99)), min_size=1, max_size=5))
def test_the_company_changes_no_draw(requests: list[tuple[list[float], float, int]]) -> None:
    width = min(len(scores) for scores, _, _ in requests)
    rows = torch.tensor([scores[:width] for scores, _, _ in requests])
    together = choose(rows, [Sampler(temperature, 0.9, seed) for _, temperature, seed in requests])
    alone = [
        choose(rows[row : row + 1], [Sampler(temperature, 0.9, seed)])[0]
        for row, (_, temperature, seed) in enumerate(requests)
    ]
    assert together == alone


def test_a_seed_repeats_and_no_seed_does_not() -> None:
    row = torch.zeros(1, 500)

    def draws(seed: int | None) -> list[int | None]:
        sampler = Sampler(1.0, 1.0, seed)
        return [choose(row, [sampler])[0] for _ in range(20)]

    assert draws(3) == draws(3)
    assert draws(3) != draws(4)
    assert draws(None) != draws(None)


def test_a_tiny_temperature_is_greedy() -> None:
    row = torch.tensor([[1.0, 1.001, 0.5]])
    assert {choose(row, [Sampler(1e-9, 1.0, seed)])[0] for seed in range(20)} == {1}


def test_what_is_forbidden_is_never_drawn() -> None:
    row = torch.full((1, 600), -math.inf)
    row[0, [3, 400]] = torch.tensor([0.0, 1.0])
    sampler = Sampler(50.0, 1.0, 0)
    assert {choose(row, [sampler])[0] for _ in range(50)} == {3, 400}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_scores_that_are_not_numbers_are_told_apart_row_by_row(bad: float, temperature: float) -> None:
    rows = torch.tensor([[0.0, 9.0], [0.0, bad], [9.0, 0.0]])
    samplers = [Sampler(0), Sampler(temperature, seed=1), Sampler(0)]
    assert choose(rows, samplers) == [1, None, 0]


@pytest.mark.parametrize(
    ("temperature", "top_p", "seed", "named"),
    [
        (-0.1, 1.0, None, "temperature is -0.1"),
        (math.nan, 1.0, None, "temperature is nan"),
        (math.inf, 1.0, None, "temperature is inf"),
        (1.0, 0.0, None, "top_p is 0.0"),
        (1.0, 1.1, None, "top_p is 1.1"),
        (1.0, math.nan, None, "top_p is nan"),
        (1.0, 1.0, -1, "seed is -1"),
        (1.0, 1.0, 2**63, "seed is 9223372036854775808"),
    ],
)
def test_impossible_options_are_refused_by_name(temperature: float, top_p: float, seed: int | None, named: str) -> None:
    with pytest.raises(InputError, match=named):
        Sampler(temperature, top_p, seed)
