"""What only the site's operator may ask: how this process stands, and to take back passes and links.

    GET  /.contentguard/status     200, JSON
    POST /.contentguard/revoke     passes' ids and links, one a line ─▶ 200, JSON: which of them could be any

Strategy: an order signed by the secret key opens these, and whoever has none finds nothing there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contentguard.admission import orders
from contentguard.admission.orders import REVOKE, STATUS
from contentguard.asgi.request import read_body
from contentguard.asgi.response import Plain
from contentguard.guard import Guard
from contentguard.guard.status import status
from contentguard.sealed import LONGEST

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

METHODS = {STATUS: "GET", REVOKE: "POST"}
_SCHEME = orders.SCHEME.encode("ascii")
_MOST = 65_536
_NO_STORE = (b"cache-control", b"no-store")
_NOTHING = Plain(404, [(b"content-type", b"text/plain; charset=utf-8"), _NO_STORE], b"Not Found\n")


class Desk:
    """One request of an operator."""

    def __init__(self, guard: Guard, route: str) -> None:
        self._guard, self._route = guard, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it, if it is one."""
        order = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if scope["method"] != METHODS[self._route] or not order.startswith(_SCHEME) or len(order) > LONGEST:
            await _NOTHING(scope, receive, send)
            return
        body = await read_body(receive, _MOST) if self._route == REVOKE else b""
        if body is None:
            return
        guard, text = self._guard, order.removeprefix(_SCHEME)
        if not orders.holds(guard.signer.derived("orders"), text, self._route, body, guard.clock()):
            await _NOTHING(scope, receive, send)
            return
        await _told(await self._done(body))(scope, receive, send)

    async def _done(self, body: bytes) -> Any:
        if self._route == STATUS:
            return status(self._guard)
        names = [line.strip() for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
        return {name: await self._guard.revoke(name) for name in names}


def _told(data: Any) -> Plain:
    kind = (b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")
    return Plain(200, [*kind, _NO_STORE], json.dumps(data).encode())
