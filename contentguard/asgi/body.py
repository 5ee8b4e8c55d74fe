"""The response on its way out: held only if it may hold an article, rewritten, or let go as it came.

Strategy: one responder per request owns all of its state. It decides at ``http.response.start``; whatever is not a
whole HTML page passes at once and untouched. What is held is bounded. For a client that may not have articles the
rule is the other way round: a page that cannot be looked into is refused.

Kept in one place, because it is one truth: which headers a rewritten page must lose or change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from contentguard.asgi.request import public_path, routes_prefix
from contentguard.asgi.response import Plain, refusal
from contentguard.guard import Guard
from contentguard.model import Action, Facts, Rendition, Verdict
from contentguard.rewrite.page import Delivery
from contentguard.rewrite.plan import Untouched

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

MARKER = "contentguard.rewritten"
"""Set in the scope by the outermost guard, so that a guard mounted inside it does not rewrite a second time."""
OPTION = b"x-contentguard"
"""The app's own word on a response: ``off`` or ``article``. Never leaves the server."""

_RANGE = (b"range", b"if-range")
# True of the app's bytes, not of ours.
_STALE = frozenset(
    b"content-length etag last-modified accept-ranges content-md5 digest repr-digest content-digest".split()
)
_BYPASSES = ("http.response.pathsend", "http.response.zerocopysend")
_SHARED = (b"public", b"s-maxage", b"private")


