"""Which copy of an article a shared cache may give a reader: asked by the cache, before each page.

    GET /.contentguard/bucket/news/tide ─▶ 204, X-ContentGuard-Bucket: 17, or without it: ask the site itself

Strategy: the answer is a number only where the reader would get the whole article now, and then the article counts for
his pass as if it had been given here. Everybody else (without a pass, under suspicion, over his meter, a robot) is the
site's own affair, and so is every page that is no article.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentguard.asgi.request import public_path, read_facts
from contentguard.asgi.response import Plain
from contentguard.guard import Guard
from contentguard.guard.buckets import HEADER, Buckets
from contentguard.guard.copies import Copies, Whom
from contentguard.model import Action, Rendition, changed

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

ASKS = "/bucket"
"""Below the guard's own routes; the article's path follows."""
_NO_STORE = (b"cache-control", b"no-store")


class BucketResponder:
    """One question of a cache."""

    def __init__(self, guard: Guard, copies: Copies, buckets: Buckets, prefix: str) -> None:
        """``prefix``: what stands before the article's path."""
        self._guard, self._copies, self._buckets, self._prefix = guard, copies, buckets, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it, at once and with nothing in it."""
        try:
            number = await self._number(scope)
        except Exception:
            self._guard.note("buckets-failed", "a reader's bucket could not be told", failed=True)
            number = -1
        told = [(HEADER, b"%d" % number)] if number >= 0 else []
        await Plain(204, [_NO_STORE, *told], b"")(scope, receive, send)

    async def _number(self, scope: Scope) -> int:
        guard, copies = self._guard, self._copies
        path = public_path(scope).replace(self._prefix, "", 1)
        kept = self._buckets.at(path)
        if kept is None:
            return -1
        facts = changed(read_facts(scope, guard), path=path, method="GET")
        caller, client = guard.caller(facts), scope.get("client")
        visit = guard.met(facts, caller, client[0] if client else None)
        if visit is None or visit.given is None or caller.robot is not None:
            return -1
        facts, verdict = guard.judged(facts, caller)
        if verdict.action is not Action.ALLOW or verdict.rendition is not Rendition.FULL:
            return -1
        admissions = guard.admissions
        if (
            admissions is not None
            and admissions.applies(verdict)
            and not (await admissions.enter(visit, facts, verdict, kept.counted)).whole
        ):
            return -1
        serial = copies.serial(copies.name(visit, facts))
        copies.opened(kept, serial, Whom(visit, facts, verdict))
        return self._buckets.of(serial, kept.name, facts.now)
