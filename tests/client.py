"""Small helpers for tests that speak HTTP to an ASGI app in process."""

from __future__ import annotations

import asyncio
import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from contentguard import ContentGuardMiddleware, Settings
from contentguard.admission.difficulty import Algorithm, Difficulty
from contentguard.admission.proof import solve

Headers = Iterable[tuple[str, str]]
ASGI = Callable[..., Awaitable[None]]

KEY = "a-secret-key-for-the-tests"
FEW = 4096
"""Clients that a guard under test can tell apart."""
CHROME = {
    "connection": "keep-alive",
    "sec-ch-ua": '"Chromium";v="148", "Google Chrome";v="148", "Not/A)Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "upgrade-insecure-requests": "1",
    "user-agent": (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36"
    ),
    "accept": (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7"
    ),
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-user": "?1",
    "sec-fetch-dest": "document",
    "accept-language": "en-GB,en;q=0.9",
}
"""What Chrome sends, but for the codings it accepts: what a test is about is easier to read as it is."""
GPTBOT = {
    "user-agent": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"
}
CURL = {"user-agent": "curl/8.5.0", "accept": "*/*"}
FACEBOOK = {"user-agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}

PARAGRAPH = "The harbour master read the tide tables twice, and then he read them out to the whole of the council. "
ARTICLE = (
    "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>Tide &amp; time</title>\n</head>\n<body>\n"
    "<main><article class=story>\n<h1>Tide &amp; time</h1>\n"
    + "".join(f"<p>{PARAGRAPH * 2}</p>\n" for _ in range(6))
    + "</article></main>\n</body>\n</html>\n"
)


_OWN = re.compile(
    rb"[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}|(?<=/more/)[A-Za-z0-9_-]{22}|(?<=/report )[A-Za-z0-9_-]{19}"
    rb'|(?<=name="contentguard-form" value=")[\w-]+|(?<=["#])[a-z]+-[0-9a-f]{6}(?=")'
)
"""Copy number, tokens, and the form of comments: what a page carries of one reader's own."""


def masked(body: bytes) -> bytes:
    """A page without what it carries of one reader's own."""
    return _OWN.sub(b"OWN", body)


def told(headers: httpx.Headers) -> list[tuple[str, str]]:
    """What headers say, in order of their names; of our cookie only that it is handed out."""
    return sorted((n, v.split("=")[0] if "contentguard=" in v else v) for n, v in headers.multi_items())


def page(
    body: str | bytes = ARTICLE, status: int = 200, headers: Headers = (), chunks: list[bytes] | None = None
) -> ASGI:
    """An app that answers everything with one page."""
    raw = body.encode() if isinstance(body, str) else body
    pairs = [(k.encode(), v.encode("latin-1")) for k, v in headers]
    if not any(k == b"content-type" for k, _ in pairs):
        pairs.append((b"content-type", b"text/html; charset=utf-8"))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(pairs)})
        parts = chunks or [raw]
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    return app


def settings(**overrides: Any) -> Settings:
    """Settings with a key and a site, articles whole for everybody, and whatever the test is about.

    Tables are small, because hundreds of guards live at once in a run of all tests.
    """
    for room in ("visits", "limits"):
        if isinstance(chosen := overrides.get(room, {}), dict):
            overrides[room] = {"clients": FEW, **chosen}
    return Settings(
        **{
            "secret_key": KEY,
            "site": "The Daily Test",
            "origin": "https://news.example",
            "reading": {"mode": "off"},
            **overrides,
        }
    )


def guarded(app: ASGI | None = None, **overrides: Any) -> ContentGuardMiddleware:
    """The page app behind a guard."""
    return ContentGuardMiddleware(app or page(), settings=settings(**overrides))


def get(
    app: ASGI,
    path: str = "/news/tide",
    headers: Mapping[str, str] | Headers = CHROME,
    *,
    method: str = "GET",
    client: tuple[str, int] | None = ("192.0.2.7", 1234),
    root_path: str = "",
    raise_app_exceptions: bool = True,
) -> httpx.Response:
    """One request in process."""

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(
            app, client=client or ("", 0), root_path=root_path, raise_app_exceptions=raise_app_exceptions
        )
        async with httpx.AsyncClient(transport=transport, base_url="https://news.example") as session:
            pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
            session.headers.clear()
            return await session.request(method, path, headers=[("accept-encoding", "identity"), *pairs])

    return asyncio.run(run())


def proof(lead: str) -> tuple[str, bytes] | None:
    """Where a browser's script posts what it has worked out for a lead, and that; None for a page that is no lead."""
    found = re.search(r'class="cg-continue" rel="nofollow" href="([^"]*)/wait/([\w-]+)["?]', lead)
    if found is None:
        return None
    ticket = found[2].encode()
    algorithm, puzzles, bits, high, low = urlsafe_b64decode(ticket[24:36])[4:9]
    asked = Difficulty(Algorithm(algorithm), high * 256 + low, puzzles, bits)
    return found[1] + "/rest", ticket + b" " + solve(ticket, asked).encode()


def earned(app: ASGI, path: str, headers: Mapping[str, str] = CHROME) -> str:
    """The cookie of a reader who got the lead of the article at ``path`` and, as a browser's script does, proved it."""
    lead = get(app, path, headers)
    where, body = proof(lead.text) or ("", b"")
    assert where, "no lead"
    answer = asyncio.run(drive(app, http_scope(where, headers, method="POST"), body))[0]
    assert answer["status"] == 200, answer
    cookies: str = dict(answer["headers"])[b"set-cookie"].decode().partition(";")[0]
    return cookies


async def drive(app: ASGI, scope: dict[str, Any], posted: bytes = b"") -> list[dict[str, Any]]:
    """Every message an app sends for a scope, unchanged. ``posted``: the request's body."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": posted, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def http_scope(path: str = "/news/tide", headers: Mapping[str, str] = CHROME, **extra: Any) -> dict[str, Any]:
    """A plain HTTP scope, as a server makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"news.example"), *((k.encode(), v.encode()) for k, v in headers.items())],
        "client": ("192.0.2.7", 1234),
        "server": ("127.0.0.1", 443),
        **extra,
    }


def is_page_with_two_insertions(page: bytes, output: bytes) -> bool:
    """Whether ``output`` is ``page`` with one block put in at up to two places, and nothing else changed."""
    start = _common(page, output)
    middle = slice(start, -_common(page[start:][::-1], output[start:][::-1]) or None)
    return page[middle] in output[middle]


def _common(one: bytes, other: bytes) -> int:
    """How many first bytes two texts share."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def hidden_fields(page: str) -> dict[str, str]:
    """What a browser sends of a comment form on its own: the token, and the empty trap."""
    return dict(re.findall(r'<input type="(?:hidden|text)"[^>]* name="([^"]+)" value="([^"]*)"', page))


async def posted(
    app: ASGI,
    headers: Mapping[str, str],
    fields: Mapping[str, str],
    path: str = "/news/tide",
    client: tuple[str, int] = ("192.0.2.7", 1234),
) -> tuple[int, str]:
    """Status and text of what an app answers to a form that is posted to it."""
    told = {**headers, "content-type": "application/x-www-form-urlencoded"}
    sent = await drive(app, http_scope(path, told, method="POST", client=client), urlencode(fields).encode())
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], body.decode()
