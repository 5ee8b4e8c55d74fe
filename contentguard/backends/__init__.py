"""The outer world, behind protocols of one to four methods; any object that fits may stand in."""

from __future__ import annotations

from typing import Protocol

from contentguard.admission.meter import Quota
from contentguard.limits import Decision, Limit


class Store(Protocol):
    """What is remembered of clients between requests."""

    async def take(self, key: str, limit: Limit, now: float, cost: int = 1) -> Decision:
        """Take ``cost`` requests out of the bucket ``key`` at ``now`` (seconds), or say how long to wait.

        Atomic: of two callers at once, each sees the other's step. A refused request costs nothing. Buckets
        of different limits need different keys. ValueError when ``cost`` can never fit ``limit``.
        """
        ...

    async def peek(self, key: str, limit: Limit, now: float) -> Decision:
        """What ``take`` would answer at ``now``, without taking anything."""
        ...


class Ledger(Protocol):
    """What is remembered of tickets and passes."""

    async def spend(self, key: str, until: float, now: float) -> bool:
        """Whether ``key`` is spent by this call: true exactly once for each key, atomically, until ``until`` (seconds).

        Also false where no more can be remembered.
        """
        ...

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        """Seconds until the pass ``key`` may open ``article`` (32 bits); 0: now, and it is counted.

        By the rules of ``admission.meter``, atomically.
        """
        ...
