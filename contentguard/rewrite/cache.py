"""Plans of pages seen before, so that a page is scanned once and not once per reader.

Strategy: keyed by what the site chooses (path, and how the guard may insert), never by what a client chooses freely.
An entry is found by the body being the very same object, else by comparing bytes: a comparison costs a microsecond
where a hash of the page costs forty. Bounded by bytes; the longest unused goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from contentguard.rewrite.plan import Plan

_OVERHEAD = 1024
"""Bytes charged per entry for what is neither page nor template."""
VARIANTS = 4
"""Bodies remembered per key: pages of a list, or a few editions under one path."""


class PlanCache:
    """Least-recently-used plans, at most ``max_bytes`` of them (pages and templates together)."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes_used = 0
        self._entries: OrderedDict[Hashable, list[tuple[bytes, Plan]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def get(self, key: Hashable, body: bytes) -> Plan | None:
        """The plan made of exactly this body under ``key``, or None."""
        variants = self._entries.get(key)
        if variants is None:
            return None
        for known, plan in variants:
            if known is body or known == body:
                self._entries.move_to_end(key)
                return plan
        return None

    def put(self, key: Hashable, body: bytes, plan: Plan) -> None:
        """Remember a plan. One that is larger than the whole cache is not remembered."""
        size = _size(body, plan)
        if size > self.max_bytes:
            return
        variants = self._entries.setdefault(key, [])
        variants.insert(0, (body, plan))
        self.bytes_used += size
        for old_body, old_plan in variants[VARIANTS:]:
            self.bytes_used -= _size(old_body, old_plan)
        del variants[VARIANTS:]
        self._entries.move_to_end(key)
        while self.bytes_used > self.max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self.bytes_used -= sum(_size(*entry) for entry in dropped)


def _size(body: bytes, plan: Plan) -> int:
    return len(body) + plan.size + _OVERHEAD
