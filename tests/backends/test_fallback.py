"""The shared store and memory as one: what is asked of whom, and what an outage leaves behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pytest

from contentguard.backends import Entry, Ledger, Quota, StoreError
from contentguard.backends.circuit import Circuit
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore, Pools
from contentguard.backends.redis import RedisStore
from contentguard.limits import Decision, Limit
from tests.backends.contract import NOW, Few, StoreContract
from tests.backends.servers import RedisServer, redis_server
from tests.backends.test_memory import SECRET
from tests.servers.harness import HOST, free_port

_PREFIXES = map("fallback{}:".format, count())
LIMIT, QUOTA = Limit(5, 60), Few(5, 9)
LIFE = 600.0


def over(url: str, prefix: str = "", timeout: float = 0.05) -> FallbackStore:
    """A store that falls back, on a Redis."""
    remote = RedisStore(url, secret=SECRET, prefix=prefix or next(_PREFIXES), timeout=timeout)
    return FallbackStore(remote, MemoryStore(4096, secret=SECRET), circuit=Circuit(shortest=0.1, longest=0.5))


class TestWhileAllIsWell(StoreContract):
    @pytest.fixture(autouse=True)
    def _of(self, redis: RedisServer) -> None:
        self._url = redis.url

    async def store(self) -> Ledger:
        return over(self._url, timeout=5)


class TestWhileNobodyAnswers(StoreContract):
    async def store(self) -> Ledger:
        return over(f"redis://{HOST}:{free_port()}", timeout=0.2)


# -- with a store that fails when told -----------------------------------------------------------------------------


class Flaky:
    """A ``Remote`` in memory that fails while ``fault`` says so."""

    def __init__(self) -> None:
        self.memory = MemoryStore(4096, secret=SECRET)
        self.fault: Exception | None = None
        self.asked: Counter[str] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if self.fault is not None:
            raise self.fault

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        self._ask("probe" if key == "probe" else "take")
        return self.memory.take_now(key, limit, now, cost)

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        self._ask("peek")
        return await self.memory.peek(key, limit, now)

    async def spend(self, key: str, until: float, now: float) -> bool:
        self._ask("spend")
        return await self.memory.spend(key, until, now)

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        self._ask("meter")
        return self.memory.meter_now(key, article, quota, now)

    async def count(self, key: str, amount: int, limit: int, until: float, now: float) -> bool:
        self._ask("count")
        return self.memory.count_now(key, amount, limit, until, now)

    async def join(self, key: str, member: str, most: int, until: float, now: float) -> bool:
        self._ask("join")
        return self.memory.join_now(key, member, most, until, now)

    async def revoke(self, name: str, until: float, now: float) -> None:
        self._ask("revoke")
        self.memory.revoke_now(name, until, now)

    async def revoked(self, name: str, now: float) -> bool:
        self._ask("revoked")
        return self.memory.revoked_now(name, now)

    async def restore(self, spent: Iterable[Entry], revoked: Iterable[Entry], now: float) -> None:
        self._ask("restore")
        spent, revoked = list(spent), list(revoked)
        await self.gate.wait()
        for name, until in spent:
            self.memory.spent.add(name, until, now)
        for name, until in revoked:
            self.memory.revocations.insist(name, until, now)

    async def aclose(self) -> None:
        self.asked["aclose"] += 1


def beside(remote: Flaky, pools: Pools | None = None, shortest: float = 0.01) -> FallbackStore:
    """One process's store on it."""
    local = MemoryStore(4096, secret=SECRET, pools=pools)
    circuit = Circuit(shortest=shortest, longest=0.02)
    return FallbackStore(remote, local, circuit=circuit, clock=lambda: NOW, chance=lambda: 0.5)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that is done in the background."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        await asyncio.sleep(0.005)


async def everything(store: Ledger, name: str) -> list[object]:
    """What each method answers."""
    return [
        (await store.take(name, LIMIT, NOW)).allowed,
        (await store.peek(name, LIMIT, NOW)).remaining,
        await store.spend(name, NOW + LIFE, NOW),
        await store.meter(name, 1, QUOTA, NOW),
        await store.count(name, 1, 1, NOW + LIFE, NOW),
        await store.join(name, name, 1, NOW + LIFE, NOW),
        await store.revoked(name, NOW),
    ]


