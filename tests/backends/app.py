"""A small app with the shared store in its request's path, for ``test_faults``.

``/?ticket=…`` asks what admission will ask: one step of a bucket, one of a meter, one ticket. ``/status`` tells what
became of it. The variable ``REDIS`` names the Redis.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, NamedTuple

from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore
from contentguard.backends.redis import RedisStore
from contentguard.limits import Limit

REDIS = "TESTS_REDIS"
SECRET = b"a server's workers share this"
LIMIT = Limit(100_000, 60)


class Much(NamedTuple):
    """A quota that no test reaches."""

    hour: int = 1000
    day: int = 1000


class App:
    """The app."""

    def __init__(self) -> None:
        self._remote = RedisStore(os.environ[REDIS], secret=SECRET)
        self._store = FallbackStore(self._remote, MemoryStore(secret=SECRET))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        answer = self._status() if scope["path"] == "/status" else await self._asked(scope["query_string"].decode())
        body = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _asked(self, ticket: str) -> dict[str, object]:
        now = time.time()
        decision = await self._store.take("client", LIMIT, now)
        wait = await self._store.meter(ticket[:2], int(ticket[3:]), Much(), now)
        return {"allowed": decision.allowed, "wait": wait, "spent": await self._store.spend(ticket, now + 600, now)}

    def _status(self) -> dict[str, object]:
        store = self._store
        return {
            "degraded": store.degraded,
            "outages": store.outages,
            "failures": store.failures,
            "local": store.local,
        }

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self._store.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def app() -> App:
    """For ``uvicorn --factory``."""
    return App()
