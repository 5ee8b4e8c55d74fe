"""One ready-made article of 60 KB behind each of the middlewares that are compared.

``python -m tests.benchmarks.apps NAME [granian]`` serves one of them on a free port of 127.0.0.1 and prints its
address; without a second word by uvicorn, with the event loop and the parser that it takes by itself.

The bytes are made at import, so the app itself costs next to nothing and all that is seen is the middleware: the hard
case for one that works on the page. All load comes from one address, so the limits, the guard's and slowapi's, are such
as are never reached; they count all the same. Everything else of the guard is as it comes.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

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
PROGRESSIVE = {"mode": "progressive"}
REWRITE_ONLY: Mapping[str, Any] = {
    "limits": {"articles": "", "requests": ""},
    "visits": {"remember": False},
    "robots": {"meta": False},
    "policy": {"preset": "open"},
}
UNREACHED = "1000000000/minute"
"""A limit that is never reached, so that counting is measured and refusing is not."""


async def article(request: Request) -> Response:
    """The article, as a page cache hands it out."""
    return Response(PAGE, media_type="text/html")


def bare() -> Starlette:
    """The app alone."""
    return Starlette(routes=[Route(PATH, article)])


def guarded() -> Starlette:
    """Behind contentguard."""
    app = bare()
    app.add_middleware(ContentGuardMiddleware, settings=settings(limits={"articles": UNREACHED}, reading=PROGRESSIVE))
    return app


def unmetered() -> Starlette:
    """Behind contentguard, articles whole for everybody: where a page with all its inserts is needed."""
    app = bare()
    app.add_middleware(ContentGuardMiddleware, settings=settings(limits={"articles": UNREACHED}))
    return app


def rewrite_only() -> Starlette:
    """Behind contentguard that only rewrites: nothing is counted, remembered or told to machines."""
    app = bare()
    app.add_middleware(ContentGuardMiddleware, settings=settings(**REWRITE_ONLY))
    return app


def marked() -> Starlette:
    """Behind contentguard that marks every copy, and keeps no record of whom it gave them to."""
    app = bare()
    chosen = settings(
        limits={"articles": UNREACHED}, reading=PROGRESSIVE, watermark={"enabled": True}, evidence={"url": ""}
    )
    app.add_middleware(ContentGuardMiddleware, settings=chosen)
    return app


def ready() -> Starlette:
    """The guard's answer without the guard: what its headers and its insertions cost the server by themselves."""
    start, *rest = asyncio.run(drive(unmetered(), http_scope(PATH)))
    headers = [pair for pair in start["headers"] if pair[0] != b"set-cookie"]
    body = b"".join(message.get("body", b"") for message in rest)

    async def answer(request: Request) -> Response:
        made = Response(body)
        made.raw_headers = headers
        return made

    return Starlette(routes=[Route(PATH, answer)])


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


def slowapi(limit: str = UNREACHED) -> Starlette:
    """Behind slowapi as its documentation sets up a limit for all routes, counting in memory."""
    from slowapi.middleware import SlowAPIMiddleware

    return _slowapi(SlowAPIMiddleware, limit)


def slowapi_asgi(limit: str = UNREACHED) -> Starlette:
    """Behind slowapi's other middleware, which its documentation names as the faster one."""
    from slowapi.middleware import SlowAPIASGIMiddleware

    return _slowapi(SlowAPIASGIMiddleware, limit)


def _slowapi(middleware: Callable[[ASGIApp], ASGIApp], limit: str) -> Starlette:
    from slowapi import Limiter, _rate_limit_exceeded_handler
    from slowapi.errors import RateLimitExceeded
    from slowapi.util import get_remote_address

    app = bare()
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=[limit])
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]
    app.add_middleware(middleware)
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
    app.add_middleware(Rewriter, edit=bs4_editor(inserts(PAGE, asyncio.run(_body(unmetered())))))
    return app


def gzip() -> Starlette:
    """Behind Starlette's own compression as it comes: level 9."""
    app = bare()
    app.add_middleware(GZipMiddleware)
    return app


def gzip6() -> Starlette:
    """The same at level 6, which most servers take."""
    app = bare()
    app.add_middleware(GZipMiddleware, compresslevel=6)
    return app


async def _body(app: ASGIApp) -> bytes:
    return b"".join(message.get("body", b"") for message in await drive(app, http_scope(PATH)))


APPS: Mapping[str, Callable[[], Starlette]] = {
    "unguarded": bare,
    "guarded": guarded,
    "unmetered": unmetered,
    "marked": marked,
    "rewrite_only": rewrite_only,
    "ready": ready,
    "noop": noop,
    "basehttp": basehttp,
    "slowapi": slowapi,
    "slowapi_asgi": slowapi_asgi,
    "bs4": bs4,
    "gzip": gzip,
    "gzip6": gzip6,
}
"""Name → how the app is made."""


def main(name: str, server: str = "uvicorn") -> None:
    """Serve one of the apps until told to stop."""
    SERVERS[server](name)


def by_uvicorn(name: str) -> None:
    """One process, the event loop and the parser that uvicorn finds best."""
    app = APPS[name]()
    # asyncio switches Nagle's algorithm off only for a socket that names its protocol; with it, small answers to a
    # client that keeps its connection take 40 ms, and every app looks the same.
    with _socket() as listener:
        listener.listen(128)
        print(_address(listener), flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, proxy_headers=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


def by_granian(name: str) -> None:
    """One worker, as granian runs it by itself; the worker is a process of its own and makes the app there."""
    from granian import Granian
    from granian.constants import Interfaces

    with _socket() as found:
        address, port = _address(found), found.getsockname()[1]
    print(address, flush=True)
    target = f"{__spec__.name}:{APPS[name].__name__}"
    Granian(target, "127.0.0.1", port, interface=Interfaces.ASGINL, factory=True, log_enabled=False).serve()


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.bind(("127.0.0.1", 0))
    return made


def _address(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}{PATH}"


SERVERS: Mapping[str, Callable[[str], None]] = {"uvicorn": by_uvicorn, "granian": by_granian}


if __name__ == "__main__":
    main(*sys.argv[1:])
