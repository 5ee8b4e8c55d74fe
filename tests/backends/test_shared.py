"""The store that a guard is given, from what its settings say."""

from __future__ import annotations

import asyncio
import sys

import pytest

from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore, Pools
from contentguard.backends.shared import open_store
from tests.backends.contract import NOW
from tests.backends.servers import RedisServer
from tests.backends.test_memory import SECRET


def test_without_an_url_it_is_memory() -> None:
    store = open_store(secret=SECRET, clients=1600, pools=Pools(spent=16))
    assert isinstance(store, MemoryStore)
    assert (store.max_entries, store.spent.max_entries) == (1600, 16)


def test_with_an_url_it_is_shared(redis: RedisServer) -> None:
    async def story() -> None:
        stores = [open_store(redis.url, secret=SECRET, prefix="opened:", tag="cg", timeout=5) for _ in range(2)]
        assert all(isinstance(store, FallbackStore) for store in stores)
        assert [await store.spend("a", NOW + 60, NOW) for store in stores] == [True, False]
        for store in stores:
            assert isinstance(store, FallbackStore)
            assert not store.failures
            await store.aclose()

    asyncio.run(story())


def test_what_is_no_url_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="URL"):
        open_store("memcached://localhost", secret=SECRET)
    monkeypatch.setitem(sys.modules, "contentguard.backends.redis", None)
    with pytest.raises(ImportError):
        open_store("redis://localhost", secret=SECRET)
    assert isinstance(open_store(secret=SECRET), MemoryStore), "memory needs nothing installed"