def test_every_question_is_answered_whatever_the_shared_store_does() -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote, shortest=60)
        well = await everything(store, "a")
        assert (store.local, store.failures) == (Counter(), Counter())
        remote.fault = StoreError("timeout")
        assert await everything(store, "b") == well
        await store.revoke("b", NOW + LIFE, NOW)
        assert await store.revoked("b", NOW)
        names = ("take", "peek", "spend", "meter", "count", "join", "revoked", "revoke")
        assert store.local == dict.fromkeys(names, 1)
        assert store.failures == {"timeout": 5}
        assert (store.degraded, store.outages) == (True, 1)
        assert remote.asked["count"] == 2
        assert remote.asked["join"] == 1, "from the fifth failure on it is left alone"
        await store.aclose()
        assert remote.asked["aclose"] == 1

    asyncio.run(story())


def test_a_fault_of_another_kind_is_a_failure_and_a_senseless_question_is_not() -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote)
        for _ in range(9):
            with pytest.raises(ValueError, match="never fits"):
                await store.take("a", LIMIT, NOW, 99)
            with pytest.raises(ValueError, match="a quota is"):
                await store.meter("a", 1, Few(0, 0), NOW)
        assert not store.failures
        remote.fault = RuntimeError("a bug")
        assert (await store.take("a", LIMIT, NOW)).allowed
        assert store.failures == {"other": 1}
        assert not store.degraded

    asyncio.run(story())


def test_it_is_tried_again_in_the_background_until_it_answers(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote)
        remote.fault = StoreError("connection", "refused")
        for n in range(5):
            await store.take(f"{n}", LIMIT, NOW)
        await until(lambda: remote.asked["probe"] >= 3)
        assert remote.asked["take"] == 5
        remote.fault = None
        await until(lambda: not store.degraded)
        await store.take("a", LIMIT, NOW)
        assert remote.asked["take"] == 6
        for n in range(4):
            remote.fault = StoreError("connection")
            await store.take(f"again {n}", LIMIT, NOW)
        assert not store.degraded, "old failures are forgotten"
        await store.aclose()

    with caplog.at_level(logging.WARNING, "contentguard.store"):
        asyncio.run(story())
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        "the shared store does not answer",
        "the shared store answers again",
    ]


def test_what_memory_is_sure_of_is_not_asked_about() -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote)
        taken = [await store.take("a", LIMIT, NOW) for _ in range(20)]
        assert [decision.allowed for decision in taken] == [True] * 5 + [False] * 15
        assert taken[-1].retry_after == pytest.approx(12.0, abs=1e-3)
        assert not (await store.peek("a", LIMIT, NOW)).allowed
        assert remote.asked == {"take": 5}, "the fifth answer says that the bucket is empty"
        assert [await store.meter("a", 1, QUOTA, NOW) for _ in range(9)] == [0.0] * 9
        assert [await store.spend("a", NOW + LIFE, NOW) for _ in range(9)] == [True] + [False] * 8
        assert remote.asked == {"take": 5, "meter": 1, "spend": 1}
        assert (await store.take("a", LIMIT, NOW + 12.001)).allowed

    asyncio.run(story())


def test_a_clock_that_jumps_back_makes_memory_sure_of_nothing() -> None:
    async def story() -> None:
        store = beside(Flaky())
        for _ in range(6):
            last = await store.take("a", LIMIT, NOW)
        assert not last.allowed
        early = await store.take("a", LIMIT, NOW - 3600)
        assert early.retry_after <= 12.001
        assert (await store.take("a", LIMIT, NOW - 3600 + 12.001)).allowed

    asyncio.run(story())


def test_an_outage_finds_every_limit_where_it_was() -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote, shortest=60)
        for n in range(4):
            assert (await store.take("a", LIMIT, NOW)).allowed
            assert await store.meter("a", n, QUOTA, NOW) == 0.0
            assert await store.count("a", 1, 5, NOW + LIFE, NOW)
            assert await store.join("a", f"{n}", 5, NOW + LIFE, NOW)
        remote.fault = StoreError("connection")
        assert [(await store.take("a", LIMIT, NOW)).allowed for _ in range(2)] == [True, False]
        assert [await store.meter("a", n, QUOTA, NOW) for n in (0, 4, 5)] == [0.0, 0.0, 3600.0]
        assert [await store.count("a", 1, 5, NOW + LIFE, NOW) for _ in range(2)] == [True, False]
        assert [await store.join("a", f"{n}", 5, NOW + LIFE, NOW) for n in (0, 4, 5)] == [True, True, False]
        await store.aclose()

    asyncio.run(story())


