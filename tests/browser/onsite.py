"""A guarded app on a real port of this machine, in a thread of the test, reachable by two names.

``127.0.0.1`` and ``localhost`` are different sites to a browser, and the same server.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from contentguard import ContentGuardMiddleware
from tests.client import ARTICLE, ASGI, settings


@dataclass(frozen=True)
class Site:
    """A running site."""

    port: int
    app: ContentGuardMiddleware

    def at(self, host: str) -> str:
        """Its origin under one of its names."""
        return f"http://{host}:{self.port}"


async def articles(scope: Any, receive: Any, send: Any) -> None:
    """An article at ``/news/…``, else an empty page."""
    body = ARTICLE.encode() if scope["path"].startswith("/news/") else b"<!doctype html><title>Empty</title>"
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def site(app: ASGI = articles, **chosen: Any) -> Iterator[Site]:
    """An app behind a guard with these settings, gone at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        guard = ContentGuardMiddleware(app, settings=settings(**{"origin": "", **chosen}))
        config = uvicorn.Config(guard, log_level="critical", lifespan="off", proxy_headers=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Site(free.getsockname()[1], guard)
        server.should_exit = True
        thread.join()
