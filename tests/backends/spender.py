"""``python -m tests.backends.spender URL PREFIX TICKETS``: one of several processes that spend the same tickets.

Says ``ready``, waits for a line, tries each ticket twenty times at once, and prints how often it had each.
"""

from __future__ import annotations

import asyncio
import sys

from contentguard.backends.redis import RedisStore
from contentguard.limits import Limit

NOW, SECRET = 1.8e9, b"eight processes, one ticket"


async def spend(url: str, prefix: str, tickets: int) -> None:
    """All of it."""
    store = RedisStore(url, secret=SECRET, prefix=prefix, timeout=30)
    await store.peek("connect", Limit(1, 1), NOW)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for ticket in range(tickets):
        spent = await asyncio.gather(*(store.spend(f"{ticket}", NOW + 300, NOW) for _ in range(20)))
        print(sum(spent), flush=True)
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(spend(sys.argv[1], sys.argv[2], int(sys.argv[3])))
