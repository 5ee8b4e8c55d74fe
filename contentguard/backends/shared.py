"""The store that a guard is given: memory, and where an URL names one, a shared store that falls back on it."""

from __future__ import annotations

from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore, Pools


def open_store(
    url: str = "",
    *,
    secret: bytes,
    clients: int = 200_000,
    pools: Pools | None = None,
    prefix: str = "contentguard:",
    tag: str = "",
    timeout: float = 0.05,
) -> MemoryStore | FallbackStore:
    """A ``Ledger`` for one event loop; with an ``url`` (redis://, rediss://, unix://) one to be closed by ``aclose``.

    ``secret``: the same in all processes that are to share, at least 16 bytes. ``clients``: buckets in memory. For the
    rest see ``MemoryStore`` and ``RedisStore``. Does not connect yet. ValueError for an ``url`` that is none;
    ImportError where one is given and the extra ``redis`` is not installed.
    """
    local = MemoryStore(clients, secret=secret, pools=pools)
    if not url:
        return local
    from contentguard.backends.redis import RedisStore

    return FallbackStore(RedisStore(url, secret=secret, prefix=prefix, tag=tag, timeout=timeout), local)
