"""The response on its way out: held or streamed if it may hold an article, rewritten, or let go as it came.

Strategy: one responder per request owns all of its state. It decides at ``http.response.start``; whatever is not an
HTML page passes at once and untouched. A page whose length the app tells, or that comes in one message, is taken whole:
its plan is looked up. Any other is rewritten chunk by chunk as it passes. For a client that may not have articles the
rule is the other way round: nothing leaves before the page is known, and one that cannot be looked into is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from contentguard.asgi.files import PATHSEND, ZEROCOPY, read
from contentguard.asgi.headers import OPTION, Headers, derived, for_the_app, look, not_modified, rewritten
from contentguard.asgi.request import public_path, routes_prefix
from contentguard.asgi.response import refusal
from contentguard.guard import Guard
from contentguard.model import Action, Facts, Rendition, Verdict
from contentguard.rewrite.codings import CodingError, Decoder, Trouble, accepts
from contentguard.rewrite.head import ascii_superset, is_wide
from contentguard.rewrite.page import Delivery
from contentguard.rewrite.pages import Shelf
from contentguard.rewrite.plan import Plan, Rendered, Untouched
from contentguard.rewrite.stream import Phase, Stream

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MARKER = "contentguard.rewritten"
"""Set in the scope by the outermost guard, so that a guard mounted inside it does not rewrite a second time."""
PATIENCE = 1.0
"""Seconds for which what follows a streamed page's head is held to see whether it is an article."""

_RANGE = (b"range", b"if-range")
_BODY = "http.response.body"
_BODIES = (_BODY, PATHSEND, ZEROCOPY)
_KINDS = ("text/html", "application/xhtml+xml")
_PARTS = "multipart/byteranges"
_PART_TYPE = re.compile(rb"(?i)\ncontent-type:[ \t]*+(?:text/html|application/xhtml\+xml)")
_PART_HEADER = 8192
"""Bytes within which the header of the first of several parts ends."""


