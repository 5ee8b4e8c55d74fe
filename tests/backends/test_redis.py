"""The Redis store: the contract, the answers of memory to the last bit, many hands at once, and restarts."""

from __future__ import annotations

from itertools import count

import pytest

from contentguard.backends import Ledger
from contentguard.backends.redis import RedisStore
from tests.backends.contract import StoreContract
from tests.backends.servers import RedisServer
from tests.backends.test_memory import SECRET

_PREFIXES = map("test{}:".format, count())


class TestRedisStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _of(self, redis: RedisServer) -> None:
        self._url = redis.url

    async def store(self) -> Ledger:
        return RedisStore(self._url, secret=SECRET, prefix=next(_PREFIXES), timeout=5)
