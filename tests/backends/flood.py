"""``python -m tests.backends.flood [KEYS]``: ten million clients nobody has seen, and what memory is left with.

Not a part of the tests: it takes minutes. Every client asks for a bucket; every tenth spends a ticket, reads, follows a
link and joins a set. A thousand offenders from before the flood are asked for at its end. Exit status 1 when this
process has grown by more than 64 MiB, or fewer than 99.9 % of the offenders are still known.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from contentguard.backends.memory import MemoryStore
from contentguard.limits import Limit
from tests.backends.contract import NOW, Few

OFFENDERS = 1000
MOST_GROWN = 64 * 2**20
LIMIT, QUOTA = Limit(60, 60), Few(30, 150)


def addresses(dice: Random) -> Iterator[str]:
    """Clients as the guard names them: IPv4 addresses and IPv6 /64, in turn."""
    while True:
        a, b = dice.getrandbits(32), dice.getrandbits(64)
        yield f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}"
        yield f"{b >> 48:x}:{b >> 32 & 65535:x}:{b >> 16 & 65535:x}:{b & 65535:x}::/64"


def resident() -> int:
    """Bytes of memory that this process has of the machine (Linux)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(keys: int) -> int:
    """Flood, measure, and return the exit status."""
    before = resident()
    store = MemoryStore(secret=b"flood only flood only flood only")
    for n in range(OFFENDERS):
        store.take_now(f"offender {n}", LIMIT, NOW, 60)
        for article in range(30):
            store.meter_now(f"offender {n}", article, QUOTA, NOW)
    taken = [_flood(store, addresses(Random(part)), keys // 10) for part in range(10)]
    grown = resident() - before
    recalled = sum(not store.take_now(f"offender {n}", LIMIT, NOW + 0.5).allowed for n in range(OFFENDERS))
    metered = sum(store.meter_now(f"offender {n}", 99, QUOTA, NOW) > 0 for n in range(OFFENDERS))
    print(
        f"{keys} clients: grown by {grown / 2**20:.1f} MiB, of which {store.bytes_used / 2**20:.1f} are the store's own"
    )
    print(f"a bucket's step: {median(taken) * 1e6:.2f} µs; full pools: {store.forgotten}")
    print(f"of {OFFENDERS} offenders {recalled} are still limited, {metered} still metered")
    return int(grown > MOST_GROWN or min(recalled, metered) < 0.999 * OFFENDERS)


def _flood(store: MemoryStore, names: Iterator[str], keys: int) -> float:
    """Seconds of one bucket's step, its client's name included."""
    start = time.perf_counter()
    for name in islice(names, keys):
        store.take_now(name, LIMIT, NOW)
    taken = (time.perf_counter() - start) / keys
    for n, name in enumerate(islice(names, keys // 10)):
        store.spend_now(name, NOW + 300, NOW)
        store.meter_now(name, n, QUOTA, NOW)
        store.count_now(name, 1, 5, NOW + 600, NOW)
        store.join_now(name, name, 3, NOW + 600, NOW)
    return taken


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000))
