"""What every store must do. A test module makes a subclass of ``StoreContract`` with its own ``store``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from contentguard.backends import Store
from contentguard.limits import Decision, Limit

NOW = 1.8e9


class StoreContract:
    """Subclass it, name the class ``Test…`` and return a fresh, empty store."""

    async def store(self) -> Store:
        raise NotImplementedError

    def run(self, story: Callable[[Store], Awaitable[None]]) -> None:
        async def told() -> None:
            await story(await self.store())

        asyncio.run(told())

    def test_a_burst_passes_and_the_next_waits(self) -> None:
        async def story(store: Store) -> None:
            limit = Limit(60, 60, 3)
            taken = [await store.take("a", limit, NOW) for _ in range(4)]
            assert [d.allowed for d in taken] == [True, True, True, False]
            assert [d.remaining for d in taken] == [2, 1, 0, 0]
            assert taken[3].retry_after == pytest.approx(1, abs=1e-3)
            assert all(isinstance(d, Decision) for d in taken)

        self.run(story)

    def test_waiting_as_told_is_enough(self) -> None:
        async def story(store: Store) -> None:
            limit = Limit(7, 3, 2)
            for _ in range(5):
                decision = await store.take("a", limit, NOW)
            assert (await store.take("a", limit, NOW + decision.retry_after)).allowed
            assert not (await store.take("a", limit, NOW + decision.retry_after)).allowed

        self.run(story)

    def test_refusals_cost_nothing(self) -> None:
        async def story(store: Store) -> None:
            limit = Limit(1, 1)
            for _ in range(100):
                await store.take("a", limit, NOW)
            assert (await store.take("a", limit, NOW + 1.01)).allowed

        self.run(story)

    def test_a_look_takes_nothing(self) -> None:
        async def story(store: Store) -> None:
            limit = Limit(2, 60)
            looks = [await store.peek("a", limit, NOW) for _ in range(5)]
            assert {d.allowed for d in looks} == {True}
            assert [(await store.take("a", limit, NOW)).allowed for _ in range(2)] == [True, True]
            look = await store.peek("a", limit, NOW)
            assert (look.allowed, look.retry_after) == (False, (await store.take("a", limit, NOW)).retry_after)

        self.run(story)

    def test_keys_do_not_share(self) -> None:
        async def story(store: Store) -> None:
            limit = Limit(1, 60)
            keys = [
                "a",
                "A",
                "",
                "a" * 10_000,
                "a" * 10_001,
                "ключ",
                "a\x00b",
                "a b",
                "a\nb",
                "{a}",
                "\ud800",
            ]
            assert [(await store.take(key, limit, NOW)).allowed for key in keys] == [True] * len(keys)
            assert [(await store.take(key, limit, NOW)).allowed for key in keys] == [False] * len(keys)

        self.run(story)

    def test_a_cost_is_taken_whole_or_not_at_all(self) -> None:
        async def story(store: Store) -> None:
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
        async def story(store: Store) -> None:
            limit = Limit(1, 1)
            await store.take("a", limit, NOW)
            refused = await store.take("a", limit, NOW - 3600)
            assert refused.retry_after <= 1.01
            assert (await store.take("a", limit, NOW - 3600 + refused.retry_after)).allowed

        self.run(story)

    def test_of_many_at_once_only_the_burst_passes(self) -> None:
        async def story(store: Store) -> None:
            limit = Limit(60, 60, 5)
            taken = await asyncio.gather(*(store.take("a", limit, NOW) for _ in range(50)))
            assert sum(d.allowed for d in taken) == 5

        self.run(story)
