"""Requests as tests write them: a browser's headers with a few changed, as Facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contentguard.detect import signals
from contentguard.model import Facts

CHROME = {
    "Host": "news.example",
    "Connection": "keep-alive",
    "sec-ch-ua": '"Not:A-Brand";v="8", "Chromium";v="156", "Google Chrome";v="156"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Windows"',
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/156.0.0.0 Safari/537.36"
    ),
    "Accept": (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7"
    ),
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Dest": "document",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
}
FIREFOX = {
    "Host": "news.example",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.9",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Connection": "keep-alive",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-User": "?1",
    "Priority": "u=0, i",
}
SAFARI = {
    "Host": "news.example",
    "User-Agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
        "Mobile/15E148 Safari/604.1"
    ),
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Accept-Language": "de-DE,de;q=0.9",
    "Accept-Encoding": "gzip, deflate, br",
    "Connection": "keep-alive",
}


def facts(headers: Mapping[str, str | None], changes: Mapping[str, str | None] | None = None, **fields: Any) -> Facts:
    """Facts of a request on https; a changed header keeps its place, a new one comes last, None takes one away."""
    merged = {**headers, **(changes or {})}
    pairs = tuple((n.lower().encode(), v.encode("latin-1")) for n, v in merged.items() if v is not None)
    return Facts("GET", "/news/tide", pairs, "192.0.2.7", **{"scheme": "https", "now": 1e9, **fields})


def noticed(
    headers: Mapping[str, str | None], changes: Mapping[str, str | None] | None = None, **fields: Any
) -> set[str]:
    """The names of what is noticed about such a request."""
    return {signal.name for signal in signals(facts(headers, changes, **fields))}
