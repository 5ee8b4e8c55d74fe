"""Rate limits' buckets in a table whose size is settled when it is made.

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
from math import inf

from contentguard.backends.names import SIZE, Names
from contentguard.limits import Decision, Limit, gcra

_WAYS = 16
"""Places in a row. At half load 0.4 % of the rows overflow (Poisson, mean 8), against 2 % with rows of 8."""

_ENTRY = SIZE + 8
"""Bytes of one place."""

_CACHED = 1024
_CACHED_KEY = 64
_CACHED_COST = 512
"""Bytes of one remembered hash with its key of up to 64 ASCII characters: 316 measured (CPython 3.11,
x86-64), and room for the dictionary to grow."""

_OVERHEAD = 4096
"""Bytes of the table itself: its hash state and the empty containers."""


class Buckets:
    """The buckets of at most ``max_entries`` clients in at most ``max_bytes`` bytes, whatever the clients send.

    ValueError when the bounds leave no room.
    """

    __slots__ = ("_cache", "_digests", "_horizon", "_names", "_row_bytes", "_rows", "_tats", "_ways")

    def __init__(self, names: Names, max_entries: int, max_bytes: int) -> None:
        entries = min(max_entries, (max_bytes - _OVERHEAD - _CACHED * _CACHED_COST) // _ENTRY)
        if entries < 1:
            raise ValueError(f"{max_entries} entries in {max_bytes} bytes leave room for none")
        self._ways = min(_WAYS, entries)
        self._rows = entries // self._ways
        self._row_bytes = self._ways * SIZE
        self._digests = bytearray(self.max_entries * SIZE)
        self._tats = array("d", [-inf]) * self.max_entries
        self._names = names
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

    def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """See ``Store.take``."""
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._digests.find(digest, start, end)
        if found >= 0:
            place = found // SIZE
            decision = gcra(self._tats[place], limit, now, cost)
        else:
            decision = gcra(now, limit, now, cost)
            place = self._seat(digest, start, limit.capacity, now)
        self._tats[place] = decision[1]
        return decision

    def look(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """What ``take`` would answer."""
        tat = self._tat(key)
        return gcra(now if tat is None else tat, limit, now, cost)

    def refusal(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision | None:
        """The refusal that ``take`` would answer with; None when it would admit, or rests on a clock since turned
        back."""
        tat = self._tat(key)
        if tat is None or tat > now + limit.capacity + limit.slack:
            return None
        decision = gcra(tat, limit, now, cost)
        return None if decision.allowed else decision

    def keep(self, key: str, limit: Limit, now: float, tat: float) -> None:
        """Take over the state of a bucket that somebody else holds."""
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._digests.find(digest, start, end)
        place = found // SIZE if found >= 0 else self._seat(digest, start, limit.capacity, now)
        self._tats[place] = tat

    def _tat(self, key: str) -> float | None:
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._digests.find(digest, start, end)
        return self._tats[found // SIZE] if found >= 0 else None

    def _locate(self, key: str) -> tuple[bytes, int, int]:
        """The key's digest, and where its row's digests start and end."""
        digest = self._names(key)
        start = int.from_bytes(digest, "little") % self._rows * self._row_bytes
        located = digest, start, start + self._row_bytes
        if len(key) <= _CACHED_KEY and key.isascii():
            if len(self._cache) >= _CACHED:
                self._cache.clear()  # cheaper than any order of use, and 1,024 hashes are soon made again
            self._cache[key] = located
        return located

    def _seat(self, digest: bytes, start: int, capacity: float, now: float) -> int:
        """Give a newcomer a place in its row, and return which."""
        place = self._make_room(start // SIZE, capacity, now)
        start = place * SIZE
        self._digests[start : start + SIZE] = digest
        return place

    def _make_room(self, row: int, capacity: float, now: float) -> int:
        """The place in the row whose bucket is nearest to full; an unused place counts as long full."""
        if capacity > self._horizon:
            self._horizon = capacity
        tats = self._tats[row : row + self._ways]
        victim = min(tats)
        if victim > now and (latest := max(tats)) > now + self._horizon + 1.0:
            victim = latest  # from before the clock jumped back: no bucket can be emptier than empty
        return row + tats.index(victim)
