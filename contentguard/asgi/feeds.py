"""A feed on its way out, as HTTP: held until it is whole, read, and sent as its client may have it.

Strategy: a feed is known by its media type, or, where that says no more than XML or JSON, by how it begins; what turns
out to be none passes at once and untouched. One that cannot be read is not sent, to anybody: it may hold every article
of a week. A server's passing trouble (503) is what programs that read feeds take that for, and come again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from anyio import to_thread

from contentguard.addresses import prefix
from contentguard.asgi.files import beginning, read
from contentguard.asgi.headers import Answer, Headers, derived, rewritten
from contentguard.asgi.response import Plain
from contentguard.guard.copies import Subscriber
from contentguard.guard.feeds import Read, Share
from contentguard.model import Facts, Verdict
from contentguard.rewrite.codings import CodingError, Decoder
from contentguard.rewrite.codings import Trouble as Coding
from contentguard.rewrite.feeds import HEAD, JSON, JSON_FEED, MOST_BYTES, XML_FEEDS, may_be_feed
from contentguard.rewrite.feedtext import FeedError, Trouble

if TYPE_CHECKING:
    from starlette.types import Message

    from contentguard.guard import Guard
    from contentguard.guard.callers import Caller

_PATIENCE = 1.0
"""Seconds for which is held what has not said yet whether it is a feed."""
_CALM = 16_384
"""Bytes of a feed up to which it is read and packed without leaving the event loop."""
_STEP = 1024
"""Bytes of a coded document that are decoded at once to see how it begins."""
_AGAIN = b"3600"
"""Seconds after which to ask for a feed that cannot be read."""
UNREADABLE = Plain(
    503,
    [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), (b"retry-after", _AGAIN)],
    b"This feed cannot be served at the moment.\n",
)


class Sent(NamedTuple):
    """What leaves."""

    body: bytes
    headers: Headers


class Passing(NamedTuple):
    """No feed: what of it was held, as it came."""

    held: bytes
    file: Message | None = None
    """What the server was to read itself."""


Ending = Sent | Passing | Trouble


class Customer:
    """Who asks, as far as feeds are concerned."""

    def __init__(self, guard: Guard, facts: Facts, verdict: Verdict, caller: Caller, token: bytes, line: str) -> None:
        """``token``: what stood in the query for us; ``line``: path and query without it."""
        self._guard, self._facts, self._verdict = guard, facts, verdict
        self._member, self._token = prefix(facts.client) + caller.tag, token
        self.gzips = caller.gzips and guard.compression
        robot = guard.is_robot(facts)
        self.share = guard.feeds.share(facts, verdict, robot=robot)
        self._subscriber: Subscriber | None = None
        if guard.feeds.signed and token and guard.feeds.is_reader_s(facts, robot=robot):
            found = guard.links.subscriber(token, line, facts.now)
            if found is not None:
                self._subscriber = Subscriber(found.serial, facts, verdict, f"feed {token.decode('ascii')[:24]}")

    @property
    def personal(self) -> bool:
        """Whether what this client gets is not what everybody gets."""
        return self.share is not Share.EXCERPT or self._subscriber is not None

    @property
    def edition(self) -> str:
        """Names what shapes the feed that this client gets."""
        return self._guard.feeds.edition(Share.WHOLE if self._subscriber else self.share, self._subscriber)

    async def admitted(self) -> Subscriber | None:
        """The subscriber whose address this is, if it may be used from here today."""
        if self._subscriber is not None:
            if await self._guard.links.fetches(self._token, self._member, self._facts.now):
                return self._subscriber
            # What is held under their tag is theirs; this is everybody's.
            self._subscriber = None
        return None


class HeldFeed:
    """One response that may be a feed."""

    def __init__(self, guard: Guard, answer: Answer, headers: Headers, customer: Customer) -> None:
        """Raises ``CodingError`` where it is coded in a way that is unknown here."""
        self._guard, self._answer, self._headers, self._customer = guard, answer, headers, customer
        self.declared = answer.kind in XML_FEEDS or answer.kind == JSON_FEED
        self._certain = self.declared
        self._decoder = Decoder(answer.codings, MOST_BYTES)
        self._raw, self._body = bytearray(), bytearray()
        self._since = 0.0

    async def take(self, message: Message) -> Ending | None:
        """Some of it has come; None while it has to be held."""
        more = bool(message.get("more_body", False))
        if message["type"] == "http.response.body":
            return await self._go_on(message.get("body", b""), more)
        data = await to_thread.run_sync(read, message, MOST_BYTES - len(self._raw))
        if data is not None:
            return await self._go_on(data, more)
        if not self._raw:
            start = await to_thread.run_sync(beginning, message, HEAD)
            return Trouble.TOO_LARGE if self._is_feed(start) else Passing(b"", message)
        return Trouble.TOO_LARGE if self._is_feed(bytes(self._raw)) else Passing(bytes(self._raw), message)

    async def _go_on(self, chunk: bytes, more: bool) -> Ending | None:
        self._raw += chunk
        try:
            self._body += self._decoder.feed(chunk)
            if not more:
                self._decoder.finish()
        except CodingError as error:
            return self._failed(Trouble.TOO_LARGE if error.trouble is Coding.TOO_LARGE else Trouble.ENCODED)
        if not self._certain:
            said = may_be_feed(bytes(self._body[:HEAD]) if more else bytes(self._body), self._answer.content_type)
            if said is False or (said is None and not (more and self._waits())):
                return Passing(bytes(self._raw))
            self._certain = bool(said)
        return None if more else await self._finish()

    def _waits(self) -> bool:
        """Whether what has not said what it is may be held for more of it to come."""
        now = self._guard.clock()
        self._since = self._since or now
        return len(self._body) < HEAD and now - self._since < _PATIENCE

    def _failed(self, why: Trouble) -> Ending:
        return why if self._is_feed(bytes(self._raw)) else Passing(bytes(self._raw))

    def _is_feed(self, raw: bytes) -> bool:
        """Whether what begins so, and cannot be read to its end, is a feed."""
        if self._certain:
            return True
        decoder, head = Decoder(self._answer.codings, MOST_BYTES), b""
        with suppress(CodingError):
            for at in range(0, len(raw), _STEP):
                head += decoder.feed(raw[at : at + _STEP])
                if len(head) >= HEAD:
                    break
        return bool(may_be_feed(head[:HEAD], self._answer.content_type))

    async def _finish(self) -> Ending:
        body, guard = bytes(self._body), self._guard
        try:
            found = await guard.feeds.read(body, self._answer.content_type)
        except FeedError as error:
            return error.trouble
        if found is None:
            return Passing(bytes(self._raw))
        return await self._served(found, body)

    async def _served(self, found: Read, body: bytes) -> Ending:
        guard, customer = self._guard, self._customer
        subscriber = await customer.admitted()
        if subscriber is not None:
            made = guard.feeds.subscribed(found, subscriber)
        elif len(body) > _CALM:
            made = await to_thread.run_sync(guard.feeds.copy, found, customer.share)
        else:
            made = guard.feeds.copy(found, customer.share)
        if made == body and not customer.personal:
            # There was nothing to cut: all that the app says of it is true.
            return Passing(bytes(self._raw))
        packed = customer.gzips
        if packed:
            made = await guard.feeds.packed(made)
        etag, may_gzip = derived(self._answer, customer.edition), guard.compression
        return Sent(made, rewritten(self._headers, self._answer, len(made), customer.personal, packed, may_gzip, etag))


def may_ask_again(kind: str) -> bool:
    """Whether what is coded in a way that is unknown here is worth asking for once more, in no coding."""
    return kind not in JSON
