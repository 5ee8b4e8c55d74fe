"""Who sends a comment, as far as its request and the guard's memory of the client can tell.

Strategy: behind the middleware everything was looked at already, and ``scope["contentguard.asked"]`` holds it; without
it, the scope is read here in the same way, and only what a client does between its requests stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from contentguard.addresses import prefix
from contentguard.detect import look, total
from contentguard.detect.agent import parse
from contentguard.guard.visits import Visit
from contentguard.model import MOST_HEADERS, Facts, Verdict, gathered
from contentguard.settings import Settings

ASKED = "contentguard.asked"
"""Where in the scope the middleware tells what it knows of a request: ``(facts, verdict, visit)``."""
_TOLD = frozenset(
    (
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "dnt"),
        *("from", "host", "origin", "pragma", "referer", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"),
        *("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "sec-gpc"),
        *("upgrade-insecure-requests", "user-agent", "via"),
    )
)
"""Headers that others may be told: what says something of the client, and nothing that gives access to anything."""
_LONGEST = 512
_OWN_SITES = (b"same-origin", b"none")


class Sender(NamedTuple):
    """Who sends a request."""

    client: str | None
    """The address, resolved."""
    prefix: str
    """The key under which that address is counted."""
    kind: str
    """The kind of browser, which stays the same when it is updated."""
    foreign: bool
    """Whether another site's page made the browser send this."""
    shows: bool
    """Whether something of a browser has been seen: a page's parts fetched, a report."""
    passed: bool
    """Whether it has earned a reader's pass."""
    score: float
    """The guard's, see ``Verdict``."""
    noticed: tuple[str, ...]
    """Names of the guard's signals."""
    agent: str
    referrer: str
    language: str
    headers: tuple[tuple[str, str], ...]
    """See ``Submission.headers``."""
    server: tuple[tuple[str, str], ...] = ()
    """See ``Submission.server``."""


def sender(scope: Mapping[str, Any], settings: Settings, now: float) -> Sender:
    """Who sent the request of an ASGI scope."""
    facts, verdict, visit = scope.get(ASKED) or (_facts(scope, settings, now), None, None)
    values = dict(facts.headers[::-1])
    score, noticed = _noticed(facts, verdict)
    agent = values.get(b"user-agent", b"")
    claimed = parse(agent)
    return Sender(
        facts.client,
        prefix(facts.client),
        f"{claimed.engine} {claimed.system} {claimed.mobile}",
        is_foreign(values, settings.origin, facts.scheme),
        _shows(facts, visit, values, settings),
        facts.passed,
        score,
        noticed,
        _text(agent),
        _text(values.get(b"referer", b"")),
        _text(values.get(b"accept-language", b"")).partition(",")[0].partition(";")[0][:35],
        tuple((name, _text(values[name.encode()])) for name in sorted(_TOLD) if name.encode() in values),
        tuple(_server(scope, facts, values)),
    )


def _server(scope: Mapping[str, Any], facts: Facts, values: Mapping[bytes, bytes]) -> Iterator[tuple[str, str]]:
    """How a request was sent, in the words of CGI. Without its query, which may hold what gives access."""
    path = quote(str(scope.get("path", "")), safe="/:@!$&'()*+,;=~-._", errors="replace")[:_LONGEST]
    yield "REQUEST_METHOD", facts.method[:_LONGEST]
    yield "REQUEST_URI", path
    yield "DOCUMENT_URI", path
    yield "REQUEST_SCHEME", facts.scheme
    yield "SERVER_PROTOCOL", f"HTTP/{str(scope.get('http_version', '1.1'))[:8]}"
    for name in (b"content-type", b"content-length"):
        if name in values:
            yield name.decode().upper().replace("-", "_"), _text(values[name])


def _facts(scope: Mapping[str, Any], settings: Settings, now: float) -> Facts:
    headers = tuple(scope.get("headers", ()))
    peer = (scope.get("client") or (None,))[0]
    address = settings.proxies.client(peer, headers)
    scheme = settings.proxies.scheme(peer, headers, scope.get("scheme", "http"))
    version = scope.get("http_version", "1.1")
    return gathered(
        scope.get("method", "POST"), scope.get("path", "/"), headers[:MOST_HEADERS], address, scheme, version, now, ""
    )


def _noticed(facts: Facts, verdict: Verdict | None) -> tuple[float, tuple[str, ...]]:
    if verdict is not None:
        return verdict.score, tuple(signal.name for signal in verdict.signals)
    found = look(facts).signals
    return total(found), tuple(signal.name for signal in found)


def _shows(facts: Facts, visit: Visit | None, values: Mapping[bytes, bytes], settings: Settings) -> bool:
    """Whether a client has shown anything of a browser. Where nobody could have seen it, its headers have to say so."""
    session, given = facts.session, visit.given if visit is not None else None
    if given is not None and facts.now - given.seen <= settings.meter.parts_within:
        return True
    if session is not None and (session.styles or session.scripts or session.images or session.report):
        return True
    unseen = visit is None or not (settings.visits.cookie or session)
    return unseen and b"sec-fetch-site" in values


def is_foreign(values: Mapping[bytes, bytes], origin: str, scheme: str) -> bool:
    """Whether a request that changes something came from another site's page (Fetch Metadata; RFC 6454 §7).

    Browsers have told since 2020 (Safari 2023); of who tells nothing at all the form's token has to be enough.
    ``values``: headers; ``origin``: the site's own, where it is known.
    """
    site = values.get(b"sec-fetch-site")
    if site is not None:
        return site not in _OWN_SITES
    said = values.get(b"origin")
    if said is None:
        return False
    own = origin or f"{scheme}://{_text(values.get(b'host', b''))}"
    return _bare(_text(said)) != _bare(own)


def _bare(origin: str) -> tuple[str, str]:
    """Scheme and authority; two empty texts for an origin that is none, or hidden."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return "", origin
    return parts.scheme, parts.netloc.removesuffix(":443" if parts.scheme == "https" else ":80")


def _text(value: bytes) -> str:
    return value[:_LONGEST].decode("latin-1")
