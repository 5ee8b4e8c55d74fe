"""Where the service that judges comments calls when it thinks of one otherwise than it said.

Strategy: an address that was not made here leads nowhere, as any that does not exist. Nothing is read before that is
known, and never more than a call can be long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentguard.asgi.request import read_body
from contentguard.asgi.response import Plain
from contentguard.comments.calls import MOST_BODY, answer
from contentguard.guard.calls import Calls

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_TEXT, _NO_STORE = (b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")
_NOTHING = Plain(404, [_TEXT, _NO_STORE], b"Not Found\n")
_REFUSED = Plain(403, [_TEXT, _NO_STORE], b"Forbidden\n")
_JSON = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff"), _NO_STORE]


class CallResponder:
    """One call."""

    def __init__(self, calls: Calls, token: str) -> None:
        self._calls, self._token = calls, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take it in, if it is one."""
        if scope["method"] != "POST" or not self._calls.is_ours(self._token):
            await _NOTHING(scope, receive, send)
            return
        body = await read_body(receive, MOST_BODY)
        if body is None:
            return
        guids = self._calls.heard(body)
        told = _REFUSED if guids is None else Plain(200, _JSON, answer(guids))
        await told(scope, receive, send)
