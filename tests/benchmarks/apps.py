"""One ready-made article of 60 KB behind each of the middlewares that are compared.

``python -m tests.benchmarks.apps NAME`` serves one of them on a free port of 127.0.0.1 and prints its address.

The bytes are made at import, so the app itself costs next to nothing and all that is seen is the middleware: the hard
case for one that works on the page. The guard's limit on articles is off (``limits.articles=""``), because all load
comes from one address; everything else is as it comes. slowapi counts in memory, with a limit that is never reached.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contentguard import ContentGuardMiddleware
from tests.benchmarks.editors import Editor, bs4_editor, inserts
from tests.benchmarks.pages import SIZES, page
from tests.client import drive, http_scope, settings

PATH = "/news/tide"
PAGE = page(SIZES["60k"])


async def article(request: Request) -> Response:
    """The article, as a page cache hands it out."""
    return Response(PAGE, media_type="text/html")


def bare() -> Starlette:
    """The app alone."""
    return Starlette(routes=[Route(PATH, article)])


def guarded() -> Starlette:
    """Behind contentguard."""
    app = bare()
    app.add_middleware(ContentGuardMiddleware, settings=settings(limits={"articles": ""}))
    return app


class NoOp:
    """A pure ASGI middleware that looks at every message and changes none: the least that any can cost."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what comes."""

        async def forward(message: Message) -> None:
            await send(message)

        await self.app(scope, receive, forward)


def noop() -> Starlette:
    """Behind a middleware that does nothing."""
    app = bare()
    app.add_middleware(NoOp)
    return app


class BaseNoOp(BaseHTTPMiddleware):
    """The same, the way most middlewares are written."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass on what comes."""
        return await call_next(request)


def basehttp() -> Starlette:
    """Behind a ``BaseHTTPMiddleware`` that does nothing."""
    app = bare()
    app.add_middleware(BaseNoOp)
    return app


def slowapi(limit: str = "1000000000/minute") -> Starlette:
    """Behind slowapi's ASGI middleware, counting in memory."""
    from slowapi import Limiter
    from slowapi.middleware import SlowAPIASGIMiddleware
    from slowapi.util import get_remote_address

    app = bare()
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=[limit])
    app.add_middleware(SlowAPIASGIMiddleware)
    return app


class Rewriter:
    """A pure ASGI middleware that holds the page and hands it to an editor."""

    def __init__(self, app: ASGIApp, edit: Editor) -> None:
        self.app, self.edit = app, edit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the start until the page is whole."""
        start: Message = {}
        held: list[bytes] = []

        async def take(message: Message) -> None:
            nonlocal start
            if scope["type"] != "http":
                await send(message)
            elif message["type"] == "http.response.start":
                start = message
            else:
                held.append(message.get("body", b""))
                if not message.get("more_body"):
                    body = self.edit(b"".join(held))
                    kept = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                    length = (b"content-length", str(len(body)).encode())
                    await send({**start, "headers": [*kept, length]})
                    await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, take)


def bs4() -> Starlette:
    """Behind a middleware that does the guard's insertions with BeautifulSoup."""
    app = bare()
    app.add_middleware(Rewriter, edit=bs4_editor(inserts(PAGE, asyncio.run(_body(guarded())))))
    return app


def gzip() -> Starlette:
    """Behind Starlette's own compression, for scale."""
    app = bare()
    app.add_middleware(GZipMiddleware)
    return app


async def _body(app: ASGIApp) -> bytes:
    return b"".join(message.get("body", b"") for message in await drive(app, http_scope(PATH)))


APPS: Mapping[str, Callable[[], Starlette]] = {
    "unguarded": bare,
    "guarded": guarded,
    "noop": noop,
    "basehttp": basehttp,
    "slowapi": slowapi,
    "bs4": bs4,
    "gzip": gzip,
}
"""Name → how the app is made."""


def main(name: str) -> None:
    """Serve one of the apps until told to stop."""
    app = APPS[name]()
    # asyncio switches Nagle's algorithm off only for a socket that names its protocol; with it, small answers to a
    # client that keeps its connection take 40 ms, and every app looks the same.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}", flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
