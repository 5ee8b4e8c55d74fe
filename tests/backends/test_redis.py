"""The Redis store: the contract, the answers of memory to the last bit, many hands at once, and restarts."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contentguard.backends import Ledger, StoreError
from contentguard.backends.lua import LEEWAY
from contentguard.backends.memory import MemoryStore
from contentguard.backends.names import Names
from contentguard.backends.redis import RedisStore
from contentguard.limits import Limit
from tests.backends.contract import NOW, Few, StoreContract
from tests.backends.servers import RedisServer, redis_server
from tests.backends.test_memory import SECRET
from tests.servers.harness import HOST, ROOT, environment, free_port

_PREFIXES = map("test{}:".format, count())


@asynccontextmanager
async def opened(url: str, prefix: str = "", **options: Any) -> AsyncIterator[RedisStore]:
    """A store with keys of its own, closed at the end."""
    store = RedisStore(url, secret=SECRET, prefix=prefix or next(_PREFIXES), **{"timeout": 5, **options})
    try:
        yield store
    finally:
        await store.aclose()


class TestRedisStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _of(self, redis: RedisServer) -> None:
        self._url = redis.url

    async def store(self) -> Ledger:
        return RedisStore(self._url, secret=SECRET, prefix=next(_PREFIXES), timeout=5)


# -- the same as memory --------------------------------------------------------------------------------------------

Op = Callable[[Ledger, float], Awaitable[object]]
_KEYS = st.sampled_from(["a", "b", "ключ"])
_LIVES = st.sampled_from([-1.0, 0.0, 0.25, 1.0, 59.7, 3600.0, 86_400.0, 1e9]) | st.floats(0, 200)
_GAPS = st.sampled_from([0.0, 0.3, 1.0, 599.0, 3600.0, 86_399.9, 86_400.0, -1.0, -50.0]) | st.floats(0, 100)
_LIMITS = st.builds(Limit, st.integers(1, 9), st.floats(0.1, 1000), st.integers(1, 9))


def _take(key: str, limit: Limit, cost: int) -> Op:
    named = f"{key} {limit}"
    return lambda store, now: store.take(named, limit, now, min(cost, limit.size))


def _peek(key: str, limit: Limit) -> Op:
    return lambda store, now: store.peek(f"{key} {limit}", limit, now)


def _spend(key: str, life: float) -> Op:
    return lambda store, now: store.spend(key, now + life, now)


def _meter(key: str, article: int, hour: int, day: int) -> Op:
    return lambda store, now: store.meter(key, article, Few(hour, day), now)


def _count(key: str, amount: int, limit: int, life: float) -> Op:
    return lambda store, now: store.count(key, amount, limit, now + life, now)


def _join(key: str, member: str, most: int, life: float) -> Op:
    return lambda store, now: store.join(key, member, most, now + life, now)


def _revoke(key: str, life: float) -> Op:
    return lambda store, now: store.revoke(key, now + life, now)


def _revoked(key: str) -> Op:
    return lambda store, now: store.revoked(key, now)


_OPS = (
    st.builds(_take, _KEYS, _LIMITS, st.integers(1, 4))
    | st.builds(_peek, _KEYS, _LIMITS)
    | st.builds(_spend, _KEYS, _LIVES)
    | st.builds(_meter, _KEYS, st.integers(0, 5) | st.just(2**64 - 1), st.integers(1, 4), st.integers(1, 6))
    | st.builds(_count, _KEYS, st.integers(1, 4), st.integers(0, 9), _LIVES)
    | st.builds(_join, _KEYS, _KEYS, st.integers(1, 3), _LIVES)
    | st.builds(_revoke, _KEYS, _LIVES)
    | st.builds(_revoked, _KEYS)
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_OPS, _GAPS), min_size=1, max_size=40), st.floats(0, 1))
def test_memory_and_redis_give_the_same_answers(
    redis: RedisServer, steps: list[tuple[Op, float]], start: float
) -> None:
    async def story() -> None:
        memory, now = MemoryStore(64, secret=SECRET), NOW + start
        async with opened(redis.url) as remote:
            for op, gap in steps:
                now += gap
                assert await op(remote, now) == await op(memory, now)

    asyncio.run(story())


# -- many hands ----------------------------------------------------------------------------------------------------


def test_of_eight_processes_that_spend_one_ticket_at_once_one_succeeds(redis: RedisServer) -> None:
    tickets = 25
    command = [sys.executable, "-m", "tests.backends.spender", redis.url, next(_PREFIXES), str(tickets)]
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True) for _ in range(8)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        had = [list(map(int, worker.communicate(timeout=60)[0].split())) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    assert [sum(successes) for successes in zip(*had, strict=True)] == [1] * tickets


def test_a_thousand_callers_at_once_are_a_few_round_trips(redis: RedisServer) -> None:
    def reads() -> int:
        found = re.search(rb"total_reads_processed:(\d+)", redis.say("INFO", "stats"))
        assert found
        return int(found[1])

    async def story() -> None:
        async with opened(redis.url) as store:
            await store.take("connect", Limit(1, 1), NOW)
            before = reads()
            taken = await asyncio.gather(*(store.take("a", Limit(60, 60), NOW) for _ in range(1000)))
            assert sum(decision.allowed for decision in taken) == 60
            assert reads() - before < 30

    asyncio.run(story())


# -- keys ----------------------------------------------------------------------------------------------------------


async def _everything(store: Ledger, name: str) -> None:
    await store.take(name, Limit(1, 60), NOW)
    await store.spend(name, NOW + 300, NOW)
    await store.meter(name, 1, Few(1, 1), NOW)
    await store.count(name, 1, 5, NOW + 500, NOW)
    await store.join(name, name, 3, NOW + 500, NOW)
    await store.revoke(name, NOW + 900, NOW)


def test_every_key_has_its_prefix_a_hash_and_an_end(redis: RedisServer) -> None:
    async def story() -> None:
        async with opened(redis.url, prefix="kept apart:", tag="cg") as store:
            await _everything(store, "192.0.2.77")
            await store.join("192.0.2.77", "192.0.2.78", 3, NOW + 100, NOW)

    asyncio.run(story())
    keys = re.findall(rb"kept apart:\S+", redis.say("KEYS", "kept apart:*"))
    name = Names(SECRET)("192.0.2.77").hex()
    lives = {"bucket": 60, "spent": 300, "meter": 86_400, "counter": 500, "set": 500, "revoked": 900}
    assert {key.decode() for key in keys} == {f"kept apart:{{cg}}:{kind}:{name}" for kind in lives}
    for kind, life in lives.items():
        key = f"kept apart:{{cg}}:{kind}:{name}"
        assert life < int(redis.say("TTL", key)[1:]) <= life + LEEWAY
        assert b"192.0.2" not in redis.say("DUMP", key)


def test_what_lasts_for_ever_has_an_end_all_the_same(redis: RedisServer) -> None:
    async def story() -> None:
        async with opened(redis.url, prefix="for ever:") as store:
            assert await store.spend("a", 1e300, NOW)
            assert not await store.spend("a", 1e300, NOW + 1e9)
            assert (await store.take("a", Limit(1, 1e200), NOW)).allowed

    asyncio.run(story())
    for key in re.findall(rb"for ever:\S+", redis.say("KEYS", "for ever:*")):
        assert 0 < int(redis.say("TTL", key.decode())[1:]) < 4e8


def test_stores_with_different_secrets_know_nothing_of_each_other(redis: RedisServer) -> None:
    async def story() -> None:
        async with opened(redis.url, prefix="shared:") as store:
            assert await store.spend("a", NOW + 60, NOW)
        other = RedisStore(redis.url, secret=SECRET[::-1], prefix="shared:", timeout=5)
        assert await other.spend("a", NOW + 60, NOW)
        await other.aclose()
        async with opened(redis.url, prefix="shared:") as store:
            assert not await store.spend("a", NOW + 60, NOW)

    asyncio.run(story())


def test_what_another_process_knows_is_written_back(redis: RedisServer) -> None:
    async def story() -> None:
        local = MemoryStore(64, secret=SECRET)
        for n in range(300):
            local.spend_now(f"{n}", NOW + 60 + n, NOW)
        local.revoke_now("r", NOW + 90, NOW)
        async with opened(redis.url) as store:
            assert await store.spend("0", NOW + 60, NOW)
            await store.restore(*local.known(NOW), NOW)
            assert not any([await store.spend(f"{n}", NOW + 999, NOW) for n in range(300)])
            assert await store.spend("10", NOW + 999, NOW + 70)
            assert await store.revoked("r", NOW + 89)
            assert not await store.revoked("r", NOW + 90)

    asyncio.run(story())


# -- trouble -------------------------------------------------------------------------------------------------------


async def _kind_of(store: RedisStore) -> str:
    with pytest.raises(StoreError) as raised:
        await store.spend("a", NOW + 60, NOW)
    return raised.value.kind


def test_scripts_are_loaded_again_when_they_are_gone(redis: RedisServer) -> None:
    async def story() -> None:
        async with opened(redis.url) as store:
            assert await store.spend("a", NOW + 60, NOW)
            redis.say("SCRIPT", "FLUSH")
            spent = await asyncio.gather(*(store.spend(f"{n % 5}", NOW + 60, NOW) for n in range(20)))
            assert sum(spent) == 5, "what was sent again had not been carried out"
            assert not await store.spend("a", NOW + 60, NOW)

    asyncio.run(story())


def test_a_restart_costs_one_failure_and_then_it_goes_on(tmp_path: Path) -> None:
    async def story(server: RedisServer) -> None:
        async with opened(server.url) as store:
            assert await store.spend("a", NOW + 60, NOW)
            server.kill()
            assert await _kind_of(store) == "connection"
            assert await _kind_of(store) == "connection"
            server.start()
            assert await store.spend("a", NOW + 60, NOW), "this one had kept nothing"

    with redis_server(tmp_path) as server:
        asyncio.run(story(server))


def test_a_connection_that_was_closed_while_idle_costs_nothing(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contentguard.backends.redis._IDLE", 0.05)

    async def story() -> None:
        async with opened(redis.url) as store:
            assert await store.spend("a", NOW + 60, NOW)
            redis.say("CLIENT", "KILL", "TYPE", "normal")
            await asyncio.sleep(0.1)
            assert not await store.spend("a", NOW + 60, NOW)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (("REPLICAOF", HOST, "1"), "readonly"),
        (("CONFIG", "SET", "maxmemory", "1"), "full"),
        (("ACL", "SETUSER", "default", "-evalsha"), "denied"),
        (("CLIENT", "PAUSE", "60000"), "timeout"),
    ],
)
def test_trouble_has_a_name(command: tuple[str, ...], kind: str, tmp_path: Path) -> None:
    async def story(server: RedisServer) -> None:
        async with opened(server.url, timeout=0.3) as store:
            assert await store.spend("before", NOW + 60, NOW)
            server.say(*command)
            assert await _kind_of(store) == kind

    with redis_server(tmp_path) as server:
        asyncio.run(story(server))


def test_a_primary_that_became_a_replica_is_left(tmp_path: Path) -> None:
    """A name leads to the new primary by then, and the old one, which answers, would be asked until it goes down."""

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def story(old: RedisServer, new: RedisServer) -> None:
        named, ended = [old.port], asyncio.Semaphore(0)

        async def led(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection(HOST, named[0])
            await asyncio.gather(through(reader, back), through(there, writer))
            await asyncio.gather(back.wait_closed(), writer.wait_closed(), return_exceptions=True)
            ended.release()

        name = await asyncio.start_server(led, HOST, 0)
        async with name, opened(f"redis://{HOST}:{name.sockets[0].getsockname()[1]}") as store:
            assert await store.spend("before", NOW + 60, NOW)
            named[0] = new.port
            assert not await store.spend("before", NOW + 60, NOW), "one that answers is kept"
            old.say("REPLICAOF", HOST, "1")
            assert await _kind_of(store) == "readonly"
            assert await store.spend("after", NOW + 60, NOW)
            await store.aclose()
            for _ in range(2):
                await ended.acquire()

    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with redis_server(tmp_path / "old") as old, redis_server(tmp_path / "new") as new:
        asyncio.run(story(old, new))


RIGHTS = (
    "~contentguard:* -@all +ping +select +script|load +evalsha +get +set +expire +ttl +hmget +hset +zadd +zcard "
    "+zcount +zrange +zrangebyscore +zremrangebyscore +zscore"
)
"""What README says that a user of the store needs."""


def test_a_user_with_no_more_rights_than_readme_says(tmp_path: Path) -> None:
    assert f"`{RIGHTS}`" in " ".join((ROOT / "README.md").read_text("utf-8").split())

    async def story(server: RedisServer) -> None:
        server.say("ACL", "SETUSER", "guard", "on", ">p#ss@w/rd", "resetkeys", "resetchannels", *RIGHTS.split())
        url = server.url.replace("//", "//guard:p%23ss%40w%2Frd@").replace("/0", "/3")
        async with opened(url, prefix="contentguard:") as store:
            assert (await store.take("a", Limit(1, 60.0, 1), NOW)).allowed
            assert not (await store.peek("a", Limit(1, 60.0, 1), NOW)).allowed
            assert await store.spend("a", NOW + 60, NOW)
            assert await store.meter("a", 1, Few(1, 1), NOW) == 0.0
            assert await store.count("a", 1, 1, NOW + 60, NOW)
            assert await store.join("a", "b", 1, NOW + 60, NOW)
            await store.revoke("b", NOW + 60, NOW)
            assert await store.revoked("b", NOW)
            await store.restore([(b"x" * 16, NOW + 60)], [(b"y" * 16, NOW + 60)], NOW)
        server.say("ACL", "SETUSER", "guard", "-script|load")
        server.say("SCRIPT", "FLUSH")
        async with opened(url, prefix="contentguard:") as store:
            with pytest.raises(StoreError, match="script") as raised:
                await store.spend("c", NOW + 60, NOW)
            assert raised.value.kind == "denied", "and not that there is no such script"

    with redis_server(tmp_path) as server:
        asyncio.run(story(server))


def test_only_who_has_the_password_is_let_in(tmp_path: Path) -> None:
    async def story(server: RedisServer) -> None:
        async with opened(server.url) as store:
            assert await _kind_of(store) == "denied"
        async with opened(server.url.replace("//", "//:wrong@")) as store:
            assert await _kind_of(store) == "denied"
        async with opened(server.url.replace("//", "//:secret@")) as store:
            assert await store.spend("a", NOW + 60, NOW)

    with redis_server(tmp_path, "--requirepass", "secret") as server:
        asyncio.run(story(server))


def test_a_server_that_is_still_loading_says_so(tmp_path: Path) -> None:
    async def story(server: RedisServer) -> None:
        async with opened(server.url) as store:
            for start in range(0, 3000, 500):
                await asyncio.gather(*(store.spend(f"{n}", NOW + 600, NOW) for n in range(start, start + 500)))
        server.say("SAVE")
        server.kill()
        slowly = ("--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024")
        server.start(*slowly, wait=False)
        async with opened(server.url) as store:
            kinds = ["connection"]
            while kinds[-1] == "connection":  # it does not listen yet
                await asyncio.sleep(0.01)
                kinds.append(await _kind_of(store))
            assert kinds[-1] == "loading"

    with redis_server(tmp_path) as server:
        asyncio.run(story(server))


def test_nobody_there(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(f"redis://{HOST}:{free_port()}") as store:
            assert await _kind_of(store) == "connection"

    asyncio.run(story())


@asynccontextmanager
async def pretending(answer: Callable[[bytes], Awaitable[bytes]]) -> AsyncIterator[str]:
    """The URL of something that is no Redis; ``answer`` makes its answer of what it is sent."""
    handlers: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with suppress(ConnectionError):
            while said := await reader.read(65536):
                writer.write(await answer(said))
        writer.transport.abort()

    async with await asyncio.start_server(talk, HOST, 0) as server:
        yield "redis://{}:{}".format(*server.sockets[0].getsockname())
    await asyncio.gather(*handlers)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$-7\r\n", b"$99999999999999\r\n", b"*1\r\n:1\r\n"]
)
def test_somebody_else_there(said: bytes) -> None:
    async def answer(_: bytes) -> bytes:
        return said

    async def story() -> None:
        async with pretending(answer) as url, opened(url, timeout=0.5) as store:
            assert await _kind_of(store) in {"connection", "timeout", "other"}

    asyncio.run(story())


def test_a_slow_connection_is_there_for_the_next() -> None:
    """It takes longer to be made than a caller may wait: that caller fails, and the connection is made all the same."""
    asked: list[bytes] = []

    async def answer(said: bytes) -> bytes:
        await asyncio.sleep(0.0 if asked else 0.4)
        asked.append(said)
        return b":1\r\n" * len(re.findall(rb"\*\d+\r\n\$", said))

    async def story() -> None:
        async with pretending(answer) as url, opened(url, timeout=0.2) as store:
            assert await _kind_of(store) == "timeout"
            await asyncio.sleep(0.5)
            assert await store.spend("a", NOW + 60, NOW)
            assert b"".join(asked).count(b"LIB-NAME") == 1, "the same connection"

    asyncio.run(story())


def test_it_ends_while_it_connects(redis: RedisServer) -> None:
    async def story() -> None:
        redis.pause()
        try:
            async with opened(redis.url, timeout=0.02) as store:
                assert await _kind_of(store) == "timeout"
        finally:
            redis.resume()

    asyncio.run(story())


@pytest.mark.parametrize("url", ["http://example.com", "nonsense", "redis://x:notaport"])
def test_an_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|port|invalid literal"):
        RedisStore(url, secret=SECRET)
