"""Plans of pages seen before, so that a page is scanned once and not once per reader.

Strategy: keyed by what the site chooses (path, and how the guard may insert), never by what a client chooses freely.
An entry is found by the body being the very same object, else by comparing bytes: a comparison costs a microsecond
where a hash of the page costs forty. A page that keeps changing gets a ``Base`` besides, by which the next body is
scanned only where it differs. Bounded by bytes; the longest unused goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from contentguard.rewrite.plan import Plan
from contentguard.rewrite.resume import Base

_OVERHEAD = 6144
"""Bytes charged per body for what is neither page nor markup (measured with tracemalloc)."""
VARIANTS = 4
"""Bodies remembered per key: pages of a list, or a few editions under one path."""


@dataclass(slots=True)
class Entry:
    """What is known under one key."""

    variants: list[tuple[bytes, Plan]] = field(default_factory=list)
    """The latest first."""
    base: Base | None = None
    size: int = 0

    @property
    def latest(self) -> Plan:
        """The plan made last."""
        return self.variants[0][1]

    def weigh(self) -> int:
        """Bytes held."""
        held = sum(len(body) + plan.size + _OVERHEAD for body, plan in self.variants)
        return held + (self.base.size if self.base else 0)


class PlanCache:
    """Least-recently-used plans, at most ``max_bytes`` of them (pages and templates together)."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes_used = 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(entry.variants) for entry in self._entries.values())

    def entries(self) -> Iterator[Entry]:
        """All that is held, the longest unused first."""
        return iter(self._entries.values())

    def get(self, key: Hashable, body: bytes) -> Plan | None:
        """The plan made of exactly this body under ``key``, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        for known, plan in entry.variants:
            if known is body or known == body:
                self._entries.move_to_end(key)
                return plan
        return None

    def entry(self, key: Hashable) -> Entry | None:
        """What is known under ``key``, whatever the body."""
        return self._entries.get(key)

    def put(self, key: Hashable, body: bytes, plan: Plan, base: Base | None = None) -> None:
        """Remember a plan (and a base). What is larger than the whole cache is not remembered."""
        if len(body) + plan.size + _OVERHEAD + (base.size if base else 0) > self.max_bytes:
            return
        entry = self._entries.setdefault(key, Entry())
        entry.variants = [(body, plan), *(pair for pair in entry.variants if pair[0] != body)]
        del entry.variants[VARIANTS:]
        entry.base = base or entry.base
        self._entries.move_to_end(key)
        self.reweigh(key)

    def reweigh(self, key: Hashable) -> None:
        """Account for what has been made of a plan since it was put here."""
        entry = self._entries.get(key)
        if entry is None:
            return
        size = entry.weigh()
        self.bytes_used += size - entry.size
        entry.size = size
        while self.bytes_used > self.max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self.bytes_used -= dropped.size
