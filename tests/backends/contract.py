"""What every store must do. A test module makes a subclass of ``StoreContract`` with its own ``store``."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from math import inf, nan
from typing import NamedTuple

import pytest

from contentguard.backends import Ledger
from contentguard.limits import Decision, Limit

NOW = 1.8e9
HOUR, DAY = 3600.0, 86400.0
KEYS = ["a", "A", "", "a" * 10_000, "a" * 10_001, "ключ", "a\x00b", "a b", "a\nb", "{a}", "\ud800", "?"]


class Few(NamedTuple):
    """A quota."""

    hour: int
    day: int


class StoreContract(ABC):
    """Subclass it, name the class ``Test…`` and return a fresh, empty store."""

    @abstractmethod
    async def store(self) -> Ledger:
        """A fresh, empty store."""

    def run(self, story: Callable[[Ledger], Awaitable[None]]) -> None:
        async def told() -> None:
            store = await self.store()
            try:
                await story(store)
            finally:
                if close := getattr(store, "aclose", None):
                    await close()

        asyncio.run(told())

    # -- buckets -----------------------------------------------------------------------------------------------

    def test_a_burst_passes_and_the_next_waits(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(60, 60, 3)
            taken = [await store.take("a", limit, NOW) for _ in range(4)]
            assert [d.allowed for d in taken] == [True, True, True, False]
            assert [d.remaining for d in taken] == [2, 1, 0, 0]
            assert taken[3].retry_after == pytest.approx(1, abs=1e-3)
            assert all(isinstance(d, Decision) for d in taken)

        self.run(story)

    def test_waiting_as_told_is_enough(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(7, 3, 2)
            for _ in range(5):
                decision = await store.take("a", limit, NOW)
            assert (await store.take("a", limit, NOW + decision.retry_after)).allowed
            assert not (await store.take("a", limit, NOW + decision.retry_after)).allowed

        self.run(story)

    def test_refusals_cost_nothing(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(1, 1)
            for _ in range(100):
                await store.take("a", limit, NOW)
            assert (await store.take("a", limit, NOW + 1.01)).allowed

        self.run(story)

    def test_a_look_takes_nothing(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(2, 60)
            looks = [await store.peek("a", limit, NOW) for _ in range(5)]
            assert {d.allowed for d in looks} == {True}
            assert [(await store.take("a", limit, NOW)).allowed for _ in range(2)] == [True, True]
            look = await store.peek("a", limit, NOW)
            assert (look.allowed, look.retry_after) == (False, (await store.take("a", limit, NOW)).retry_after)

        self.run(story)

    def test_keys_do_not_share(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(1, 60)
            assert [(await store.take(key, limit, NOW)).allowed for key in KEYS] == [True] * len(KEYS)
            assert [(await store.take(key, limit, NOW)).allowed for key in KEYS] == [False] * len(KEYS)

        self.run(story)

    def test_a_cost_is_taken_whole_or_not_at_all(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(10, 60)
            assert (await store.take("a", limit, NOW, 7)).remaining == 3
            assert not (await store.take("a", limit, NOW, 4)).allowed
            assert (await store.take("a", limit, NOW, 3)).remaining == 0
            for cost in (0, 11):
                with pytest.raises(ValueError, match="never fits"):
                    await store.take("b", limit, NOW, cost)
            assert (await store.take("b", limit, NOW)).remaining == 9

        self.run(story)

    def test_a_clock_that_jumps_back_an_hour_locks_nobody_out(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(1, 1)
            await store.take("a", limit, NOW)
            refused = await store.take("a", limit, NOW - 3600)
            assert refused.retry_after <= 1.01
            assert (await store.take("a", limit, NOW - 3600 + refused.retry_after)).allowed

        self.run(story)

    def test_of_many_at_once_only_the_burst_passes(self) -> None:
        async def story(store: Ledger) -> None:
            limit = Limit(60, 60, 5)
            taken = await asyncio.gather(*(store.take("a", limit, NOW) for _ in range(50)))
            assert sum(d.allowed for d in taken) == 5

        self.run(story)

    # -- what may be used once ---------------------------------------------------------------------------------

    def test_a_ticket_is_spent_once_until_it_ends(self) -> None:
        async def story(store: Ledger) -> None:
            assert await store.spend("a", NOW + 60, NOW)
            assert not await store.spend("a", NOW + 60, NOW)
            assert not await store.spend("a", NOW + 60, NOW + 59.999)
            assert not await store.spend("a", NOW + 120, NOW + 30), "naming a later end does not help"
            assert await store.spend("a", NOW + 120, NOW + 60), "what has ended is as if it had never been"

        self.run(story)

    def test_a_ticket_that_has_ended_cannot_be_spent(self) -> None:
        async def story(store: Ledger) -> None:
            assert not await store.spend("a", NOW, NOW)
            assert not await store.spend("b", NOW - 1, NOW)
            assert await store.spend("a", NOW + 1, NOW)

        self.run(story)

    def test_a_clock_that_jumps_back_a_minute_makes_nothing_unspent(self) -> None:
        async def story(store: Ledger) -> None:
            assert await store.spend("a", NOW + 1, NOW)
            assert not await store.spend("a", NOW + 1, NOW - 60)

        self.run(story)

    def test_tickets_do_not_share(self) -> None:
        async def story(store: Ledger) -> None:
            assert [await store.spend(key, NOW + 60, NOW) for key in KEYS] == [True] * len(KEYS)
            assert [await store.spend(key, NOW + 60, NOW) for key in KEYS] == [False] * len(KEYS)

        self.run(story)

    def test_of_many_at_once_one_spends(self) -> None:
        async def story(store: Ledger) -> None:
            spent = await asyncio.gather(*(store.spend("a", NOW + 60, NOW) for _ in range(50)))
            assert sum(spent) == 1

        self.run(story)

    # -- meters ------------------------------------------------------------------------------------------------

    def test_different_articles_are_counted_and_the_same_is_free(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(3, 10)
            assert [await store.meter("a", n, quota, NOW) for n in (1, 2, 2, 1, 3, 3)] == [0.0] * 6
            assert await store.meter("a", 4, quota, NOW) == HOUR
            assert await store.meter("a", 1, quota, NOW) == 0.0
            assert await store.meter("b", 4, quota, NOW) == 0.0

        self.run(story)

    def test_the_hour_slides(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(2, 10)
            for n, after in enumerate((0, 600)):
                assert await store.meter("a", n, quota, NOW + after) == 0.0
            assert await store.meter("a", 7, quota, NOW + 1000.25) == HOUR - 1000.25
            assert await store.meter("a", 7, quota, NOW + HOUR - 1) == 1.0
            assert await store.meter("a", 7, quota, NOW + HOUR) == 0.0
            assert await store.meter("a", 8, quota, NOW + HOUR) == 600.0

        self.run(story)

    def test_the_day_slides(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(2, 3)
            for n, hours in enumerate((0, 1, 2)):
                assert await store.meter("a", n, quota, NOW + hours * HOUR) == 0.0
            assert await store.meter("a", 7, quota, NOW + 3 * HOUR) == DAY - 3 * HOUR
            assert await store.meter("a", 0, quota, NOW + DAY - 1) == 0.0, "still free"
            assert await store.meter("a", 0, quota, NOW + DAY) == 0.0, "counted anew"
            assert await store.meter("a", 7, quota, NOW + DAY) == HOUR

        self.run(story)

    def test_waiting_as_told_is_enough_for_a_meter(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(2, 3)
            now = NOW + 0.1
            for n in range(12):
                now += await store.meter("a", n, quota, now)
                assert await store.meter("a", n, quota, now) == 0.0
                now += 0.3

        self.run(story)

    def test_a_quota_may_grow_and_shrink(self) -> None:
        async def story(store: Ledger) -> None:
            for n in range(5):
                assert await store.meter("a", n, Few(5, 9), NOW + n) == 0.0
            assert await store.meter("a", 5, Few(2, 9), NOW + 5) == HOUR - 5 + 3
            assert await store.meter("a", 5, Few(2, 1), NOW + 5) == DAY - 5 + 4
            assert await store.meter("a", 5, Few(6, 9), NOW + 5) == 0.0

        self.run(story)

    def test_what_is_revoked_may_have_nothing_not_even_again(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(5, 9)
            assert await store.meter("a", 1, quota, NOW) == 0.0
            await store.revoke("a", NOW + 100, NOW)
            assert [await store.meter("a", n, quota, NOW + 1) for n in (1, 2)] == [inf, inf]
            assert await store.meter("b", 1, quota, NOW + 1) == 0.0
            assert await store.meter("a", 1, quota, NOW + 100) == 0.0, "its end has come"

        self.run(story)

    @pytest.mark.no_cover
    def test_a_large_meter(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(1000, 1000)
            articles = [2**64 - 1 - n for n in range(1000)]
            assert [await store.meter("a", n, quota, NOW + i) for i, n in enumerate(articles)] == [0.0] * 1000
            assert await store.meter("a", 0, quota, NOW + 1000) == DAY - 1000
            assert await store.meter("a", articles[0], quota, NOW + 1000) == 0.0

        self.run(story)

    def test_a_meter_survives_a_clock_that_jumps_back(self) -> None:
        async def story(store: Ledger) -> None:
            quota = Few(2, 3)
            for n in range(2):
                assert await store.meter("a", n, quota, NOW + n) == 0.0
            assert await store.meter("a", 0, quota, NOW - DAY) == 0.0
            assert await store.meter("a", 2, quota, NOW - DAY) == HOUR, "no longer than anybody has to wait"
            assert await store.meter("a", 2, quota, NOW - DAY + HOUR) == 0.0

        self.run(story)

    def test_of_many_articles_at_once_the_quota_passes(self) -> None:
        async def story(store: Ledger) -> None:
            waits = await asyncio.gather(*(store.meter("a", n % 25, Few(5, 9), NOW) for n in range(50)))
            assert waits.count(0.0) == 10, "five articles, each asked for twice"

        self.run(story)

    # -- counters and sets -------------------------------------------------------------------------------------

    def test_a_counter_counts_to_its_limit_and_begins_anew_at_its_end(self) -> None:
        async def story(store: Ledger) -> None:
            assert [await store.count("a", 2, 5, NOW + 60, NOW) for _ in range(3)] == [True, True, False]
            assert await store.count("a", 1, 5, NOW + 600, NOW + 59)
            assert not await store.count("a", 1, 5, NOW + 600, NOW + 59), "a later end does not move the first"
            assert await store.count("a", 5, 5, NOW + 600, NOW + 60)
            assert not await store.count("a", 1, 5, NOW + 600, NOW + 599)
            assert await store.count("b", 5, 5, NOW + 60, NOW)
            assert not await store.count("c", 6, 5, NOW + 60, NOW)
            assert not await store.count("d", 1, 5, NOW, NOW)

        self.run(story)

    def test_a_counter_counts_far(self) -> None:
        async def story(store: Ledger) -> None:
            assert await store.count("a", 2**52 - 1, 2**52, NOW + 60, NOW)
            assert [await store.count("a", 1, 2**52, NOW + 60, NOW) for _ in range(2)] == [True, False]

        self.run(story)

    def test_of_many_counts_at_once_the_limit_passes(self) -> None:
        async def story(store: Ledger) -> None:
            added = await asyncio.gather(*(store.count("a", 1, 7, NOW + 60, NOW) for _ in range(50)))
            assert sum(added) == 7

        self.run(story)

    def test_members_stay_and_others_find_no_place(self) -> None:
        async def story(store: Ledger) -> None:
            joined = [await store.join("a", name, 2, NOW + 60, NOW) for name in ("x", "y", "z", "x", "y", "z")]
            assert joined == [True, True, False, True, True, False]
            assert await store.join("b", "z", 2, NOW + 60, NOW)
            assert await store.join("a", "x", 2, NOW + 90, NOW + 30), "who comes again stays longer"
            assert await store.join("a", "z", 2, NOW + 90, NOW + 60), "the place of y"
            assert not await store.join("a", "y", 2, NOW + 90, NOW + 60)
            assert await store.join("a", "x", 1, NOW + 90, NOW + 60), "whoever is in is in"
            assert not await store.join("c", "x", 1, NOW, NOW)

        self.run(story)

    def test_as_many_members_as_there_may_be(self) -> None:
        async def story(store: Ledger) -> None:
            assert all([await store.join("a", str(n), 64, NOW + 60 + n, NOW) for n in range(64)])
            assert not await store.join("a", "more", 64, NOW + 60, NOW)
            assert await store.join("a", "63", 64, NOW + 60, NOW + 100)

        self.run(story)

    def test_of_many_members_at_once_as_many_as_fit_join(self) -> None:
        async def story(store: Ledger) -> None:
            joined = await asyncio.gather(*(store.join("a", str(n % 10), 3, NOW + 60, NOW) for n in range(50)))
            assert sum(joined) == 15, "three members, each of them five times"

        self.run(story)

    # -- revocations -------------------------------------------------------------------------------------------

    def test_what_is_revoked_stays_so_until_the_latest_end(self) -> None:
        async def story(store: Ledger) -> None:
            assert not await store.revoked("a", NOW)
            await store.revoke("a", NOW + 60, NOW)
            await store.revoke("a", NOW + 30, NOW)
            await store.revoke("b", NOW, NOW)
            assert [await store.revoked("a", NOW + after) for after in (0, 59.9, 60)] == [True, True, False]
            assert not await store.revoked("b", NOW)
            assert not await store.revoked("c", NOW)
            await store.revoke("a", NOW + 90, NOW)
            assert await store.revoked("a", NOW + 89)

        self.run(story)

    # -- all of them -------------------------------------------------------------------------------------------

    def test_kinds_do_not_share_keys(self) -> None:
        async def story(store: Ledger) -> None:
            for key in KEYS:
                assert await store.meter(key, 1, Few(1, 1), NOW) == 0.0
                await store.revoke(key, NOW + 60, NOW)
                assert await store.spend(key, NOW + 60, NOW)
                assert await store.count(key, 1, 1, NOW + 60, NOW)
                assert await store.join(key, key, 1, NOW + 60, NOW)
                assert (await store.take(key, Limit(1, 60), NOW)).allowed

        self.run(story)

    def test_what_no_store_can_keep_is_refused(self) -> None:
        async def story(store: Ledger) -> None:
            for until in (inf, -inf, nan):
                for faulty in (
                    store.spend("a", until, NOW),
                    store.revoke("a", until, NOW),
                    store.count("a", 1, 1, until, NOW),
                    store.join("a", "b", 1, until, NOW),
                ):
                    with pytest.raises(ValueError, match="an end must be a time"):
                        await faulty
            for article, quota in (
                (-1, Few(1, 1)),
                (2**64, Few(1, 1)),
                (1, Few(0, 1)),
                (1, Few(1, 0)),
                (1, Few(1, 1001)),
            ):
                with pytest.raises(ValueError, match=r"64 bits|a quota is"):
                    await store.meter("a", article, quota, NOW)
            for amount, limit in ((0, 1), (-1, 1), (1, 2**52 + 1), (2**52 + 1, 1)):
                with pytest.raises(ValueError, match="a counter counts"):
                    await store.count("a", amount, limit, NOW + 60, NOW)
            for most in (0, 65):
                with pytest.raises(ValueError, match="a set has"):
                    await store.join("a", "b", most, NOW + 60, NOW)

        self.run(story)
