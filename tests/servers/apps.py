"""The site that the real servers serve: everything a guard meets on the wire, each thing at a path of its own."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from contentguard import ContentGuardMiddleware, Settings

DOWNLOAD = "TEST_DOWNLOAD"
"""The environment variable that names the file served at /download."""

PARAGRAPHS = tuple(
    f"<p>Paragraph {number}: the harbour master – Zoë, this winter – read the tide tables twice, and then he read "
    f"them out to the whole of the council, which took {number} hours and a pot of tea.</p>\n"
    for number in range(1, 7)
)
START = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Tide and time</title>\n</head>\n<body>\n'
    "<article>\n<h1>Tide and time</h1>\n"
)
END = "</article>\n</body>\n</html>\n"
ARTICLE = START + "".join(PARAGRAPHS) + END
FRONT = '<!doctype html>\n<title>Front page</title>\n<a href="/article">Tide and time</a>\n'

_gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, bool]]:
    """Leaves a trace that requests can see."""
    yield {"started": True}


async def front(_request: Request) -> Response:
    """HTML that is no article."""
    return HTMLResponse(FRONT)


async def article(_request: Request) -> Response:
    """The article in one piece."""
    return HTMLResponse(ARTICLE)


async def streamed(_request: Request) -> Response:
    """The article in pieces that end anywhere, in the middle of a tag and of a letter too."""

    async def pieces() -> AsyncIterator[bytes]:
        body = ARTICLE.encode()
        for start in range(0, len(body), 61):
            yield body[start : start + 61]
            await asyncio.sleep(0)

    return StreamingResponse(pieces(), media_type="text/html")


class Shouting:
    """An app that writes header names its own way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The article, in capital headers."""
        headers = [(b"Content-Type", b"Text/HTML; Charset=utf-8"), (b"ETag", b'"1"'), (b"X-ContentGuard", b"article")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": ARTICLE.encode()})


async def state(request: Request) -> Response:
    """Whether the lifespan ran and its state came through."""
    return JSONResponse({"started": dict(request.scope.get("state") or {}).get("started", False)})


async def download(_request: Request) -> Response:
    """A large file: the way by which servers send it without us, if they are let."""
    return FileResponse(os.environ[DOWNLOAD], media_type="application/octet-stream")


async def events(request: Request) -> Response:
    """Server-sent events: one at once, the next only when somebody asks for /open."""
    gate = _gates[request.query_params["gate"]]

    async def stream() -> AsyncIterator[bytes]:
        yield b"data: first\n\n"
        await asyncio.wait_for(gate.wait(), 30)
        yield b"data: second\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


async def open_gate(request: Request) -> Response:
    """Lets the next event go."""
    _gates[request.query_params["gate"]].set()
    return Response(status_code=204)


async def echo(websocket: WebSocket) -> None:
    """Says back what it hears, once."""
    await websocket.accept()
    await websocket.send_text("echo: " + await websocket.receive_text())
    await websocket.close()


site = Starlette(
    routes=[
        Route("/", front),
        Route("/article", article),
        Route("/streamed", streamed),
        Route("/shouting", Shouting()),
        Route("/state", state),
        Route("/download", download),
        Route("/events", events),
        Route("/open", open_gate),
        WebSocketRoute("/echo", echo),
    ],
    lifespan=lifespan,
)


async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """The same site, as an app that does not know what a lifespan is."""
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    await site(scope, receive, send)


_SETTINGS = Settings(secret_key="a-secret-key-for-the-servers", site="The Daily Test", reading={"mode": "off"})
app = ContentGuardMiddleware(site, settings=_SETTINGS)
app_without_lifespan = ContentGuardMiddleware(without_lifespan, settings=_SETTINGS)
