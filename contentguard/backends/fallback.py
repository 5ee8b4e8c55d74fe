"""A store that others share while it answers, and this process's memory while it does not.

Reading never waits for a broken store and is never refused because of one: every failure is answered from memory, and
after a few of them the shared store is left alone until it answers a try in the background. Memory is kept warm while
all is well, so an outage finds every limit where this process knew it to be. That also spares questions: a refusal that
memory can be sure of, an article it knows to be counted, and a ticket it knows to be spent are not asked about.

What an outage costs, with N processes: a limit, quota or budget may be used up once in each of them, so N times; a
ticket may be spent once in each of them. No process ever spends a ticket twice, and as soon as the shared store is
back, all that this process knows to be spent or revoked is written to it before it is asked again: even a store that
has lost its memory gets it back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from contentguard.backends import Entry, Quota, Remote, StoreError, check_meter
from contentguard.backends.circuit import Circuit
from contentguard.backends.ids import Added
from contentguard.backends.memory import MemoryStore
from contentguard.backends.steps import DAY
from contentguard.limits import Decision, Limit

_T = TypeVar("_T")
_PROBE = Limit(1_000_000, 1.0)
_LOG = logging.getLogger("contentguard.store")


class FallbackStore:
    """A ``Ledger`` that asks ``remote`` and falls back on ``local``; both hash with the same secret.

    For one event loop. Never raises but for ValueError, and takes no longer than ``remote`` does. ``clock``: seconds
    since the epoch, for what is done in the background. ``chance``: between 0 and 1.
    """

    def __init__(
        self,
        remote: Remote,
        local: MemoryStore,
        *,
        circuit: Circuit | None = None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._remote, self._local = remote, local
        self._circuit = circuit or Circuit()
        self._clock, self._chance = clock, chance
        self._owes = False
        self._since: dict[str, list[Entry]] | None = None
        self._repair: asyncio.Task[None] | None = None
        self.failures: Counter[str] = Counter()
        """How often the shared store failed, by ``StoreError.kind``."""
        self.local: Counter[str] = Counter()
        """How often memory had to answer instead, by method."""
        self.outages = 0
        """How often the shared store was given up for a while."""

    @property
    def degraded(self) -> bool:
        """Whether the shared store is left alone, and all is decided from memory."""
        return self._circuit.is_open

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """See ``Store.take``. Whom memory refuses the shared store refuses too: others can only have taken more."""
        decision = self._local.buckets.refusal(key, limit, now, cost)
        if decision is not None:
            return decision
        decision = await self._told("take", lambda: self._remote.take(key, limit, now, cost))
        if decision is None:
            return self._local.take_now(key, limit, now, cost)
        self._local.buckets.keep(key, limit, now, decision.tat)
        return decision

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        """See ``Store.peek``."""
        decision = self._local.buckets.refusal(key, limit, now)
        if decision is not None:
            return decision
        decision = await self._told("peek", lambda: self._remote.peek(key, limit, now))
        return decision or self._local.buckets.look(key, limit, now)

    async def spend(self, key: str, until: float, now: float) -> bool:
        """See ``Spent.spend``. Memory is asked first and always: what this process has spent stays spent."""
        added = self._local.spend_now(key, until, now)
        if added is Added.KNOWN:
            return False
        spent = await self._told("spend", lambda: self._remote.spend(key, until, now))
        if spent is None:
            self._owe("spent", key, until)
            return added is Added.NEW
        return spent

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        """See ``Meters.meter``."""
        check_meter(article, quota)
        if self._local.metered(key, article, now):
            return 0.0
        wait = await self._told("meter", lambda: self._remote.meter(key, article, quota, now))
        if wait == inf:
            self._local.revoke_now(key, now + DAY, now)
            return inf
        if wait is None or not wait:
            local = self._local.meter_now(key, article, quota, now)
            return local if wait is None else wait
        return wait

    async def count(self, key: str, amount: int, limit: int, until: float, now: float) -> bool:
        """See ``Counters.count``."""
        added = await self._told("count", lambda: self._remote.count(key, amount, limit, until, now))
        if added is False:
            return False
        local = self._local.count_now(key, amount, limit, until, now)
        return local if added is None else added

    async def join(self, key: str, member: str, most: int, until: float, now: float) -> bool:
        """See ``Counters.join``."""
        joined = await self._told("join", lambda: self._remote.join(key, member, most, until, now))
        if joined is False:
            return False
        local = self._local.join_now(key, member, most, until, now)
        return local if joined is None else joined

    async def revoke(self, name: str, until: float, now: float) -> None:
        """See ``Revocations.revoke``."""
        self._local.revoke_now(name, until, now)

        async def tell() -> bool:
            await self._remote.revoke(name, until, now)
            return True

        if await self._told("revoke", tell) is None:
            self._owe("revoked", name, until)

    async def revoked(self, name: str, now: float) -> bool:
        """See ``Revocations.revoked``."""
        if self._local.revoked_now(name, now):
            return True
        return bool(await self._told("revoked", lambda: self._remote.revoked(name, now)))

    async def aclose(self) -> None:
        """End what is under way."""
        if self._repair is not None:
            self._repair.cancel()
            await asyncio.gather(self._repair, return_exceptions=True)
        await self._remote.aclose()

    async def _told(self, what: str, ask: Callable[[], Awaitable[_T]]) -> _T | None:
        """What the shared store answers; None when it is left alone or fails."""
        if not self._circuit.is_open:
            try:
                answer = await ask()
            except ValueError:
                raise
            except Exception as error:
                self._failed(error)
            else:
                self._circuit.succeeded()
                return answer
        self.local[what] += 1
        return None

    def _failed(self, error: Exception) -> None:
        kind = error.kind if isinstance(error, StoreError) else "other"
        self.failures[kind] += 1
        if self._circuit.failed(asyncio.get_running_loop().time()):
            self.outages += 1
            _LOG.warning("the shared store does not answer (%s); this process decides by itself until it does", error)
            self._mend()

    def _owe(self, kind: str, key: str, until: float) -> None:
        """Something was spent or revoked that the shared store may not know of."""
        if self._since is not None:
            self._since[kind].append((self._local.names(key), until))
        self._owes = True
        self._mend()

    def _mend(self) -> None:
        if self._repair is None:
            self._repair = asyncio.get_running_loop().create_task(self._mending())

    async def _mending(self) -> None:
        """Try again until the shared store takes a write; tell it what it may not know; then trust it again."""
        try:
            while self._circuit.is_open or self._owes:
                await asyncio.sleep(self._circuit.pause(self._chance()))
                try:
                    await self._tell_all()
                except Exception as error:
                    self._failed(error)
        finally:
            self._repair = None

    async def _tell_all(self) -> None:
        """Everything at first, and then what was spent and revoked in the meantime, while that becomes ever less.

        Where tickets are spent faster than they can be told, the circuit closes before the last of them are.
        """
        now = self._clock()
        await self._remote.take("probe", _PROBE, now)
        self._since = {"spent": [], "revoked": []}
        try:
            await self._remote.restore(*self._local.known(now), now)
            told, last = await self._tell_rest(), inf
            while 0 < told <= last / 2:
                told, last = await self._tell_rest(), told
            if self._circuit.is_open:
                _LOG.warning("the shared store answers again")
            self._circuit.close()
            while await self._tell_rest():  # comes to an end: from here on it is asked first
                pass
            self._owes = False
        finally:
            self._since = None

    async def _tell_rest(self) -> int:
        """Tell what has come since the last round; how much that was."""
        assert self._since is not None
        spent, revoked = self._since["spent"], self._since["revoked"]
        if spent or revoked:
            self._since = {"spent": [], "revoked": []}
            await self._remote.restore(spent, revoked, self._clock())
        return len(spent) + len(revoked)