def test_what_others_have_used_up_is_used_up() -> None:
    async def story() -> None:
        remote = Flaky()
        store, other = beside(remote), beside(remote)
        for n in range(5):
            await other.take("a", LIMIT, NOW)
            await other.meter("a", n, QUOTA, NOW)
            await other.count("a", 1, 5, NOW + LIFE, NOW)
            await other.join("a", f"{n}", 5, NOW + LIFE, NOW)
        assert not (await store.take("a", LIMIT, NOW)).allowed
        assert await store.meter("a", 5, QUOTA, NOW) == 3600.0
        assert not await store.count("a", 1, 5, NOW + LIFE, NOW)
        assert not await store.join("a", "5", 5, NOW + LIFE, NOW)
        await other.revoke("a", NOW + LIFE, NOW)
        assert await store.revoked("a", NOW)

    asyncio.run(story())


def test_what_was_spent_and_revoked_in_an_outage_stays_so_here_and_becomes_so_everywhere() -> None:
    async def story() -> None:
        remote = Flaky()
        store, other = beside(remote), beside(remote)
        remote.fault = StoreError("connection")
        for n in range(9):
            assert await store.spend(f"{n}", NOW + LIFE, NOW)
        await store.revoke("pass", NOW + LIFE, NOW)
        assert store.degraded
        remote.fault = None
        await until(lambda: not store.degraded)
        assert not any([await store.spend(f"{n}", NOW + LIFE, NOW) for n in range(9)])
        assert not any([await other.spend(f"{n}", NOW + LIFE, NOW) for n in range(9)])
        assert await other.revoked("pass", NOW)

    asyncio.run(story())


def test_what_was_spent_in_a_hiccup_is_told_too() -> None:
    async def story() -> None:
        remote = Flaky()
        store, other = beside(remote), beside(remote)
        remote.fault = StoreError("timeout")
        assert await store.spend("a", NOW + LIFE, NOW)
        await store.revoke("b", NOW + LIFE, NOW)
        assert not store.degraded
        remote.fault = None
        await until(lambda: remote.asked["restore"] > 0 and store._repair is None)
        assert not await other.spend("a", NOW + LIFE, NOW)
        assert await other.revoked("b", NOW)

    asyncio.run(story())


def test_the_shared_store_is_trusted_only_when_it_knows_everything() -> None:
    async def story() -> None:
        remote = Flaky()
        store, other = beside(remote), beside(remote)
        remote.fault = StoreError("connection")
        for n in range(5):
            await store.spend(f"{n}", NOW + LIFE, NOW)
        remote.gate.clear()
        remote.fault = None
        await until(lambda: remote.asked["restore"] > 0)
        assert store.degraded
        assert await store.spend("meanwhile", NOW + LIFE, NOW)
        remote.gate.set()
        await until(lambda: not store.degraded)
        assert remote.asked["restore"] == 2
        assert not await other.spend("meanwhile", NOW + LIFE, NOW)

    asyncio.run(story())


@pytest.mark.parametrize("seconds_each", [0.0002, 0.002], ids=["faster than they come", "slower than they come"])
def test_the_shared_store_is_trusted_again_however_much_comes_meanwhile(seconds_each: float) -> None:
    async def story() -> None:
        remote = Flaky()
        store, other = beside(remote), beside(remote)
        tell, told, spent = remote.restore, list[int](), list[str]()

        async def restore(spent: Iterable[Entry], revoked: Iterable[Entry], now: float) -> None:
            spent = list(spent)
            told.append(len(spent))
            await asyncio.sleep(len(spent) * seconds_each)
            await tell(spent, revoked, now)

        remote.restore = restore  # type: ignore[method-assign]
        remote.fault = StoreError("connection")
        while store.degraded or not store.outages:
            spent.append(f"{len(spent)}")
            await store.spend(spent[-1], NOW + LIFE, NOW)
            if len(spent) == 300:
                remote.fault = None
            assert len(spent) < 50_000, "it is never trusted again"
            await asyncio.sleep(0.001 if len(spent) > 300 else 0)
        await until(lambda: store._repair is None)
        assert len(told) < 12
        assert not any([await other.spend(ticket, NOW + LIFE, NOW) for ticket in spent])

    asyncio.run(story())


