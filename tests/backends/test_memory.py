"""The memory store: the contract, and that nothing a client sends makes it grow or forget an offender."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.backends import Store
from contentguard.backends.memory import MemoryStore
from contentguard.limits import Limit, gcra
from tests.backends.contract import NOW, StoreContract

SECRET = b"tests only tests only tests only"


class TestMemoryStore(StoreContract):
    async def store(self) -> Store:
        return MemoryStore(secret=SECRET)


class TestTinyMemoryStore(StoreContract):
    async def store(self) -> Store:
        return MemoryStore(max_entries=11, secret=SECRET)


async def _strangers(store: MemoryStore, number: int, limit: Limit, over: float, suffix: str = "") -> None:
    for i in range(number):
        assert (await store.take(f"{i:x}{suffix}", limit, NOW + over * i / number)).allowed


@pytest.mark.parametrize("suffix", ["", "x" * 55, "x" * 5000, "ж" * 60], ids=["short", "cached", "long", "wide"])
@pytest.mark.parametrize("max_entries", [1000, 200_000])
def test_a_hundred_thousand_keys_stay_within_the_bounds(max_entries: int, suffix: str) -> None:
    limit = Limit(60, 60)
    number = 100_000 if max_entries == 200_000 and not suffix else 10_000

    async def story() -> None:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        store = MemoryStore(max_entries, secret=SECRET)
        for i in range(number):
            await store.take(f"{i:x}{suffix}", limit, NOW)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert grown <= store.bytes_used <= 8 * 1024 * 1024
        assert store.bytes_used <= max_entries * 24 + 1024 * 512 + 4096

    asyncio.run(story())


def test_max_bytes_binds_where_it_is_the_tighter_bound() -> None:
    store = MemoryStore(10**9, 2**20, secret=SECRET)
    assert 20_000 < store.max_entries < 22_000
    assert store.bytes_used + 1024 * 512 <= 2**20


def test_an_offender_stays_limited_after_a_hundred_thousand_strangers() -> None:
    async def story() -> None:
        store, limit = MemoryStore(max_entries=4096, secret=SECRET), Limit(60, 60)
        for _ in range(70):
            last = await store.take("offender", limit, NOW)
        assert not last.allowed
        await _strangers(store, 100_000, limit, over=0.5)
        assert not (await store.take("offender", limit, NOW + 0.5)).allowed

    asyncio.run(story())


def test_a_hundred_offenders_are_all_recalled() -> None:
    async def story() -> None:
        store, limit = MemoryStore(max_entries=4096, secret=SECRET), Limit(60, 60)
        for i in range(100):
            await store.take(f"offender {i}", limit, NOW, 60)
        await _strangers(store, 20_000, limit, over=0.5)
        again = [await store.take(f"offender {i}", limit, NOW + 0.5) for i in range(100)]
        assert sum(d.allowed for d in again) == 0

    asyncio.run(story())


def test_full_buckets_give_way_before_any_other() -> None:
    async def story() -> None:
        store, limit = MemoryStore(max_entries=16, secret=SECRET), Limit(1, 10)
        for i in range(8):
            await store.take(f"old {i}", limit, NOW)
        for i in range(8):
            await store.take(f"young {i}", limit, NOW + 5)
        for i in range(8):  # at +11 the old buckets are full again, and give way
            await store.take(f"new {i}", limit, NOW + 11)
        for name in ("young", "new"):
            for i in range(8):
                assert not (await store.take(f"{name} {i}", limit, NOW + 11)).allowed

    asyncio.run(story())


def test_after_the_clock_jumped_back_new_clients_find_room() -> None:
    async def story() -> None:
        store, limit = MemoryStore(max_entries=16, secret=SECRET), Limit(2, 60)
        for i in range(16):
            await store.take(f"before {i}", limit, NOW, 2)
        for i in range(16):
            await store.take(f"after {i}", limit, NOW - 3600, 2)
        for i in range(16):
            assert not (await store.take(f"after {i}", limit, NOW - 3600, 2)).allowed

    asyncio.run(story())


def test_half_full_it_still_remembers_nearly_everybody() -> None:
    async def story() -> None:
        store, limit = MemoryStore(max_entries=32_768, secret=SECRET), Limit(1, 60)
        await _strangers(store, 16_384, limit, over=0)
        forgotten = 0
        for i in range(16_384):
            forgotten += (await store.take(f"{i:x}", limit, NOW)).allowed
        assert forgotten < 60

    asyncio.run(story())


def test_crafted_collisions_need_the_secret() -> None:
    """Keys that fall into one row under one secret scatter under another (hash flooding)."""
    known, other = MemoryStore(1600, secret=SECRET), MemoryStore(1600, secret=SECRET[::-1])
    aimed = [key for key in map(str, range(20_000)) if known._locate(key)[1] == 0]
    assert len(aimed) > 100
    assert len({other._locate(key)[1] for key in aimed}) > 60


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-50, 50), st.integers(1, 4)), max_size=60))
def test_with_room_enough_it_is_exactly_gcra(steps: list[tuple[str, float, int]]) -> None:
    limit, tats = Limit(8, 60, 4), dict[str, float]()

    async def story() -> None:
        store, now = MemoryStore(secret=SECRET), NOW
        for key, gap, cost in steps:
            now += gap
            expected = gcra(tats.get(key, now), limit, now, cost)
            assert await store.take(key, limit, now, cost) == expected
            tats[key] = expected.tat

    asyncio.run(story())


def test_senseless_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes, not 5"):
        MemoryStore(secret=b"short")
    with pytest.raises(ValueError, match="room for none"):
        MemoryStore(0, secret=SECRET)
    with pytest.raises(ValueError, match="room for none"):
        MemoryStore(max_bytes=1000, secret=SECRET)
