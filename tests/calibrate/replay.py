"""Captures played to the detectors the way the guard would: one session table, one Facts for each article.

Strategy: what the guard will do with a cookie is done here in ten lines, so that recall and false alarms are measured
on the protocol of ``detect/sessions.py`` and not on single requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

from contentguard.detect import signals
from contentguard.detect.sessions import BARE, IMAGE, NONE, RETURNED, SCRIPT, STYLE, Sessions
from contentguard.model import Facts, Signal
from tests.calibrate.clients import Capture, Condition, Lines, Request

SECRET = b"calibration-secret"
AS_IT_IS = Condition()
_PARTS = {"s.css": STYLE, "a.js": SCRIPT, "p.png": IMAGE}


class Seen(NamedTuple):
    """One article request, and what was noticed."""

    facts: Facts
    signals: tuple[Signal, ...]


def facts_of(headers: Lines, *, scheme: str = "https", version: str = "1.1", proxied: bool = False) -> Facts:
    """The facts of one article request; ``proxied``: as a reverse proxy of ours passes it on."""
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if proxied:
        pairs = _passed_on(pairs)
    return Facts("GET", "/news/tide", tuple(pairs), "192.0.2.7", scheme, version, 1e9, proxied=proxied)


def _passed_on(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """As nginx does it: its own Host and Connection first, nothing of one hop only, the client's address last."""
    hop = (b"host", b"connection", b"keep-alive", b"upgrade", b"http2-settings", b"te", b"proxy-connection")
    host = next((value for name, value in pairs if name == b"host"), b"news.example")
    kept = [(name, value) for name, value in pairs if name not in hop]
    return [(b"host", host), (b"connection", b"close"), *kept, (b"x-forwarded-for", b"198.51.100.9")]


def visit(
    capture: Capture,
    condition: Condition = AS_IT_IS,
    *,
    proxied: bool = False,
    gap: float | None = None,
    rounds: int = 1,
) -> list[Seen]:
    """What is noticed at each article of a capture. ``gap``: seconds between pages instead of the captured ones.

    ``rounds`` plays it again and again in one session, as a client would that goes on in the same way.
    """
    table = Sessions(256, secret=SECRET)
    seen: list[Seen] = []
    shift, now = 0.0, 1e9
    known = False
    for number in range(rounds):
        for request in capture.requests:
            if request.is_article:
                now = 1e9 + (len(seen) * gap if gap is not None else request.at + shift)
                known = known or _has_cookie(request)
                facts = facts_of(
                    condition.headers(request.headers), scheme=capture.scheme, version=request.version, proxied=proxied
                )
                facts = replace(facts, now=now)
                returned = known and condition.cookies and bool(seen)
                seen.append(_article(table, facts, returned, len(seen), request.page))
            elif request.page in _PARTS and condition.parts:
                for key in ("cookie", "address"):
                    table.fetched(key, _PARTS[request.page])
        shift = (number + 1) * (capture.requests[-1].at + 1.0)
    return seen


def _has_cookie(request: Request) -> bool:
    return any(name.lower() == "cookie" for name, _ in request.headers)


def _article(table: Sessions, facts: Facts, returned: bool, number: int, page: str) -> Seen:
    site, referer = facts.header(b"sec-fetch-site"), facts.header(b"referer")
    flags = RETURNED if returned else 0
    flags |= NONE if site == b"none" else BARE if referer is None else 0
    key = "cookie" if returned else "address"
    own = referer is not None and site in (b"same-origin", None)
    came = crc32((referer or b"").rpartition(b"/")[2]) & 0xFFFF if own else 0
    how = {"path": crc32(page.encode()) & 0xFFFF, "came": came}
    table.article(key, facts.now, flags, number, **how)
    if not returned:  # a cookie is handed out with the page
        table.article("cookie", facts.now, flags, number, **how)
    known = replace(facts, session=table.read(key, facts.now))
    return Seen(known, signals(known))


def names(seen: Seen) -> set[str]:
    """The names of what was noticed."""
    return {signal.name for signal in seen.signals}


def all_visits(captures: list[Capture], **how: bool | float) -> Iterator[tuple[Capture, list[Seen]]]:
    """Every capture with its visit."""
    for capture in captures:
        yield capture, visit(capture, **how)  # type: ignore[arg-type]
