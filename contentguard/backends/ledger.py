"""What admission has to remember, in this process's memory: tickets that were spent, and what each pass has opened.

Strategy: two tables apart, so that neither can be used to push things out of the other. A spent ticket is remembered
until it expires, whatever comes: when the table is full no further ticket is accepted, for one that was forgotten
could be spent twice. Meters give way to newer ones, the longest unused first: a pass that comes back after that starts
anew, and how many passes there can be is the governor's affair.
"""

from __future__ import annotations

from collections import OrderedDict

from contentguard.admission.meter import Quota, step

_ENTRY_COST = 200
"""Bytes that Python takes for one entry besides its text, measured on CPython 3.11 (x86-64)."""
_LONGEST_KEY = 128


class MemoryLedger:
    """A ``Ledger`` in at most ``max_bytes`` bytes, and ``max_spent`` spent tickets. For one event loop."""

    def __init__(self, max_spent: int = 200_000, max_bytes: int = 32 * 2**20) -> None:
        if max_spent < 1 or max_bytes < 65_536:
            raise ValueError(f"{max_spent} tickets and {max_bytes} bytes leave nothing to remember")
        self._most_spent, self._most_bytes = max_spent, max_bytes
        self._spent: dict[str, float] = {}
        self._swept = 0.0
        self._meters: OrderedDict[str, bytes] = OrderedDict()
        self._meter_bytes = 0
        self.full = 0
        """How often a ticket was refused because no more could be remembered."""

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound."""
        return self._meter_bytes + len(self._spent) * (_ENTRY_COST + _LONGEST_KEY)

    async def spend(self, key: str, until: float, now: float) -> bool:
        """See ``Ledger.spend``."""
        return self.spend_now(key, until, now)

    def spend_now(self, key: str, until: float, now: float) -> bool:
        """``spend``, for callers who would rather not make a coroutine of what never waits."""
        if len(key) > _LONGEST_KEY:
            return False
        if len(self._spent) >= self._most_spent:
            self._sweep(now)
        known = self._spent.get(key)
        if known is not None and known > now:
            return False
        if known is None and len(self._spent) >= self._most_spent:
            self.full += 1
            return False
        self._spent[key] = until
        return True

    def _sweep(self, now: float) -> None:
        """Forget what has expired; once a second is often enough."""
        if abs(now - self._swept) >= 1.0:
            self._swept = now
            self._spent = {key: until for key, until in self._spent.items() if until > now}

    async def meter(self, key: str, article: int, quota: Quota, now: float) -> float:
        """See ``Ledger.meter``."""
        return self.meter_now(key, article, quota, now)

    def meter_now(self, key: str, article: int, quota: Quota, now: float) -> float:
        """``meter``, at once."""
        before = self._meters.get(key, b"")
        after, wait = step(before, article, now, quota)
        if after != before and len(key) <= _LONGEST_KEY:
            self._meter_bytes += len(after) - len(before) + (0 if before else _ENTRY_COST + len(key))
            self._meters[key] = after
            while self._meter_bytes > self._most_bytes:
                gone, held = self._meters.popitem(last=False)
                self._meter_bytes -= len(held) + _ENTRY_COST + len(gone)
        if key in self._meters:
            self._meters.move_to_end(key)
        return wait
