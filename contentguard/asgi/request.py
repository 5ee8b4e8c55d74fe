"""An ASGI scope read as Facts.

Strategy: one pass over what the server hands us; nothing is parsed that no rule asks for, and ``request.url`` (which
believes the Host header) is never used: only ``scope["path"]`` and ``root_path`` decide.
"""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING
from urllib.parse import quote

from contentguard.guard.links import QUERY, tells_apart
from contentguard.model import MOST_HEADERS, Facts, changed, gathered
from contentguard.proxies import alone
from contentguard.rewrite.page import Delivery

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from contentguard.guard import Guard

_DRAWN = 64
_IDS: list[str] = []
ONCE = QUERY.encode("ascii")
"""The query's field that holds a token of ours."""
UNTIL = b"until"
"""The field in the address of the waiting page that says how long it will be, in seconds since the epoch. It is not
signed: all that follows from it is what the page says."""
_PATH_SAFE = "/:@!$&'()*+,;=~-._"
MARKER = "contentguard.rewritten"
"""Set in the scope by the outermost guard, so that a guard mounted inside it does not rewrite a second time."""
_LINKS = "contentguard.links"
"""Where in the scope the app finds what makes share and gift links."""
_COMMENTS = "contentguard.comments"
"""… and what makes comment forms and takes in what comes by them."""
_MEDIA = "contentguard.media"
"""Where in the scope the app finds what signs addresses of pictures."""


def behind(scope: Scope, guard: Guard) -> Scope:
    """A request as the app finds it, however often it is asked: with the guard's mark and what it offers the app."""
    return {**scope, MARKER: True, _LINKS: guard.links, _MEDIA: guard.media, _COMMENTS: guard.comments}


def read_facts(scope: Scope, guard: Guard) -> Facts:
    """What is known of a request before it is judged."""
    headers = tuple(scope["headers"])
    client = scope.get("client")
    peer = client[0] if client else None
    scheme, version = scope.get("scheme", "http"), scope.get("http_version", "1.1")
    proxied = guard.proxied
    if proxied:
        proxies = guard.settings.proxies
        address, scheme = proxies.client(peer, headers), proxies.scheme(peer, headers, scheme)
    else:
        address = alone(peer)
    if len(headers) > MOST_HEADERS:
        headers = headers[: MOST_HEADERS + 1]  # one more, so that the verdict can tell; proxies have been heard
    request_id = _IDS.pop() if _IDS else new_id()
    facts = gathered(scope["method"], scope["path"], headers, address, scheme, version, guard.clock(), request_id)
    return changed(facts, proxied=True) if proxied else facts


def new_id() -> str:
    """A name for one request, like ``3F2A-91BC-77D0``: 48 random bits a person can read out."""
    if not _IDS:
        # One call to the system for many: it costs more than all the rest.
        drawn = token_bytes(6 * _DRAWN).hex("-", 2).upper()
        _IDS.extend([drawn[at : at + 14] for at in range(0, len(drawn), 15)])
    return _IDS.pop()


def routes_prefix(scope: Scope) -> str:
    """The path under which this guard is mounted, without a trailing slash."""
    root = str(scope.get("root_path", "")).rstrip("/")
    return quote(root, safe=_PATH_SAFE)


def route_path(scope: Scope) -> str:
    """The request's path below the mount, whichever way the framework writes ``root_path``."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(root + "/")) else path


def public_path(scope: Scope) -> str:
    """The path a reader's browser shows: the mount's prefix included, percent-encoded, without the query."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    whole = path if not root or path == root or path.startswith(root + "/") else root + path
    return quote(whole, safe=_PATH_SAFE)


def delivery(scope: Scope, content_type: str, policies: tuple[str, ...], option: str) -> Delivery:
    """How the app delivered the page that answers this request."""
    return Delivery(
        path=public_path(scope),
        routes=routes_prefix(scope) + "/.contentguard",
        content_type=content_type,
        policies=policies,
        forced=option == "article",
        queried=is_queried(scope),
    )


def is_queried(scope: Scope) -> bool:
    """Whether the request has a query that may say which page is meant."""
    query: bytes = scope.get("query_string") or b""
    return query != b"" and tells_apart(query.decode("latin-1"))


def target(scope: Scope) -> str:
    """Path and query as they stood on the request line; empty where the server did not keep them."""
    raw: bytes = scope.get("raw_path") or b""
    query: bytes = scope.get("query_string") or b""
    return (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1") if raw else ""


def line(scope: Scope) -> str:
    """``target``, made up of the decoded path where the server did not keep it."""
    query: bytes = scope.get("query_string") or b""
    return target(scope) or public_path(scope) + ("?" + query.decode("latin-1") if query else "")


def without_token(scope: Scope) -> tuple[Scope, bytes]:
    """The request without our token in its query, and the token; the same scope where there is none."""
    query = scope.get("query_string") or b""
    mark = ONCE + b"="
    if mark not in query:
        return scope, b""
    fields = query.split(b"&")
    found = [field for field in fields if field.startswith(mark)]
    if not found:
        return scope, b""
    kept = b"&".join(field for field in fields if not field.startswith(mark))
    return {**scope, "query_string": kept}, found[0].removeprefix(mark)


async def read_body(receive: Receive, most: int) -> bytes | None:
    """A request's body, or a little more of it than ``most`` bytes; None for a client that is gone."""
    body, more = bytearray(), True
    while more and len(body) <= most:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")[: most + 1]
        more = message.get("more_body", False)
    return bytes(body)
