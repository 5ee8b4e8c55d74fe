"""The response on its way out: held or streamed if it may hold an article, rewritten, or let go as it came.

Strategy: one responder per request owns all of its state. It decides at ``http.response.start``; whatever is not an
HTML page passes at once and untouched. A page whose length the app tells, or that comes in one message, is taken whole:
its plan is looked up. Any other is rewritten chunk by chunk as it passes. For a client that may not have articles the
rule is the other way round: nothing leaves before the page is known, and one that cannot be looked into is refused.

Longer than a module should be, because every way out of a response must be seen beside every other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

import anyio

from contentguard.asgi.feeds import UNREADABLE, Customer, HeldFeed, Passing, Sent, may_ask_again
from contentguard.asgi.files import PATHSEND, ZEROCOPY, read
from contentguard.asgi.headers import edition_of, for_the_app, not_modified
from contentguard.asgi.openings import Opening, Openings
from contentguard.asgi.outbox import BODY, Outbox, without_body
from contentguard.asgi.replay import no_body
from contentguard.asgi.request import MARKER, UNTIL, behind, line, public_path
from contentguard.asgi.response import Plain, refusal
from contentguard.asgi.streamed import StreamedPage
from contentguard.detect.order import MAX_BYTES
from contentguard.guard.admissions import Admissions
from contentguard.guard.buckets import HEADER
from contentguard.guard.callers import Caller
from contentguard.guard.copies import Whom
from contentguard.guard.entries import LEAD
from contentguard.guard.press import NOBODYS, Own
from contentguard.guard.senders import ASKED
from contentguard.guard.visits import Visit
from contentguard.model import Action, Facts, Rendition, Verdict
from contentguard.rewrite.codings import CodingError, Decoder, Trouble
from contentguard.rewrite.feeds import JSON_FEED, XML_FEEDS
from contentguard.rewrite.feeds import KINDS as FEEDS
from contentguard.rewrite.feedtext import Trouble as FeedTrouble
from contentguard.rewrite.head import ascii_superset, is_wide
from contentguard.rewrite.lead import ROUTE as WAITS
from contentguard.rewrite.page import Delivery, Field
from contentguard.rewrite.plan import Plan, Untouched

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_RANGE = (b"range", b"if-range")
_BODIES = (BODY, PATHSEND, ZEROCOPY)
_KINDS = ("text/html", "application/xhtml+xml")
_READERS = (Rendition.FULL, Rendition.LEAD)
"""Who gets articles, at once or after a while: nothing else is kept from them."""
_WHOLE = (Rendition.FULL, Rendition.LEAD, Rendition.SEARCH)
"""What holds any of an article's text."""
_PARTS = "multipart/byteranges"
_PART_TYPE = re.compile(
    rb"(?i)\ncontent-type:[ \t]*+"
    rb"(?:text/(?:html|xml|json|rss|(?:rss|atom)\+xml)|application/(?:xhtml\+xml|xml|json|rss|(?:x-)?(?:rss|atom|rdf)\+xml|feed\+json))"
)
_PART_HEADER = 8192
"""Bytes within which the header of the first of several parts ends."""


