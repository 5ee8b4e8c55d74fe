"""The app's own page, asked for once more inside this process: with the reader's own cookies and nobody's help.

Strategy: what a reader has earned is taken from where every page comes from, so it is what the app would show this
reader now. No request leaves the process. Whatever is not a plain page is given up on: the browser then asks itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from anyio import sleep_forever

from contentguard.asgi.headers import look
from contentguard.asgi.openings import Opening, Openings
from contentguard.asgi.request import behind
from contentguard.rewrite.codings import CodingError, Decoder
from contentguard.rewrite.head import ascii_superset

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope

_DROPPED = frozenset(
    b"content-length content-type transfer-encoding expect range if-range if-none-match if-modified-since if-match "
    b"accept accept-encoding origin".split()
)
"""What a request's headers say of its body, of parts, of copies that are held, and of a page that asks."""
_ACCEPT = (b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")


class Found(NamedTuple):
    """A page of the app."""

    opening: Opening
    body: bytes


async def fetch(app: ASGIApp, openings: Openings, scope: Scope, target: str) -> Found | None:
    """The page at ``target`` (path and query as written in a URL); None where the app has no plain page there."""
    path, _, query = target.partition("?")
    headers = [pair for pair in scope["headers"] if pair[0] not in _DROPPED]
    again = {
        **behind(scope, openings.guard),
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode("utf-8"),
        "query_string": query.encode("utf-8"),
        "headers": [*headers, _ACCEPT],
    }
    # What a server offers beyond HTTP is for the request that came.
    again.pop("extensions", None)
    kept = _Kept(openings.guard.max_bytes)
    await app(again, no_body(), kept.send)
    return None if kept.start is None or kept.failed else _page(openings, again, kept.start, bytes(kept.body))


def _page(openings: Openings, scope: Scope, start: Message, body: bytes) -> Found | None:
    headers = list(start["headers"])
    answer = look(headers)
    if start["status"] != 200 or answer.kind != "text/html" or answer.option == "off" or answer.left_alone:
        return None
    if not ascii_superset(answer.content_type):
        return None
    if answer.codings:
        try:
            decoder = Decoder(answer.codings, openings.guard.max_bytes)
            body = decoder.feed(body)
            decoder.finish()
        except CodingError:
            return None
    return Found(openings.find(scope, headers) or openings.make(scope, headers, answer), body)


class _Kept:
    """A response that is kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.start: Message | None = None
        self.body = bytearray()
        self.failed = False

    async def send(self, message: Message) -> None:
        """One message of the app."""
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body" and not self.failed:
            self.body += message.get("body", b"")
            self.failed = len(self.body) > self._most
        elif message["type"].startswith("http.response.") and message["type"] != "http.response.trailers":
            self.failed = self.failed or message["type"] != "http.response.debug"


def no_body() -> Receive:
    """What an app receives that is asked again: no body, and then a client that does not go away."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            # Django listens for a disconnect beside its work, and takes anything else for a fault.
            await sleep_forever()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive
