"""How a guard stands, as JSON-ready data: for the operator, and for whoever keeps figures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from contentguard.backends import Admitting, Store
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore
from contentguard.guard.processes import processes

if TYPE_CHECKING:
    from contentguard.guard import Guard
    from contentguard.guard.admissions import Admissions


def status(guard: Guard) -> dict[str, Any]:
    """All there is to tell of this process. Nothing in it names a reader."""
    admissions, now = guard.admissions, guard.clock()
    return {
        "process": {"pid": os.getpid(), "of": processes(), "since": guard.since, "now": now},
        "reading": guard.settings.reading.mode,
        "governor": None if admissions is None else _governor(admissions, now),
        "funnel": {} if admissions is None else dict(admissions.counts),
        "links": {**guard.links.counts, **{f"quote.{what}": count for what, count in guard.quotes.counts.items()}},
        "media": dict(guard.media.counts),
        "store": _store(guard.store),
        "rules": {f"{action.value} {rule}": count for (action, rule), count in guard.verdicts.most_common()},
        "shadow": dict(guard.shadow.most_common()),
        "events": dict(guard.counts.most_common()),
    }


def _governor(admissions: Admissions, now: float) -> dict[str, Any]:
    state = admissions.governor.state(now)
    return {**state, "shared": admissions.governor.shared, "pressure": admissions.ceiling.pressure(now)}


def _store(store: Store | Admitting) -> dict[str, Any]:
    if isinstance(store, FallbackStore):
        return {
            "kind": "redis",
            "degraded": store.degraded,
            "outages": store.outages,
            "failures": dict(store.failures),
            "answered_from_memory": dict(store.local),
        }
    if isinstance(store, MemoryStore):
        return {"kind": "memory", "bytes": store.bytes_used, "forgotten": store.forgotten}
    return {"kind": type(store).__name__}
