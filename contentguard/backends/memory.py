"""Buckets in this process's memory, in a table whose size is settled when it is made.

The table works like a processor's cache: a keyed hash of the client's key names a row of 16 places, and a
client lives in one place of its row or nowhere. A place is 24 bytes (16 of digest, 8 of state) in two flat
arrays allocated once, so no flood of keys can make the table grow, resize or need sweeping, and every step
looks at one row only. When a row is full, the bucket that is nearest to full again gives way: a full bucket
equals no entry at all, a stranger's is nearly full, and an offender's is the emptiest, so offenders stay.
The digest is keyed with a secret, so nobody outside can aim keys at one row, and a long key costs no more
than a short one.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from math import inf

from contentguard.limits import Decision, Limit, gcra

_WAYS = 16
"""Places in a row. At half load 0.4 % of the rows overflow (Poisson, mean 8), against 2 % with rows of 8."""

_DIGEST = 16
_ENTRY = _DIGEST + 8
"""Bytes of one place."""

_CACHED = 1024
_CACHED_KEY = 64
_CACHED_COST = 512
"""Bytes of one remembered hash with its key of up to 64 ASCII characters: 316 measured (CPython 3.11,
x86-64), and room for the dictionary to grow."""

_OVERHEAD = 4096
"""Bytes of the store itself: its two hash states and the empty containers."""


class MemoryStore:
    """A ``Store`` in at most ``max_bytes`` bytes and ``max_entries`` buckets, whatever the clients send.

    For one event loop: ``take`` never waits, which makes it atomic there. ``secret`` keys the hash (at least
    16 bytes, the same on no two machines that matter to each other). ValueError when the bounds leave no
    room.
    """

    __slots__ = ("_cache", "_digests", "_hash", "_horizon", "_row_bytes", "_rows", "_tats", "_ways")

    def __init__(self, max_entries: int = 200_000, max_bytes: int = 8 * 1024 * 1024, *, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError(f"the store's secret needs at least 16 bytes, not {len(secret)}")
        entries = min(max_entries, (max_bytes - _OVERHEAD - _CACHED * _CACHED_COST) // _ENTRY)
        if entries < 1:
            raise ValueError(f"{max_entries} entries in {max_bytes} bytes leave room for none")
        self._ways = min(_WAYS, entries)
        self._rows = entries // self._ways
        self._row_bytes = self._ways * _DIGEST
        self._digests = bytearray(self.max_entries * _DIGEST)
        self._tats = array("d", [-inf]) * self.max_entries
        self._hash = blake2b(digest_size=_DIGEST, key=blake2b(secret, person=b"cg-memory-store").digest())
        self._cache: dict[str, tuple[bytes, int, int]] = {}
        self._horizon = 0.0

    @property
    def max_entries(self) -> int:
        """How many buckets fit: what was asked for, rounded down to whole rows."""
        return self._rows * self._ways

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound: the table is allocated whole, only the hash cache fills over
        time."""
        return self.max_entries * _ENTRY + len(self._cache) * _CACHED_COST + _OVERHEAD

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """See ``Store.take``."""
        return self.take_now(key, limit, now, cost)

    def take_now(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """``take``, for callers who would rather not make a coroutine of what never waits."""
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._digests.find(digest, start, end)
        if found >= 0:
            place = found // _DIGEST
            decision = gcra(self._tats[place], limit, now, cost)
        else:
            decision = gcra(now, limit, now, cost)
            place = self._make_room(start // _DIGEST, limit.capacity, now)
            start = place * _DIGEST
            self._digests[start : start + _DIGEST] = digest
        self._tats[place] = decision[1]
        return decision

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        """See ``Store.peek``."""
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._digests.find(digest, start, end)
        return gcra(self._tats[found // _DIGEST] if found >= 0 else now, limit, now)

    def _locate(self, key: str) -> tuple[bytes, int, int]:
        """The key's digest, and where its row's digests start and end."""
        state = self._hash.copy()
        state.update(key.encode("utf-8", "surrogatepass"))
        digest = state.digest()
        start = int.from_bytes(digest, "little") % self._rows * self._row_bytes
        located = digest, start, start + self._row_bytes
        if len(key) <= _CACHED_KEY and key.isascii():
            if len(self._cache) >= _CACHED:
                self._cache.clear()  # cheaper than any order of use, and 1,024 hashes are soon made again
            self._cache[key] = located
        return located

    def _make_room(self, row: int, capacity: float, now: float) -> int:
        """The place in the row whose bucket is nearest to full; an unused place counts as long full."""
        if capacity > self._horizon:
            self._horizon = capacity
        tats = self._tats[row : row + self._ways]
        victim = min(tats)
        if victim > now and (latest := max(tats)) > now + self._horizon + 1.0:
            victim = latest  # from before the clock jumped back: no bucket can be emptier than empty
        return row + tats.index(victim)
