"""A decision that several processes share: one step in a redis-server on this machine, started for the run.

*Alone*: one caller, who waits for each answer before it asks again; what it takes is a round trip. *Crowd*: 64 callers
at once, who share their round trips; the time is that of one decision among them. Both through the store that falls
back on memory, as the guard has it. The same step through redis-py's own client is what they are held against.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path
from statistics import median

from redis.asyncio import Redis

from contentguard.backends.fallback import FallbackStore
from contentguard.backends.lua import TAKE, ttl
from contentguard.backends.memory import MemoryStore
from contentguard.backends.redis import RedisStore
from contentguard.limits import Limit
from tests.backends.contract import NOW, Few
from tests.backends.servers import redis_server
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, progress, ratio, there_and_back

CROWD = 64
_LIMIT, _REACHED, _QUOTA = Limit(10**9, 60), Limit(1, 3600), Few(1000, 1000)
_SECRET = b"benchmarks only benchmarks only!"
_PATIENCE = 5.0
"""Seconds: here the machine's other load is nobody's outage."""

Step = Callable[[], Awaitable[object]]


def run(options: Options) -> Figures:
    """All of them."""
    if shutil.which("redis-server") is None:
        raise MeasureError("redis: redis-server is not installed")
    progress("redis: decisions")
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        taken = asyncio.run(_measured(server.url, options))
    told = {
        "decision": "a rate limit's step, asked by one caller at a time",
        "decision_crowd": f"the same with {CROWD} callers at once, each",
        "spend": "a ticket spent",
        "meter": "an article counted by a meter",
        "refusal": "a refusal that memory is sure of, without asking",
        "client": "the same step as one EVALSHA of redis-py's client",
    }
    figures = {f"redis.{name}_us": Figure(median(taken[name]) * 1e6, "µs", what) for name, what in told.items()}
    over = ratio(taken, "decision", "client")
    return {
        **figures,
        "redis.decision_over_client": Figure(over, "×", "one caller's decision : through redis-py's client"),
    }


async def _measured(url: str, options: Options) -> Series:
    remote = RedisStore(url, secret=_SECRET, timeout=_PATIENCE)
    store, client = FallbackStore(remote, MemoryStore(secret=_SECRET)), Redis.from_url(url)
    try:
        works = await _works(store, client)
        taken: dict[str, list[float]] = {name: [] for name in works}
        for number in range(options.rounds):
            for name in there_and_back(works, number):
                taken[name].append(await _seconds(works[name], CROWD if name == "decision_crowd" else 1, options))
    finally:
        await store.aclose()
        await client.aclose()
    if store.failures:
        raise MeasureError(f"redis: not every decision came from Redis: {dict(store.failures)}")
    return taken


async def _works(store: FallbackStore, client: Redis) -> Mapping[str, Step]:
    """Name → one decision. Every caller is somebody else, as on a site with many readers."""
    numbers = count()
    name = await client.script_load(TAKE.text)
    arguments = (repr(NOW), repr(_LIMIT.capacity), repr(_LIMIT.interval), repr(_LIMIT.slack), ttl(_LIMIT.capacity))
    await store.take("reached", _REACHED, NOW)
    return {
        "decision": lambda: store.take(f"{next(numbers)}", _LIMIT, NOW),
        "decision_crowd": lambda: store.take(f"{next(numbers)}", _LIMIT, NOW),
        "spend": lambda: store.spend(f"{next(numbers)}", NOW + 1, NOW),
        "meter": lambda: store.meter(f"{next(numbers)}", 1, _QUOTA, NOW),
        "refusal": lambda: store.take("reached", _REACHED, NOW),
        "client": lambda: client.evalsha(name, 1, f"client:{next(numbers)}", *arguments),
    }


async def _seconds(step: Step, callers: int, options: Options) -> float:
    """Seconds of one step, of so many callers at once."""
    times = (200 if options.quick else 2000) // callers

    async def ask() -> None:
        for _ in range(times):
            await step()

    await step()
    start = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(callers)))
    return (time.perf_counter() - start) / (times * callers)
