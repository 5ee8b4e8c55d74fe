"""What probes lead to: a page's parts that are fetched, a browser's report, a honeylink that is followed.

Strategy: each answers what it would answer anybody, at once and in constant work; that it was asked is noted for the
visit. Whatever goes wrong with the noting, the answer is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentguard.asgi.request import read_facts
from contentguard.asgi.response import Plain
from contentguard.assets import Asset
from contentguard.detect.report import MAX_BODY
from contentguard.detect.sessions import SCRIPT, STYLE
from contentguard.guard import Guard
from contentguard.guard.visits import Visit
from contentguard.model import Facts

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_NO_STORE = (b"cache-control", b"no-store")
_NOTHING = Plain(404, [(b"content-type", b"text/plain; charset=utf-8"), _NO_STORE], b"Not Found\n")
_DONE = Plain(204, [_NO_STORE], b"")


def _met(guard: Guard, scope: Scope) -> tuple[Facts, Visit | None]:
    facts, client = read_facts(scope, guard), scope.get("client")
    return facts, guard.met(facts, guard.caller(facts), client[0] if client else None)


class AssetResponder:
    """One of our files; the one for print is looked for with every page, and mostly has not changed."""

    def __init__(self, guard: Guard, asset: Asset, whole: Plain) -> None:
        self._guard, self._asset, self._whole = guard, asset, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or that the client has it already (RFC 9110 §15.4.5)."""
        asset, more = self._asset, []
        if scope["method"] == "GET":
            facts, visit = _met(self._guard, scope)
            if visit is not None:
                kind = STYLE if asset.content_type.startswith("text/css") else SCRIPT
                more = self._guard.fetched(visit, facts, kind, sheet=not asset.kept)
        held = [value for name, value in scope["headers"] if name == b"if-none-match"]
        if any(asset.etag in value for value in held):
            kept = [pair for pair in self._whole.headers if pair[0] in (b"cache-control", b"vary", b"etag")]
            await Plain(304, [*kept, *more], b"").bare(send)
        else:
            await Plain(200, [*self._whole.headers, *more], self._whole.body)(scope, receive, send)


class HoneylinkResponder:
    """A honeylink: it leads nowhere, as any address that does not exist."""

    def __init__(self, guard: Guard, token: str) -> None:
        self._guard, self._token = guard, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that there is nothing."""
        facts, visit = _met(self._guard, scope)
        if visit is not None:
            self._guard.trapped(visit, facts, self._token)
        await _NOTHING(scope, receive, send)


class ReportResponder:
    """A browser's report: taken in if it is one, thanked for in any case."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read no more than a report can be long, and say nothing."""
        body, more = b"", True
        while more and len(body) <= MAX_BODY:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")[: MAX_BODY + 1]
            more = message.get("more_body", False)
        facts, visit = _met(self._guard, scope)
        if visit is not None:
            self._guard.reported(visit, facts, body)
        await _DONE.bare(send)
