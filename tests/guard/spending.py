"""A process that asks for as many cold articles as it can, for tests: prints how many a guard has given it."""

from __future__ import annotations

import asyncio
import sys
import time

from contentguard.admission.maturity import Trust
from contentguard.backends.fallback import FallbackStore
from contentguard.guard import Guard
from contentguard.limits import Limit
from tests.client import settings

PER_HOUR, SECONDS = 3600, 4.0


async def spend(url: str, name: str) -> tuple[int, int, int]:
    """How many of its strangers got a cold article, how many asked, and how often Redis did not answer in time."""
    guard = Guard(
        settings(
            store=url,
            reading={"mode": "progressive"},
            governor={
                "cold_articles_per_hour": PER_HOUR,
                "cold_articles_per_hour_most": PER_HOUR,
                "processes": 2,
            },
        )
    )
    admissions = guard.admissions
    assert admissions is not None
    # The connection is made, and found to be quick, before anything counts.
    for _ in range(20):
        await guard.store.peek("warm", Limit(1, 1.0), time.time())
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.time()
    given = asked = 0
    while time.time() < start + SECONDS:
        asked += 1
        ruling = admissions.governor.view(f"/{name}/{asked}", 1, f"{name} {asked}", Trust.STRANGER, time.time())
        if ruling.ask:
            ruling = await admissions.ceiling.settle(ruling, time.time())
        given += not ruling.wait
        await asyncio.sleep(0.002)
    store = guard.store
    assert isinstance(store, FallbackStore)
    await guard.aclose()
    return given, asked, store.failures.total()


if __name__ == "__main__":
    print(*asyncio.run(spend(sys.argv[1], sys.argv[2])))
