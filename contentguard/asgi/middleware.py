"""The corridor: what happens to a request, in order.

Strategy: one immutable, shared middleware; all state of a request lives in one responder object. Websockets and
lifespan pass straight through. No task, queue or Request object is made.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from contentguard.asgi.body import ArticleResponder
from contentguard.asgi.headers import discreet
from contentguard.asgi.marked import Marking, for_the_app
from contentguard.asgi.openings import Openings
from contentguard.asgi.pictures import Gate, placeholder, without_field
from contentguard.asgi.request import MARKER, line, public_path, read_facts, routes_prefix, target, without_token
from contentguard.asgi.response import refusal
from contentguard.asgi.routes import PREFIX, DocumentResponder, Routes
from contentguard.backends import Admitting, Store
from contentguard.errors import SettingsError
from contentguard.guard import Guard
from contentguard.guard.comments import Comments
from contentguard.guard.links import Links
from contentguard.guard.media import SLOT
from contentguard.guard.press import LOG
from contentguard.guard.processes import processes
from contentguard.model import Action, Facts
from contentguard.settings import Settings, missing_key

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SEVERAL = (
    "at least {number} processes serve this site and share no store: each counts articles and limits for itself and "
    'takes a ticket once, and a revoked pass is known to one only. Set store = "redis://…" for one count of all'
)


class ContentGuardMiddleware:
    """Guards the articles of the ASGI app it wraps.

    Mount it with ``app.add_middleware(ContentGuardMiddleware, settings=Settings(…))``, or wrap any ASGI app:
    ``app = ContentGuardMiddleware(app, settings=…)``. It must be the outermost middleware that sees HTML, inside
    nothing that compresses. Raises ``SettingsError`` when it is configured for production without a secret key.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        ledger: Admitting | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.app = app
        self.settings = settings or Settings()
        self.guard = Guard(self.settings, store, clock or time.time, ledger)
        self._openings = Openings(self.guard)
        self._routes = Routes(app, self._openings)
        self._placeholder = placeholder(self.settings.site)
        # Looked at by every request.
        self._signs = self.guard.media.signs
        self._reads_tokens = self.guard.admissions is not None or self.guard.feeds.signed
        self._unplaced = self.guard.comments.calls.is_on
        """Whether it is still to be seen under which path the guard is mounted."""
        if self._signs:
            self._turn()
        if self.guard.alone and (number := processes()) > 1:
            LOG.warning("%s", _SEVERAL.format(number=number))
        if self.guard.temporary_key:
            LOG.warning(
                "no secret_key is configured: this process uses a random one, which is fit for development only. "
                'Set secret_key="…" or CONTENTGUARD_SECRET_KEY'
            )

    @property
    def links(self) -> Links:
        """What makes share and gift links; requests find it in ``scope["contentguard.links"]``."""
        return self.guard.links

    @property
    def comments(self) -> Comments:
        """What makes comment forms and takes in what comes by them; requests find it in
        ``scope["contentguard.comments"]``."""
        return self.guard.comments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection. Long because each call that it were cut into would be paid for by every request."""
        if scope["type"] != "http":
            await self.app(scope, self._closing(receive) if scope["type"] == "lifespan" else receive, send)
            return
        guard, signs, token, field = self.guard, self._signs, b"", ""
        if guard.temporary_key:
            _refuse_production(scope)
        if signs:
            self._turn()
        if self._unplaced:
            self._unplaced = False
            self.guard.comments.calls.mounted_at(routes_prefix(scope))
        path = scope["path"]
        if PREFIX in path and (own := self._routes.find(scope)) is not None:
            await own(scope, receive, send)
            return
        if signs:
            scope, field = without_field(scope)
        if self._reads_tokens and scope.get("query_string"):
            scope, token = without_token(scope)
        facts = read_facts(scope, guard)
        caller, client = guard.caller(facts), scope.get("client")
        visit = guard.met(facts, caller, client[0] if client else None)
        if visit is not None and guard.admissions is not None:
            visit.account = guard.account(scope)
            if token:
                visit.token = token
                visit.once = await guard.admissions.is_once(token, line(scope), facts.now)
        if token:
            send = discreet(send)
        if caller.may_wait:
            facts, verdict = await guard.judge(facts, target(scope), caller)
        else:
            facts, verdict = guard.judged(facts, caller)
        if guard.pictured and MARKER not in scope:
            scope, send = self._pictured(facts, scope, receive, send, field)
        if verdict.action is not Action.ALLOW:
            await refusal(guard, facts, verdict)(scope, receive, send)
        elif path in self._routes.documents and (document := self._routes.document(scope)) is not None:
            await DocumentResponder(self.app, document)(scope, receive, send)
        else:
            await ArticleResponder(self.app, self._openings, facts, verdict, caller, visit, token)(scope, receive, send)

    def _turn(self) -> None:
        """See whether addresses of pictures have to be others now."""
        media = self.guard.media
        if int((now := self.guard.clock()) // SLOT) != media.slot:
            self.guard.turn(now)
            self._openings.forget()

    def _pictured(self, facts: Facts, scope: Scope, receive: Receive, send: Send, token: str) -> tuple[Scope, Send]:
        """What stands between the app and a client where the answer may be a picture."""
        guard, path = self.guard, unquote(public_path(scope))
        asked = scope
        if guard.marks is not None and guard.marks.wants(path):
            send = Marking(guard.marks, path, facts.now, scope, receive, send)
            asked = for_the_app(scope)
        if guard.media.active:
            send = Gate(guard.media, facts, self._placeholder, path, token, scope, receive, send)
        return asked, send

    def _closing(self, receive: Receive) -> Receive:
        """The server's messages to the app's lifespan; at its end, ours."""

        async def heard() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.guard.comments.begin()
            if message["type"] == "lifespan.shutdown":
                await self.guard.aclose()
            return message

        return heard


def _refuse_production(scope: Scope) -> None:
    """Raise where a guard without a secret key is reached by an address that is not this machine's own.

    Only a real socket's address tells; a test client's host name and a Unix socket say nothing.
    """
    host = (scope.get("server") or ("", None))[0] or ""
    try:
        public = not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return
    if public:
        raise SettingsError([missing_key(f"and the server listens on {host}")])
