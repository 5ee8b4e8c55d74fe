"""The ways from a lead to its rest: by a script's proof, or by a link and two seconds.

    POST /.contentguard/rest        a ticket and its proof ─▶ 200 the rest · 204 ask for the page · 403 · 429
    GET  /.contentguard/wait/T      the link of a lead ─▶ 503, a page that goes on by itself
    GET  /.contentguard/enter/T     where that leads ─▶ 303 to the article, with a pass

Strategy: where a reader goes next stands signed in the ticket and nowhere else. Nothing here is 200 but the rest, and
nothing may be kept by a cache. Who keeps no cookies is let in once by a token in the address.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import quote

from contentguard.admission.passes import Pass
from contentguard.admission.tickets import Ticket
from contentguard.asgi.openings import Openings
from contentguard.asgi.replay import fetch
from contentguard.asgi.request import ONCE, UNTIL, read_body, read_facts, routes_prefix
from contentguard.asgi.response import Plain
from contentguard.assets import WAIT
from contentguard.guard.admissions import Admissions
from contentguard.guard.copies import Whom
from contentguard.guard.entries import Redeemed
from contentguard.guard.senders import ASKED
from contentguard.guard.visits import Visit
from contentguard.model import Action, Facts, Verdict
from contentguard.sealed import LONGEST

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from contentguard.asgi.headers import Headers

REST, WAITS, ENTERS = "/rest", "/wait/", "/enter/"
_MOST = LONGEST + 1024
"""Bytes of a ticket with its proof."""
_NO_STORE = (b"cache-control", b"no-store")
_HTML = (b"content-type", b"text/html; charset=utf-8")
_STYLE = WAIT[WAIT.index("<style>") + 7 : WAIT.index("</style>")]
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
).encode()
_PAGE: Headers = [
    _HTML,
    _NO_STORE,
    (b"content-security-policy", _POLICY),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex, nofollow"),
]
_REFRESH = '<noscript><meta http-equiv="refresh" content="{}"></noscript>\n'
"""The header says it to all; this to text browsers that read no such header, and out of the way of what others' scripts
make of a page."""
_LINK = '<a class="cg-continue" rel="nofollow" href="{}"></a>'
_OVER = ("late", "spent")
"""Why a ticket is not good any more, though it was."""
_DAY = 86_400
_LONG = 120
"""Seconds from which on a page does not go on by itself any more."""


class Reading:
    """One request on one of these ways."""

    def __init__(self, app: ASGIApp, openings: Openings, admissions: Admissions, way: str, rest: str) -> None:
        """``way``: one of ``REST``, ``WAITS`` and ``ENTERS``; ``rest``: what follows it in the path."""
        self._app, self._openings, self._guard = app, openings, openings.guard
        self._admissions, self._way, self._text = admissions, way, rest.encode("utf-8", "surrogatepass")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        guard = self._guard
        body = await read_body(receive, _MOST) if self._way == REST else b""
        if body is None:
            return
        facts, client = read_facts(scope, guard), scope.get("client")
        caller = guard.caller(facts)
        visit = guard.met(facts, caller, client[0] if client else None)
        facts, verdict = await guard.judge(facts) if caller.may_wait else guard.judged(facts, caller)
        if visit is None or verdict.action is not Action.ALLOW:
            await Plain(403, [_NO_STORE], b"")(scope, receive, send)
        elif self._way == REST:
            await (await self._rest(scope, visit, facts, verdict, body))(scope, receive, send)
        elif self._way == WAITS:
            await self._wait(scope, visit, facts)(scope, receive, send)
        else:
            await (await self._enter(scope, visit, facts))(scope, receive, send)

    # -- with a script -----------------------------------------------------------------------------------------

    async def _rest(self, scope: Scope, visit: Visit, facts: Facts, verdict: Verdict, body: bytes) -> Plain:
        text, _, answers = body.partition(b" ")
        done = await self._admissions.redeem(visit, facts, text, answers)
        if done.ticket is None or (done.given is None and not done.crowded):
            return self._refused(scope, visit, facts, verdict, done)
        if done.given is not None and not self._admissions.suffices(done.given, visit, verdict):
            # A proof that somebody at another address has worked out: the page itself knows what is next.
            return self._granted(204, done.given, visit, facts)
        asked = {**scope, ASKED: (facts, verdict, visit)}
        found = await fetch(self._app, self._openings, asked, done.ticket.path)
        if found is None:
            return self._granted(204, done.given, visit, facts)
        opening, guard = found.opening, self._guard
        delivered, shelf = opening.delivery, opening.shelf
        plan = guard.pages.known(shelf, found.body) or await guard.plan_in_turns(found.body, delivered, shelf)
        name = plan.name or delivered.path
        if not plan.is_article:
            return self._granted(204, done.given, visit, facts)
        if not self._admissions.is_about(done.ticket, name):
            return Plain(403, [_NO_STORE], b"")
        if (await guard.divided(plan, shelf, delivered)).loads:
            return self._granted(204, done.given, visit, facts)
        entry = await self._admissions.open(visit, facts, done, name)
        if not entry.whole:
            headers = [(b"retry-after", b"%d" % max(1, ceil(entry.wait)))]
            return self._granted(429, done.given, visit, facts, headers)
        own = guard.boxed(guard.own(visit, facts.now), visit, plan, facts.now)
        if guard.copies is not None:
            whom = Whom(visit, facts, verdict)
            own = {**own, **await guard.copies.values(guard.pages, shelf, plan, whom, facts.now)}
        rest = guard.rest(plan, facts, delivered, shelf.allowed.nonce, own)
        if rest is None:
            return self._granted(204, done.given, visit, facts)
        charset = opening.answer.content_type or "text/html"
        typed = [(b"content-type", charset.encode("latin-1")), (b"x-content-type-options", b"nosniff")]
        return self._granted(200, done.given, visit, facts, typed, rest)

    def _refused(self, scope: Scope, visit: Visit, facts: Facts, verdict: Verdict, done: Redeemed) -> Plain:
        """What a proof gets that was not accepted: where it only came too late, another ticket, as a lead has it."""
        if done.wait > 0.0:
            return Plain(429, [_NO_STORE, (b"retry-after", b"%d" % max(1, ceil(done.wait)))], b"")
        if done.ticket is None or done.trouble not in _OVER:
            return Plain(403, [_NO_STORE], b"")
        ticket = self._admissions.again(visit, facts, verdict, done.ticket)
        link = _LINK.format(escape(f"{routes_prefix(scope)}/.contentguard{WAITS}{ticket}"))
        return Plain(403, [_NO_STORE, _HTML], link.encode())

    # -- without one -------------------------------------------------------------------------------------------

    def _wait(self, scope: Scope, visit: Visit, facts: Facts) -> Plain:
        """A page for a moment. It hands nothing out yet, so it is the same for whoever only looks."""
        ticket = self._admissions.read(self._text)
        if ticket is None:
            return _gone()
        text, seconds = self._admissions.patience(visit, facts, ticket)
        until = max(self._admissions.until(visit, facts.now), _told(scope))
        seconds = max(seconds, min(ceil(until - facts.now), _DAY))
        return self._page(scope, facts, f"{routes_prefix(scope)}/.contentguard{ENTERS}{text}", seconds)

    async def _enter(self, scope: Scope, visit: Visit, facts: Facts) -> Plain:
        done = await self._admissions.redeem(visit, facts, self._text, None)
        ticket = done.ticket
        if ticket is None:
            return _gone()
        if done.wait > 0.0:
            here = f"{routes_prefix(scope)}/.contentguard{ENTERS}{self._text.decode('ascii', 'replace')}"
            onward = here if done.trouble == "early" else quote(ticket.path, safe=_URL)
            return self._page(scope, facts, onward, ceil(done.wait))
        if done.given is None:
            # Spent, late, another browser: the article itself knows what is next.
            return _see(ticket, [])
        headers = self._guard.handed_over(done.given, visit, facts)
        if visit.given is None:
            return _see(ticket, headers, self._admissions.once(ticket.path, facts.now))
        return _see(ticket, headers)

    def _page(self, scope: Scope, facts: Facts, onward: str, seconds: int) -> Plain:
        advice = f"The article can be read in {_said(seconds)}." if seconds > 0 else "The article can be read now."
        if seconds > _LONG:
            advice += " It is enough to keep this page and to come back to it then."
        goes_on = f"{seconds}; url={onward}" if seconds <= _LONG else ""
        refresh = _REFRESH.format(escape(goes_on)) if goes_on else ""
        page = WAIT.replace("{refresh}", refresh).replace("{advice}", advice).replace("{next}", escape(onward))
        page = page.replace("{site}", escape(self._guard.settings.site or "This site")).replace(
            "{id}", facts.request_id
        )
        # Who may show articles in a page of theirs must not lose them behind the link.
        headers = [*_PAGE, *self._guard.framing((), ()), (b"retry-after", b"%d" % max(1, seconds))]
        if goes_on:
            headers.append((b"refresh", goes_on.encode("ascii")))
        return Plain(503, headers, page.encode())

    def _granted(
        self,
        status: int,
        given: Pass | None,
        visit: Visit,
        facts: Facts,
        headers: Headers | None = None,
        body: bytes = b"",
    ) -> Plain:
        if given is None and status == 204:
            return Plain(429, [_NO_STORE, (b"retry-after", b"60")], b"")
        handed = [] if given is None else self._guard.handed_over(given, visit, facts)
        return Plain(status, [(b"cache-control", b"private, no-store"), *(headers or []), *handed], body)


def _told(scope: Scope) -> int:
    """Until when the page that had the link said one has to wait; 0 where it said nothing."""
    name, _, value = bytes(scope.get("query_string", b"")).partition(b"=")
    return int(value) if name == UNTIL and value.isdigit() and len(value) < 12 else 0


def _said(seconds: int) -> str:
    if seconds < _LONG:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{ceil(seconds / 60)} minutes" if seconds <= 2 * 3600 else f"{ceil(seconds / 3600)} hours"


_URL = "/:@!$&'()*+,;=~-._?%[]"
"""What stays as it is in a path with its query."""


def _see(ticket: Ticket, headers: Headers, once: str = "") -> Plain:
    onward = quote(ticket.path, safe=_URL)
    if once:
        onward += ("&" if "?" in onward else "?") + f"{ONCE.decode()}={once}"
    return Plain(303, [(b"location", onward.encode("ascii")), _NO_STORE, *headers], b"")


def _gone() -> Plain:
    return Plain(404, [_NO_STORE, (b"content-type", b"text/plain; charset=utf-8")], b"Not Found\n")
