"""All that is remembered between requests, in this process's memory and in a size that is settled at the start.

Each kind of thing has a pool of its own, because they are attacked in different ways and fail in different ways: a
flood of new addresses can make no spent ticket, no meter and no offender be forgotten. In every pool it is those who
have done least who are forgotten first; only spent ids are never forgotten, and when there is no more room for one it
is not accepted (see ``Spent.spend``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from contentguard.backends import (
    MOST_ARTICLES,
    MOST_MEMBERS,
    Entry,
    Quota,
    check_count,
    check_end,
    check_members,
    check_meter,
)
from contentguard.backends.buckets import Buckets
from contentguard.backends.ids import Added, Ids
from contentguard.backends.names import Names
from contentguard.backends.states import States
from contentguard.backends.steps import (
    ARTICLE_BYTES,
    COUNTER_BYTES,
    DAY,
    MEMBER_BYTES,
    counted,
    counter,
    is_counted,
    last_end,
    members,
    meter,
)
from contentguard.limits import Decision, Limit

_MEMBER = 8
"""Bytes of a member's name."""
_READERS, _READER, _READER_COST = 1024, 32, 512
"""Names of meters that are remembered, of keys up to so many characters; bytes of one, and room for the dictionary."""


@dataclass(frozen=True, slots=True)
class Pools:
    """How much there is room for, apart from the buckets."""

    spent: int = 65_536
    """Spent ids. Give out at most four fifths of this within an id's life: 174 a second where they live 300
    seconds."""
    meters: int = 32_768
    """Readers who have read up to 8 articles within a day; for each 16 of them there is room for one who has read up to
    64, and for each 256 for one who has read up to 1,000."""
    counters: int = 16_384
    sets: int = 8_192
    """Sets of up to 8 members, and for each 16 of them one of up to 64."""
    revoked: int = 16_384


class MemoryStore:
    """A ``Ledger`` in memory of a fixed size: at most ``max_entries`` buckets in ``max_bytes`` bytes, and ``pools``.

    For one event loop: no method ever waits, which makes each atomic there, and each has a twin ``…_now`` for callers
    who would rather not make a coroutine of what never waits. ``secret`` keys the hashes (at least 16 bytes).
    ValueError when the bounds leave no room.
    """

    __slots__ = ("_counters", "_meters", "_readers", "_sets", "buckets", "names", "revocations", "spent", "take_now")

    def __init__(
        self,
        max_entries: int = 200_000,
        max_bytes: int = 8 * 1024 * 1024,
        *,
        secret: bytes,
        pools: Pools | None = None,
    ) -> None:
        pools = pools or Pools()
        self.names = Names(secret)
        """How keys are hashed here."""
        self.buckets = Buckets(self.names, max_entries, max_bytes)
        self.take_now = self.buckets.take
        """``take`` at once."""
        self.spent = Ids(pools.spent)
        self.revocations = Ids(pools.revoked)
        self._meters = States(
            [
                (pools.meters // share, number * ARTICLE_BYTES)
                for share, number in ((1, 8), (16, 64), (256, MOST_ARTICLES))
            ]
        )
        self._readers: dict[str, bytes] = {}
        self._counters = States([(pools.counters, COUNTER_BYTES)])
        self._sets = States(
            [(pools.sets // share, number * MEMBER_BYTES) for share, number in ((1, 8), (16, MOST_MEMBERS))]
        )

    @property
    def max_entries(self) -> int:
        """How many buckets fit: what was asked for, rounded down to whole rows."""
        return self.buckets.max_entries

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound."""
        parts = (self.buckets, self.spent, self.revocations, self._meters, self._counters, self._sets)
        return sum(part.bytes_used for part in parts) + len(self._readers) * _READER_COST

    @property
    def forgotten(self) -> dict[str, int]:
        """For each pool, how often there was no room: for spent ids, how many were not accepted; else how many were
        forgotten before their end."""
        return {
            "spent": self.spent.refused,
            "revoked": self.revocations.displaced,
            "meters": self._meters.displaced,
            "counters": self._counters.displaced,
            "sets": self._sets.displaced,
        }

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """See ``Store.take``."""
        return self.take_now(key, limit, now, cost)

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        """See ``Store.peek``."""
        return self.buckets.look(key, limit, now)

    async def spend(self, key: str, until: float, now: float) -> bool:
        """See ``Spent.spend``."""
        return self.spend_now(key, until, now) is Added.NEW

    def spend_now(self, key: str, until: float, now: float) -> Added:
        """``spend`` at once; says too whether a refusal is for want of room."""
        check_end(until)
        return self.spent.add(self.names(key), until, now) if until > now else Added.KNOWN

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        """See ``Meters.meter``."""
        check_meter(article, quota)
        return self.meter_now(key, article, quota, now)

    def meter_now(self, key: str, article: int, quota: Quota, now: float) -> float:
        """``meter`` at once, for callers who know that a meter can hold it."""
        name = self._readers.get(key) or self._reader(key)
        if self.revocations.used and self.revocations.holds(name, now):
            return inf
        before = self._meters.get(name)
        after, wait = meter(before, article, quota, now)
        if after is not before and after != before:
            self._meters.put(name, after, len(after), now + DAY, now)
        return wait

    def _reader(self, key: str) -> bytes:
        """The name of a meter, remembered: a reader comes again within moments."""
        name = self.names(key)
        if len(key) <= _READER:
            if len(self._readers) >= _READERS:
                self._readers.clear()
            self._readers[key] = name
        return name

    def metered(self, key: str, article: int, now: float) -> bool:
        """Whether an article is counted, and so free; not where ``key`` is known to be revoked."""
        name = self.names(key)
        if self.revocations.used and self.revocations.holds(name, now):
            return False
        state = self._meters.get(name)
        return bool(state) and is_counted(state, article, now)

    async def count(self, key: str, amount: int, limit: int, until: float, now: float) -> bool:
        """See ``Counters.count``."""
        return self.count_now(key, amount, limit, until, now)

    def count_now(self, key: str, amount: int, limit: int, until: float, now: float) -> bool:
        """``count`` at once."""
        check_count(amount, limit, until)
        name = self.names(key)
        state, added = counter(self._counters.get(name), amount, limit, until, now)
        if added:
            self._counters.put(name, state, *counted(state), now)
        return added

    async def join(self, key: str, member: str, most: int, until: float, now: float) -> bool:
        """See ``Counters.join``."""
        return self.join_now(key, member, most, until, now)

    def join_now(self, key: str, member: str, most: int, until: float, now: float) -> bool:
        """``join`` at once."""
        check_members(most, until)
        name = self.names(key)
        state, joined = members(self._sets.get(name), self.names(member)[:_MEMBER], most, until, now)
        if joined:
            self._sets.put(name, state, len(state), last_end(state), now)
        return joined

    async def revoke(self, name: str, until: float, now: float) -> None:
        """See ``Revocations.revoke``."""
        self.revoke_now(name, until, now)

    def revoke_now(self, name: str, until: float, now: float) -> None:
        """``revoke`` at once."""
        check_end(until)
        if until > now:
            self.revocations.insist(self.names(name), until, now)

    async def revoked(self, name: str, now: float) -> bool:
        """See ``Revocations.revoked``."""
        return self.revocations.holds(self.names(name), now)

    def revoked_now(self, name: str, now: float) -> bool:
        """``revoked`` at once."""
        return self.revocations.holds(self.names(name), now)

    def known(self, now: float) -> tuple[Iterable[Entry], Iterable[Entry]]:
        """What is spent and what is revoked, for ``Remote.restore``."""
        return self.spent.entries(now), self.revocations.entries(now)
