"""Pictures on their way out: a placeholder for who may not show one.

Strategy: what the app answers decides, not the path: only an ``image/*`` is ever replaced. The placeholder is a 403
with a picture in it, which browsers show as they show any other (measured in Chromium 156), which is true, and which no
cache keeps.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from contentguard.asgi.response import Plain
from contentguard.guard.media import QUERY, Media

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from contentguard.model import Facts

_FIELD = QUERY.encode("ascii") + b"="
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180" viewBox="0 0 320 180" role="img">'
    "<title>{text}</title>"
    '<rect width="320" height="180" fill="#e8e8e8"/><path d="M0 0 320 180M320 0 0 180" stroke="#d0d0d0"/>'
    '<g fill="#444" font-family="sans-serif" text-anchor="middle"><text x="160" y="84" font-size="13">{text}</text>'
    '<text x="160" y="108" font-size="15" font-weight="bold">{site}</text></g></svg>\n'
)
_TEXT = "This picture is shown at"
_LONG = 34
"""Characters of a site's name that fit."""
_CORP = b"cross-origin-resource-policy"


def without_field(scope: Scope) -> tuple[Scope, str]:
    """The request without a picture's token in its query, and the token; the same scope where there is none."""
    query: bytes = scope.get("query_string") or b""
    if _FIELD not in query:
        return scope, ""
    fields = query.split(b"&")
    found = [field for field in fields if field.startswith(_FIELD)]
    if not found:
        return scope, ""
    token = unquote_to_bytes(found[0].removeprefix(_FIELD)).decode("ascii", "replace")
    return {**scope, "query_string": b"&".join(field for field in fields if field not in found)}, token


def placeholder(site: str) -> Plain:
    """What stands for a picture of ``site``."""
    body = _SVG.format(text=escape(_TEXT), site=escape(site if len(site) <= _LONG else site[: _LONG - 1] + "…"))
    headers = [
        (b"content-type", b"image/svg+xml"),
        (b"cache-control", b"private, no-store"),
        (b"vary", b"Sec-Fetch-Site, Sec-Fetch-Dest, Referer"),
        (b"content-security-policy", b"default-src 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
    ]
    return Plain(403, headers, body.encode())


class Gate:
    """``send`` for a request that may be for a picture."""

    def __init__(
        self,
        media: Media,
        facts: Facts,
        instead: Plain,
        path: str,
        token: str,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """``instead``: what is sent for a picture; ``path``: as a browser has it, decoded; ``token``: of the query."""
        self._media, self._instead = media, instead
        self._asked = facts, path, token
        self._scope, self._receive, self._send = scope, receive, send
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        """One message of the app."""
        if message["type"] == "http.response.start":
            message = await self._begun(message)
        if not self._replaced:
            await self._send(message)

    async def _begun(self, message: Message) -> Message:
        headers, status = list(message["headers"]), message["status"]
        kinds = [value for name, value in headers if name.lower() == b"content-type"]
        pictured = any(value.lower().lstrip().startswith(b"image/") for value in kinds)
        # Of what has not been modified nothing says what it is; asked for as a picture it is taken for one. Nothing is
        # looked into before: most answers are no pictures.
        concerned = (pictured and status in (200, 206)) or (status == 304 and not kinds)
        if concerned and (why := self._media.withholds(*self._asked)):
            self._replaced = True
            self._media.counts[why] += 1
            await self._instead(self._scope, self._receive, self._send)
        elif pictured and self._policy() and not any(name.lower() == _CORP for name, _ in headers):
            return {**message, "headers": [*headers, (_CORP, self._policy())]}
        return message

    def _policy(self) -> bytes:
        """What browsers are told of who may show the picture; empty for nothing."""
        policy = self._media.resource_policy
        return policy if policy and not self._media.is_open(self._asked[1]) else b""