class ArticleResponder:
    """Carries one response from the app to the client."""

    # Most of it never changes for most responses, so it is set for all of them here.
    done = False
    """Whatever still comes passes."""
    whole_wanted = False
    """The app answered with less than a page (a part, or HEAD): that is dropped, and the page asked for."""
    asked_again = False
    tag = b""
    """The entity tag of the page that the client holds, where it is one of ours."""
    stream: StreamedPage | None = None
    feed: HeldFeed | None = None
    """What may be a feed, while it is held."""
    uncoded = False
    """What the app answered was coded in a way that is unknown here; it is asked for in none."""
    whole = False
    """The page is taken whole."""
    parts = False
    """The response holds several parts of something."""
    chunks: tuple[bytes, ...] | list[bytes] = ()
    held = 0
    heard: bytearray | None = None
    """What passes and is listened to: the site's own list of its pages."""
    opening: Opening | None = None
    """What follows from the start of a page that can be looked into."""

    def __init__(
        self,
        app: ASGIApp,
        openings: Openings,
        facts: Facts,
        verdict: Verdict,
        caller: Caller,
        visit: Visit | None = None,
        token: bytes = b"",
    ) -> None:
        """``token``: what stood in the query for us."""
        self.app, self.openings, self.facts, self.verdict = app, openings, facts, verdict
        self.guard, self.caller, self.visit = openings.guard, caller, visit
        self.full, self.token = verdict.rendition in _READERS, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app behind this responder."""
        self.scope, self.receive = scope, receive
        self.out = out = Outbox()
        out.send = send if scope["method"] != "HEAD" else without_body(send)
        # Inside another guard this one has nothing to add for a reader, but may still restrict a robot.
        self.rewrites = MARKER not in scope or not self.full
        inner = behind(scope, self.guard)
        inner[ASKED] = asked = self.facts, self.verdict, self.visit
        if self.caller.conditional or not self.full:
            self._prepare(inner)
        try:
            await self.app(inner, receive, self.send)
            if self.whole_wanted:
                self.whole_wanted, self.asked_again = False, True
                inner = {**behind(scope, self.guard), ASKED: asked, "method": "GET"}
                self._prepare(inner, (*_RANGE, b"accept-encoding") if self.uncoded else _RANGE)
                await self.app(inner, no_body(), self.send)
        except BaseException:
            if self.stream is not None and self.out.start is None:
                await self.stream.break_off()
            raise
        if not self.out.finished and not self.done:
            await self._cut_short()

    def _prepare(self, scope: Scope, dropped: Iterable[bytes] = ()) -> None:
        """The request's headers for the app: our tags as its own, and for restricted clients no compression."""
        if self.caller.conditional and self.rewrites:
            editions: tuple[str, ...] = (self.guard.edition,) if self.full else ()
            if self.guard.feeds.active:
                editions += (self.customer.edition,)
            scope["headers"], self.tag = for_the_app(list(scope["headers"]), *editions)
        drop = {*dropped} if self.full else {*dropped, b"accept-encoding"}
        if drop:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in drop]

    async def send(self, message: Message) -> None:
        """One message of the app."""
        kind = message["type"]
        if kind == "http.response.start":
            if self._held(message):
                return
            await self._begin()
        elif kind not in _BODIES:
            if not self.whole_wanted:
                await self.out.other(message)
        elif self.out.finished or self.whole_wanted:
            return
        elif self.feed is not None:
            await self._feed_on(self.feed, message)
        elif self.done:
            if self.heard is not None:
                self._hear(message)
            await self.out.send(message)
        elif kind == BODY and not self.held and not message.get("more_body", False) and self.stream is None:
            # All of it in one message: the usual case goes the shortest way.
            body = message.get("body", b"")
            self.chunks, self.held = (*self.chunks, body) if self.chunks else (body,), len(body)
            if self.parts or self.held > self.guard.max_bytes:
                await self._odd()
            else:
                await self._finish()
        else:
            await self._take(message)

    # -- the start ---------------------------------------------------------------------------------------------

    def _held(self, message: Message) -> bool:
        """Whether this is the start of a page that can be looked into: the usual case, and nothing to wait for."""
        out, headers = self.out, list(message["headers"])
        usual = self.rewrites and message["status"] == 200 and self.facts.method != "HEAD"
        if usual and (opening := self.openings.find(self.scope, headers)) is not None:
            self.opening, out.start, out.answer = opening, message, opening.answer
            out.headers = opening.headers.copy() if opening.answer.option else headers
            return True
        status = out.hold(message, headers)
        if not usual or not self._concerns_us(status) or out.answer.kind in FEEDS or self._closed_book() is not None:
            return False
        opening = self.openings.make(self.scope, headers, out.answer)
        self.opening = self.openings.keep(self.scope, headers, opening)
        return True

    async def _begin(self) -> None:
        assert self.out.start is not None
        status = self.out.start["status"]
        if not self._concerns_us(status):
            await self._let_pass(status)
        elif status == 206:
            await self._part()
        elif self.facts.method == "HEAD" and not self.asked_again:
            # What GET would answer can only be told from the page itself.
            self._ask_for_the_whole()
        elif self.out.answer.kind in FEEDS:
            await self._begin_feed()
        elif (why := self._closed_book()) is not None:
            await self._unreadable(why)

    def _ask_for_the_whole(self) -> None:
        self.whole_wanted, self.chunks = True, ()
        self.out.drop()

    async def _let_pass(self, status: int) -> None:
        guard, out, headers = self.guard, self.out, self.out.headers
        if self.visit is not None:
            self.heard = guard.passing(self.visit, self.facts, status, out.answer.kind)
        if status == 304 and self.tag:
            personal = guard.personal if edition_of(self.tag) == guard.edition else self.customer.personal
            headers = not_modified(headers, out.answer, self.tag, personal=personal, gzips=guard.compression)
        self.done = True
        await out.begin(headers)

    def _hear(self, message: Message) -> None:
        """Take in some of a list of the site's pages."""
        assert self.heard is not None
        self.heard += message.get("body", b"")[: MAX_BYTES - len(self.heard)]
        if not message.get("more_body", False):
            self.guard.learned(self.facts.path, bytes(self.heard))
            self.heard = None

    def _closed_book(self) -> Untouched | None:
        """Why the page cannot be looked into, as far as its headers tell."""
        answer = self.out.answer
        if not ascii_superset(answer.content_type):
            return Untouched.CHARSET
        if answer.codings:
            try:
                Decoder(answer.codings, 0)
            except CodingError:
                return Untouched.ENCODED
        return None

    async def _part(self) -> None:
        """A part of a page would get past us unread: have the whole page instead, as if no part had been asked for."""
        several = self.out.answer.kind == _PARTS
        if several and not self.asked_again:
            self.parts = True  # of what, the body will tell
        elif not self.asked_again:
            self._ask_for_the_whole()
        elif self.out.answer.kind in XML_FEEDS or self.out.answer.kind == JSON_FEED:
            await self._feed_unread(FeedTrouble.TOO_LARGE)
        elif self.full or several or self.out.answer.kind in FEEDS:
            await self._let_pass(206)
        else:
            await self._refuse_unseen()

    def _concerns_us(self, status: int) -> bool:
        answer = self.out.answer
        if status != 200 and not (status == 206 and self.facts.method in ("GET", "HEAD")):
            return False
        if not self.rewrites or answer.option == "off":
            return False
        if answer.kind in FEEDS:
            return self.guard.feeds.active
        if answer.kind not in _KINDS:
            return answer.kind == _PARTS and status == 206
        return not (self.full and answer.left_alone and status == 200)

    # -- feeds -------------------------------------------------------------------------------------------------

    @cached_property
    def customer(self) -> Customer:
        """Who asks, as far as feeds are concerned."""
        return Customer(self.guard, self.facts, self.verdict, self.caller, self.token, line(self.scope))

    async def _begin_feed(self) -> None:
        answer = self.out.answer
        try:
            self.feed = HeldFeed(self.guard, answer, self.out.headers, self.customer)
        except CodingError:
            if not self.asked_again and self.facts.method in ("GET", "HEAD") and may_ask_again(answer.kind):
                self.uncoded = True
                self._ask_for_the_whole()
            elif answer.kind in XML_FEEDS or answer.kind == JSON_FEED:
                await self._feed_unread(FeedTrouble.ENCODED)
            else:
                await self._let_pass(200)

    async def _feed_on(self, feed: HeldFeed, message: Message) -> None:
        ending = await feed.take(message)
        if ending is None:
            return
        self.feed = None
        if isinstance(ending, Sent):
            await self.out.begin(ending.headers)
            await self.out.body(ending.body)
        elif isinstance(ending, Passing):
            await self._let_pass(200)
            if ending.file is None or ending.held:
                more = ending.file is not None or bool(message.get("more_body", False))
                await self.send({"type": BODY, "body": ending.held, "more_body": more})
            if ending.file is not None:
                await self.send(ending.file)
        else:
            await self._feed_unread(ending)

    async def _feed_unread(self, why: FeedTrouble) -> None:
        """A feed that cannot be read: it may hold any number of articles, so nobody gets it."""
        mend = "Serve it readable, send X-ContentGuard: off with it, or set feeds.mode to full"
        self.guard.note(
            f"feed-unread.{why}", f"{public_path(self.scope)!a} refused, a feed that cannot be read ({why}). {mend}"
        )
        await self._answer(UNREADABLE)

    # -- the body ----------------------------------------------------------------------------------------------

    async def _take(self, message: Message) -> None:
        more = message.get("more_body", False)
        chunk = message.get("body", b"") if message["type"] == BODY else await self._from_file(message)
        if chunk is None:
            return
        if self.stream is not None:
            await self.stream.take(chunk, more=more)
        elif self.parts:
            await self._look_at_parts(chunk, more)
        elif self.whole or not (more and self.full and await self._begun(chunk)):
            await self._keep(chunk, more)

    async def _keep(self, chunk: bytes, more: bool) -> None:
        """Hold the page until it is whole."""
        self.whole = True
        self.held += len(chunk)
        if isinstance(self.chunks, list):
            self.chunks.append(chunk)
        else:
            self.chunks = [*self.chunks, chunk]
        if self.held > self.guard.max_bytes:
            await self._unreadable(Untouched.TOO_LARGE, more)
        elif not more or self.held == self.out.answer.length:
            await self._finish()

    async def _odd(self) -> None:
        """What has come in one piece is several parts of something, or too large."""
        if self.parts:
            await self._look_at_parts(b"", more=False)
        else:
            await self._unreadable(Untouched.TOO_LARGE, more_body=False)

    async def _begun(self, chunk: bytes) -> bool:
        """Whether a page of which more is to come needs no holding, as its first bytes tell."""
        if is_wide(chunk):
            self.chunks = (chunk,)
            await self._unreadable(Untouched.CHARSET, more_body=True)
            return True
        answer, guard = self.out.answer, self.guard
        if answer.length >= 0 or answer.codings or answer.kind != "text/html" or not guard.pages.finder.simple:
            return False
        if self.caller.ahead or not guard.may_stream(self.facts, self.verdict, self.visit):
            return False
        full = guard.admissions is not None and await guard.admissions.is_full(self.facts)
        if full or await guard.over_limit(self.facts):
            # Once the start has left there is no refusing any more: such a client gets the page only when it is whole.
            return False
        self.stream = StreamedPage(
            guard, self.out, self.facts, self.verdict, self.opening or self._opened(), self.visit
        )
        await self.stream.take(chunk, more=True)
        return True

    async def _look_at_parts(self, chunk: bytes, more: bool) -> None:
        """Several parts of a page get past us no more than one; those of anything else pass.

        All are parts of one file (RFC 9110 §14.6), so the first one's header tells.
        """
        self.chunks = [*self.chunks, chunk]
        start = b"".join(self.chunks)
        if more and b"\r\n\r\n" not in start and len(start) < _PART_HEADER:
            return
        self.parts = False
        if _PART_TYPE.search(start.partition(b"\r\n\r\n")[0]):
            self._ask_for_the_whole()
        else:
            await self._release(more_body=more)

    async def _from_file(self, message: Message) -> bytes | None:
        """What a server was to read from a file itself; None when that was too much, and has been dealt with."""
        limit = self.guard.max_bytes - self.held
        data = await anyio.to_thread.run_sync(read, message, limit)
        if data is None and self.full:
            self.guard.note(f"untouched.{Untouched.TOO_LARGE}", self._mend(Untouched.TOO_LARGE))
            await self._release(more_body=True, empty=False)
            await self.out.send(message)
        elif data is None:
            await self._unreadable(Untouched.TOO_LARGE)
        return data

    def _opened(self) -> Opening:
        """What follows from the start of the page that is held."""
        return self.openings.make(self.scope, self.out.headers, self.out.answer)

    async def _finish(self) -> None:
        """The page is whole: look it up, decide, fill it in, and let it go."""
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        guard, opening = self.guard, self.opening or self._opened()
        if opening.answer.codings:
            decoded = self._decoded(body)
            if isinstance(decoded, Untouched):
                await self._unreadable(decoded)
                return
            body = decoded
        delivered, shelf = opening.delivery, opening.shelf
        plan = guard.pages.cache.get(shelf.key, body) or await guard.plan_in_turns(body, delivered, shelf)
        if not plan.is_article:
            await self._release()
            return
        visit = self.visit
        own = NOBODYS if visit is None else self._arrived(visit, plan, delivered)
        now = guard.admitted(self.facts, self.verdict)
        self.facts, self.verdict = now or await guard.admit(self.facts, self.verdict)
        if self.verdict.action is not Action.ALLOW:
            await self._refuse()
            return
        rendition = self.verdict.rendition
        if visit is not None and (admissions := guard.admissions) is not None and admissions.applies(self.verdict):
            if self.caller.ahead and admissions.is_known(visit, self.verdict):
                await self._answer(_AHEAD)
                return
            rendition, own = await self._entered(admissions, visit, plan, opening, own)
            if rendition is Rendition.NONE:
                await self._send_to_wait(delivered.routes + WAITS + own[Field.TICKET].decode("ascii"))
                return
        await self._leave(plan, opening, rendition, own)

    async def _leave(self, plan: Plan, opening: Opening, rendition: Rendition, own: Own) -> None:
        """Send what leaves of an article; where that cannot be made, the page as it came, or a refusal."""
        guard, out, delivered, nonce = self.guard, self.out, opening.delivery, opening.shelf.allowed.nonce
        gzipped = self.caller.gzips and guard.compression
        bucket = -1
        shared: Own = {}
        if guard.copies is not None and rendition in _WHOLE:
            visit = self.visit if rendition is not Rendition.SEARCH else None
            whom = None if visit is None else Whom(visit, self.facts, self.verdict)
            if whom is not None and rendition is Rendition.FULL:
                bucket, shared = await guard.copies.shared(guard.pages, opening.shelf, plan, whom)
            if bucket < 0:
                shared = await guard.copies.values(guard.pages, opening.shelf, plan, whom, self.facts.now)
            own = {**(own if bucket < 0 else NOBODYS), **shared}
        if gzipped:
            page = await guard.render_gzip(plan, rendition, self.facts, delivered, nonce, own)
        else:
            page = guard.render(plan, rendition, self.facts, delivered, nonce, own)
        if page is not None:
            assert out.start is not None
            start, out.start = dict(out.start), None
            length = None if start.get("trailers") else len(page[0])
            headers = opening.leaving(guard, length, page[1] and bucket < 0, gzipped, rendition is Rendition.FULL)
            if bucket >= 0:
                headers.append((HEADER, b"%d" % bucket))
            if self.visit is not None and self.visit.new is not None:
                headers += guard.handed_out(self.visit, self.facts)
            start["headers"] = headers
            await out.send(start)
            if out.waiting:
                await out.catch_up()
            out.finished = True
            await out.send({"type": BODY, "body": page[0], "more_body": False})
        elif self.full:
            await self._release()
        else:
            await self._refuse_unseen()

    async def _entered(
        self, admissions: Admissions, visit: Visit, plan: Plan, opening: Opening, own: Own
    ) -> tuple[Rendition, Own]:
        """What of the article leaves, where it has to have been earned (NONE: it is to be waited for); and what the
        page then carries of its own."""
        guard, delivered, name = self.guard, opening.delivery, plan.name or opening.delivery.path
        if guard.is_robot(self.facts):
            division = await guard.divided(plan, opening.shelf, delivered)
            granted = admissions.of_robot(self.facts, self.verdict)
            missing = granted is Rendition.LEAD and division.lead is None
            if missing and not admissions.is_open(self.verdict, division.undivided):
                return Rendition.HEAD, own
            return granted, own
        if self.facts.method == "HEAD":
            whole, entry = admissions.is_known(visit, self.verdict), LEAD
        else:
            entry = admissions.entered(visit, self.facts, self.verdict, name) or await admissions.enter(
                visit, self.facts, self.verdict, name
            )
            whole = entry.whole
            if not whole and visit.token:
                about = plan.url or delivered.path
                whole = await guard.links.opens(visit, self.facts, self.verdict, about, line(self.scope))
        if whole:
            return Rendition.FULL, guard.boxed(own, visit, plan, self.facts.now)
        division = await guard.divided(plan, opening.shelf, delivered)
        if division.lead is None:
            if admissions.is_open(self.verdict, division.undivided):
                # A page that cannot be divided: readers must not lose it.
                return Rendition.FULL, own
            if visit.given is not None and admissions.is_suspicious(self.verdict):
                # It has waited already, and that does not earn what it lacks.
                return Rendition.HEAD, own
        ticket = admissions.ticket(visit, self.facts, self.verdict, name, line(self.scope)).encode("ascii")
        if until := admissions.until(visit, self.facts.now, entry):
            ticket += b"?%s=%d" % (UNTIL, ceil(until))
        return (Rendition.NONE if division.lead is None else Rendition.LEAD), {**own, Field.TICKET: ticket}

    async def _send_to_wait(self, there: str) -> None:
        """Send a reader to the article by way of a page for a moment."""
        headers = [(b"location", there.encode("ascii")), (b"cache-control", b"no-store")]
        if self.visit is not None and self.visit.new is not None:
            headers += self.guard.handed_out(self.visit, self.facts)
        await self._answer(Plain(303, headers, b""))

    def _arrived(self, visit: Visit, plan: Plan, delivered: Delivery) -> Own:
        """The article counts for its visit; what the page then carries of its own."""
        guard, name = self.guard, plan.name or delivered.path
        self.facts, self.verdict = guard.arrived(visit, self.facts, self.verdict, name, shows=plan.shows)
        self.full = self.verdict.rendition in _READERS
        return guard.own(visit, self.facts.now)

    def _decoded(self, raw: bytes) -> bytes | Untouched:
        """The body without its content codings, or why that cannot be had."""
        try:
            decoder = Decoder(self.out.answer.codings, self.guard.max_bytes)
            body = decoder.feed(raw)
            decoder.finish()
        except CodingError as error:
            return Untouched.TOO_LARGE if error.trouble is Trouble.TOO_LARGE else Untouched.ENCODED
        if decoder.codings:
            self.guard.note("encoded-inside", _INSIDE)
        return body

    # -- ways out ----------------------------------------------------------------------------------------------

    async def _cut_short(self) -> None:
        """The app stopped in mid-response: pass on what there is, so that the server sees what it would have seen."""
        if self.stream is not None:
            await self.stream.break_off()
        elif self.out.start is not None and self.full:
            await self._release(more_body=True)
        # A client that may not have articles is left to the server, which answers for an app that said nothing.

    async def _unreadable(self, why: Untouched, more_body: bool | None = None) -> None:
        """A page that cannot be looked into: readers get it as it came, restricted clients a refusal.

        ``more_body``: whether more of it follows; None where nothing of its body has come yet.
        """
        self.guard.note(f"untouched.{why}", self._mend(why))
        if not self.full:
            await self._refuse_unseen()
        elif more_body is None and not self.chunks:
            await self._let_pass(200)
        else:
            await self._release(more_body=bool(more_body))

    def _mend(self, why: Untouched) -> str:
        return f"{public_path(self.scope)!a} left as it came: {_MENDS[why]}"

    async def _refuse_unseen(self) -> None:
        self.facts, self.verdict = self.guard.refuse(self.facts, replace(self.verdict, rendition=Rendition.NONE))
        await self._refuse()

    async def _refuse(self) -> None:
        await self._answer(refusal(self.guard, self.facts, self.verdict))

    async def _answer(self, whole: Plain) -> None:
        """Send this in the place of what the app says, whatever more it has to say."""
        self.done = self.out.finished = True
        self.out.drop()
        await whole(self.scope, self.receive, self.out.send)
        self.out.close()

    async def _release(self, *, more_body: bool = False, empty: bool = True) -> None:
        """Let go of what is held, as it came. ``empty``: even if that is nothing."""
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        self.done = True
        await self.out.begin(self.out.headers)
        if body or empty:
            await self.out.body(body, more=more_body)


_AHEAD = Plain(
    503, [(b"cache-control", b"no-store"), (b"content-type", b"text/plain")], b"Ask when it is to be read.\n"
)
"""What is fetched ahead must not count for a reader's meter, and what does not count must not be given. A browser that
is told so asks again once its reader wants the page (HTML §7.4.5.2, Speculation Rules: only a success is kept)."""
_INSIDE = (
    "pages reach the guard compressed: they are unpacked and packed again. Mount the compressing middleware around the "
    "guard, not inside it (in Starlette: list it before ContentGuardMiddleware, or add it after), or leave compression "
    "to the guard"
)
_MENDS = {
    Untouched.ENCODED: "its Content-Encoding cannot be undone here; mount what compresses around the guard, not inside",
    Untouched.TOO_LARGE: "it is larger than article.max_bytes",
    Untouched.CHARSET: "its encoding is no superset of ASCII",
}
