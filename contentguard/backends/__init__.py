"""The outer world, behind protocols of one to four methods; any object that fits may stand in."""

from __future__ import annotations

from typing import Protocol

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
