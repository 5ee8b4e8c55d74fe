"""The example site with marks in every page, and its gzip spliced; served by ``tests.servers.spliced:app``.

Whatever leaves is sealed: a header names the hash of the page as Python decodes it, so that any other decoder can be
held against that without a second request, and whether or not a page is the same twice.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256, shake_256
from itertools import chain

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contentguard.rewrite.codings import accepts
from contentguard.rewrite.splice import Banded, Spliced
from examples.news.serve import build

SEAL = "x-plain-sha256"
MARKS = ["\u200b", "\u200c", "\u200d", "\u2060"]
ENDS = re.compile(rb"(?=</p>)|(?<=<body>)|(?=</title>)")

Headers = dict[bytes, bytes]
Change = Callable[[Scope, Headers, bytes], bytes]


class Changed:
    """An app whose whole pages go through ``change``, which may edit the headers too."""

    def __init__(self, app: ASGIApp, change: Change) -> None:
        self.app, self.change = app, change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Holds each page back until it is complete."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def hold(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._release(scope, start, body, send)

        await self.app(scope, receive, hold)

    async def _release(
        self, scope: Scope, start: Message, body: bytes, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        headers = {name.lower(): value for name, value in start["headers"]}
        if scope["method"] == "GET" and headers.get(b"content-type", b"").startswith(b"text/html"):
            body = self.change(scope, headers, body)
            headers[b"content-length"] = b"%d" % len(body)
        await send({**start, "headers": [*headers.items()]})
        await send({"type": "http.response.body", "body": body})


def marked(path: str, body: bytes) -> tuple[list[bytes], list[bytes]]:
    """The page cut where marks go, and the marks, the same each time."""
    pieces = ENDS.split(body)
    bits = shake_256(path.encode()).digest(4 * len(pieces))
    marks = ["".join(MARKS[byte % 4] for byte in bits[4 * n : 4 * n + 4]).encode() for n in range(len(pieces) - 1)]
    return pieces, marks


def spliced(scope: Scope, headers: Headers, body: bytes) -> bytes:
    """The page with its marks, as a spliced gzip where that is welcome."""
    pieces, marks = marked(scope["path"], body)
    headers.update({b"vary": b"Accept-Encoding", b"cache-control": b"public, max-age=600"})
    headers.pop(b"etag", None)
    if not accepts(dict(scope["headers"]).get(b"accept-encoding", b""), b"gzip"):
        return b"".join(chain(*zip(pieces, [*marks, b""], strict=True)))
    headers[b"content-encoding"] = b"gzip"
    return banded(pieces, marks) if len(body) % 2 else Spliced(pieces, [len(mark) for mark in marks]).fill(marks)


def banded(pieces: list[bytes], marks: list[bytes]) -> bytes:
    """The same with the middle of the page deflated for this answer alone."""
    first, last = len(marks) // 3, len(marks) - len(marks) // 3
    middle = b"".join(chain(*zip(marks[first:last], pieces[first + 1 : last + 1], strict=True)))
    halves = [(pieces[: first + 1], marks[:first]), ([b"", *pieces[last + 1 :]], marks[last:])]
    frame = Banded(*((texts, [len(mark) for mark in own]) for texts, own in halves))
    return frame.fill([*marks[:first], *marks[last:]], middle)


def sealed(_scope: Scope, headers: Headers, body: bytes) -> bytes:
    """The page as it is, and the hash of what it says."""
    plain = gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body
    headers[SEAL.encode()] = sha256(plain).hexdigest().encode()
    return body


# To hold the decoders against what the guard sends, let ``site`` be the guarded one: build(origin=…) alone.
site: ASGIApp = Changed(build(origin="https://gazette.example", unguarded=True), spliced)
app = Changed(site, sealed)
