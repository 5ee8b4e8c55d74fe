"""A page on its way through, as HTTP: when its start leaves, with which headers, and how long it may be held.

Strategy: the start leaves with the first bytes, before it is known whether the page is an article, so its headers are
those of one: what they cost a page that turns out to be none is one validator and one shared cache's copy.
"""

from __future__ import annotations

from anyio.lowlevel import checkpoint

from contentguard.asgi.headers import Headers
from contentguard.asgi.openings import Opening
from contentguard.asgi.outbox import Outbox
from contentguard.guard import Guard
from contentguard.guard.press import NOBODYS
from contentguard.guard.visits import Visit
from contentguard.model import Facts, Verdict
from contentguard.rewrite.pages import SLICE
from contentguard.rewrite.plan import Untouched
from contentguard.rewrite.stream import Phase

PATIENCE = 1.0
"""Seconds for which what follows a streamed page's head is held to see whether it is an article."""


class StreamedPage:
    """One streamed response."""

    def __init__(
        self,
        guard: Guard,
        outbox: Outbox,
        facts: Facts,
        verdict: Verdict,
        opening: Opening,
        visit: Visit | None = None,
    ) -> None:
        self._guard, self._outbox, self._facts, self._verdict = guard, outbox, facts, verdict
        self._opening, self._visit = opening, visit
        own = NOBODYS if visit is None else guard.own(visit, facts.now)
        self._stream = guard.stream(opening.delivery, opening.shelf, facts, own)
        if visit is not None and (visits := guard.visits) is not None:
            visits.hand_out(visit, facts.now)
        self._since, self._taken = 0.0, 0
        self._counted = False

    async def take(self, chunk: bytes, *, more: bool) -> None:
        """Some of the page has come from the app."""
        stream, guard = self._stream, self._guard
        self._taken += len(chunk)
        if self._taken >= SLICE:
            # An app that never waits would hold the event loop for as long as its page is.
            self._taken = 0
            await checkpoint()
        out = stream.feed(chunk) if chunk else b""
        if stream.phase is Phase.HOLD:
            now = guard.clock()
            self._since = self._since or now
            if now - self._since >= PATIENCE:
                out += stream.release()
        if not more:
            out += stream.finish()
            guard.streamed(self._opening.delivery, stream)
        if stream.is_article and not self._counted:
            # Too late to refuse: that was seen to before the start left.
            self._counted = True
            if self._visit is not None:
                plan = stream.plan
                name = (plan and plan.name) or self._opening.delivery.path
                shows = plan is not None and plan.shows
                guard.arrived(self._visit, self._facts, self._verdict, name, shows=shows)
            await guard.admit(self._facts, self._verdict)
            if self._visit is not None and guard.admissions is not None and guard.admissions.applies(self._verdict):
                plan = stream.plan
                name = (plan and plan.name) or self._opening.delivery.path
                await guard.admissions.enter(self._visit, self._facts, self._verdict, name)
        if out or not more:
            await self._send(out, more=more)

    async def break_off(self) -> None:
        """The app has broken off: what is held leaves, and no end follows."""
        rest = self._stream.abandon(Untouched.ERROR)
        if rest or self._outbox.start is not None:
            await self._send(rest, more=True)

    async def _send(self, data: bytes, *, more: bool) -> None:
        if self._outbox.start is not None:
            await self._outbox.begin(self._headers())
        await self._outbox.body(data, more=more)

    def _headers(self) -> Headers:
        outbox, guard = self._outbox, self._guard
        if self._stream.phase is Phase.PASS and not self._stream.is_article:
            return outbox.headers
        headers = self._opening.leaving(guard, None, guard.personal, False, True)
        if self._visit is not None and self._visit.new is not None:
            headers += guard.handed_out(self._visit, self._facts)
        return headers
