"""A picture on its way out that is to be marked: held until it is whole, and sent with its marks.

Strategy: the app is asked for the whole file; its validators speak of the app's bytes, so the marked file has one of
its own. Whatever cannot be marked passes as it came.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from contentguard.asgi.headers import STALE, Headers
from contentguard.asgi.response import Plain
from contentguard.guard.marks import MOST, published

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from contentguard.guard.marks import Marks

_KINDS = (b"image/jpeg", b"image/png", b"image/webp")
_OURS = b'"cgi-'
_DROPPED = frozenset((b"range", b"if-range", b"accept-encoding"))
_NOT_OURS = STALE - {b"last-modified"}
"""What is true of the app's bytes alone. When they last changed is when ours did."""
_TAGS = (b"if-none-match", b"if-modified-since")


def for_the_app(scope: Scope) -> Scope:
    """The request for the whole file; with a tag of ours it asks for the file itself."""
    ours = any(name == b"if-none-match" and _OURS in value for name, value in scope["headers"])
    dropped = _DROPPED.union(_TAGS) if ours else _DROPPED
    asked = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}
    asked.pop("extensions", None)  # a file that a server sends by itself is not seen
    return asked


class Marking:
    """``send`` for one request for a picture."""

    def __init__(self, marks: Marks, path: str, now: float, scope: Scope, receive: Receive, send: Send) -> None:
        self._marks, self._path, self._now = marks, path, now
        self._scope, self._receive, self._send = scope, receive, send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        """One message of the app."""
        if message["type"] == "http.response.start" and self._concerns_us(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(self._body) > MOST:
                await self._release(more=more)
            elif not more:
                await self._finish()

    def _concerns_us(self, message: Message) -> bool:
        said = _said(message)
        kind = said.get(b"content-type", b"").partition(b";")[0].strip().lower()
        return message["status"] == 200 and kind in _KINDS and b"content-encoding" not in said

    async def _finish(self) -> None:
        assert self._start is not None
        said = _said(self._start)
        headers: Headers = [pair for pair in self._start["headers"] if pair[0].lower() not in _NOT_OURS]
        if self._scope["method"] == "HEAD":
            await self._send({**self._start, "headers": headers})
            await self._send({"type": "http.response.body", "body": b""})
            return
        since = published(said.get(b"last-modified"), self._now)
        made = await self._marks.marked(bytes(self._body), self._path, since)
        if made is None:
            await self._release(more=False)
            return
        tag = _OURS + blake2b(made, digest_size=12).hexdigest().encode("ascii") + b'"'
        headers.append((b"etag", tag))
        held = [value for name, value in self._scope["headers"] if name == b"if-none-match"]
        if any(tag in value for value in held):
            kept = [pair for pair in headers if not pair[0].lower().startswith(b"content-")]
            await Plain(304, kept, b"").bare(self._send)
        else:
            await Plain(200, headers, made)(self._scope, self._receive, self._send)

    async def _release(self, *, more: bool) -> None:
        start, self._start = self._start, None
        assert start is not None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": bytes(self._body), "more_body": more})
        self._body.clear()


def _said(message: Message) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in message["headers"]}
