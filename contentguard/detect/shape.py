"""The shape of a request: its headers, read once for all detectors that judge headers alone.

Strategy: two requests of one reader differ in path, cookie and referrer and in nothing else, so the verdict on the
rest is kept in a bounded table. Its key is the headers' own bytes, in order: the names of all, and the values of the
few whose value is read. So what a proxy adds about each client or request makes nobody new. A request with more than
``_KEY_BYTES`` of them is judged afresh every time and leaves nothing behind. Which values are read follows from the
names, and browsers send the same few rows of names: that is remembered too.

Two readers differ in their User-Agent and in their languages, and mostly in nothing else. Of the one only what it
claims counts for a detector, of the other hardly anything: ``manner`` is the key under which they are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

from contentguard.detect.agent import Agent, parse
from contentguard.model import Facts

_Headers = tuple[tuple[bytes, bytes], ...]
_Pick = Callable[[_Headers], _Headers]
Key = tuple[tuple[bytes, ...], bytes, str, str, str, bool]
Manner = tuple[bytes, str, str, str, bool, Agent, bool | None]

_KEY_BYTES = 2048
_VALUE = 1024
"""No more of a header's value is read."""
_PICKS = 256
_picks: dict[tuple[bytes, ...], tuple[_Pick, int]] = {}
_name_of, _value_of = itemgetter(0), itemgetter(1)

_AHEAD = (b"sec-purpose", b"purpose", b"x-moz")

_ALIKE = frozenset(
    (
        b"host",
        b"connection",
        b"accept",
        b"accept-encoding",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-site",
        b"sec-fetch-mode",
        b"sec-fetch-dest",
        b"sec-fetch-user",
        *_AHEAD,
    )
)
"""Headers whose value is read, and of which few values are about at a time."""

READ = _ALIKE | {b"user-agent", b"accept-language"}
"""All whose value is read here or by any detector of headers. Of any other only that it is there says anything."""

_LASTING = (b"accept-language", b"accept-encoding")
"""Headers that pages and their parts are asked for with alike."""
TOLD = (*_LASTING, b"sec-ch-ua", b"sec-ch-ua-platform")
"""Headers that a browser sends alike for pages and for their parts, and that tell one browser from another."""

_FORWARDED = frozenset(
    (
        b"via",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-real-ip",
        b"cf-ray",
        b"cf-connecting-ip",
        b"cdn-loop",
        b"fastly-ff",
        b"fastly-client-ip",
        b"x-amz-cf-id",
        b"x-amzn-trace-id",
        b"x-cloud-trace-context",
        b"x-azure-ref",
        b"x-varnish",
        b"x-envoy-external-address",
        b"true-client-ip",
        b"x-vercel-id",
        b"fly-request-id",
        b"x-bluecoat-via",
        b"proxy-connection",
    )
)
"""What proxies and CDNs add. Any of them: somebody stood between, and may have put the headers in another order."""

_LOOPBACK = (b"127.", b"localhost", b"[::1]")


class Shape(NamedTuple):
    """One request's headers, as detectors read them."""

    headers: _Headers
    """Names and values, in order."""
    values: Mapping[bytes, bytes]
    """The first value of each."""
    agent: Agent
    secure: bool
    """Whether a browser took this for a trustworthy origin (https, or this machine) and so said all it says."""
    direct: bool
    """Whether these are the client's own headers: no proxy of ours or its own has touched them."""
    http1: bool
    document: bool
    """Whether this is a page that somebody navigates to, as far as the request says."""


_shape = tuple.__new__
"""A third faster than ``Shape(...)``."""


def shape(facts: Facts, values: Mapping[bytes, bytes] | None = None) -> Shape:
    """The shape of a request. ``values``: the first value of each header, where that is known."""
    headers = facts.headers
    values = dict(headers[::-1]) if values is None else values  # of several of one name the first stays
    if len(b"".join(values.values())) > _VALUE:
        values = {name: value[:_VALUE] for name, value in values.items()}
    agent, secure = parse(values.get(b"user-agent", b"")), is_secure(facts.scheme, values)
    http1, document = facts.http_version[:1] == "1", facts.method in ("GET", "HEAD") and _is_document(values)
    return _shape(Shape, (headers, values, agent, secure, _is_direct(facts, values), http1, document))


