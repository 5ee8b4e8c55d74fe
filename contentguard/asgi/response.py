"""A refusal as a response: never 200, never kept by a cache, never indexed, and helpful to a person.

Strategy: people get a small accessible page, programs get problem details (RFC 9457). The public reason teaches a
scraper nothing; the support id names the log record that holds the private one.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from contentguard.assets import REFUSAL
from contentguard.model import Facts, Verdict

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from contentguard.guard import Guard

TITLE = "Unauthorized Content Copy Is Not Allowed"
PROBLEM_TYPE = "urn:contentguard:problem:unauthorized-content-copy"
QUOTA_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"

_STYLE = REFUSAL[REFUSAL.index("<style>") + 7 : REFUSAL.index("</style>")]
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
).encode()
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Accept, Sec-Fetch-Mode, User-Agent"),
)


_ID = b"@request-id@"
"""Stands for the request's own name in a body that is kept: all else is the same for many."""


class Plain:
    """A whole response, ready to be sent; HEAD gets its headers only."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if self.status in (204, 304):
            await self.bare(send)
            return
        headers = [*self.headers, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.body})

    async def bare(self, send: Send) -> None:
        """Send it as what has no body and no length (204, 304)."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b""})


def refusal(guard: Guard, facts: Facts, verdict: Verdict) -> Plain:
    """The response to a client that is denied (403), asked for a licence (402) or told to wait (429, Retry-After)."""
    # Never 200, whatever the verdict: who is here gets no page.
    status = verdict.status if verdict.status >= 400 else 403
    headers = list(_HEADERS)
    wait = None if verdict.retry_after is None else max(1, math.ceil(verdict.retry_after))
    if wait is not None:
        headers.append((b"retry-after", str(wait).encode()))
    licence = guard.settings.licence_url
    if licence.startswith("/"):
        licence = guard.base_url(facts) + licence
    if licence:
        headers.append((b"link", f'<{licence}>; rel="license"'.encode("ascii", "replace")))
    told = verdict.public_reason, licence, wait, guard.settings.contact
    if wants_page(facts):
        headers += [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", _POLICY)]
        body = _page(*told, guard.settings.site)
    else:
        headers.append((b"content-type", b"application/problem+json"))
        body = _problem(*told, status)
    return Plain(status, headers, body.replace(_ID, facts.request_id.encode("ascii", "replace")))


def wants_page(facts: Facts) -> bool:
    """Whether a person is looking: a navigation, or a client that asks for HTML by name and not for JSON."""
    mode = facts.header(b"sec-fetch-mode")
    if mode is not None:
        return mode == b"navigate"
    accept = facts.header(b"accept") or b""
    return b"text/html" in accept and b"json" not in accept


@lru_cache(maxsize=128)
def _problem(reason: str, licence: str, wait: int | None, contact: str, status: int) -> bytes:
    """The body for a program, with ``_ID`` where the request's own name goes."""
    problem: dict[str, object] = {
        "type": QUOTA_TYPE if status == 429 else PROBLEM_TYPE,
        "title": TITLE,
        "status": status,
        "detail": reason,
        "instance": f"urn:contentguard:request:{_ID.decode()}",
        "support_id": _ID.decode(),
    }
    if wait is not None:
        problem["retry_after"] = wait
    if contact:
        problem["contact"] = contact
    if licence:
        problem["licence"] = licence
    return json.dumps(problem).encode()


@lru_cache(maxsize=128)
def _page(reason: str, licence: str, wait: int | None, contact: str, site: str) -> bytes:
    """The body for a person, likewise."""
    advice = [f"<p>{escape(reason)}</p>"]
    if wait is not None:
        seconds = "1 second" if wait == 1 else f"{wait} seconds"
        advice.append(f'<p>You can go on reading in {seconds}: <a href="">try this page again</a>.</p>')
    if licence:
        advice.append(
            f'<p>To use our articles elsewhere, please <a href="{escape(licence)}">ask for a licence</a>.</p>'
        )
    if contact:
        advice.append(f"<p>If this is a mistake, please tell us: {_contact(contact)}.</p>")
    page = REFUSAL.replace("{id}", _ID.decode()).replace("{advice}", "\n".join(advice))
    return page.replace("{site}", escape(site or "This site")).encode()


def _contact(contact: str) -> str:
    target = contact if contact.startswith(("https://", "http://", "mailto:")) else f"mailto:{contact}"
    return f'<a href="{escape(target)}">{escape(contact.removeprefix("mailto:"))}</a>'