def test_a_store_that_fails_again_while_it_is_told_is_tried_again() -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote)
        remote.fault = StoreError("connection")
        for n in range(5):
            await store.spend(f"{n}", NOW + LIFE, NOW)
        failing, remote.fault = remote.restore, None

        async def restore(spent: Iterable[Entry], revoked: Iterable[Entry], now: float) -> None:
            remote.restore = failing  # type: ignore[method-assign]
            raise StoreError("full")

        remote.restore = restore  # type: ignore[method-assign]
        await until(lambda: not store.degraded)
        assert store.failures["full"] == 1
        assert remote.asked["restore"] == 1
        assert not await beside(remote).spend("3", NOW + LIFE, NOW)

    asyncio.run(story())


def test_a_full_memory_leaves_it_to_the_shared_store_and_accepts_nothing_alone() -> None:
    async def story() -> None:
        remote = Flaky()
        store = beside(remote, Pools(spent=16))
        assert all([await store.spend(f"{n}", NOW + LIFE, NOW) for n in range(64)])
        assert not any([await store.spend(f"{n}", NOW + LIFE, NOW) for n in range(64)])
        remote.fault = StoreError("connection")
        assert not any([await store.spend(f"{n}", NOW + LIFE, NOW) for n in range(128)])
        await store.aclose()

    asyncio.run(story())


# -- with a real one -----------------------------------------------------------------------------------------------


def _full(server: RedisServer) -> None:
    server.say("CONFIG", "SET", "maxmemory", "1")


def _emptied(server: RedisServer) -> None:
    server.say("CONFIG", "SET", "maxmemory", "0")


def _replica(server: RedisServer) -> None:
    server.say("REPLICAOF", HOST, "1")


def _primary(server: RedisServer) -> None:
    server.say("REPLICAOF", "NO", "ONE")


def _loading(server: RedisServer) -> None:
    server.say("DEBUG", "POPULATE", "3000")
    server.say("SAVE")
    server.kill()
    server.start("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024", wait=False)


def _loaded(server: RedisServer) -> None:
    pass


def _restarted(server: RedisServer) -> None:
    server.start()


FAULTS: dict[str, tuple[Callable[[RedisServer], None], Callable[[RedisServer], None], set[str]]] = {
    "hanging": (RedisServer.pause, RedisServer.resume, {"timeout"}),
    "killed": (RedisServer.kill, _restarted, {"connection"}),
    "full": (_full, _emptied, {"full"}),
    "a replica": (_replica, _primary, {"readonly"}),
    "loading": (_loading, _loaded, {"loading", "connection", "timeout"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_of_a_real_one(fault: str, tmp_path: Path) -> None:
    fails, mends, kinds = FAULTS[fault]

    async def story(server: RedisServer) -> None:
        store, other = over(server.url, "shared:", timeout=0.2), over(server.url, "shared:", timeout=0.2)
        now = time.time()
        assert await store.spend("before", now + LIFE, now)
        fails(server)
        start = time.monotonic()
        answers = await asyncio.gather(*(store.spend(f"{n // 2}", now + LIFE, now) for n in range(40)))
        assert sum(answers) == 20, "each once"
        assert (await store.take("a", LIMIT, now)).allowed
        assert store.degraded or fault == "loading"
        assert time.monotonic() - start < 5
        assert set(store.failures) & kinds
        mends(server)
        await until(lambda: not store.degraded and store._repair is None)
        again = [await store.spend(f"{n}", now + LIFE, now) for n in ("before", *range(20))]
        assert not any(again), "not by the same process"
        await until(lambda: not other.degraded)
        again = [await other.spend(f"{n}", now + LIFE, now) for n in ("before", *range(20))]
        assert not any(again), "nor by another, though the store may have lost all it knew"
        assert await other.spend("after", now + LIFE, now)
        assert not await store.spend("after", now + LIFE, now)
        await store.aclose()
        await other.aclose()

    with redis_server(tmp_path, "--enable-debug-command", "local") as server:
        asyncio.run(story(server))