class ArticleResponder:
    """Carries one response from the app to the client."""

    def __init__(self, app: ASGIApp, guard: Guard, facts: Facts, verdict: Verdict) -> None:
        self.app, self.guard, self.facts, self.verdict = app, guard, facts, verdict
        self.start: Message | None = None
        """The app's start message, while it is held."""
        self.chunks: list[bytes] = []
        self.held = 0
        self.done = False
        """Whatever still comes passes."""
        self.finished = False
        """The last message of the body has been sent."""
        self.whole_wanted = False
        """The app answered with less than a page (a part, or HEAD): that is dropped, and the page asked for."""
        self.asked_again = False
        self.tag = b""
        """The entity tag of the page that the client holds, where it is one of ours."""
        self.waiting: list[Message] = []
        """Messages that came after the start and are to follow it."""
        self.stream: Stream | None = None
        self.whole = False
        """The page is taken whole."""
        self.parts = False
        """The response holds several parts of something."""
        self.counted = False
        """The article has been taken from the client's limit, and reported."""
        self.since = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app behind this responder."""
        self.scope, self.receive = scope, receive
        self._send = _without_body(send) if scope["method"] == "HEAD" else send
        self.full = self.verdict.rendition is Rendition.FULL
        # Inside another guard this one has nothing to add for a reader, but may still restrict a robot.
        self.rewrites = MARKER not in scope or not self.full
        try:
            await self.app(self._inner_scope(), receive, self.send)
            if self.whole_wanted:
                self.whole_wanted, self.asked_again = False, True
                await self.app({**self._inner_scope(_RANGE), "method": "GET"}, _no_body, self.send)
        except BaseException:
            if self.stream is not None and self.start is None:
                await self._send_body(self.stream.abandon(Untouched.ERROR), more_body=True)
            raise
        if not self.finished and not self.done:
            await self._cut_short()

    def _inner_scope(self, dropped: Iterable[bytes] = ()) -> Scope:
        """The scope for the app: marked, and for restricted clients without compression."""
        scope = {**self.scope, MARKER: True}
        headers: Headers = scope["headers"]
        if self.full and self.rewrites:
            for name, _ in headers:
                if name == b"if-none-match":
                    scope["headers"], self.tag = for_the_app(headers, self.guard.edition)
                    break
        drop = {*dropped} if self.full else {*dropped, b"accept-encoding"}
        if drop:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in drop]
        return scope

    async def send(self, message: Message) -> None:
        """One message of the app."""
        kind = message["type"]
        if kind == "http.response.start":
            await self._begin(message)
        elif kind not in _BODIES:
            if self.start is not None:
                self.waiting.append(message)
            elif not self.whole_wanted:
                await self._send(message)
        elif self.finished or self.whole_wanted:
            return
        elif self.done:
            await self._send(message)
        else:
            await self._take(message)

    async def _send_start(self, headers: Headers) -> None:
        """The held start, and what was to follow it."""
        assert self.start is not None
        start, self.start = self.start, None
        await self._send({**start, "headers": headers})
        for message in self.waiting:
            await self._send(message)

    # -- the start ---------------------------------------------------------------------------------------------

    async def _begin(self, message: Message) -> None:
        self.headers: Headers = list(message["headers"])
        self.answer = answer = look(self.headers)
        if answer.option:
            self.headers = [pair for pair in self.headers if pair[0].lower() != OPTION]
        self.start, status = message, message["status"]
        if not self._concerns_us(status):
            await self._let_pass(status)
        elif status == 206:
            await self._part()
        elif self.facts.method == "HEAD" and not self.asked_again:
            # What GET would answer can only be told from the page itself.
            self.whole_wanted, self.start = True, None
        else:
            why = self._closed_book()
            if why is not None:
                await self._unreadable(why)

    async def _let_pass(self, status: int) -> None:
        guard, headers = self.guard, self.headers
        if status == 304 and self.tag:
            compresses = guard.settings.compression
            headers = not_modified(
                headers, self.answer, guard.edition, self.tag, personal=guard.personal, gzips=compresses
            )
        self.done = True
        await self._send_start(headers)

    def _closed_book(self) -> Untouched | None:
        """Why the page cannot be looked into, as far as its headers tell."""
        if not ascii_superset(self.answer.content_type):
            return Untouched.CHARSET
        if self.answer.codings:
            try:
                Decoder(self.answer.codings, 0)
            except CodingError:
                return Untouched.ENCODED
        return None

    async def _part(self) -> None:
        """A part of a page would get past us unread: have the whole page instead, as if no part had been asked for."""
        if self.answer.kind == _PARTS and not self.asked_again:
            self.parts = True  # of what, the body will tell
        elif not self.asked_again:
            self.whole_wanted, self.start = True, None
        elif self.full or self.answer.kind == _PARTS:
            self.done = True
            await self._send_start(self.headers)
        else:
            await self._refuse_unseen()

    def _concerns_us(self, status: int) -> bool:
        answer = self.answer
        if status != 200 and not (status == 206 and self.facts.method in ("GET", "HEAD")):
            return False
        if not self.rewrites or answer.option == "off":
            return False
        if answer.kind not in _KINDS:
            return answer.kind == _PARTS and status == 206
        return not (self.full and answer.left_alone and status == 200)

    # -- the body ----------------------------------------------------------------------------------------------

    async def _take(self, message: Message) -> None:
        more = message.get("more_body", False)
        chunk = message.get("body", b"") if message["type"] == _BODY else await self._from_file(message)
        if chunk is None:
            return
        if self.parts:
            await self._look_at_parts(chunk, more)
        elif self.stream is not None:
            await self._pass_on(chunk, more)
        elif self.whole or not await self._begun(chunk, more):
            await self._keep(chunk, more)

    async def _keep(self, chunk: bytes, more: bool) -> None:
        """Hold the page until it is whole."""
        self.whole = True
        if chunk:
            self.chunks.append(chunk)
            self.held += len(chunk)
        if self.held > self.guard.settings.article.max_bytes:
            await self._unreadable(Untouched.TOO_LARGE, more)
        elif not more or self.held == self.answer.length:
            await self._finish()

    async def _begun(self, chunk: bytes, more: bool) -> bool:
        """Whether the page needs no holding, as its first bytes tell."""
        if not (more and self.full):
            return False
        if is_wide(chunk):
            self.chunks.append(chunk)
            await self._unreadable(Untouched.CHARSET, more)
            return True
        self.stream = None if self.answer.length >= 0 else await self._streamed()
        if self.stream is not None:
            await self._pass_on(chunk, more)
        return self.stream is not None

    async def _look_at_parts(self, chunk: bytes, more: bool) -> None:
        """Several parts of a page get past us no more than one; those of anything else pass.

        All are parts of one file (RFC 9110 §14.6), so the first one's header tells.
        """
        self.chunks.append(chunk)
        start = b"".join(self.chunks)
        if more and b"\r\n\r\n" not in start and len(start) < _PART_HEADER:
            return
        self.parts = False
        if _PART_TYPE.search(start.partition(b"\r\n\r\n")[0]):
            self.whole_wanted, self.start, self.chunks = True, None, []
        else:
            await self._release(more_body=more)

    async def _from_file(self, message: Message) -> bytes | None:
        """What a server was to read from a file itself; None when that was too much, and has been dealt with."""
        limit = self.guard.settings.article.max_bytes - self.held
        data = await anyio.to_thread.run_sync(read, message, limit)
        if data is None and self.full:
            self.guard.note(f"untouched.{Untouched.TOO_LARGE.value}", self._mend(Untouched.TOO_LARGE))
            await self._release(more_body=True, empty=False)
            await self._send(message)
        elif data is None:
            await self._unreadable(Untouched.TOO_LARGE)
        return data

    def _delivery(self) -> tuple[Delivery, Shelf]:
        answer = self.answer
        delivery = Delivery(
            path=public_path(self.scope),
            routes=routes_prefix(self.scope) + "/.contentguard",
            content_type=answer.content_type,
            policies=answer.policies,
            forced=answer.option == "article",
        )
        return delivery, self.guard.pages.shelf(delivery)

    async def _finish(self) -> None:
        """The page is whole: look it up, decide, fill it in, and let it go."""
        raw = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        body = raw
        if self.answer.codings:
            decoded = self._decoded(raw)
            if isinstance(decoded, Untouched):
                await self._unreadable(decoded)
                return
            body = decoded
        delivery, shelf = self._delivery()
        plan = await self.guard.plan_in_turns(body, delivery, shelf)
        if plan.is_article and self.full and plan.full is None and plan.untouched is not None:
            await self._admitted(None)
        elif plan.is_article:
            await self._admitted(plan, delivery, shelf)
        else:
            await self._release()

    async def _admitted(self, plan: Plan | None, delivery: Delivery | None = None, shelf: Shelf | None = None) -> None:
        """The response is an article: may this client have it, and what does it get?"""
        guard = self.guard
        self.facts, self.verdict = await guard.admit(self.facts, self.verdict)
        if self.verdict.action is not Action.ALLOW:
            await self._refuse()
            return
        rendered = None
        if plan is not None and delivery is not None and shelf is not None:
            rendered = await self._rendered(plan, delivery, shelf)
        if rendered is not None:
            await self._send_page(rendered)
        elif self.full:
            await self._release()
        else:
            self.facts, self.verdict = guard.refuse(self.facts, replace(self.verdict, rendition=Rendition.NONE))
            await self._refuse()

    async def _rendered(self, plan: Plan, delivery: Delivery, shelf: Shelf) -> Rendered | None:
        arguments = (plan, self.verdict.rendition, self.facts, delivery, shelf.allowed.nonce)
        self.gzipped = self._gzips()
        if self.gzipped:
            return await self.guard.render_gzip(*arguments)
        return self.guard.render(*arguments)

    async def _send_page(self, rendered: Rendered) -> None:
        assert self.start is not None
        guard = self.guard
        headers = rewritten(
            self.headers,
            self.answer,
            length=None if self.start.get("trailers") else len(rendered.body),
            personal=rendered.personal,
            gzipped=self.gzipped,
            may_gzip=guard.settings.compression,
            etag=derived(self.answer, guard.edition) if self.verdict.rendition is Rendition.FULL else b"",
        )
        self.finished = True
        await self._send_start(headers)
        await self._send({"type": _BODY, "body": rendered.body})

    def _gzips(self) -> bool:
        """Whether this client gets the page compressed."""
        if not self.guard.settings.compression:
            return False
        values = [value for name, value in self.facts.headers if name == b"accept-encoding"]
        return bool(values) and accepts(values[0] if len(values) == 1 else b",".join(values), b"gzip")

    def _decoded(self, raw: bytes) -> bytes | Untouched:
        """The body without its content codings, or why that cannot be had."""
        try:
            decoder = Decoder(self.answer.codings, self.guard.settings.article.max_bytes)
            body = decoder.feed(raw)
            decoder.finish()
        except CodingError as error:
            return Untouched.TOO_LARGE if error.trouble is Trouble.TOO_LARGE else Untouched.ENCODED
        if decoder.codings:
            self.guard.note("encoded-inside", _INSIDE)
        return body

    # -- streams -----------------------------------------------------------------------------------------------

    async def _streamed(self) -> Stream | None:
        """The page as a stream, if this client and this page allow it."""
        answer, guard = self.answer, self.guard
        if answer.codings or answer.kind != "text/html":
            return None
        if not guard.pages.finder.simple:
            return None
        self.delivery, self.shelf = self._delivery()
        if await guard.over_limit(self.facts):
            # Once the start has left there is no refusing any more: such a client gets the page only when it is whole.
            return None
        return guard.stream(self.delivery, self.shelf, self.facts)

    async def _pass_on(self, chunk: bytes, more: bool) -> None:
        stream, clock = self.stream, self.guard.clock
        assert stream is not None
        out = stream.feed(chunk) if chunk else b""
        if stream.phase is Phase.HOLD:
            self.since = self.since or clock()
            if clock() - self.since >= PATIENCE:
                out += stream.release()
        if not more:
            out += stream.finish()
            self.guard.streamed(self.delivery, stream)
        if stream.is_article and not self.counted:
            self.counted = True
            await self.guard.admit(self.facts, self.verdict)
        if out or not more:
            await self._send_body(out, more_body=more)

    async def _send_body(self, body: bytes, *, more_body: bool) -> None:
        """Some of a streamed page, the start before the first of it."""
        if self.start is not None:
            await self._send_start(self._stream_headers())
        self.finished = not more_body
        await self._send({"type": _BODY, "body": body, "more_body": more_body})

    def _stream_headers(self) -> Headers:
        assert self.stream is not None
        if self.stream.phase is Phase.PASS and not self.stream.is_article:
            return self.headers
        return rewritten(
            self.headers,
            self.answer,
            length=None,
            personal=self.guard.personal,
            gzipped=False,
            may_gzip=self.guard.settings.compression,
            etag=derived(self.answer, self.guard.edition),
        )

    # -- ways out ----------------------------------------------------------------------------------------------

    async def _cut_short(self) -> None:
        """The app stopped in mid-response: pass on what there is, so that the server sees what it would have seen."""
        if self.stream is not None:
            await self._send_body(self.stream.abandon(Untouched.ERROR), more_body=True)
        elif self.start is not None and self.full:
            await self._release(more_body=True)
        # A client that may not have articles is left to the server, which answers for an app that said nothing.

    async def _unreadable(self, why: Untouched, more_body: bool | None = None) -> None:
        """A page that cannot be looked into: readers get it as it came, restricted clients a refusal.

        ``more_body``: whether more of it follows; None where nothing of its body has come yet.
        """
        self.guard.note(f"untouched.{why.value}", self._mend(why))
        if not self.full:
            await self._refuse_unseen()
        elif more_body is None and not self.chunks:
            self.done = True
            await self._send_start(self.headers)
        else:
            await self._release(more_body=bool(more_body))

    def _mend(self, why: Untouched) -> str:
        return f"{public_path(self.scope)!a} left as it came: {_MENDS[why]}"

    async def _refuse_unseen(self) -> None:
        self.facts, self.verdict = self.guard.refuse(self.facts, self.verdict)
        await self._refuse()

    async def _refuse(self) -> None:
        self.done = self.finished = True
        self.start = None
        await refusal(self.guard, self.facts, self.verdict)(self.scope, self.receive, self._send)

    async def _release(self, *, more_body: bool = False, empty: bool = True) -> None:
        """Let go of what is held, as it came. ``empty``: even if that is nothing."""
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        self.done, self.finished = True, not more_body
        await self._send_start(self.headers)
        if body or empty:
            await self._send({"type": _BODY, "body": body, "more_body": more_body})


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


def _without_body(send: Send) -> Send:
    async def bodiless(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == _BODY else message)

    return bodiless


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