def key(facts: Facts) -> Key | None:
    """All that ``shape`` depends on; None where that is too much to keep."""
    headers, method = facts.headers, facts.method
    names = tuple(map(_name_of, headers))
    pick, room = _picks.get(names) or _picked(names)
    # Lengths do not matter: no header's name or value can hold a line break (RFC 9110 §5.5).
    values = b"\n".join(map(_value_of, pick(headers)))
    if len(values) + len(method) > room:
        return None
    return names, values, method, facts.scheme, facts.http_version, facts.proxied


def _picked(names: tuple[bytes, ...]) -> tuple[_Pick, int]:
    """What takes those whose value is read out of headers of these names, and how many bytes these may have.

    Remembered in a bounded table.
    """
    places = [at for at, name in enumerate(names) if name in READ]
    # ``itemgetter`` of one place gives what stands there, and of none is none.
    pick: _Pick = itemgetter(*places) if len(places) > 1 else lambda headers: tuple([headers[at] for at in places])
    room = _KEY_BYTES - sum(map(len, names))
    if room > 0:
        if len(_picks) >= _PICKS:
            _picks.clear()
        _picks[names] = pick, room
    return pick, room


def manner(facts: Facts, values: Mapping[bytes, bytes]) -> Manner:
    """All that detectors of headers depend on: the same for all who claim the same browser in the same way.

    ``values``: the first value of each header. Only for requests that have a ``key``.
    """
    parts: list[bytes] = []
    append, extend = parts.append, parts.extend
    for pair in facts.headers:
        if pair[0] in _ALIKE:
            extend(pair)
        else:
            append(pair[0])
    agent, languages = parse(values.get(b"user-agent", b"")), values.get(b"accept-language")
    said = None if not languages else languages != b"*"
    return b"\n".join(parts), facts.method, facts.scheme, facts.http_version, facts.proxied, agent, said


def fingerprint(agent: Agent, values: Mapping[bytes, bytes]) -> int:
    """What all requests of one browser on one kind of device share, pages and their parts alike, as 64 bits.

    So nothing goes in that depends on what is asked for: no Accept, no order, no Sec-Fetch, and no client hints, which
    Chromium whose reader has switched scripts off sends with pages only. The hash is this process's own and means
    nothing outside it. ``values``: the first value of each header.
    """
    said = tuple([value[:_VALUE] if value else value for value in map(values.get, _LASTING)])
    return hash((agent.engine, agent.major, agent.system, agent.mobile, agent.plain, said)) & 0xFFFFFFFFFFFFFFFF


def is_secure(scheme: str, values: Mapping[bytes, bytes]) -> bool:
    """Whether browsers treat the origin as trustworthy (Secure Contexts §3.1), and send Sec-Fetch-* and hints.

    The Host header is the client's word. Who says that it came for another host than this machine on plain http is
    asked for less, so nobody gains by lying that could not by asking the real site on plain http.
    """
    return scheme == "https" or values.get(b"host", b"").startswith(_LOOPBACK)


def is_prefetch(values: Mapping[bytes, bytes]) -> bool:
    """Whether a browser fetches this ahead of its reader (Sec-Purpose; Purpose and X-Moz before it)."""
    for name in _AHEAD:
        mark = values.get(name)
        if mark is not None and b"pre" in mark.lower():
            return True
    return False


def _is_direct(facts: Facts, values: Mapping[bytes, bytes]) -> bool:
    # HTTP/1.0 and "close" are what nginx sends on by default: no browser says either.
    return not (
        facts.proxied
        or facts.http_version == "1.0"
        or values.get(b"connection", b"").lower() == b"close"
        or not _FORWARDED.isdisjoint(values)
    )


def _is_document(values: Mapping[bytes, bytes]) -> bool:
    """Whether nothing says that a script, not a reader, asks for this page."""
    wanted = values.get(b"sec-fetch-dest", b"document")
    return wanted in (b"document", b"iframe", b"frame") and b"x-requested-with" not in values
