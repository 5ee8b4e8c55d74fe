"""What may be done with the site's pictures: which requests show one inside a page of another site.

Strategy: a browser says by itself where a request comes from and what for (Sec-Fetch-Site, Sec-Fetch-Dest, W3C Fetch
Metadata), and no page can change that; where it says nothing, the Referer tells, and where that is missing, too,
nothing does. Only what is certain counts, for readers must never look at a placeholder on the site itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

from contentguard.model import Facts, Purpose, Standing
from contentguard.policy.paths import is_readable, parse_pattern, spellings

Hotlinks = Literal["allow", "placeholder"]
ResourcePolicy = Literal["", "same-site", "same-origin"]
Cards = Literal["fetch", "show"]

_HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+")
_EMBEDS = frozenset((b"image", b"embed", b"object", b"iframe", b"frame"))
_GUESTS = frozenset((Purpose.SEARCH, Purpose.LINK_PREVIEW, Purpose.FEED))
"""Robots that fetch pictures for others: search, cards, feed readers, the picture proxies of mail."""


@dataclass(frozen=True, slots=True)
class Media:
    """Options of the site's pictures."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    hotlinks: Hotlinks = "allow"
    """``placeholder``: a page of another site that shows a picture from here shows a placeholder. ``allow`` by default,
    because web mail, feed readers, translators and the site's own other domains embed pictures, too, and whoever reads
    there is a reader."""
    embedders: tuple[str, ...] = ()
    """Hosts whose pages may show pictures, with all below them, besides the site's own and well-known services."""
    cards: Cards = "fetch"
    """Who may have the pictures on articles' cards (``og:image``), which often are the articles' own. ``fetch``: who
    fetches them, as networks and messengers do. ``show``: pages of other sites as well."""
    open: tuple[str, ...] = ()
    """Path patterns (as in robots.txt) of pictures that anybody may show, signed or not."""
    resource_policy: ResourcePolicy = ""
    """``Cross-Origin-Resource-Policy`` of pictures that say none: browsers then show nothing at all elsewhere."""
    signed: tuple[str, ...] = ()
    """Path patterns of pictures that are there for who has an article's page: their addresses expire."""
    days: int = 7
    """For how many days a signed address can be fetched; longer than any cache keeps a page."""
    marked: tuple[str, ...] = ()
    """Path patterns of pictures that are sent with marks (extra ``images``): JPEG, PNG and WebP, not animated."""
    invisible: bool = True
    """Whether an invisible mark says of such a picture that it is the site's, and since which month."""
    caption: str = ""
    """A line over its lower edge; may hold ``{site}``; empty for none."""
    cache_bytes: int = 32 * 2**20
    """Memory for marked pictures, in bytes."""

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        chosen = (self.hotlinks, Hotlinks), (self.resource_policy, ResourcePolicy), (self.cards, Cards)
        for value, allowed in ((value, get_args(kind)) for value, kind in chosen):
            if value not in allowed:
                raise ValueError(f"want one of {', '.join(map(repr, allowed))}, not {value!r}")
        for host in self.embedders:
            if _HOST.fullmatch(host) is None:
                raise ValueError(f"want hosts in lower case like partner.example, not {host!r}")
        for pattern in (*self.open, *self.signed, *self.marked):
            parse_pattern(pattern)
        if not 1 <= self.days <= 366:
            raise ValueError(f"want 1 to 366 days, not {self.days}")
        if self.cache_bytes < 0:
            raise ValueError(f"want bytes from 0 on, not {self.cache_bytes}")


class Paths:
    """Patterns that are held against every spelling of a path."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [parse_pattern(text).loosened() for text in patterns]

    def may_mean(self, path: str) -> bool:
        """Whether an application may take ``path`` for one that a pattern names."""
        return bool(self._patterns) and (not is_readable(path) or any(map(self._named, spellings(path))))

    def surely_mean(self, path: str) -> bool:
        """Whether it can take it for nothing else."""
        return bool(self._patterns) and is_readable(path) and all(map(self._named, spellings(path)))

    def _named(self, path: str) -> bool:
        return any(pattern.matches(path) for pattern in self._patterns)


def is_guest(facts: Facts) -> bool:
    """Whether a declared robot asks that fetches pictures for search, cards, feeds or mail, and does not pretend."""
    crawler = facts.crawler
    return crawler is not None and crawler.purpose in _GUESTS and facts.identity is not Standing.SPOOFED


def is_embedded(facts: Facts, own: str, embedders: Collection[str]) -> bool:
    """Whether a page of another site shows what is asked for.

    ``own``: the site's host, empty where none is configured. ``embedders``: hosts that may, with all below them.
    """
    if facts.method not in ("GET", "HEAD"):
        return False
    referrer = _host(facts.header(b"referer"))
    site = facts.header(b"sec-fetch-site")
    if site is not None:
        foreign = site.strip().lower() == b"cross-site" and facts.header(b"sec-fetch-dest") in _EMBEDS
        return foreign and not (referrer and _below(referrer, embedders))
    if not referrer or b"text/html" in (facts.header(b"accept") or b""):
        return False  # it says nothing, or somebody follows a link
    # A browser's Host is the site that it means; what else may send a false one can leave the Referer out as well.
    names = [name for name in (own, _bare(facts.header(b"host"))) if name]
    return not any(_related(referrer, name) for name in names) and not _below(referrer, embedders)


def _host(url: bytes | None) -> str:
    """The host of a Referer; empty for none, and for what is no web address."""
    if not url or len(url) > 8192:
        return ""
    try:
        parts = urlsplit(url.decode("latin-1"))
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _bare(authority: bytes | None) -> str:
    try:
        return urlsplit(f"//{(authority or b'').decode('latin-1')}").hostname or ""
    except ValueError:
        return ""


def _related(host: str, other: str) -> bool:
    """Whether two hosts are one, or one is below the other; "www." counts for nothing."""
    host, other = host.removeprefix("www."), other.removeprefix("www.")
    return host == other or host.endswith("." + other) or other.endswith("." + host)


def _below(host: str, hosts: Collection[str]) -> bool:
    """Whether ``host`` or anything it is below stands in ``hosts``."""
    while host:
        if host in hosts:
            return True
        host = host.partition(".")[2]
    return False
