"""The memory store: the contract, and that nothing a client sends makes it grow or forget an offender."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.backends import Ledger
from contentguard.backends.ids import Added, Ids
from contentguard.backends.memory import MemoryStore, Pools
from contentguard.backends.names import Names
from contentguard.backends.states import States
from contentguard.limits import Limit, gcra
from tests.backends.contract import NOW, Few, StoreContract

SECRET = b"tests only tests only tests only"


class TestMemoryStore(StoreContract):
    async def store(self) -> Ledger:
        return MemoryStore(secret=SECRET)


class TestTinyMemoryStore(StoreContract):
    async def store(self) -> Ledger:
        return MemoryStore(max_entries=12, secret=SECRET, pools=Pools(1, 1, 1, 1, 1))


async def _strangers(store: MemoryStore, number: int, limit: Limit, over: float, suffix: str = "") -> None:
    for i in range(number):
        assert (await store.take(f"{i:x}{suffix}", limit, NOW + over * i / number)).allowed


@pytest.mark.parametrize("suffix", ["", "x" * 55, "x" * 5000, "ж" * 60], ids=["short", "cached", "long", "wide"])
@pytest.mark.parametrize("max_entries", [1000, 200_000])
@pytest.mark.no_cover
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
        assert grown <= store.bytes_used <= 20 * 2**20
        assert store.buckets.bytes_used <= max_entries * 24 + 1024 * 512 + 4096

    asyncio.run(story())


def test_max_bytes_binds_where_it_is_the_tighter_bound() -> None:
    store = MemoryStore(10**9, 2**20, secret=SECRET)
    assert 20_000 < store.max_entries < 22_000
    assert store.buckets.bytes_used + 1024 * 512 <= 2**20


@pytest.mark.no_cover
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
    aimed = [key for key in map(str, range(20_000)) if known.buckets._locate(key)[1] == 0]
    assert len(aimed) > 100
    assert len({other.buckets._locate(key)[1] for key in aimed}) > 60


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


# -- the other pools -----------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_a_million_strangers_make_nobody_forgotten_who_has_done_something() -> None:
    """A million strangers ask for a bucket, and every tenth of them for all else."""
    limit, quota = Limit(60, 60), Few(30, 150)
    store = MemoryStore(4096, secret=SECRET, pools=Pools(4096, 4096, 4096, 4096, 4096))
    assert store.spend_now("ticket", NOW + 300, NOW) is Added.NEW
    assert [store.take_now("offender", limit, NOW).allowed for _ in range(61)][-2:] == [True, False]
    assert [store.meter_now("reader", n, quota, NOW) for n in range(31)][-2:] == [0.0, 3600.0]
    assert all(store.count_now("link", 1, 5, NOW + 600, NOW) for _ in range(5))
    assert all(store.join_now("subscriber", str(n), 3, NOW + 600, NOW) for n in range(3))
    store.revoke_now("pass", NOW + 900, NOW)
    held = store.bytes_used
    for n in range(1_000_000):
        name = f"{n:x}"
        store.take_now(name, limit, NOW)
        if n % 10:
            continue
        store.spend_now(name, NOW + 300, NOW)
        store.meter_now(name, n, quota, NOW)
        store.count_now(name, 1, 5, NOW + 600, NOW)
        store.join_now(name, name, 3, NOW + 600, NOW)
    assert store.bytes_used <= held + 2 * 1024 * 512
    assert store.spend_now("ticket", NOW + 300, NOW + 299) is Added.KNOWN
    assert not store.take_now("offender", limit, NOW + 0.5).allowed
    assert store.meter_now("reader", 99, quota, NOW) == 3600.0
    assert not store.count_now("link", 1, 5, NOW + 600, NOW)
    assert not store.join_now("subscriber", "3", 3, NOW + 600, NOW)
    assert store.revoked_now("pass", NOW)
    assert store.forgotten["spent"] > 95_000
    assert store.forgotten["meters"] > 95_000
    assert store.forgotten["revoked"] == 0


def test_a_full_pool_accepts_no_more_tickets_and_none_twice() -> None:
    store = MemoryStore(16, secret=SECRET, pools=Pools(spent=1024))
    accepted = [n for n in range(3000) if store.spend_now(f"{n}", NOW + 60 + n / 100, NOW) is Added.NEW]
    assert 1000 <= len(accepted) <= 1024
    assert store.forgotten["spent"] == 3000 - len(accepted)
    for n in range(3000):
        assert store.spend_now(f"{n}", NOW + 600, NOW + 59) is (Added.KNOWN if n in {*accepted} else Added.FULL)
    asked = asyncio.run(store.spend("new", NOW + 600, NOW + 59))
    assert not asked, "for who asks there is no difference"
    # What has ended gives way.
    assert sum(store.spend_now(f"new {n}", NOW + 900, NOW + 600) is Added.NEW for n in range(1024)) > 950


def test_no_ticket_is_turned_away_before_four_fifths_are_full() -> None:
    store = MemoryStore(16, secret=SECRET, pools=Pools(spent=65_536))
    for n in range(65_536 * 4 // 5):
        assert store.spend_now(f"{n}", NOW + 300, NOW) is Added.NEW


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(-5, 30), st.floats(0, 5)), max_size=120))
def test_ids_are_known_until_their_end_or_never_taken_in(asked: list[tuple[int, float, float]]) -> None:
    ids, names, now, ends = Ids(16), Names(SECRET), NOW, dict[int, float]()
    for n, life, gap in asked:
        now += gap
        ends = {one: end for one, end in ends.items() if end > now}
        expected = Added.KNOWN if n in ends else Added.NEW if len(ends) < 16 else Added.FULL
        if now + life > now:
            assert ids.add(names(str(n)), now + life, now) is expected
            if expected is Added.NEW:
                ends[n] = now + life
        assert dict(ids.entries(now)) == {names(str(one)): end for one, end in ends.items()}


def test_the_newest_revocations_push_out_those_that_end_first() -> None:
    ids, names = Ids(16), Names(SECRET)
    for n in range(16):
        ids.insist(names(str(n)), NOW + 100 + n, NOW)
    ids.insist(names("late"), NOW + 200, NOW)
    assert ids.displaced == 1
    assert [ids.holds(names(name), NOW) for name in ("0", "1", "late")] == [False, True, True]
    ids.insist(names("early"), NOW + 50, NOW)
    assert not ids.holds(names("early"), NOW)


def test_whoever_has_read_most_is_remembered_longest() -> None:
    states, names = States([(16, 10), (16, 100)]), Names(SECRET)
    for n in range(16):
        states.put(names(str(n)), b"x", (n + 5) % 16, NOW + 60, NOW)
    states.put(names("new"), b"x", 1, NOW + 60, NOW)
    assert [n for n in range(16) if not states.get(names(str(n)))] == [11]
    assert states.displaced == 1
    states.put(names("later"), b"x", 1, NOW + 90, NOW + 60)
    assert states.displaced == 1, "what has ended is not missed"


def test_a_state_moves_to_where_it_fits_and_is_nowhere_twice() -> None:
    states, names = States([(16, 10), (16, 100)]), Names(SECRET)
    for length in (5, 50, 100, 7, 10, 11):
        states.put(names("a"), b"x" * length, length, NOW + 60, NOW)
        assert states.get(names("a")) == b"x" * length
    with pytest.raises(ValueError, match="wider than every shelf"):
        states.put(names("a"), b"x" * 101, 1, NOW + 60, NOW)
    assert states.get(names("b")) == b""
    for n in range(15):
        states.put(names(str(n)), b"x", 1, NOW + 60, NOW)
    assert states.displaced == 0, "the place it left on the narrow shelf was free"


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.binary(min_size=1, max_size=40)), max_size=80))
def test_states_are_what_was_put(asked: list[tuple[str, bytes]]) -> None:
    states, names, kept = States([(16, 8), (16, 24), (16, 40)]), Names(SECRET), dict[str, bytes]()
    for key, state in asked:
        states.put(names(key), state, len(state), NOW + 60, NOW)
        kept[key] = state
        assert all(states.get(names(one)) == expected for one, expected in kept.items())


def test_what_is_known_can_be_told_to_others() -> None:
    store, names = MemoryStore(secret=SECRET), Names(SECRET)
    store.spend_now("a", NOW + 60, NOW)
    store.spend_now("b", NOW + 30, NOW)
    store.revoke_now("c", NOW + 90, NOW)
    spent, revoked = store.known(NOW + 30)
    assert list(spent) == [(names("a"), NOW + 60)]
    assert list(revoked) == [(names("c"), NOW + 90)]


@pytest.mark.parametrize("length", [1, 5000])
def test_no_pool_grows(length: int) -> None:
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    store = MemoryStore(1000, secret=SECRET)
    for n in range(3000):
        name = f"{n:x}" * length
        store.spend_now(name, NOW + 300, NOW)
        store.meter_now(name, n, Few(30, 150), NOW)
        store.count_now(name, 1, 5, NOW + 600, NOW)
        store.join_now(name, name, 3, NOW + 600, NOW)
        store.revoke_now(name, NOW + 300, NOW)
    del name
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown <= store.bytes_used
