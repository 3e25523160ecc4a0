from collections import OrderedDict
from dataclasses import dataclass

import torch
from hypothesis import given
from hypothesis import strategies as st

from model.cache import ByteLRU, CachedSegment, LatentCache, SegmentCache, latent_bytes
from tests.model.tiny import tiny_config

CONFIG = tiny_config().text


@dataclass(frozen=True)
class Item:
    nbytes: int


def latents(count: int, start: int = 0) -> torch.Tensor:
    values = torch.arange(start, start + count, dtype=torch.float32)
    return values.view(1, -1, 1).expand(CONFIG.num_hidden_layers, -1, CONFIG.latent_dim)


def new_cache(capacity: int) -> LatentCache:
    return LatentCache(CONFIG, capacity, torch.device("cpu"), torch.float32)


def test_a_token_takes_its_latent_and_rotary_key_in_every_layer() -> None:
    assert latent_bytes(CONFIG, 1, torch.bfloat16) == 3 * 40 * 2
    cache = new_cache(100)
    assert cache.capacity == 128
    assert cache.nbytes == latent_bytes(CONFIG, 128, torch.float32)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=12))
def test_growing_keeps_what_was_written(counts: list[int]) -> None:
    cache = new_cache(1)
    for count in counts:
        cache.reserve(cache.length + count, 2000)
        for layer in range(CONFIG.num_hidden_layers):
            seen = cache.write(layer, latents(count, cache.length)[layer])
            assert seen.shape == (cache.length + count, CONFIG.latent_dim)
        cache.advance(count)
    assert torch.equal(cache.copy_out(0), latents(sum(counts)))
    assert cache.capacity < 2 * sum(counts) + 64


def test_what_was_not_advanced_over_is_written_again() -> None:
    cache = new_cache(64)
    cache.copy_in(latents(5))
    cache.write(0, latents(3, 90)[0])
    assert torch.equal(cache.write(0, latents(2, 5)[0]), latents(7)[0])


def test_rewinding_forgets_the_end() -> None:
    cache = new_cache(64)
    cache.copy_in(latents(9))
    cache.rewind(4)
    cache.rewind(6)
    assert cache.length == 4
    assert torch.equal(cache.copy_out(1), latents(3, 1))


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 60), st.booleans()), max_size=60))
def test_the_store_behaves_as_a_naive_one_and_never_exceeds_its_limit(steps: list[tuple[str, int, bool]]) -> None:
    store: ByteLRU[Item] = ByteLRU(100)
    naive: OrderedDict[str, Item] = OrderedDict()
    for key, nbytes, reading in steps:
        if reading:
            assert store.get(key) == naive.get(key)
            if key in naive:
                naive.move_to_end(key)
            continue
        item = Item(nbytes)
        store.put(key, item)
        naive.pop(key, None)
        naive[key] = item
        while sum(kept.nbytes for kept in naive.values()) > 100:
            naive.popitem(last=False)
        assert store.nbytes == sum(kept.nbytes for kept in naive.values()) <= 100
        assert len(store) == len(naive)


def test_what_is_larger_than_the_store_displaces_nothing() -> None:
    store: ByteLRU[Item] = ByteLRU(100)
    store.put("small", Item(90))
    store.put("large", Item(101))
    assert store.get("small") is not None
    assert store.get("large") is None


def segment(count: int) -> CachedSegment:
    return CachedSegment(latents(count).clone(), torch.zeros(1, CONFIG.hidden_size))


def test_reuse_ends_at_the_first_unknown_segment() -> None:
    store = SegmentCache(1 << 20)
    store.put("a", segment(3))
    store.put("c", segment(5))
    assert [found.tokens for found in store.longest(["a", "b", "c"])] == [3]
    assert store.longest(["x"]) == []


def test_the_beginning_of_a_chain_outlives_its_end() -> None:
    size = segment(10).nbytes
    store = SegmentCache(3 * size)
    for key in "abc":
        store.put(key, segment(10))
    assert len(store.longest(list("abc"))) == 3
    store.put("d", segment(10))
    assert len(store.longest(list("abc"))) == 2