class ArticleResponder:
    """Carries one response from the app to the client."""

    def __init__(self, app: ASGIApp, guard: Guard, facts: Facts, verdict: Verdict) -> None:
        self.app, self.guard, self.facts, self.verdict = app, guard, facts, verdict
        self.start: Message | None = None
        self.chunks: list[bytes] = []
        self.held = 0
        self.done = False
        self.whole_wanted = False
        """The app answered with less than a page (a part, or HEAD): that is dropped, and the page asked for."""
        self.asked_again = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app behind this responder."""
        self.scope, self.receive = scope, receive
        self._send = _without_body(send) if scope["method"] == "HEAD" else send
        # Inside another guard this one has nothing to add for a reader, but may still restrict a robot.
        self.rewrites = MARKER not in scope or self.verdict.rendition is not Rendition.FULL
        await self.app(self._inner_scope(), receive, self.send)
        if self.whole_wanted:
            self.whole_wanted, self.asked_again = False, True
            await self.app({**self._inner_scope(_RANGE), "method": "GET"}, _no_body, self.send)
        if self.start is not None and not self.done:
            # The app stopped in mid-response: pass on what there is, so that the server sees what it would have seen.
            await self._release(more_body=True)

    def _inner_scope(self, dropped: Iterable[bytes] = ()) -> Scope:
        """The scope for the app: marked, without ways past us, and for restricted clients without compression."""
        drop = {*dropped}
        if self.verdict.rendition is not Rendition.FULL:
            drop.add(b"accept-encoding")
        scope = {**self.scope, MARKER: True}
        if drop:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in drop]
        extensions = scope.get("extensions")
        if extensions and any(name in extensions for name in _BYPASSES):
            scope["extensions"] = {k: v for k, v in extensions.items() if k not in _BYPASSES}
        return scope

    async def send(self, message: Message) -> None:
        """One message of the app."""
        if self.done:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body" and self.start is not None:
            await self._take(message)
        elif not self.whole_wanted:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        headers: Headers = list(message["headers"])
        self.option = _value(headers, OPTION).decode("latin-1").strip().lower()
        if self.option:
            headers = [pair for pair in headers if pair[0].lower() != OPTION]
            message = {**message, "headers": headers}
        self.content_type = _value(headers, b"content-type").decode("latin-1")
        if not self._concerns_us(message["status"]):
            await self._pass(message)
        elif message["status"] == 206:
            await self._part(message)
        elif self.facts.method == "HEAD" and not self.asked_again:
            # What GET would answer can only be told from the page itself.
            self.whole_wanted = True
        else:
            self.start = message

    async def _part(self, message: Message) -> None:
        """A part of a page would get past us unread: have the whole page instead, as if no part had been asked for."""
        if not self.asked_again:
            self.whole_wanted = True
        elif self.verdict.rendition is Rendition.FULL:
            await self._pass(message)
        else:
            self.facts, self.verdict = self.guard.refuse(self.facts, self.verdict)
            await self._refuse()

    def _concerns_us(self, status: int) -> bool:
        if not self.rewrites or self.option == "off":
            return False
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind not in ("text/html", "application/xhtml+xml"):
            return False
        return status == 200 or (status == 206 and self.facts.method in ("GET", "HEAD"))

    async def _pass(self, message: Message) -> None:
        self.done = True
        await self._send(message)

    async def _take(self, message: Message) -> None:
        chunk: bytes = message.get("body", b"")
        if chunk:
            self.chunks.append(chunk)
            self.held += len(chunk)
        if self.held > self.guard.settings.article.max_bytes:
            await self._unreadable(Untouched.TOO_LARGE, more_body=message.get("more_body", False))
        elif not message.get("more_body", False):
            await self._finish()

    async def _finish(self) -> None:
        assert self.start is not None
        headers: Headers = self.start["headers"]
        if _value(headers, b"content-encoding") not in (b"", b"identity"):
            await self._unreadable(Untouched.ENCODED, more_body=False)
            return
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        delivery = Delivery(
            path=public_path(self.scope),
            routes=routes_prefix(self.scope) + "/.contentguard",
            content_type=self.content_type,
            policies=tuple(v.decode("latin-1") for k, v in headers if k.lower() == b"content-security-policy"),
            forced=self.option == "article",
        )
        plan, nonce = self.guard.plan(body, delivery)
        if not plan.is_article or self._untransformable(headers):
            await self._release()
            return
        self.facts, self.verdict = await self.guard.admit(self.facts, self.verdict)
        if self.verdict.action is not Action.ALLOW:
            await self._refuse()
            return
        rendered = self.guard.render(plan, self.verdict.rendition, self.facts, delivery, nonce)
        if rendered is not None:
            headers = _rewritten_headers(headers, len(rendered.body), personal=rendered.personal)
            self.start, self.chunks = {**self.start, "headers": headers}, [rendered.body]
        elif self.verdict.rendition is not Rendition.FULL:
            self.facts, self.verdict = self.guard.refuse(self.facts, replace(self.verdict, rendition=Rendition.NONE))
            await self._refuse()
            return
        await self._release()

    def _untransformable(self, headers: Headers) -> bool:
        """Whether the page is a download, or must not be changed, and the client may have it as it is."""
        if self.verdict.rendition is not Rendition.FULL:
            return False
        return b"no-transform" in _value(headers, b"cache-control").lower() or _value(
            headers, b"content-disposition"
        ).lower().startswith(b"attachment")

    async def _unreadable(self, why: Untouched, *, more_body: bool) -> None:
        """A page that cannot be looked into: readers get it as it came, restricted clients a refusal."""
        self.guard.note(f"untouched.{why.value}", f"{public_path(self.scope)!a} left as it came: {_MENDS[why]}")
        if self.verdict.rendition is Rendition.FULL:
            await self._release(more_body=more_body)
        else:
            self.facts, self.verdict = self.guard.refuse(self.facts, self.verdict)
            await self._refuse()

    async def _refuse(self) -> None:
        self.done = True
        self._send, send = _swallow, self._send
        await refusal(self.guard, self.facts, self.verdict)(self.scope, self.receive, send)

    async def _release(self, *, more_body: bool = False) -> None:
        """Let go of what is held."""
        assert self.start is not None
        self.done = True
        await self._send(self.start)
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        await self._send({"type": "http.response.body", "body": body, "more_body": more_body})


class RobotsResponder:
    """Lets the app answer ``/robots.txt``, and puts ours in the place of an error: it is never answered with one."""

    def __init__(self, app: ASGIApp, robots: Plain) -> None:
        self.app, self.robots = app, robots
        self.replaced = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app behind this responder."""
        self._send = send
        await self.app(scope, receive, self.send)
        if self.replaced:
            await self.robots(scope, receive, send)

    async def send(self, message: Message) -> None:
        """One message of the app."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self.replaced = True
        if not self.replaced:
            await self._send(message)


_MENDS = {
    Untouched.ENCODED: "it is already compressed; add the guard outside of nothing that compresses "
    "(mount the compressing middleware around the guard, not inside it)",
    Untouched.TOO_LARGE: "it is larger than article.max_bytes",
}


def _rewritten_headers(headers: Headers, length: int, *, personal: bool) -> Headers:
    """The app's headers made true of the rewritten page. A page made for one reader is kept by no shared cache."""
    kept = [(name, value) for name, value in headers if name.lower() not in _STALE]
    if personal:
        kept = [(n, _private(v) if n.lower() == b"cache-control" else v) for n, v in kept]
        if not any(name.lower() == b"cache-control" for name, _ in kept):
            kept.append((b"cache-control", b"private"))
    return [*kept, (b"content-length", str(length).encode("ascii"))]


def _private(value: bytes) -> bytes:
    directives = [d.strip() for d in value.split(b",")]
    kept = [d for d in directives if d and d.partition(b"=")[0].strip().lower() not in _SHARED]
    return b", ".join([b"private", *kept])


def _value(headers: Headers, name: bytes) -> bytes:
    for key, value in headers:
        if key.lower() == name:
            return value
    return b""


def _without_body(send: Send) -> Send:
    async def bodiless(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bodiless


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _swallow(message: Message) -> None:
    """Where the rest of a refused response goes."""
